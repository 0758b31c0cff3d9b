//! `rctl init`: a topology file to begin with, every choice explained. An existing file is never touched.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};

use super::{Ctx, Outcome};
use crate::cli::InitArgs;
use crate::error::{Error, Exit, Result};

/// Writes the file.
///
/// # Errors
/// It is there already (7), or cannot be written (5); more ports than there are (2).
pub fn run(ctx: &Ctx, args: &InitArgs) -> Result<Outcome> {
    let text = text(args)?;
    if args.file.as_os_str() == "-" {
        return Ok(Outcome::done(text));
    }
    let shown = args.file.display();
    let mut file = OpenOptions::new().write(true).create_new(true).open(&args.file).map_err(|error| {
        match error.kind() {
            ErrorKind::AlreadyExists => {
                Error::new(Exit::Refused, format!("{shown} is there already, and was left as it is"))
                    .hint(format!("rctl check {shown}"))
            }
            _ => Error::new(Exit::Environment, format!("cannot write {shown}: {error}")),
        }
    })?;
    file.write_all(text.as_bytes())
        .map_err(|error| Error::new(Exit::Environment, format!("cannot write {shown}: {error}")))?;
    ctx.console.talk(&format!("{shown} is written; next: rctl up {shown}"));
    Ok(Outcome::done(""))
}

/// The whole file.
fn text(args: &InitArgs) -> Result<String> {
    let (title, nodes) = shape(args)?;
    let mut text = format!(
        "# {title}.\n# Start it with `rctl up`, look at it with `rctl status`; `rctl check` explains what is wrong with a file.\n\n"
    );
    if args.file.file_stem().is_none_or(|stem| !stem.to_str().is_some_and(crate::topology::is_name))
        || args.file.as_os_str() == "-"
    {
        text.push_str(
            "name = \"lab\"                       # how the set is called everywhere: a-z, 0-9 and -\n\n",
        );
    } else {
        text.push_str(
            "# name = \"lab\"                     # how the set is called; else the name of this file\n\n",
        );
    }
    text.push_str(
        "[defaults]                         # what holds for every node that does not say otherwise\n\
         engine      = \"builtin\"            # or \"redis\", \"valkey\", \"/path/to/a/server\"\n\
         persistence = \"rdb\"                # or \"none\", \"aof\"\n\
         # restart   = \"on-failure\"         # start crashed nodes again; else they stay down, visibly\n\
         # config    = { repl-backlog-size = \"1mb\" }   # any redis.conf directive\n",
    );
    for (index, (port, upstream)) in nodes.iter().enumerate() {
        let note =
            |wanted: usize, text: &str| if index == wanted { format!("  # {text}") } else { String::new() };
        let _ = write!(text, "\n[[node]]\nport = {port}{}\n", note(0, "no replica-of: the master"));
        if let Some(upstream) = upstream {
            let _ = writeln!(text, "replica-of = {upstream}{}", note(1, "a port, or a node's name"));
        }
        if index == 1 {
            text.push_str("# name = \"reader\"                  # a second handle\n");
        }
    }
    if let Some(count) = args.sentinels {
        let quorum = count / 2 + 1;
        let _ = write!(
            text,
            "\n[sentinel]                         # real redis-sentinel processes; they fail over by themselves\ncount  = {count}\nquorum = {quorum}{}# so many must agree that the master is gone\n",
            " ".repeat(25)
        );
    } else {
        text.push_str("\n# [autofailover]                   # promote the best replica when the master stays away\n# down-after = \"1s\"\n");
    }
    Ok(text)
}

/// A port, and the one it follows.
type Placed = (u16, Option<u16>);

/// A sentence on the shape, and each node with its upstream.
fn shape(args: &InitArgs) -> Result<(String, Vec<Placed>)> {
    let base = args.port_base;
    let (title, upstreams): (String, Vec<Option<usize>>) = match (args.chain, args.tree) {
        (Some(nodes), _) => {
            let above = |index: u16| usize::from(index).checked_sub(1);
            (format!("A chain of {nodes}: each node follows the one before"), (0..nodes).map(above).collect())
        }
        (_, Some((wide, deep))) => {
            let (wide, deep) = (usize::from(wide), usize::from(deep));
            let below = (1..=wide).flat_map(|replica| std::iter::repeat_n(Some(replica), deep));
            let all = [None].into_iter().chain(std::iter::repeat_n(Some(0), wide)).chain(below);
            (format!("A tree: {wide} replicas of one master, {deep} below each"), all.collect())
        }
        _ => {
            let count = args.replicas.unwrap_or(2);
            let all = [None].into_iter().chain(std::iter::repeat_n(Some(0), usize::from(count)));
            (format!("One master and {count} of its replicas"), all.collect())
        }
    };
    let port = |index: usize| u16::try_from(index).ok().and_then(|index| base.checked_add(index));
    let node = |(index, upstream): (usize, &Option<usize>)| {
        Some((
            port(index)?,
            match upstream {
                Some(above) => Some(port(*above)?),
                None => None,
            },
        ))
    };
    let nodes: Option<Vec<_>> = upstreams.iter().enumerate().map(node).collect();
    let none = || {
        Error::new(Exit::Usage, format!("--port-base {base} leaves no room for {} nodes", upstreams.len()))
    };
    Ok((title, nodes.ok_or_else(none)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology;

    fn upstreams(args: &InitArgs) -> Vec<(u16, Option<u16>)> {
        let text = text(args).unwrap();
        let (set, warnings) = topology::parse(&text, "rctl.toml").unwrap();
        assert!(warnings.is_empty(), "{warnings:?}");
        set.nodes.iter().map(|node| (node.port, node.replica_of)).collect()
    }

    fn args() -> InitArgs {
        InitArgs { file: "rctl.toml".into(), port_base: 7000, ..InitArgs::default() }
    }

    #[test]
    fn what_is_written_is_valid_and_has_the_shape_that_was_asked_for() {
        assert_eq!(upstreams(&args()), [(7000, None), (7001, Some(7000)), (7002, Some(7000))]);
        let chain = InitArgs { chain: Some(3), ..args() };
        assert_eq!(upstreams(&chain), [(7000, None), (7001, Some(7000)), (7002, Some(7001))]);
        let tree = InitArgs { tree: Some((2, 1)), ..args() };
        let wanted =
            [(7000, None), (7001, Some(7000)), (7002, Some(7000)), (7003, Some(7001)), (7004, Some(7002))];
        assert_eq!(upstreams(&tree), wanted);
        assert_eq!(upstreams(&InitArgs { replicas: Some(0), ..args() }), [(7000, None)]);
    }

    #[test]
    fn ports_that_do_not_exist_are_refused() {
        let error = text(&InitArgs { chain: Some(9), port_base: 65530, ..args() }).unwrap_err();
        assert_eq!(error.exit, Exit::Usage);
    }
}

//! COMMAND DOCS: what commands are for and how they are written, for clients that show hints.
//!
//! The argument trees come from the synopses. They do not carry the names Redis gives to nameless groups, nor the version in
//! which each option appeared.

use super::catalog::named;
use super::context::Context;
use super::error::Failure;
use super::spec::Command;
use super::synopsis::{Part, Sequence, parse, type_of};
use super::table::TABLE;
use crate::resp::{Args, Reply};

/// `COMMAND DOCS [name ...]`: a map of name to description; what is no command is left out.
pub fn docs(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    if args.len() == 2 {
        ctx.reply.map(TABLE.len());
        TABLE.iter().for_each(|command| write_command(ctx.reply, command));
        return Ok(());
    }
    let known = || args.iter_from(2).filter_map(named);
    ctx.reply.map(known().count());
    known().for_each(|command| write_command(ctx.reply, command));
    Ok(())
}

fn write_command(reply: &mut Reply, command: &'static Command) {
    let arguments =
        arguments_of(&parse(command.synopsis).parts, &mut KeyCount { seen: 0, specs: command.keys.len() });
    let subs = command.subcommands;
    reply.bulk(command.name.as_bytes());
    reply.map(4 + usize::from(!arguments.is_empty()) + usize::from(!subs.is_empty()));
    for (field, text) in [
        ("summary", command.summary),
        ("since", command.since),
        ("group", command.group),
        ("complexity", command.complexity),
    ] {
        reply.bulk(field.as_bytes());
        reply.bulk(text.as_bytes());
    }
    if !arguments.is_empty() {
        reply.bulk(b"arguments");
        write_arguments(reply, &arguments);
    }
    if !subs.is_empty() {
        reply.bulk(b"subcommands");
        reply.map(subs.len());
        subs.iter().for_each(|sub| write_command(reply, sub));
    }
}

/// One argument as COMMAND DOCS has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Argument {
    name: String,
    kind: &'static str,
    key_spec: Option<usize>,
    token: Option<&'static str>,
    optional: bool,
    multiple: bool,
    inner: Vec<Argument>,
}

/// Which key specification the next value that is a key belongs to.
struct KeyCount {
    seen: usize,
    specs: usize,
}

fn arguments_of(parts: &[Part], keys: &mut KeyCount) -> Vec<Argument> {
    let mut out: Vec<Argument> = Vec::new();
    // Where the parts begin that the arguments in `out` stand for.
    let mut from = 0;
    for (index, part) in parts.iter().enumerate() {
        let before = parts.get(from..index).unwrap_or_default();
        match part {
            // `key [key ...]`: not a further argument, the same one again.
            Part::Optional(choices) if repeats_what_went_before(choices, before) => {
                let first = out.len() - choices.first().map_or(0, |choice| choice.parts.len());
                let mut repeated = one_of(out.split_off(first));
                repeated.multiple = true;
                out.push(repeated);
                from = index + 1;
            }
            Part::Optional(choices) => {
                let mut argument = alternatives(choices, keys);
                argument.optional = true;
                out.push(argument);
            }
            Part::Choice(choices) => out.push(alternatives(choices, keys)),
            Part::Token(token) => out.push(pure_token(token)),
            Part::Value(value) => out.push(named_value(value, keys)),
        }
    }
    out
}

fn repeats_what_went_before(choices: &[Sequence], before: &[Part]) -> bool {
    match choices {
        [only] => only.repeats && !only.parts.is_empty() && before.ends_with(&only.parts),
        _ => false,
    }
}

fn named_value(value: &'static str, keys: &mut KeyCount) -> Argument {
    let (name, kind) = type_of(value);
    let mut argument = Argument { name: name.to_owned(), kind, ..Argument::default() };
    if kind == "key" && keys.specs > 0 {
        argument.key_spec = Some(keys.seen.min(keys.specs - 1));
        keys.seen += 1;
    }
    argument
}

fn pure_token(token: &'static str) -> Argument {
    Argument {
        name: token.to_ascii_lowercase(),
        kind: "pure-token",
        token: Some(token),
        ..Argument::default()
    }
}

/// What stands in one pair of brackets.
fn alternatives(choices: &[Sequence], keys: &mut KeyCount) -> Argument {
    let mut inner: Vec<Argument> = choices.iter().map(|choice| sequence(choice, keys)).collect();
    if inner.len() == 1 {
        return inner.swap_remove(0);
    }
    Argument { name: "choice".to_owned(), kind: "oneof", inner, ..Argument::default() }
}

/// A sequence as one argument: a leading token is its token.
fn sequence(sequence: &Sequence, keys: &mut KeyCount) -> Argument {
    let mut argument = match sequence.parts.as_slice() {
        [Part::Token(token)] => pure_token(token),
        [Part::Token(token), rest @ ..] if !matches!(rest, [Part::Token(_), ..]) => {
            let mut argument = one_of(arguments_of(rest, keys));
            argument.token = Some(token);
            argument
        }
        parts => one_of(arguments_of(parts, keys)),
    };
    argument.multiple |= sequence.repeats;
    argument
}

/// One argument is itself; several are a block.
fn one_of(mut arguments: Vec<Argument>) -> Argument {
    if arguments.len() == 1 {
        return arguments.swap_remove(0);
    }
    let name = arguments.iter().map(|argument| argument.name.as_str()).collect::<Vec<_>>().join("_");
    Argument { name, kind: "block", inner: arguments, ..Argument::default() }
}

fn write_arguments(reply: &mut Reply, arguments: &[Argument]) {
    reply.array(arguments.len());
    for argument in arguments {
        let flags = usize::from(argument.optional) + usize::from(argument.multiple);
        let fields = 2
            + usize::from(argument.key_spec.is_some())
            + usize::from(argument.token.is_some())
            + usize::from(flags > 0)
            + usize::from(!argument.inner.is_empty());
        reply.map(fields);
        reply.bulk(b"name");
        reply.bulk(argument.name.as_bytes());
        reply.bulk(b"type");
        reply.bulk(argument.kind.as_bytes());
        if let Some(index) = argument.key_spec {
            reply.bulk(b"key_spec_index");
            reply.count(index);
        }
        if let Some(token) = argument.token {
            reply.bulk(b"token");
            reply.bulk(token.as_bytes());
        }
        if flags > 0 {
            reply.bulk(b"flags");
            reply.set(flags);
            if argument.optional {
                reply.simple("optional");
            }
            if argument.multiple {
                reply.simple("multiple");
            }
        }
        if !argument.inner.is_empty() {
            reply.bulk(b"arguments");
            write_arguments(reply, &argument.inner);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The arguments of a synopsis in a few words: `name:kind`, `?` optional, `*` multiple, `@` token.
    fn shown(synopsis: &'static str) -> String {
        fn show(arguments: &[Argument]) -> String {
            let one = |a: &Argument| {
                let token = a.token.map(|token| format!("@{token}")).unwrap_or_default();
                let marks =
                    format!("{}{}", if a.optional { "?" } else { "" }, if a.multiple { "*" } else { "" });
                let inner = if a.inner.is_empty() { String::new() } else { format!("({})", show(&a.inner)) };
                format!("{}:{}{token}{marks}{inner}", a.name, a.kind)
            };
            arguments.iter().map(one).collect::<Vec<_>>().join(" ")
        }
        show(&arguments_of(&parse(synopsis).parts, &mut KeyCount { seen: 0, specs: 1 }))
    }

    #[test]
    fn the_tree_has_the_shape_clients_expect() {
        for (synopsis, wanted) in [
            ("key", "key:key"),
            ("key [key ...]", "key:key*"),
            ("key value [key value ...]", "key_value:block*(key:key value:string)"),
            ("[section [section ...]]", "section:string?*"),
            ("[NX | XX]", "choice:oneof?(nx:pure-token@NX xx:pure-token@XX)"),
            ("cursor [MATCH pattern]", "cursor:integer pattern:pattern@MATCH?"),
            (
                "<host port | NO ONE>",
                "choice:oneof(host_port:block(host:string port:integer) no_one:block(no:pure-token@NO one:pure-token@ONE))",
            ),
            (
                "[TO host port [FORCE]]",
                "host_port_force:block@TO?(host:string port:integer force:pure-token@FORCE?)",
            ),
            ("key increment:double", "key:key increment:double"),
        ] {
            assert_eq!(shown(synopsis), wanted, "{synopsis}");
        }
    }
}

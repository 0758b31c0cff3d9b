//! `rctl completions SHELL`: a script by which the shell asks `rctl` itself what can come next, so that the nodes and
//! the sets that are there now are offered, not only the words of the command line.

use std::path::Path;

use clap::{Command, CommandFactory};
use clap_complete::CompleteEnv;
use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};
use clap_complete::env::Shells;

use super::context::state_root;
use super::{Outcome, set};
use crate::cli::{Cli, CompletionsArgs};
use crate::error::{Error, Exit, Result};

/// The environment variable by which the script asks.
const ASKS: &str = "RCTL_COMPLETE";
/// Arguments that name nodes, whatever the verb.
const NODES: [&str; 8] =
    ["selectors", "selector", "node", "nodes", "master", "upstream", "replica_of", "args"];
/// Words that mean nodes.
const WORDS: [&str; 5] = ["master", "replicas", "all", "up", "down"];

/// Answers a shell that asks what can come next, and ends the process; returns where nobody asks.
pub fn answer() {
    CompleteEnv::with_factory(command).var(ASKS).complete();
}

/// Prints the completion script.
///
/// # Errors
/// A shell that completions cannot be made for.
pub fn run(args: &CompletionsArgs) -> Result<Outcome> {
    let failed = |why: &str| Error::new(Exit::Usage, format!("no completions for {}: {why}", args.shell));
    let shells = Shells::builtins();
    let shell = shells.completer(&args.shell.to_string()).ok_or_else(|| failed("unknown shell"))?;
    let mut script = Vec::new();
    shell
        .write_registration(ASKS, "rctl", "rctl", "rctl", &mut script)
        .map_err(|error| failed(&error.to_string()))?;
    String::from_utf8(script).map(Outcome::done).map_err(|error| failed(&error.to_string()))
}

/// The command line, with what is there now.
fn command() -> Command {
    let mut command = Cli::command();
    let verbs: Vec<String> = command.get_subcommands().map(|verb| verb.get_name().to_owned()).collect();
    for name in verbs.into_iter().filter(|name| name != "server") {
        command = command.mut_subcommand(name, |mut verb| {
            let args: Vec<String> = verb.get_arguments().map(|arg| arg.get_id().to_string()).collect();
            for id in args.into_iter().filter(|id| NODES.contains(&id.as_str())) {
                verb = verb.mut_arg(id, |arg| arg.add(ArgValueCandidates::new(nodes)));
            }
            verb
        });
    }
    command.mut_arg("topology", |arg| arg.add(ArgValueCandidates::new(sets)))
}

fn nodes() -> Vec<CompletionCandidate> {
    let Some(root) = state_root(None) else { return Vec::new() };
    nodes_in(&root).into_iter().map(CompletionCandidate::new).collect()
}

fn nodes_in(root: &Path) -> Vec<String> {
    let running = set::known_in(root).into_iter().filter(|set| set.running);
    let specs = running.filter_map(|set| set.topology).flat_map(|topology| topology.nodes);
    let handles = specs.flat_map(|node| [Some(node.port.to_string()), node.name].into_iter().flatten());
    handles.chain(WORDS.map(str::to_owned)).collect()
}

fn sets() -> Vec<CompletionCandidate> {
    let Some(root) = state_root(None) else { return Vec::new() };
    set::known_in(&root).into_iter().map(|set| CompletionCandidate::new(set.dir.name())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shell_gets_a_script_that_asks_rctl() {
        for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
            let shell = <clap_complete::Shell as clap::ValueEnum>::from_str(shell, false).unwrap();
            let text = run(&CompletionsArgs { shell }).unwrap().text;
            assert!(text.contains(ASKS) && text.contains("rctl"), "{shell}: {text}");
        }
    }

    #[test]
    fn the_command_line_stays_well_formed_with_its_candidates() {
        command().debug_assert();
        assert!(nodes_in(Path::new("/nowhere")).contains(&"replicas".to_owned()));
    }
}

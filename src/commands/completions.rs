//! `rctl completions SHELL`: a script that asks `rctl` itself what can come next.

use clap::CommandFactory;

use super::Outcome;
use crate::cli::{Cli, CompletionsArgs};
use crate::error::{Error, Exit, Result};

/// Prints the completion script.
pub fn run(args: &CompletionsArgs) -> Result<Outcome> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "rctl", &mut script);
    match String::from_utf8(script) {
        Ok(text) => Ok(Outcome::done(text)),
        Err(error) => {
            Err(Error::new(Exit::Unexpected, format!("the completion script is not text: {error}")))
        }
    }
}

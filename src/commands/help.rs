//! `rctl help [VERB | exit-codes]`.

use clap::CommandFactory;

use super::Outcome;
use crate::cli::{Cli, HelpArgs};
use crate::error::{Error, Exit, Result};

/// The table of `rctl help exit-codes`: stable, scripts rely on it.
const EXIT_CODES: &str = "\
exit codes, stable for scripts

   0  done: the wanted state was seen
   1  unexpected: a bug of ours, or something nobody foresaw
   2  usage: the command line makes no sense
   3  not running: no such set
   4  the topology file is invalid
   5  environment: port taken, engine missing, permission, another rctl at work on this set
   6  timed out waiting
   7  refused: it would lose data, or a precondition does not hold
   8  the change is incomplete: promoted, but a node did not follow
  10  plan --exit-code: there are changes
  11  status --exit-code: degraded
  12  data differs or writes were lost

`rctl cli` ends as redis-cli does: 1 where it could not connect
";

/// Help for everything, one verb, or a topic.
pub fn run(args: &HelpArgs) -> Result<Outcome> {
    let mut command = Cli::command();
    command.build();
    if args.man {
        return man(&command, args.topic.as_deref());
    }
    match args.topic.as_deref() {
        None => Ok(Outcome::done(command.render_long_help().to_string())),
        Some("exit-codes") => Ok(Outcome::done(EXIT_CODES)),
        Some(topic) => match command.find_subcommand_mut(topic) {
            Some(verb) => Ok(Outcome::done(verb.render_long_help().to_string())),
            None => Err(Error::new(Exit::Usage, format!("no help on {topic:?}")).hint("rctl help")),
        },
    }
}

/// A page for man(1): of everything, or of one verb.
fn man(command: &clap::Command, topic: Option<&str>) -> Result<Outcome> {
    let page = match topic {
        None => clap_mangen::Man::new(command.clone()),
        Some(topic) => match command.find_subcommand(topic) {
            Some(verb) => clap_mangen::Man::new(verb.clone()).title(format!("rctl-{topic}")),
            None => return Err(Error::new(Exit::Usage, format!("no help on {topic:?}")).hint("rctl help")),
        },
    };
    let mut text = Vec::new();
    let failed = |why: String| Error::new(Exit::Unexpected, format!("the page cannot be made: {why}"));
    page.render(&mut text).map_err(|error| failed(error.to_string()))?;
    String::from_utf8(text).map(Outcome::done).map_err(|error| failed(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_exit_code_is_explained() {
        for code in [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12] {
            assert!(
                EXIT_CODES.lines().any(|l| l.trim_start().starts_with(&format!("{code}  "))),
                "{code} is missing"
            );
        }
    }

    #[test]
    fn an_unknown_topic_is_a_usage_error() {
        let error = run(&HelpArgs { topic: Some("nonsense".into()), man: false }).unwrap_err();
        assert_eq!(error.exit, Exit::Usage);
    }

    #[test]
    fn every_verb_has_a_page() {
        let mut command = Cli::command();
        command.build();
        for verb in command.get_subcommands().filter(|verb| !verb.is_hide_set()) {
            let page = man(&command, Some(verb.get_name())).unwrap().text;
            assert!(page.contains(".SH") && page.contains("Examples:"), "{}", verb.get_name());
        }
        assert!(man(&command, None).unwrap().text.contains("rctl"));
    }
}

//! The two ways to run: one command from the command line, or line after line.

#![expect(clippy::disallowed_methods, reason = "the one thread serves one person, who asked for the pause")]

use std::io::Read;
use std::time::Instant;

use rctl_server::resp::words::split_words;

use super::advice;
use super::format::Form;
use super::lines::{Lines, Shared, holds_a_secret};
use super::options::{StdinArgument, leading_integer};
use super::reference::Reference;
use super::session::{Ended, Sent, Session};

/// A command that took this long says so, as in `redis-cli`.
const WORTH_TELLING_MS: u128 = 500;

/// Runs one command; the exit code. `stdin` is read where an argument comes from there.
pub fn one_shot(
    session: &mut Session<'_>,
    command: &[Vec<u8>],
    quoted: bool,
    argument: &StdinArgument,
    repeat: i64,
    stdin: &mut dyn Read,
) -> u8 {
    let outcome = arguments(command, quoted, argument, stdin).and_then(|args| {
        if is_help(&args) {
            return Ok(help(session, &args, &Shared::default())?);
        }
        // What goes wrong here is met again, and told, when the command is sent.
        session.connect(true)?;
        Ok(session.issue(&args, repeat)?)
    });
    match outcome {
        Ok(Sent::Answered) => 0,
        Ok(Sent::Lost) => 1,
        Err(Stop::Ended(Ended(code))) => code,
        Err(Stop::Misquoted) => match session.print(b"Invalid quoted string\n") {
            Ok(()) => 1,
            Err(Ended(code)) => code,
        },
        Err(Stop::Said(line)) => match session.complain(line) {
            Ok(()) => 1,
            Err(Ended(code)) => code,
        },
    }
}

/// Runs lines until there are none; the exit code.
pub fn many(session: &mut Session<'_>, lines: &mut Lines, shared: &Shared) -> u8 {
    session.interactive = true;
    match session.connect(false).and_then(|_| read_lines(session, lines, shared)) {
        Ok(()) => 0,
        Err(Ended(code)) => code,
    }
}

fn read_lines(session: &mut Session<'_>, lines: &mut Lines, shared: &Shared) -> Result<(), Ended> {
    loop {
        if lines.edits() && session.link.is_some() && shared.reference.borrow().is_empty() {
            load_reference(session, shared);
        }
        let prompt = session.prompt();
        let Some(line) = lines.next(&prompt, session.screen.out) else { return Ok(()) };
        if line.is_empty() {
            continue;
        }
        let text = String::from_utf8_lossy(&line).into_owned();
        let Ok(args) = split_words(&line) else {
            session.print(b"Invalid argument(s)\n")?;
            lines.remember(&text);
            continue;
        };
        if args.is_empty() {
            continue;
        }
        let Some((repeat, args)) = repeated(&args) else {
            session.print(b"Invalid redis-cli repeat command option value.\n")?;
            continue;
        };
        if !holds_a_secret(args) {
            lines.remember(&text);
        }
        if run_line(session, args, repeat, &text, shared)? == Next::Quit {
            return Ok(());
        }
    }
}

#[derive(PartialEq, Eq)]
enum Next {
    Line,
    Quit,
}

fn run_line(
    session: &mut Session<'_>,
    args: &[Vec<u8>],
    repeat: i64,
    text: &str,
    shared: &Shared,
) -> Result<Next, Ended> {
    let words: Vec<String> = args.iter().map(|arg| String::from_utf8_lossy(arg).into_owned()).collect();
    let first = words.first().map(|word| word.to_ascii_lowercase()).unwrap_or_default();
    match (first.as_str(), words.as_slice()) {
        ("quit" | "exit", _) => return Ok(Next::Quit),
        ("restart", _) => session.print(b"Use 'restart' only in Lua debugging mode.\n")?,
        ("clear", [_]) => session.print(b"\x1b[H\x1b[2J")?,
        ("connect", [_, host, port]) => {
            session.go_to(host, u16::try_from(leading_integer(port)).unwrap_or(0));
            session.connect(false)?;
        }
        (name, _) if name.starts_with(':') => preference(session, &words, shared)?,
        _ if is_help(args) => {
            help(session, args, shared)?;
        }
        _ => {
            if session.screen.person
                && let Some(advice) = advice::on_line(text)
            {
                session.complain(&advice)?;
            }
            let begun = Instant::now();
            session.issue(args, repeat)?;
            let took = begun.elapsed();
            if took.as_millis() >= WORTH_TELLING_MS && session.form == Form::Terminal {
                session.print(format!("({:.2}s)\n", took.as_secs_f64()).as_bytes())?;
            }
        }
    }
    Ok(Next::Line)
}

/// `3 ping` is `ping` three times. `None` where the number makes no sense.
fn repeated(args: &[Vec<u8>]) -> Option<(i64, &[Vec<u8>])> {
    let number = match args {
        [first, _, ..] => str::from_utf8(first).ok().and_then(|text| text.parse::<i64>().ok()),
        _ => None,
    };
    match number {
        None => Some((1, args)),
        Some(n) if n > 0 => Some((n, args.get(1..)?)),
        Some(_) => None,
    }
}

fn preference(session: &mut Session<'_>, words: &[String], shared: &Shared) -> Result<(), Ended> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        [":set", "hints"] => shared.hints_off.set(false),
        [":set", "nohints"] => shared.hints_off.set(true),
        [":set", other @ ..] => {
            session.print(
                format!("unknown preference '{}'; there are hints and nohints\n", other.join(" ")).as_bytes(),
            )?;
        }
        other => {
            let name = other.first().copied().unwrap_or_default();
            session.print(format!("unknown command '{name}' of the prompt; there is :set\n").as_bytes())?;
        }
    }
    Ok(())
}

fn is_help(args: &[Vec<u8>]) -> bool {
    args.first().is_some_and(|name| name.eq_ignore_ascii_case(b"help") || name == b"?")
}

fn help(session: &mut Session<'_>, args: &[Vec<u8>], shared: &Shared) -> Result<Sent, Ended> {
    if args.len() > 1 && shared.reference.borrow().is_empty() {
        load_reference(session, shared);
    }
    let words: Vec<String> =
        args.iter().skip(1).map(|arg| String::from_utf8_lossy(arg).into_owned()).collect();
    let text = shared.reference.borrow().help(&words);
    session.print(text.as_bytes())?;
    Ok(Sent::Answered)
}

fn load_reference(session: &Session<'_>, shared: &Shared) {
    if let Some(mut link) = session.aside() {
        *shared.reference.borrow_mut() = Reference::load(&mut link);
    }
}

enum Stop {
    /// The one complaint that goes to stdout.
    Misquoted,
    /// A line for stderr, then exit code 1.
    Said(&'static str),
    Ended(Ended),
}

impl From<Ended> for Stop {
    fn from(ended: Ended) -> Self {
        Self::Ended(ended)
    }
}

/// The arguments as they are sent: unquoted if asked, with the one that stdin holds.
fn arguments(
    command: &[Vec<u8>],
    quoted: bool,
    argument: &StdinArgument,
    stdin: &mut dyn Read,
) -> Result<Vec<Vec<u8>>, Stop> {
    let mut args = command.to_vec();
    if quoted {
        for arg in &mut args {
            *arg = unquoted(arg).ok_or(Stop::Misquoted)?;
        }
    }
    let mut read = || {
        let mut bytes = Vec::new();
        stdin.read_to_end(&mut bytes).map(|_| bytes).map_err(|_| Stop::Said("stdin cannot be read"))
    };
    match argument {
        StdinArgument::No => {}
        StdinArgument::Last => args.push(read()?),
        StdinArgument::Tagged(tag) => {
            let place = args.iter_mut().find(|arg| *arg == tag);
            *place.ok_or(Stop::Said("Using -X option but stdin tag not match."))? = read()?;
        }
    }
    Ok(args)
}

/// A word in quotes without them; any other word as it is.
fn unquoted(word: &[u8]) -> Option<Vec<u8>> {
    if !matches!(word.first(), Some(b'"' | b'\'')) {
        return Some(word.to_vec());
    }
    let mut words = split_words(word).ok()?;
    let only = words.pop()?;
    words.is_empty().then_some(only)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<Vec<u8>> {
        line.split(' ').map(|word| word.as_bytes().to_vec()).collect()
    }

    #[test]
    fn a_number_before_a_command_repeats_it() {
        let args = words("3 ping");
        assert_eq!(repeated(&args), Some((3, &words("ping")[..])));
        assert_eq!(repeated(&words("0 ping")), None);
        assert_eq!(repeated(&words("-1 ping")), None);
        let alone = words("3");
        assert_eq!(repeated(&alone), Some((1, &alone[..])));
        let name = words("3x ping");
        assert_eq!(repeated(&name), Some((1, &name[..])));
    }

    #[test]
    fn an_argument_comes_from_stdin_at_the_end_or_at_its_tag() {
        let given =
            |argument: &StdinArgument| arguments(&words("set a b"), false, argument, &mut &b"x\0"[..]);
        assert_eq!(given(&StdinArgument::Last).ok().unwrap().last().unwrap(), b"x\0");
        assert_eq!(given(&StdinArgument::Tagged(b"a".to_vec())).ok().unwrap()[1], b"x\0");
        assert!(matches!(given(&StdinArgument::Tagged(b"z".to_vec())), Err(Stop::Said(_))));
    }

    #[test]
    fn quoted_input_is_one_word_or_an_error() {
        assert_eq!(unquoted(br#""a\x00b""#).unwrap(), b"a\0b");
        assert_eq!(unquoted(b"plain").unwrap(), b"plain");
        assert_eq!(unquoted(b"\"a"), None);
        assert_eq!(unquoted(b"\"a\" \"b\""), None);
    }
}

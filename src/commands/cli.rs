//! `rctl cli`: the options of `redis-cli`, a node, and a command or a session.
//!
//! The exit codes are `redis-cli`'s: 0 when a reply was printed, 1 when not.

use std::io::{self, IsTerminal};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use nix::sys::termios::{LocalFlags, SetArg, tcgetattr, tcsetattr};

use super::promote::one;
use super::{Ctx, Outcome, set};
use crate::cli::CliArgs;
use crate::error::{Error, Exit, Result};
use crate::prompt::format::Form;
use crate::prompt::lines::{Lines, Shared};
use crate::prompt::options::{Options, Parsed, parse};
use crate::prompt::session::{Ended, Screen, Session};
use crate::prompt::{advice, repl};

/// The file that remembers what was typed, in the home directory.
const HISTORY: &str = ".rctl_history";

const HELP: &str = "\
Usage: rctl cli [NODE] [OPTIONS] [COMMAND [ARG]...]

NODE is a port, a name, master, or host:port. Without a command, a session begins; lines may also come from a pipe.
Replies, prompts and exit status are those of redis-cli.

Options:
  -h HOST, -p PORT, -s SOCKET, -u URI   where to connect, instead of NODE
  -n DB                                 database
  -a PASSWORD, --pass, --user USER      credentials; REDISCLI_AUTH holds a password more safely
  --askpass, --no-auth-warning
  -2, -3                                protocol
  --raw, --no-raw, --csv, --json, --quoted-json
  -d DELIMITER, -D DELIMITER            in raw form, between elements and after each reply
  --show-pushes y|n
  -r N, -i SECONDS                      repeat, and pause between
  -x, -X TAG                            the last argument, or the one that equals TAG, comes from stdin
  --quoted-input                        arguments are quoted strings
  -e                                    exit with 1 on an error reply
  --stat                                rolling figures of the server
  --help, --version

Examples:
  rctl cli 6380
  rctl cli 6379 set name leon
  rctl cli -p 6380 info replication
";

/// Runs the verb to its end. Replies go to stdout as they come.
///
/// # Errors
/// The node is not known, or the command line makes no sense.
pub async fn run(ctx: &Ctx, args: &CliArgs) -> Result<Outcome> {
    let words: Vec<Vec<u8>> = args.args.iter().map(|word| word.clone().into_vec()).collect();
    let password = std::env::var("REDISCLI_AUTH").ok();
    let mut options = match parse(&words, password) {
        Ok(Parsed::Run(options)) => *options,
        Ok(Parsed::Help) => return Ok(Outcome::done(HELP)),
        Ok(Parsed::Version) => return Ok(Outcome::done(format!("rctl {}\n", env!("CARGO_PKG_VERSION")))),
        Err(line) => {
            ctx.console.error(&line);
            return Ok(ended(1));
        }
    };
    if let Some(node) = options.node.take() {
        (options.host, options.port) = match address(&node) {
            Some(address) => address,
            None => {
                let mut set = set::running(ctx, &[&node]).await?;
                let port = one(&mut set, &node).await?;
                (set.topology().host(port).to_owned(), port)
            }
        };
    }
    for line in &options.warnings {
        ctx.console.error(line);
    }
    if options.askpass {
        options.password = Some(ask_password()?);
    }
    Ok(ended(talk(ctx, &options)))
}

fn talk(ctx: &Ctx, options: &Options) -> u8 {
    let (mut out, mut err) = (io::stdout(), io::stderr());
    let on_terminal = out.is_terminal() || std::env::var_os("FAKETTY").is_some();
    let form = options.form.unwrap_or(if on_terminal { Form::Terminal } else { Form::Raw });
    let person = out.is_terminal() && err.is_terminal() && !ctx.console.quiet();
    let screen = Screen { out: &mut out, err: &mut err, person };
    let mut session = Session::new(options, screen, form, options.show_pushes.unwrap_or(on_terminal));
    if options.stat {
        return match session.gauge(options.interval) {
            Ok(()) => 0,
            Err(Ended(code)) => code,
        };
    }
    if options.command.is_empty() {
        let shared = Shared::default();
        let mut lines = if io::stdin().is_terminal() {
            let terminal = std::env::var("TERM").ok();
            Lines::on_terminal(terminal.as_deref(), history(), &shared)
        } else {
            Lines::from_pipe()
        };
        return repl::many(&mut session, &mut lines, &shared);
    }
    let code = repl::one_shot(
        &mut session,
        &options.command,
        options.quoted_input,
        &options.stdin,
        options.repeat,
        &mut io::stdin(),
    );
    let file_here = |word: &[u8]| Path::new(std::ffi::OsStr::from_bytes(word)).exists();
    if person && let Some(line) = advice::on_arguments(&options.command, file_here) {
        ctx.console.talk(&line);
    }
    code
}

/// Where a node as typed is: a port on this machine, or `host:port`. `None` is a name, or a word like `master`.
fn address(node: &str) -> Option<(String, u16)> {
    let (host, port) = node.rsplit_once(':').unwrap_or(("127.0.0.1", node));
    let host = host.trim_start_matches('[').trim_end_matches(']');
    Some((host.to_owned(), port.parse().ok()?))
}

fn history() -> Option<PathBuf> {
    std::env::var_os("HOME").filter(|home| !home.is_empty()).map(|home| PathBuf::from(home).join(HISTORY))
}

/// Reads a password from the terminal without showing it.
fn ask_password() -> Result<String> {
    let failed = |why: String| Error::new(Exit::Unexpected, format!("the password cannot be read: {why}"));
    eprint!("Please input password: ");
    let stdin = io::stdin();
    let before = tcgetattr(&stdin).ok();
    if let Some(mut silent) = before.clone() {
        silent.local_flags.remove(LocalFlags::ECHO);
        tcsetattr(&stdin, SetArg::TCSAFLUSH, &silent).map_err(|error| failed(error.to_string()))?;
    }
    let mut line = String::new();
    let read = stdin.read_line(&mut line);
    if let Some(before) = before {
        tcsetattr(&stdin, SetArg::TCSAFLUSH, &before).map_err(|error| failed(error.to_string()))?;
        eprintln!();
    }
    read.map_err(|error| failed(error.to_string()))?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

fn ended(code: u8) -> Outcome {
    let exit = if code == 0 { Exit::Done } else { Exit::Unexpected };
    Outcome { text: String::new(), exit }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_a_port_or_a_host_and_a_port() {
        assert_eq!(address("6380"), Some(("127.0.0.1".to_owned(), 6380)));
        assert_eq!(address("localhost:6380"), Some(("localhost".to_owned(), 6380)));
        assert_eq!(address("[::1]:6380"), Some(("::1".to_owned(), 6380)));
        assert_eq!(address("reader"), None);
    }
}

//! Doing: the only room with sockets, files, clocks and entropy. Nothing below imports it.
//!
//! Reading order: `args` (the command line), `start` (from there to a running server), `turn` (the loop),
//! `world` (what the node may ask for), then the parts: `conn`, `listener`, `dial`, `fault`, `disk`, `log`,
//! `process`.
//!
//! Invariants: one thread owns the node; nothing in the loop waits for a peer, a disk or a name, except a save
//! that a client or a shutdown waits for; every list has a budget per turn; an error of the system becomes a
//! sentence here and travels no further.

mod args;
mod conn;
mod dial;
mod disk;
mod effort;
mod fault;
mod listener;
mod log;
mod process;
mod start;
mod turn;
mod world;

use std::ffi::OsString;
use std::io::Write as _;
use std::process::ExitCode;

use crate::node::config::REDIS_VERSION;
use args::Asked;
use start::Trouble;

/// Runs a server with redis-server's command line (without the program's name) until it ends.
#[must_use]
#[expect(
    clippy::needless_pass_by_value,
    reason = "it is the end of the process: nobody needs them afterwards"
)]
pub fn main(args: Vec<OsString>) -> ExitCode {
    match args::parse(&args) {
        Asked::Version => {
            let version = env!("CARGO_PKG_VERSION");
            let _ = writeln!(
                std::io::stdout(),
                "rctl-server v={version} (compatible with Redis {REDIS_VERSION})"
            );
            ExitCode::SUCCESS
        }
        Asked::Help => {
            let _ = write!(std::io::stdout(), "{}", args::USAGE);
            ExitCode::SUCCESS
        }
        Asked::Refused(text) => fail(&text),
        Asked::Run(sources) => match start::run(&sources) {
            Ok(code) => ExitCode::from(u8::try_from(code).unwrap_or(1)),
            Err(Trouble::Logged) => ExitCode::FAILURE,
            Err(Trouble::Told(text)) => fail(&text),
        },
    }
}

fn fail(text: &str) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "{text}");
    ExitCode::FAILURE
}

/// What the system said, without Rust's ` (os error 98)`: the words that redis-server's users know.
fn reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    match text.find(" (os error ") {
        Some(end) => text.get(..end).unwrap_or(&text).to_owned(),
        None => text,
    }
}

/// Another server holds the data file.
fn locked_text(dbfilename: &str, pid: &str) -> String {
    format!("{dbfilename} is in use by another server in this directory, process {pid}")
}

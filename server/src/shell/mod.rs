//! Doing: the only room with sockets, files, clocks and entropy. Nothing below imports it.

use std::ffi::OsString;
use std::process::ExitCode;

/// Runs a server with redis-server's command line (without the program's name) until it ends.
#[must_use]
pub fn main(args: Vec<OsString>) -> ExitCode {
    let _ = args;
    ExitCode::FAILURE
}

//! The built-in node alone, with redis-server's command line.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    rctl_server::shell::main(std::env::args_os().skip(1).collect())
}

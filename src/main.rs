//! Arguments in, exit code out; the only place that reaches stdout and stderr.
//!
//! `rctl server` goes straight to the server crate: no clap, no tokio, nothing that a node does not need.

use std::ffi::OsString;
use std::io::{self, IsTerminal};
use std::process::ExitCode;
use std::rc::Rc;

use clap::Parser;
use rctl::cli::{Cli, Global, Verb, When};
use rctl::commands::{self, Ctx, Timeouts, completions, exec, state_root};
use rctl::error::{Error, Exit, Result};
use rctl::render::Painter;
use rctl::render::console::Console;
use rctl::supervise::launch;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().collect();
    if args.get(1).is_some_and(|verb| verb == "server") {
        return rctl_server::shell::main(args.into_iter().skip(2).collect());
    }
    completions::answer();
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(Exit::Usage as u8));
        }
    };
    let console = Rc::new(Console::new(Box::new(io::stdout()), Box::new(io::stderr()), cli.global.quiet));
    match run(&cli, &console) {
        Ok(code) => ExitCode::from(code),
        Err(error) => fail(&console, &error),
    }
}

/// The code the process ends with: one of ours, but for `exec`, which ends as its command did.
fn run(cli: &Cli, console: &Rc<Console>) -> Result<u8> {
    let ctx = context(&cli.global, Rc::clone(console))?;
    if let Verb::Supervise(_) = cli.verb {
        launch::detach();
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::new(Exit::Environment, format!("cannot start the event loop: {error}")))?;
    if let Verb::Proxy(args) = &cli.verb {
        let faults = std::env::var("RCTL_LINK_FAULTS").unwrap_or_default();
        return runtime.block_on(rctl::proxy::run(args.port, args.program.as_os_str(), &args.conf, &faults));
    }
    if let Verb::Exec(args) = &cli.verb {
        return runtime.block_on(exec::run(&ctx, args));
    }
    let outcome = runtime.block_on(commands::dispatch(&ctx, &cli.verb))?;
    console.answer(&outcome.text)?;
    Ok(outcome.exit as u8)
}

/// The one error printer. An error that says done (a closed pipe) is silent.
fn fail(console: &Console, error: &Error) -> ExitCode {
    if error.exit != Exit::Done {
        console.error(&format!("rctl: {error}"));
    }
    ExitCode::from(error.exit as u8)
}

fn context(global: &Global, console: Rc<Console>) -> Result<Ctx> {
    let state_root = state_root(global.state_dir.as_deref()).ok_or_else(|| {
        Error::new(Exit::Environment, "no place for rctl's state: neither HOME nor XDG_STATE_HOME is set")
            .hint("export RCTL_STATE_DIR=/tmp/rctl")
    })?;
    Ok(Ctx {
        state_root,
        topology: global.topology.clone(),
        painter: painter(global),
        console,
        show_commands: global.show_commands,
        timeouts: Timeouts::default(),
    })
}

fn painter(global: &Global) -> Painter {
    let terminal = io::stdout().is_terminal();
    let filled = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    let colour = match global.color {
        When::Always => true,
        When::Never => false,
        When::Auto => terminal && !dumb && !filled("NO_COLOR"),
    };
    let locale =
        ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find(|name| filled(name)).and_then(std::env::var_os);
    let utf8 = locale.is_none_or(|value| {
        let value = value.to_string_lossy().to_ascii_lowercase();
        value.contains("utf-8") || value.contains("utf8")
    });
    Painter {
        width: terminal_width(),
        colour,
        ascii: global.ascii || !utf8,
        terminal,
        talk_terminal: io::stderr().is_terminal() && !dumb,
    }
}

/// `COLUMNS`, else what the terminal says, else 80.
fn terminal_width() -> u16 {
    let columns = std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok());
    columns.or_else(rctl::render::console::terminal_width).filter(|width| *width > 0).unwrap_or(80)
}

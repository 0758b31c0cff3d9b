//! From the command line to a server that turns: configuration, directory, limits, listeners, data.

#![expect(clippy::disallowed_methods, reason = "the shell is where the clock is read")]

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mio::{Poll, Waker};

use super::args::Sources;
use super::disk::{self, DataLock};
use super::log::Log;
use super::process::{self, PidFile, Signals};
use super::turn::{Clock, Server};
use super::world::{SIGNAL, WAKE, World};
use crate::node::config::REDIS_VERSION;
use crate::node::{Birth, Config, Level, Node, Voice};

/// Where a daemon's process id goes unless told otherwise; as in redis-server.
const DEFAULT_PID_FILE: &str = "/var/run/redis.pid";
/// Read of a data file between two polls.
const LOAD_SLICE: u64 = 1 << 20;
/// A configuration file beyond this is none.
const MAX_CONFIG: u64 = 16 << 20;

/// Why a server did not start, or ended early: said already, or to be said on standard error.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The log has it.
    Logged,
    /// To be printed.
    Told(String),
}

impl From<String> for Trouble {
    fn from(text: String) -> Self {
        Self::Told(text)
    }
}

/// The configuration and what it came from.
struct Read {
    config: Config,
    file: PathBuf,
    text: Option<String>,
    stdin: Option<Vec<u8>>,
}

/// Runs a server until it ends; answers its exit code.
pub(super) fn run(sources: &Sources) -> Result<i32, Trouble> {
    let clock = Clock::new();
    let mut read = read_config(sources)?;
    if read.config.daemonize && !process::in_background() {
        process::start_in_background(read.stdin.as_deref())
            .map_err(|error| format!("cannot start in the background: {}", super::reason(&error)))?;
        return Ok(0);
    }
    process::private_files();
    enter_dir(&mut read.config)?;
    let mut log = Log::new(&read.config.logfile, read.config.loglevel);
    log.check().map_err(|why| format!("Can't open the log file: {why}"))?;
    report_bugs(&read.config);
    let voice = if read.config.replicaof.0.is_some() { Voice::Replica } else { Voice::Master };
    let lock = lock_data(&read.config, &mut log, voice)?;
    limit_clients(&mut read.config, &mut log, voice);
    let pid_file = pid_file(&read.config, &mut log, voice);
    let mut server = open(read, log, lock, clock)?;
    load(&mut server)?;
    server.start();
    let code = server.run().map_err(|error| format!("the event loop failed: {}", super::reason(&error)))?;
    drop(pid_file);
    Ok(code)
}

/// A bug of ours leaves its place and its stack in the log before the process ends.
fn report_bugs(config: &Config) {
    let (file, level) = (config.logfile.clone(), config.loglevel);
    std::panic::set_hook(Box::new(move |panic| {
        let mut log = Log::new(&file, level);
        let mut line = |text: &str| log.write(Level::Warning, Voice::Master, format_args!("{text}"));
        line("=== BUG REPORT: this is a fault of the server, please report it with the lines below ===");
        line(&panic.to_string());
        for frame in std::backtrace::Backtrace::force_capture().to_string().lines() {
            line(frame);
        }
    }));
}

fn read_config(sources: &Sources) -> Result<Read, Trouble> {
    let mut text = Vec::new();
    let mut file = PathBuf::new();
    let mut own = None;
    if let Some(path) = &sources.file {
        file = std::path::absolute(path).unwrap_or_else(|_| path.clone());
        let bytes = read_file(path)
            .map_err(|why| format!("Fatal error, can't open config file '{}': {why}", path.display()))?;
        own = Some(String::from_utf8_lossy(&bytes).into_owned());
        text.extend_from_slice(&bytes);
    }
    let mut stdin = None;
    if sources.stdin {
        let mut bytes = Vec::new();
        let read = io::stdin().lock().take(MAX_CONFIG).read_to_end(&mut bytes);
        read.map_err(|error| format!("cannot read the configuration from stdin: {}", super::reason(&error)))?;
        text.push(b'\n');
        text.extend_from_slice(&bytes);
        stdin = Some(bytes);
    }
    if !sources.options.is_empty() {
        text.push(b'\n');
        text.extend_from_slice(&sources.options);
    }
    let config = Config::from_text(&text, &mut |path| {
        read_file(Path::new(path)).map_err(|why| format!("can't open config file '{path}': {why}"))
    });
    let config = config.map_err(|error| error.to_string())?;
    Ok(Read { config, file, text: own, stdin })
}

fn read_file(path: &Path) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(|error| super::reason(&error))?;
    file.take(MAX_CONFIG).read_to_end(&mut bytes).map_err(|error| super::reason(&error))?;
    Ok(bytes)
}

/// All paths of the configuration are relative to `dir`, which becomes absolute here.
fn enter_dir(config: &mut Config) -> Result<(), Trouble> {
    let entered = std::env::set_current_dir(&config.dir).and_then(|()| std::env::current_dir());
    let dir =
        entered.map_err(|error| format!("Can't chdir to '{}': {}", config.dir, super::reason(&error)))?;
    config.dir = dir.to_string_lossy().into_owned();
    Ok(())
}

/// Two servers that save to one file would destroy each other's data. A server that saves by itself refuses to
/// start beside another; one that does not starts, and is refused when it is told to save.
fn lock_data(config: &Config, log: &mut Log, voice: Voice) -> Result<Option<DataLock>, Trouble> {
    disk::remove_stale(Path::new("."));
    match DataLock::take(Path::new(&config.dbfilename)) {
        Ok(Ok(lock)) => Ok(Some(lock)),
        Ok(Err(pid)) if !config.save.0.is_empty() => {
            Err(format!("{}\n  try: --dbfilename db2.rdb", super::locked_text(&config.dbfilename, &pid))
                .into())
        }
        Ok(Err(_)) => Ok(None),
        Err(error) => {
            let why = super::reason(&error);
            log.write(
                Level::Warning,
                voice,
                format_args!("Can't lock the data file in {}: {why}", config.dir),
            );
            Ok(None)
        }
    }
}

fn limit_clients(config: &mut Config, log: &mut Log, voice: Voice) {
    let room = process::room_for_clients(config.maxclients);
    if room < config.maxclients {
        log.write(
            Level::Warning,
            voice,
            format_args!(
                "The limit of open files is too low for {} clients: maxclients has been reduced to {room}. \
                 Increase 'ulimit -n' for more",
                config.maxclients
            ),
        );
        config.maxclients = room;
    }
}

fn pid_file(config: &Config, log: &mut Log, voice: Voice) -> Option<PidFile> {
    let path = match config.pidfile.as_str() {
        "" if config.daemonize => DEFAULT_PID_FILE,
        "" => return None,
        path => path,
    };
    let created = PidFile::create(path);
    if let Err(error) = &created {
        let why = super::reason(error);
        log.write(Level::Warning, voice, format_args!("Failed to write PID file {path}: {why}"));
    }
    created.ok()
}

/// Opens the listeners, and makes the node.
fn open(read: Read, log: Log, lock: Option<DataLock>, clock: Clock) -> Result<Server, Trouble> {
    let Read { config, file, text, .. } = read;
    let broken = |error: io::Error| Trouble::Told(format!("cannot start: {}", super::reason(&error)));
    let poll = Poll::new().map_err(broken)?;
    let registry = poll.registry().try_clone().map_err(broken)?;
    let waker = Arc::new(Waker::new(&registry, WAKE).map_err(broken)?);
    let signals = Signals::catch(&registry, SIGNAL).map_err(broken)?;
    let (seed, hash_seed) = process::entropy().map_err(broken)?;
    let mut world = World::new(registry, &waker, &config, log, file.clone(), lock, clock);
    world.note(
        Level::Notice,
        format_args!(
            "rctl-server version={}, compatible with Redis {REDIS_VERSION}, pid={}, just started",
            env!("CARGO_PKG_VERSION"),
            std::process::id()
        ),
    );
    world.note(Level::Notice, format_args!("Running mode=standalone, port={}.", config.port));
    if config.always_show_logo {
        world.note(Level::Notice, format_args!("Port: {} PID: {}", config.port, std::process::id()));
    }
    if let Ok(text) = std::env::var(super::fault::VARIABLE) {
        match super::fault::Faults::read(&text) {
            Ok(faults) => world.faults = faults,
            Err(why) => world.note(Level::Warning, format_args!("{}: {why}", super::fault::VARIABLE)),
        }
    }
    if !config.unixsocket.is_empty() {
        world
            .listen_unix(&config.unixsocket, config.unixsocketperm.0)
            .map_err(|why| fatal(&mut world, &why))?;
    }
    if world.listen(&config.bind.0, config.port).is_err() {
        let text = format!("Failed listening on port {} (tcp), aborting.", config.port);
        return Err(fatal(&mut world, &text));
    }
    if world.listeners.is_empty() {
        return Err(fatal(&mut world, "Configured to not listen anywhere, exiting."));
    }
    world.note(Level::Notice, format_args!("Server initialized"));
    let birth = Birth {
        seed,
        hash_seed,
        pid: std::process::id(),
        executable: std::env::current_exe().unwrap_or_default().to_string_lossy().into_owned(),
        os: process::system(),
        config_text: text,
        config_file: file.to_string_lossy().into_owned(),
    };
    let node = Node::new(config, birth, clock.now());
    Ok(Server::new(node, world, poll, clock, signals))
}

fn fatal(world: &mut World, text: &str) -> Trouble {
    world.note(Level::Warning, format_args!("{text}"));
    Trouble::Logged
}

/// Loads the data file, in slices between polls, so that clients hear that it is being loaded; then says that
/// the server is ready.
fn load(server: &mut Server) -> Result<(), Trouble> {
    let name = server.node.config().dbfilename.clone();
    let begun = std::time::Instant::now();
    server.set_now();
    let opened = disk::open_data(Path::new(&name));
    let opened = opened.map_err(|error| {
        let text = format!("Fatal error: can't open the data file {name}: {}", super::reason(&error));
        fatal(&mut server.world, &text)
    })?;
    if let Some((mut file, size)) = opened {
        server.node.load_begin(size, server.now(), &mut server.world);
        let mut slice = Vec::new();
        let outcome = loop {
            match disk::read_slice(&mut file, &mut slice, LOAD_SLICE) {
                Ok(0) => break server.node.load_end(server.now(), &mut server.world),
                Ok(_) => {}
                Err(error) => break Err(super::reason(&error)),
            }
            if let Err(why) = server.node.load_chunk(&slice, server.now()) {
                break Err(why);
            }
            let turned = server.turn(Some(std::time::Duration::ZERO));
            turned.map_err(|error| format!("the event loop failed: {}", super::reason(&error)))?;
            if let Some(code) = server.world.exit {
                std::process::exit(code);
            }
        };
        if let Err(why) = outcome {
            let text = format!("Fatal error loading the DB {name}: {why}. Exiting.");
            return Err(fatal(&mut server.world, &text));
        }
        let seconds = begun.elapsed().as_secs_f64();
        server.world.note(Level::Notice, format_args!("DB loaded from disk: {seconds:.3} seconds"));
    }
    let (unix, tcp): (Vec<_>, Vec<_>) =
        server.world.listeners.iter().partition(|listener| listener.is_unix());
    for (kind, listeners) in [("tcp", tcp), ("unix", unix)] {
        if !listeners.is_empty() {
            let line = format!("Ready to accept connections {kind}");
            server.world.log.write(Level::Notice, server.world.voice, format_args!("{line}"));
        }
    }
    Ok(())
}

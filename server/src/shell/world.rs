//! The world as the node sees it: its [`Sink`], over the sockets, files and figures of this process.
//!
//! What must not happen inside a call of the node (draining, closing, saving) is put on lists here and done by
//! the loop in `turn.rs` right after.

#![expect(clippy::disallowed_methods, reason = "the shell is where the clock is read")]

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mio::{Interest, Registry, Token, Waker};

use super::conn::{Conns, Stream};
use super::dial::Dialer;
use super::disk::{DataLock, Saver, replace_file};
use super::effort::Effort;
use super::fault::Faults;
use super::listener::Listener;
use super::log::Log;
use super::process::{self, room_for_clients};
use super::turn::Clock;
use crate::fault::Rule;
use crate::node::config::{Config, LogLevel};
use crate::node::{ConnId, Level, Sink, Vitals, Voice};

/// Tokens that are no connection count down from the top; connections count up from zero.
pub(super) const WAKE: Token = Token(usize::MAX - 1);
/// Signals.
pub(super) const SIGNAL: Token = Token(usize::MAX - 2);
/// Listener `n` is this minus `n`.
pub(super) const LISTEN: usize = usize::MAX - 3;
/// Dial `n` is this minus `n`.
pub(super) const DIAL: Token = Token(usize::MAX - 100);

/// A close that waits for output waits so long, microseconds.
const LINGER_US: u64 = 5_000_000;

/// Settings that the shell acts on; each follows CONFIG SET.
#[derive(Debug)]
pub(super) struct Settings {
    bind: Vec<String>,
    port: u16,
    backlog: u32,
    source: String,
    dbfilename: String,
    /// Most clients at a time.
    pub(super) maxclients: u32,
    /// Seconds of silence before a socket is probed.
    pub(super) keepalive: u32,
}

/// Everything outside the core.
#[derive(Debug)]
pub(super) struct World {
    /// The poll's registry.
    pub(super) registry: Registry,
    /// Where lines go.
    pub(super) log: Log,
    /// Who spoke last: the shell's own lines carry the same letter.
    pub(super) voice: Voice,
    /// All connections.
    pub(super) conns: Conns,
    /// Where new ones come in.
    pub(super) listeners: Vec<Listener>,
    /// Connections to masters that are not there yet.
    pub(super) dialer: Dialer,
    /// The running save.
    pub(super) saver: Saver,
    /// A save runs that goes before everything else.
    pub(super) save_urgent: bool,
    /// What the shell acts on.
    pub(super) settings: Settings,
    /// Monotonic microseconds of this turn.
    pub(super) now_us: u64,
    /// For what commands take.
    clock: Clock,
    /// The longest turns so far.
    pub(super) effort: Effort,
    /// Clients turned away at `maxclients`.
    pub(super) rejected: u64,
    /// Connections that may have something to read, in turn.
    pub(super) reads: VecDeque<ConnId>,
    /// Connections to drain in this turn.
    pub(super) drains: Vec<ConnId>,
    /// Connections to drain in the next.
    pub(super) again: Vec<ConnId>,
    /// Connections to close.
    pub(super) closes: VecDeque<ConnId>,
    /// Connections to close when their output is out, or at that time.
    pub(super) lingering: VecDeque<(u64, ConnId)>,
    /// Links with faults.
    pub(super) faults: Faults,
    /// The process ends with this code.
    pub(super) exit: Option<i32>,
    config_file: PathBuf,
    lock: Option<DataLock>,
}

impl World {
    /// A world without listeners and connections.
    pub(super) fn new(
        registry: Registry,
        waker: &Arc<Waker>,
        config: &Config,
        log: Log,
        config_file: PathBuf,
        lock: Option<DataLock>,
        clock: Clock,
    ) -> Self {
        Self {
            registry,
            log,
            voice: if config.replicaof.0.is_some() { Voice::Replica } else { Voice::Master },
            conns: Conns::default(),
            listeners: Vec::new(),
            dialer: Dialer::new(DIAL, Arc::clone(waker)),
            saver: Saver::new(Arc::clone(waker)),
            save_urgent: false,
            settings: Settings {
                bind: config.bind.0.clone(),
                port: config.port,
                backlog: config.tcp_backlog,
                source: config.bind_source_addr.clone(),
                dbfilename: config.dbfilename.clone(),
                maxclients: config.maxclients,
                keepalive: config.tcp_keepalive,
            },
            now_us: 0,
            clock,
            effort: Effort::default(),
            rejected: 0,
            reads: VecDeque::new(),
            drains: Vec::new(),
            again: Vec::new(),
            closes: VecDeque::new(),
            lingering: VecDeque::new(),
            faults: Faults::default(),
            exit: None,
            config_file,
            lock,
        }
    }

    /// A line of the shell's own.
    pub(super) fn note(&mut self, level: Level, text: fmt::Arguments<'_>) {
        self.log.write(level, self.voice, text);
    }

    /// Listens on these addresses instead of the ones before. On a refusal those stay.
    pub(super) fn listen(&mut self, bind: &[String], port: u16) -> Result<(), String> {
        let backlog = self.settings.backlog;
        if port == self.settings.port {
            // On one port `*` and an address of this machine exclude each other: the old ones go first.
            self.listeners.retain(Listener::is_unix);
        }
        let opened = Listener::tcp(bind, port, backlog);
        let refused = match opened {
            Ok((listeners, notes)) => {
                for note in notes {
                    self.note(Level::Verbose, format_args!("{note}"));
                }
                self.listeners.retain(Listener::is_unix);
                self.listeners.extend(listeners);
                bind.clone_into(&mut self.settings.bind);
                self.settings.port = port;
                return self.register_listeners().map_err(|error| super::reason(&error));
            }
            Err(refused) => refused,
        };
        self.note(Level::Warning, format_args!("{}", refused.line));
        if port == self.settings.port {
            let before = Listener::tcp(&self.settings.bind, port, backlog);
            self.listeners.extend(before.map(|(listeners, _)| listeners).unwrap_or_default());
            self.register_listeners().map_err(|error| super::reason(&error))?;
        }
        Err(refused.line)
    }

    /// Listens on a unix socket too.
    pub(super) fn listen_unix(&mut self, path: &str, mode: u32) -> Result<(), String> {
        let listener = Listener::unix(path, mode, self.settings.backlog).map_err(|refused| refused.line)?;
        self.listeners.push(listener);
        self.register_listeners().map_err(|error| super::reason(&error))
    }

    /// Gives every new listener the token of its place. The unix socket is always first, so it keeps its own.
    fn register_listeners(&mut self) -> io::Result<()> {
        for (index, listener) in self.listeners.iter_mut().enumerate() {
            listener.register(&self.registry, Token(LISTEN - index))?;
        }
        Ok(())
    }

    /// Marks the connection that an event is about.
    pub(super) fn mark(&mut self, token: Token, event: &mio::event::Event) {
        let Some((id, conn)) = self.conns.by_token(token) else { return };
        let over = event.is_error() || (event.is_read_closed() && event.is_write_closed());
        conn.hangup |= over || event.is_read_closed();
        conn.readable |= event.is_readable() || conn.hangup;
        let writable = event.is_writable() && std::mem::take(&mut conn.blocked);
        // Nobody reads a parked or paused client; that it is gone must be seen all the same.
        let parked = !conn.reading && !conn.closing;
        if parked && conn.hangup && (over || conn.stream.as_ref().is_some_and(Stream::is_at_end)) {
            conn.closing = true;
            self.closes.push_back(id);
        }
        if writable {
            self.output_ready(id);
        }
        self.want_read(id);
    }

    /// Asks to be told when the peer takes bytes again.
    pub(super) fn watch_writes(&mut self, id: ConnId) {
        let Some(conn) = self.conns.get(id) else { return };
        conn.blocked = true;
        // Registered once and kept: with edges, a socket that is not full tells nothing.
        if !conn.watches_writes
            && let Some(stream) = &mut conn.stream
        {
            conn.watches_writes = true;
            let token = Token(id.slot as usize);
            if self
                .registry
                .reregister(stream.source(), token, Interest::READABLE | Interest::WRITABLE)
                .is_err()
            {
                conn.broken = true;
                self.closes.push_back(id);
            }
        }
    }

    /// Puts a connection on the list of those to read, if it may be read.
    pub(super) fn want_read(&mut self, id: ConnId) {
        if let Some(conn) = self.conns.get(id)
            && conn.readable
            && conn.reading
            && !conn.closing
            && !conn.in_reads
            && conn.lanes.as_ref().is_none_or(|lanes| lanes.room() > 0)
        {
            conn.in_reads = true;
            // A replica that falls behind its master is worse than a client that waits a moment.
            if conn.link { self.reads.push_front(id) } else { self.reads.push_back(id) }
        }
    }

    /// The data file, which only the holder of its lock may write.
    fn data_file(&mut self) -> Result<PathBuf, String> {
        // Absolute, because the directory may change while the thread writes.
        let path = std::path::absolute(&self.settings.dbfilename).map_err(|error| super::reason(&error))?;
        if self.lock.is_none() {
            let taken = DataLock::take(&path).map_err(|error| super::reason(&error))?;
            self.lock = Some(taken.map_err(|pid| super::locked_text(&self.settings.dbfilename, &pid))?);
        }
        Ok(path)
    }

    /// Moves to another data file; the lock moves along.
    fn move_data(&mut self, name: &str, dir: Option<&str>) -> Result<(), String> {
        let back = std::env::current_dir();
        if let Some(dir) = dir {
            std::env::set_current_dir(dir).map_err(|error| super::reason(&error))?;
        }
        // A directory that cannot be written to is no reason to refuse: saving will.
        if let Ok(taken) = DataLock::take(Path::new(name)) {
            match taken {
                Ok(lock) => self.lock = Some(lock),
                // It is where it was, in other words.
                Err(pid) if self.lock.is_some() && pid == std::process::id().to_string() => {}
                Err(pid) => {
                    if let Ok(back) = back {
                        let _ = std::env::set_current_dir(back);
                    }
                    return Err(super::locked_text(name, &pid));
                }
            }
        } else {
            self.lock = None;
        }
        name.clone_into(&mut self.settings.dbfilename);
        Ok(())
    }

    fn set_maxclients(&mut self, wanted: u32) -> Result<(), String> {
        let room = room_for_clients(wanted);
        if room < wanted {
            return Err(format!(
                "The operating system is not able to handle the specified number of clients, try with {room}"
            ));
        }
        self.settings.maxclients = wanted;
        Ok(())
    }
}

impl Sink for World {
    fn output_ready(&mut self, conn: ConnId) {
        if let Some(state) = self.conns.get(conn)
            && !state.in_drains
        {
            state.in_drains = true;
            self.drains.push(conn);
        }
    }

    fn close(&mut self, conn: ConnId, after_output: bool) {
        let Some(state) = self.conns.get(conn) else { return };
        let already = std::mem::replace(&mut state.closing, true);
        if !after_output {
            self.closes.push_back(conn);
        } else if !already {
            self.lingering.push_back((self.now_us + LINGER_US, conn));
            self.output_ready(conn);
        }
    }

    fn reading(&mut self, conn: ConnId, on: bool) {
        if let Some(state) = self.conns.get(conn) {
            state.reading = on;
            if on {
                self.want_read(conn);
            }
        }
    }

    fn coalesce(&mut self, conn: ConnId) {
        if let Some(stream) = self.conns.get(conn).and_then(|state| state.stream.as_ref()) {
            stream.coalesce();
        }
    }

    fn dial(&mut self, ticket: u64, host: &str, port: u16) {
        self.dialer.dial(ticket, host, port, &self.settings.source, &self.registry, self.now_us);
    }

    fn introduced(&mut self, conn: ConnId, port: u16) -> bool {
        self.link_introduced(conn, port)
    }

    fn fault_link(&mut self, port: Option<u16>, rule: Rule) -> Result<(), String> {
        self.set_link_fault(port, rule);
        Ok(())
    }

    fn faulted_links(&self) -> Vec<(u16, Rule)> {
        self.link_faults()
    }

    fn log(&mut self, level: Level, voice: Voice, text: fmt::Arguments<'_>) {
        self.voice = voice;
        self.log.write(level, voice, text);
    }

    fn logs(&self, level: Level) -> bool {
        self.log.takes(level)
    }

    fn save(&mut self, urgent: bool) {
        self.save_urgent = urgent;
        match self.data_file() {
            Ok(path) => self.saver.begin(path),
            Err(why) => {
                self.saver.abandon();
                self.saver.fail(why);
            }
        }
    }

    fn save_abandoned(&mut self) {
        self.save_urgent = false;
        self.saver.abandon();
    }

    fn write_config(&mut self, text: &str) -> Result<(), String> {
        if self.config_file.as_os_str().is_empty() {
            return Err("The server is running without a config file".to_owned());
        }
        replace_file(&self.config_file, text.as_bytes()).map_err(|error| super::reason(&error))
    }

    fn keep(&mut self, name: &str, bytes: &[u8]) -> Result<(), String> {
        replace_file(Path::new(name), bytes).map_err(|error| super::reason(&error))
    }

    fn configure(&mut self, name: &str, value: &str) -> Result<(), String> {
        let number = |text: &str| text.parse::<u32>().map_err(|error| error.to_string());
        match name {
            "port" => {
                let port = value.parse().map_err(|_| "not a port".to_owned())?;
                let bind = self.settings.bind.clone();
                self.listen(&bind, port)
                    .map_err(|_| "Unable to listen on this port. Check server logs.".to_owned())
            }
            "bind" => {
                let bind: Vec<String> = value.split_ascii_whitespace().map(str::to_owned).collect();
                self.listen(&bind, self.settings.port)
                    .map_err(|_| "Failed to bind to specified addresses.".to_owned())
            }
            "maxclients" => number(value).and_then(|wanted| self.set_maxclients(wanted)),
            "tcp-keepalive" => number(value).map(|seconds| self.settings.keepalive = seconds),
            "bind-source-addr" => {
                value.clone_into(&mut self.settings.source);
                Ok(())
            }
            "loglevel" => {
                let level = LogLevel::from_name(value).ok_or_else(|| "not a level".to_owned())?;
                self.log.set_level(level);
                Ok(())
            }
            "dir" => {
                let name = self.settings.dbfilename.clone();
                self.move_data(&name, Some(value))
            }
            "dbfilename" => self.move_data(value, None),
            _ => Err(format!("'{name}' cannot be changed while the server runs")),
        }
    }

    fn clock_ns(&mut self) -> u64 {
        self.clock.mono_ns()
    }

    fn stall(&mut self, micros: u64) {
        std::thread::sleep(std::time::Duration::from_micros(micros));
    }

    fn vitals(&mut self) -> Vitals {
        Vitals {
            longest_turn_us: self.effort.longest_us,
            longest_turn_own_us: self.effort.longest_own_us,
            rejected_connections: self.rejected,
            ..process::vitals()
        }
    }

    fn reset_vitals(&mut self) {
        self.effort.reset();
        self.rejected = 0;
    }

    fn exit(&mut self, code: i32) {
        self.exit.get_or_insert(code);
    }
}

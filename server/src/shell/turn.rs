//! The loop: poll, accept, read, let time pass, write, save. One thread, one owner of the [`Node`].
//!
//! A turn takes `now` once. It reads each readable connection once into one shared buffer and gives the bytes
//! to the node; then everything that has output is drained with one write each, without asking first whether
//! the socket is writable. Every list has a budget per turn, and what is left over makes the next poll return
//! at once, so no peer can keep others waiting.
//!
//! Its length is the loop's: all that happens in a turn stands here, in the order in which it happens.

#![expect(clippy::disallowed_methods, reason = "the shell is where the clock is read")]

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use mio::{Events, Poll};

use super::conn::{Conn, Stream};
use super::process::Signals;
use super::world::{DIAL, LISTEN, SIGNAL, WAKE, World};
use crate::data::Now;
use crate::node::{ConnId, Drained, Level, Node, SaveStep};

/// The shared read buffer: all of it fits the second-level cache.
const READ_BUFFER: usize = 64 << 10;
/// Read from a master's link in one turn.
const LINK_BUDGET: usize = 1 << 20;
/// After so many bytes of input, output goes out in the middle of a turn: a burst written only once a turn
/// overflows the buffers of replicas.
const FLUSH_EVERY: usize = 256 << 10;
/// Connections accepted in one turn and from one listener.
const ACCEPTS: usize = 256;
/// Pause of accepting when the process has no descriptor left, microseconds.
const ACCEPT_PAUSE_US: u64 = 100_000;
/// A turn that took so long polls before it reads on, microseconds.
const LONG_TURN_US: u64 = 10_000;
/// The master's link leaves this much of it to clients, however much the master sends, microseconds.
const LINK_TURN_US: u64 = LONG_TURN_US / 2;
/// Drains and closes can ask for more of each other; so often in one turn.
const FLUSH_ROUNDS: usize = 8;
/// Bytes of a snapshot taken in one turn.
pub(super) const SAVE_CHUNK: usize = 256 << 10;
/// An ending process lets its peers take bytes for so long.
const LAST_WRITES: Duration = Duration::from_millis(100);
/// What redis-server says to a client too many.
const TOO_MANY: &[u8] = b"-ERR max number of clients reached\r\n";

/// Both clocks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    start: Instant,
}

impl Clock {
    /// Monotonic time counts from here, and from one, so that zero is always past.
    pub(super) fn new() -> Self {
        Self { start: Instant::now() }
    }

    /// The time.
    pub(super) fn now(&self) -> Now {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Now { wall_ms: u64::try_from(wall.as_millis()).unwrap_or(u64::MAX), mono_us: self.mono_us() }
    }

    /// Monotonic time, nanoseconds.
    #[inline]
    pub(super) fn mono_ns(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    fn mono_us(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX).saturating_add(1)
    }
}

/// The server and its world, running.
#[derive(Debug)]
pub(super) struct Server {
    /// The core.
    pub(super) node: Node,
    /// Everything else.
    pub(super) world: World,
    poll: Poll,
    events: Events,
    clock: Clock,
    now: Now,
    signals: Signals,
    /// What was read last.
    pub(super) buffer: Vec<u8>,
    /// Connections read in this turn; empty between turns, kept for its room.
    been: Vec<ConnId>,
    accept_again_us: Option<u64>,
    /// The last accept failed, and that was said.
    accepts_fail: bool,
}

impl Server {
    /// A server that has not turned yet.
    pub(super) fn new(node: Node, world: World, poll: Poll, clock: Clock, signals: Signals) -> Self {
        let now = clock.now();
        Self {
            node,
            world,
            poll,
            events: Events::with_capacity(1024),
            clock,
            now,
            signals,
            buffer: vec![0; READ_BUFFER],
            been: Vec::new(),
            accept_again_us: None,
            accepts_fail: false,
        }
    }

    /// The time of this turn.
    pub(super) fn now(&self) -> Now {
        self.now
    }

    /// Takes the time anew, for what follows a long piece of work.
    pub(super) fn set_now(&mut self) {
        self.now = self.clock.now();
        self.world.now_us = self.now.mono_us;
    }

    /// The node may begin.
    pub(super) fn start(&mut self) {
        self.set_now();
        self.node.start(self.now, &mut self.world);
        self.after_input();
    }

    /// Turns until the node wants to end; answers the exit code.
    pub(super) fn run(&mut self) -> io::Result<i32> {
        loop {
            if let Some(code) = self.world.exit {
                self.last_writes()?;
                return Ok(code);
            }
            self.turn(None)?;
        }
    }

    /// One turn, which waits for input at most until something is due; with `patience`, at most that long.
    pub(super) fn turn(&mut self, patience: Option<Duration>) -> io::Result<()> {
        let wait = match (self.wait(), patience) {
            (Some(wait), Some(patience)) => Some(wait.min(patience)),
            (wait, patience) => wait.or(patience),
        };
        match self.poll.poll(&mut self.events, wait) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
            _ => {}
        }
        self.set_now();
        self.sort_events();
        self.dials();
        self.accepts();
        self.reads();
        if self.node.deadline().is_some_and(|deadline| deadline <= self.now.mono_us) {
            self.node.tick(self.now, &mut self.world);
            self.after_input();
        }
        self.linger();
        self.flush();
        self.links();
        self.save_step();
        let took = self.has_taken();
        self.world.effort.turned(took);
        Ok(())
    }

    /// How long the poll may sleep; `None` is until something happens.
    fn wait(&mut self) -> Option<Duration> {
        let accepts_now = self.accept_again_us.is_none() && self.world.listeners.iter().any(|l| l.pending);
        let world = &mut self.world;
        let busy = !world.reads.is_empty()
            || !world.again.is_empty()
            || !world.drains.is_empty()
            || !world.closes.is_empty()
            || world.saver.wants_piece()
            || world.exit.is_some();
        if busy || accepts_now {
            return Some(Duration::ZERO);
        }
        let lingering = world.lingering.front().map(|(deadline, _)| *deadline);
        let due = [
            self.node.deadline(),
            world.dialer.deadline(),
            lingering,
            self.accept_again_us,
            world.faults.deadline(),
        ];
        let due = due.into_iter().flatten().min()?;
        Some(Duration::from_micros(due.saturating_sub(self.clock.mono_us())))
    }

    /// What the poll saw becomes marks on connections and listeners; signals and saves are acted on.
    fn sort_events(&mut self) {
        let mut signalled = false;
        for event in &self.events {
            let token = event.token();
            if token == SIGNAL {
                signalled = true;
            } else if token == WAKE {
                // Whatever it stands for is asked for in every turn.
            } else if token.0 > DIAL.0 {
                if let Some(listener) = self.world.listeners.get_mut(LISTEN.wrapping_sub(token.0)) {
                    listener.pending = true;
                }
            } else if let Some(index) = self.world.dialer.index_of(token) {
                let World { dialer, registry, .. } = &mut self.world;
                dialer.ready(index, registry, self.now.mono_us);
            } else {
                self.world.mark(token, event);
            }
        }
        if signalled {
            for signal in self.signals.take() {
                self.node.signal(signal, self.now, &mut self.world);
                self.after_input();
            }
        }
        if let Some(result) = self.world.saver.result() {
            self.node.save_done(&result, self.now, &mut self.world);
            self.after_input();
        }
    }

    fn dials(&mut self) {
        let World { dialer, registry, .. } = &mut self.world;
        for (ticket, outcome) in dialer.take(registry, self.now.mono_us) {
            let added = outcome.and_then(|stream| {
                stream.tune(self.world.settings.keepalive);
                let peer = stream.peer();
                let added = self.world.conns.add(stream, true, &self.world.registry);
                added.map(|id| (id, peer)).map_err(|error| super::reason(&error))
            });
            self.node.dialed(ticket, added, self.now, &mut self.world);
            self.after_input();
        }
    }

    fn accepts(&mut self) {
        if self.accept_again_us.is_some_and(|due| due > self.now.mono_us) {
            return;
        }
        self.accept_again_us = None;
        for index in 0..self.world.listeners.len() {
            for _ in 0..ACCEPTS {
                let Some(listener) = self.world.listeners.get_mut(index).filter(|l| l.pending) else { break };
                match listener.accept() {
                    Ok(Some(stream)) => {
                        self.accepts_fail = false;
                        self.accept(stream);
                    }
                    Ok(None) => listener.pending = false,
                    Err(error) => {
                        // The connection stays in the queue, so trying again at once would spin.
                        self.accept_again_us = Some(self.now.mono_us + ACCEPT_PAUSE_US);
                        if !std::mem::replace(&mut self.accepts_fail, true) {
                            let why = super::reason(&error);
                            self.world
                                .note(Level::Warning, format_args!("Accepting client connection: {why}"));
                        }
                        return;
                    }
                }
            }
        }
    }

    fn accept(&mut self, mut stream: Stream) {
        if self.world.conns.clients >= self.world.settings.maxclients {
            self.world.rejected += 1;
            stream.write(&[TOO_MANY]);
            return;
        }
        stream.tune(self.world.settings.keepalive);
        let peer = stream.peer();
        match self.world.conns.add(stream, false, &self.world.registry) {
            Ok(id) => {
                self.node.accept(id, peer, self.now, &mut self.world);
                self.after_input();
            }
            Err(error) => {
                let why = super::reason(&error);
                self.world.note(Level::Warning, format_args!("Error registering a client: {why}"));
            }
        }
    }

    /// Reads every connection that was readable when the turn began, once; a master's link more often.
    fn reads(&mut self) {
        let mut unflushed = 0;
        let mut been = std::mem::take(&mut self.been);
        for _ in 0..self.world.reads.len() {
            let Some(id) = self.world.reads.pop_front() else { break };
            let link = match self.world.conns.get(id) {
                Some(conn) => {
                    conn.in_reads = false;
                    conn.link
                }
                None => continue,
            };
            let budget = if link { LINK_BUDGET } else { READ_BUFFER };
            let mut taken = 0;
            while taken < budget && !(link && taken > 0 && self.has_taken() > LINK_TURN_US) {
                let count = self.read(id);
                taken += count;
                unflushed += count;
                if unflushed >= FLUSH_EVERY {
                    unflushed = 0;
                    self.flush();
                }
                if count < READ_BUFFER {
                    break;
                }
            }
            been.push(id);
            if unflushed == 0 && self.has_taken() > LONG_TURN_US {
                break;
            }
        }
        // Only now: the link's place is the first, and whoever stands behind it must have had a turn.
        for id in been.drain(..) {
            self.world.want_read(id);
        }
        self.been = been;
    }

    /// How long this turn has taken so far, in microseconds.
    fn has_taken(&self) -> u64 {
        self.clock.mono_us().saturating_sub(self.now.mono_us)
    }

    /// One read of one connection; answers how many bytes came.
    fn read(&mut self, id: ConnId) -> usize {
        let Some(conn) = self.world.conns.get(id) else { return 0 };
        if !conn.reading || conn.closing {
            return 0;
        }
        let Some(stream) = &mut conn.stream else { return 0 };
        let room = conn.lanes.as_ref().map_or(usize::MAX, |lanes| lanes.room()).min(self.buffer.len());
        if room == 0 {
            return 0;
        }
        match stream.read(self.buffer.get_mut(..room).unwrap_or_default()) {
            Ok(count) if conn.lanes.is_some() => {
                conn.readable = count > 0 && (count == room || conn.hangup);
                if let Some(lanes) = &mut conn.lanes {
                    lanes.came(self.buffer.get(..count).unwrap_or_default(), self.now.mono_us);
                }
                count
            }
            Ok(0) => {
                conn.readable = false;
                // The peer may have closed only its half: what it asked for is answered first.
                crate::node::Sink::close(&mut self.world, id, true);
                0
            }
            Ok(count) => {
                // Less than there was room for means that the socket is empty and the next bytes make an edge.
                // The end of the stream makes none if it was there already.
                conn.readable = count == self.buffer.len() || conn.hangup;
                self.receive(id, count);
                count
            }
            Err(error) => {
                conn.readable = false;
                if error.kind() != io::ErrorKind::WouldBlock {
                    conn.closing = true;
                    self.world.closes.push_back(id);
                }
                0
            }
        }
    }

    /// Gives the first bytes of the buffer to the node. A bug met while a request is parsed or only reads ends
    /// that connection; one that may leave half a change behind ends the process, because half a change must not
    /// live on. The panic hook has reported either.
    pub(super) fn receive(&mut self, id: ConnId, count: usize) {
        let link = self.world.conns.get(id).is_some_and(|conn| conn.link);
        let Self { node, world, buffer, now, .. } = self;
        let bytes = buffer.get(..count).unwrap_or_default();
        let served = catch_unwind(AssertUnwindSafe(|| node.receive(id, bytes, *now, world)));
        if let Err(bug) = served {
            if link || self.node.is_mid_change() {
                resume_unwind(bug);
            }
            self.node.panicked(id, &mut self.world);
        }
        self.after_input();
    }

    /// What an input may have asked for that does not wait.
    fn after_input(&mut self) {
        if self.world.save_urgent {
            self.save_now();
        }
    }

    /// Closes whose output did not go out in time.
    fn linger(&mut self) {
        while let Some((deadline, id)) = self.world.lingering.front().copied() {
            if deadline > self.now.mono_us && self.world.conns.get(id).is_some() {
                break;
            }
            self.world.lingering.pop_front();
            self.world.closes.push_back(id);
        }
    }

    /// Writes what there is to write and closes what is to be closed.
    fn flush(&mut self) {
        let mut again = std::mem::take(&mut self.world.again);
        for id in again.drain(..) {
            crate::node::Sink::output_ready(&mut self.world, id);
        }
        let mut next = Vec::new();
        for _ in 0..FLUSH_ROUNDS {
            let mut drains = std::mem::take(&mut self.world.drains);
            for id in drains.drain(..) {
                if self.drain(id) == Some(Drained::Again) {
                    next.push(id);
                }
            }
            // The emptied list keeps its room.
            if self.world.drains.is_empty() {
                self.world.drains = drains;
            }
            while let Some(id) = self.world.closes.pop_front() {
                self.close(id);
            }
            if self.world.drains.is_empty() && self.world.closes.is_empty() {
                break;
            }
        }
        next.append(&mut self.world.again);
        self.world.again = next;
    }

    fn drain(&mut self, id: ConnId) -> Option<Drained> {
        let conn = self.world.conns.get(id)?;
        conn.in_drains = false;
        if conn.broken {
            return None;
        }
        // The socket leaves its place so that the node can use the world while it writes.
        let mut stream = conn.stream.take()?;
        let mut lanes = conn.lanes.take();
        let mut broken = false;
        let now_us = self.now.mono_us;
        let drained = self.node.drain(id, self.now, &mut self.world, &mut |slices| {
            if broken {
                return 0;
            }
            if let Some(lanes) = &mut lanes {
                return lanes.send(slices, now_us);
            }
            let written = stream.write(slices);
            broken = written.broken;
            written.bytes
        });
        if self.world.save_urgent {
            self.save_now();
        }
        let conn = self.world.conns.get(id)?;
        conn.stream = Some(stream);
        let sent = lanes.as_ref().is_none_or(|lanes| lanes.is_sent());
        conn.lanes = lanes;
        conn.blocked = false;
        if broken {
            conn.broken = true;
            conn.closing = true;
            self.world.closes.push_back(id);
            return None;
        }
        match drained {
            Drained::Empty if conn.closing && sent => self.world.closes.push_back(id),
            Drained::Empty | Drained::Again => {}
            Drained::Blocked => self.world.watch_writes(id),
        }
        Some(drained)
    }

    fn close(&mut self, id: ConnId) {
        let Some(Conn { stream, broken, .. }) = self.world.conns.remove(id) else { return };
        if let Some(mut stream) = stream {
            let _ = self.world.registry.deregister(stream.source());
            if !broken {
                stream.finish(&mut self.buffer);
            }
        }
        self.node.closed(id, self.now, &mut self.world);
        if self.world.save_urgent {
            self.save_now();
        }
    }

    /// The next piece of a save in the background, if the disk is ready for it.
    fn save_step(&mut self) {
        if !self.world.saver.wants_piece() {
            return;
        }
        let mut piece = Vec::with_capacity(SAVE_CHUNK);
        let step = self.node.save_chunk(SAVE_CHUNK, &mut piece);
        self.hand_over(step, piece);
    }

    fn hand_over(&mut self, step: SaveStep, piece: Vec<u8>) {
        let saver = &mut self.world.saver;
        match step {
            SaveStep::More => saver.piece(piece),
            SaveStep::Last => {
                saver.piece(piece);
                saver.end();
            }
            SaveStep::Idle => saver.abandon(),
        }
    }

    /// A save that goes before everything else, from where it stands to its end.
    fn save_now(&mut self) {
        while std::mem::take(&mut self.world.save_urgent) {
            loop {
                self.world.saver.wait_for_room();
                if !self.world.saver.wants_piece() {
                    break;
                }
                let mut piece = Vec::with_capacity(SAVE_CHUNK);
                let step = self.node.save_chunk(SAVE_CHUNK, &mut piece);
                self.hand_over(step, piece);
                if step != SaveStep::More {
                    break;
                }
            }
            let result = self.world.saver.wait_for_result();
            self.set_now();
            self.node.save_done(&result, self.now, &mut self.world);
        }
    }

    /// The last replies go out as far as their readers take them in a short time.
    fn last_writes(&mut self) -> io::Result<()> {
        self.world.listeners.clear();
        let end = Instant::now() + LAST_WRITES;
        self.flush();
        while (self.world.conns.any_blocked() || !self.world.again.is_empty()) && Instant::now() < end {
            self.poll.poll(&mut self.events, Some(Duration::from_millis(10)))?;
            for event in &self.events {
                self.world.mark(event.token(), event);
            }
            self.flush();
        }
        Ok(())
    }
}

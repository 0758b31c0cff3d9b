//! One machine of the [`super::world`]: a node, its connections, its disk, and what it asked for and did not get
//! yet.

use rctl_server::data::Now;
use rctl_server::node::{Birth, Config, ConnId, Drained, Level, Node, Peer, SaveStep, Sink, Vitals, Voice};
use std::collections::BTreeSet;
use std::fmt;

/// What a node asked of the world: the sink of these tests.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    output: Vec<ConnId>,
    closing: Vec<(ConnId, bool)>,
    deaf: BTreeSet<ConnId>,
    dials: Vec<(u64, u16)>,
    save: bool,
    exit: Option<i32>,
    /// Log lines that were not taken yet, `M* text`.
    pub(crate) log: Vec<String>,
    /// The configuration file as last written.
    pub(crate) config_text: Option<String>,
}

impl Sink for Asked {
    fn output_ready(&mut self, conn: ConnId) {
        self.output.push(conn);
    }

    fn close(&mut self, conn: ConnId, after_output: bool) {
        self.closing.push((conn, after_output));
    }

    fn reading(&mut self, conn: ConnId, on: bool) {
        if on {
            self.deaf.remove(&conn);
        } else {
            self.deaf.insert(conn);
        }
    }

    fn dial(&mut self, ticket: u64, _host: &str, port: u16) {
        self.dials.push((ticket, port));
    }

    fn log(&mut self, level: Level, voice: Voice, text: fmt::Arguments<'_>) {
        let voice = if voice == Voice::Master { 'M' } else { 'S' };
        let sign = match level {
            Level::Debug => '.',
            Level::Verbose => '-',
            Level::Notice => '*',
            Level::Warning => '#',
        };
        self.log.push(format!("{voice} {sign} {text}"));
    }

    fn logs(&self, level: Level) -> bool {
        level >= Level::Notice
    }

    fn save(&mut self, _urgent: bool) {
        self.save = true;
    }

    fn save_abandoned(&mut self) {
        self.save = false;
    }

    fn write_config(&mut self, text: &str) -> Result<(), String> {
        self.config_text = Some(text.to_owned());
        Ok(())
    }

    fn configure(&mut self, _name: &str, _value: &str) -> Result<(), String> {
        Ok(())
    }

    fn stall(&mut self, _micros: u64) {}

    fn vitals(&mut self) -> Vitals {
        Vitals {
            rss: 8 << 20,
            rss_peak: 8 << 20,
            allocated: 1 << 20,
            system_memory: 8 << 30,
            ..Vitals::default()
        }
    }

    fn exit(&mut self, code: i32) {
        self.exit = Some(code);
    }
}

/// A slot of the connection table.
#[derive(Debug, Default, Clone, Copy)]
struct Slot {
    generation: u32,
    open: bool,
}

#[derive(Debug)]
pub(crate) struct Host {
    /// `None` while the process is down.
    pub(crate) node: Option<Node>,
    pub(crate) world: Asked,
    /// Its configuration; CONFIG REWRITE replaces it, if it came from a file.
    config_text: String,
    file: bool,
    /// The data file, if one was written.
    pub(crate) disk: Option<Vec<u8>>,
    slots: Vec<Slot>,
    starts: u64,
    next_port: u32,
}

impl Host {
    pub(crate) fn new(config_text: String, file: bool) -> Self {
        let (world, slots) = (Asked::default(), Vec::new());
        Self { node: None, world, config_text, file, disk: None, slots, starts: 0, next_port: 50_000 }
    }

    /// What the process of node `n` is told at its start; each start draws other random numbers.
    fn birth(&self, n: usize) -> Birth {
        let seed = (n as u64) << 32 | self.starts;
        Birth {
            seed,
            hash_seed: seed,
            pid: 1000 + u32::try_from(n).unwrap_or(0),
            executable: "/bin/rctl-server".to_owned(),
            os: "Linux".to_owned(),
            config_text: self.file.then(|| self.config_text.clone()),
            config_file: if self.file { format!("/etc/node{n}.conf") } else { String::new() },
        }
    }

    /// Starts the process: loads what is on the disk, then opens for business.
    ///
    /// # Panics
    /// The node refuses the file it wrote itself, or the configuration is none.
    pub(crate) fn start(&mut self, n: usize, now: Now) {
        if let Some(text) = self.world.config_text.take() {
            self.config_text = text;
        }
        self.starts += 1;
        let config = Config::from_text(self.config_text.as_bytes(), &mut |_| Err("no files here".to_owned()));
        let config = config.unwrap_or_else(|error| panic!("{error}"));
        let mut node = Node::new(config, self.birth(n), now);
        if let Some(file) = &self.disk {
            node.load_begin(file.len() as u64, now, &mut self.world);
            for chunk in file.chunks(64 << 10) {
                node.load_chunk(chunk, now).unwrap_or_else(|why| panic!("own file refused: {why}"));
            }
            node.load_end(now, &mut self.world).unwrap_or_else(|why| panic!("own file refused: {why}"));
        }
        node.start(now, &mut self.world);
        self.node = Some(node);
    }

    /// The process is gone, and with it all it asked for.
    pub(crate) fn stop(&mut self) {
        self.node = None;
        let log = std::mem::take(&mut self.world.log);
        let config_text = self.world.config_text.take();
        self.world = Asked { log, config_text, ..Asked::default() };
        self.slots.iter_mut().for_each(|slot| slot.open = false);
    }

    /// A connection from outside, if anybody listens.
    pub(crate) fn accept(&mut self, now: Now) -> Option<ConnId> {
        self.node.as_ref()?;
        self.next_port += 1;
        let peer = self.next_port;
        let (conn, mut peer) = self.open(u16::try_from(peer).unwrap_or(0));
        std::mem::swap(&mut peer.addr, &mut peer.laddr);
        peer.addr = format!("127.0.0.1:{}", self.next_port);
        self.node.as_mut()?.accept(conn, peer, now, &mut self.world);
        Some(conn)
    }

    /// A new connection whose other end is at `port`.
    pub(crate) fn open(&mut self, port: u16) -> (ConnId, Peer) {
        let free = self.slots.iter().position(|slot| !slot.open).unwrap_or(self.slots.len());
        if free == self.slots.len() {
            self.slots.push(Slot::default());
        }
        let slot = &mut self.slots[free];
        slot.open = true;
        slot.generation += 1;
        let conn = ConnId { slot: u32::try_from(free).unwrap_or(0), generation: slot.generation };
        let peer = Peer {
            addr: format!("127.0.0.1:{port}"),
            laddr: "127.0.0.1:7001".to_owned(),
            local: true,
            fd: 8 + i32::try_from(free).unwrap_or(0),
        };
        (conn, peer)
    }

    pub(crate) fn reads(&self, conn: ConnId) -> bool {
        self.node.is_some() && !self.world.deaf.contains(&conn)
    }

    /// The other side closed `conn`.
    pub(crate) fn closed(&mut self, conn: ConnId, now: Now) {
        let slot = self.slots.get_mut(conn.slot as usize);
        if let Some(slot) = slot.filter(|slot| slot.open && slot.generation == conn.generation) {
            slot.open = false;
            self.world.deaf.remove(&conn);
            if let Some(node) = &mut self.node {
                node.closed(conn, now, &mut self.world);
            }
        }
    }

    /// Runs a save that was asked for to its end.
    pub(crate) fn saves(&mut self, now: Now) {
        if !std::mem::take(&mut self.world.save) {
            return;
        }
        let Some(node) = &mut self.node else { return };
        let mut file = Vec::new();
        loop {
            match node.save_chunk(64 << 10, &mut file) {
                SaveStep::More => {}
                SaveStep::Last => break,
                SaveStep::Idle => return,
            }
        }
        let size = file.len() as u64;
        self.disk = Some(file);
        node.save_done(&Ok(size), now, &mut self.world);
    }

    /// Everything there is to send, by connection.
    pub(crate) fn output(&mut self, now: Now) -> Vec<(ConnId, Vec<u8>)> {
        let ready = std::mem::take(&mut self.world.output);
        ready.into_iter().map(|conn| (conn, self.drain(conn, now))).collect()
    }

    fn drain(&mut self, conn: ConnId, now: Now) -> Vec<u8> {
        let mut bytes = Vec::new();
        let Some(node) = &mut self.node else { return bytes };
        let mut write = |slices: &[&[u8]]| {
            slices.iter().for_each(|slice| bytes.extend_from_slice(slice));
            slices.iter().map(|slice| slice.len()).sum()
        };
        while node.drain(conn, now, &mut self.world, &mut write) == Drained::Again {}
        bytes
    }

    /// Connections the node wants closed and that have nothing left to send.
    pub(crate) fn closing(&mut self, now: Now) -> Vec<ConnId> {
        let closing = std::mem::take(&mut self.world.closing);
        for (conn, _) in &closing {
            self.closed(*conn, now);
        }
        closing.into_iter().map(|(conn, _)| conn).collect()
    }

    /// Connections the node wants: ticket and port.
    pub(crate) fn dials(&mut self) -> Vec<(u64, u16)> {
        std::mem::take(&mut self.world.dials)
    }

    /// The node asked to end the process; it did.
    pub(crate) fn exited(&mut self) -> bool {
        let exits = self.world.exit.take().is_some();
        if exits {
            self.stop();
        }
        exits
    }
}

//! One machine of a [`super::World`]: a process or none, its connections, its disk, and what the process asked for and
//! did not get yet.

use std::collections::BTreeSet;

use super::asked::Asked;
use crate::data::Now;
use crate::node::{Birth, Config, ConnId, Drained, Node, Peer, SaveStep};

/// A slot of the connection table.
#[derive(Debug, Default, Clone, Copy)]
struct Slot {
    generation: u32,
    open: bool,
}

/// One machine.
#[derive(Debug)]
pub struct Host {
    /// `None` while the process is down.
    pub node: Option<Node>,
    /// What the process asked for.
    pub asked: Asked,
    /// The data file, if one was written.
    pub disk: Option<Vec<u8>>,
    /// Why a save fails now; `None` is a disk in order.
    pub disk_trouble: Option<String>,
    /// The file was damaged behind its owner's back: a disk that had promised more than it did.
    pub torn: bool,
    /// How often the process was started: each start is another incarnation.
    pub starts: u64,
    /// Seeds every incarnation's randomness.
    seed: u64,
    /// Its configuration; CONFIG REWRITE replaces it, if it came from a file.
    config_text: String,
    file: bool,
    slots: Vec<Slot>,
    next_port: u32,
    /// Connections whose peer took less than there is.
    blocked: BTreeSet<ConnId>,
    /// A save under way: the temporary file.
    saving: Option<Vec<u8>>,
}

impl Host {
    /// A machine with an empty disk whose process is down.
    #[must_use]
    pub fn new(config_text: String, file: bool, seed: u64) -> Self {
        Self {
            node: None,
            asked: Asked::default(),
            disk: None,
            disk_trouble: None,
            torn: false,
            starts: 0,
            seed,
            config_text,
            file,
            slots: Vec::new(),
            next_port: 50_000,
            blocked: BTreeSet::new(),
            saving: None,
        }
    }

    /// From now on the process logs nothing, which spares the formatting.
    pub fn be_quiet(&mut self) {
        self.asked.quiet = true;
    }

    /// The configuration with which the process starts next.
    pub fn configure(&mut self, text: String) {
        self.config_text = text;
        self.asked.config_text = None;
    }

    /// What the process of node `n` is told at its start; each start draws other random numbers.
    fn birth(&self, n: usize) -> Birth {
        let seed = self.seed ^ ((n as u64) << 32 | self.starts);
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
    /// # Errors
    /// The configuration is none, or the node refuses the file it wrote itself.
    pub fn start(&mut self, n: usize, now: Now) -> Result<(), String> {
        if let Some(text) = self.asked.config_text.take() {
            self.config_text = text;
        }
        self.starts += 1;
        let config = Config::from_text(self.config_text.as_bytes(), &mut |_| Err("no files here".to_owned()));
        let config = config.map_err(|error| error.to_string())?;
        let mut node = Node::new(config.clone(), self.birth(n), now);
        match (self.disk.as_deref().map(|file| load(&mut node, file, now, &mut self.asked)), self.torn) {
            (Some(Ok(())), true) => return Err(format!("node {n} loaded a damaged file")),
            (Some(Err(why)), false) => return Err(format!("node {n} refuses its own file: {why}")),
            // It refuses to start on that file, and somebody takes the file away.
            (Some(Err(_)), true) => {
                self.disk = None;
                self.torn = false;
                node = Node::new(config, self.birth(n), now);
            }
            (Some(Ok(())) | None, _) => {}
        }
        node.start(now, &mut self.asked);
        self.node = Some(node);
        Ok(())
    }

    /// The power fails while the disk is in trouble: the file loses its end, or a byte of it turns, as `choice` says.
    pub fn tear(&mut self, choice: u64) {
        let Some(file) = self.disk.as_mut().filter(|file| !file.is_empty()) else { return };
        let at = usize::try_from(choice >> 1).unwrap_or(0) % file.len();
        if choice & 1 == 0 {
            file.truncate(at);
        } else if let Some(byte) = file.get_mut(at) {
            *byte ^= 0x55;
        }
        self.torn = true;
    }

    /// The process is gone, and with it all it asked for; a save under way leaves no file.
    pub fn stop(&mut self) {
        self.node = None;
        let log = std::mem::take(&mut self.asked.log);
        let config_text = self.asked.config_text.take();
        let quiet = self.asked.quiet;
        self.asked = Asked { log, config_text, quiet, ..Asked::default() };
        self.blocked.clear();
        self.saving = None;
        self.slots.iter_mut().for_each(|slot| slot.open = false);
    }

    /// A connection from outside, if anybody listens.
    pub fn accept(&mut self, now: Now) -> Option<ConnId> {
        self.node.as_ref()?;
        self.next_port += 1;
        let (conn, mut peer) = self.open(0);
        peer.laddr = "127.0.0.1:7001".to_owned();
        peer.addr = format!("127.0.0.1:{}", self.next_port);
        self.node.as_mut()?.accept(conn, peer, now, &mut self.asked);
        Some(conn)
    }

    /// A new connection whose other end is at `port`.
    pub fn open(&mut self, port: u16) -> (ConnId, Peer) {
        let free = self.slots.iter().position(|slot| !slot.open).unwrap_or(self.slots.len());
        if free == self.slots.len() {
            self.slots.push(Slot::default());
        }
        let mut generation = 0;
        if let Some(slot) = self.slots.get_mut(free) {
            slot.open = true;
            slot.generation += 1;
            generation = slot.generation;
        }
        let conn = ConnId { slot: u32::try_from(free).unwrap_or(0), generation };
        let peer = Peer {
            addr: format!("127.0.0.1:{port}"),
            laddr: "127.0.0.1:7001".to_owned(),
            local: true,
            fd: 8 + i32::try_from(free).unwrap_or(0),
        };
        (conn, peer)
    }

    /// The process listens to `conn`.
    #[must_use]
    pub fn reads(&self, conn: ConnId) -> bool {
        self.node.is_some() && !self.asked.deaf.contains(&conn)
    }

    /// The other side closed `conn`.
    pub fn closed(&mut self, conn: ConnId, now: Now) {
        let slot = self.slots.get_mut(conn.slot as usize);
        if let Some(slot) = slot.filter(|slot| slot.open && slot.generation == conn.generation) {
            slot.open = false;
            self.asked.deaf.remove(&conn);
            self.blocked.remove(&conn);
            if let Some(node) = &mut self.node {
                node.closed(conn, now, &mut self.asked);
            }
        }
    }

    /// A save is under way.
    #[must_use]
    pub fn saves(&self) -> bool {
        self.saving.is_some() || self.asked.save.is_some()
    }

    /// Writes up to about `budget` bytes of the save under way; an urgent one to its end. True when it ended.
    pub fn save_some(&mut self, budget: usize, now: Now) -> bool {
        if std::mem::take(&mut self.asked.abandoned) {
            self.saving = None;
        }
        let urgent = match self.asked.save {
            Some(urgent) => urgent,
            None if self.saving.is_some() => false,
            None => return false,
        };
        let Some(node) = &mut self.node else { return false };
        let file = self.saving.get_or_insert_default();
        loop {
            match node.save_chunk(budget, file) {
                SaveStep::More if urgent => {}
                SaveStep::More => return false,
                SaveStep::Last => break,
                SaveStep::Idle => return false,
            }
        }
        let file = self.saving.take().unwrap_or_default();
        self.asked.save = None;
        let result = match &self.disk_trouble {
            Some(why) => Err(why.clone()),
            None => Ok(file.len() as u64),
        };
        if result.is_ok() {
            self.disk = Some(file);
            self.torn = false;
        }
        node.save_done(&result, now, &mut self.asked);
        true
    }

    /// An urgent save waits: a client or the end of the process.
    #[must_use]
    pub fn must_save(&self) -> bool {
        self.asked.save == Some(true) || self.asked.abandoned
    }

    /// Everything there is to send and the wires have `room` for, by connection.
    pub fn output(&mut self, now: Now, room: &dyn Fn(ConnId) -> usize) -> Vec<(ConnId, Vec<u8>)> {
        let mut ready = std::mem::take(&mut self.asked.output);
        ready.extend(self.blocked.iter().filter(|conn| room(**conn) > 0));
        ready.into_iter().map(|conn| (conn, self.drain(conn, now, room(conn)))).collect()
    }

    fn drain(&mut self, conn: ConnId, now: Now, room: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        let Some(node) = &mut self.node else { return bytes };
        let mut write = |slices: &[&[u8]]| {
            let mut taken = 0;
            for slice in slices {
                let part = slice.get(..slice.len().min(room.saturating_sub(bytes.len()))).unwrap_or_default();
                bytes.extend_from_slice(part);
                taken += part.len();
            }
            taken
        };
        loop {
            match node.drain(conn, now, &mut self.asked, &mut write) {
                Drained::Again => {}
                Drained::Blocked => {
                    self.blocked.insert(conn);
                    return bytes;
                }
                Drained::Empty => {
                    self.blocked.remove(&conn);
                    return bytes;
                }
            }
        }
    }

    /// Connections the node wants closed and that have nothing left to send.
    pub fn closing(&mut self, now: Now) -> Vec<ConnId> {
        let closing = std::mem::take(&mut self.asked.closing);
        let mut closed = Vec::new();
        for (conn, after_output) in closing {
            if after_output && self.blocked.contains(&conn) {
                self.asked.closing.push((conn, after_output));
                continue;
            }
            self.closed(conn, now);
            closed.push(conn);
        }
        closed
    }

    /// Connections the node wants: ticket and port.
    pub fn dials(&mut self) -> Vec<(u64, u16)> {
        std::mem::take(&mut self.asked.dials)
    }

    /// The node asked to end the process; it did.
    pub fn exited(&mut self) -> bool {
        let exits = self.asked.exit.take().is_some();
        if exits {
            self.stop();
        }
        exits
    }
}

fn load(node: &mut Node, file: &[u8], now: Now, sink: &mut Asked) -> Result<(), String> {
    node.load_begin(file.len() as u64, now, sink);
    for chunk in file.chunks(64 << 10) {
        node.load_chunk(chunk, now)?;
    }
    node.load_end(now, sink)
}

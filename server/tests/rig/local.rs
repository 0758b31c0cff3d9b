//! Command transcripts against one node of a [`World`]: the default rig.

use super::notation;
use super::session::{Rig, Wait};
use rctl_server::resp::{Batch, Limits, Parser};
use rctl_server::sim::World;

/// The client that listens to the stream, as a replica would.
const RECORDER: &str = "(recorder)";

/// One node, and a recorder of its replication stream.
#[derive(Debug)]
pub(crate) struct Local {
    world: World,
    /// Lines of the server's configuration file.
    config: String,
    recorder: Option<Recorder>,
}

impl Local {
    /// A fresh server.
    pub(crate) fn new() -> Self {
        Self { world: World::new(1, "", false), config: String::new(), recorder: None }
    }

    fn record(&mut self) {
        self.world.settle();
        let (bytes, _) = self.world.take(RECORDER);
        if let Some(recorder) = &mut self.recorder
            && let Some(answer) = recorder.hear(&bytes)
        {
            self.world.send(RECORDER, &answer);
            self.world.settle();
        }
    }
}

impl Rig for Local {
    fn configure(&mut self, line: &str) {
        self.config.push_str(line);
        self.config.push('\n');
        self.world = World::new(1, &self.config, false);
        if self.recorder.take().is_some() {
            self.record_effects();
        }
    }

    fn send(&mut self, client: &str, bytes: &[u8]) {
        if !self.world.connected(client) {
            self.world.connect(client, 1);
        }
        self.world.send(client, bytes);
        self.world.settle();
        assert_eq!(self.world.trouble, None);
    }

    fn take(&mut self, client: &str, _wait: Wait) -> (Vec<u8>, bool) {
        self.world.take(client)
    }

    fn hang_up(&mut self, client: &str) {
        self.world.hang_up(client);
        self.world.settle();
    }

    /// With a recorder attached the clock stops every second, so that it can acknowledge as a replica does.
    fn advance(&mut self, ms: u64) -> bool {
        let mut left = ms;
        while left > 0 {
            let step = if self.recorder.is_some() { left.min(1000) } else { left };
            self.world.advance(step);
            self.record();
            if let Some(ack) = self.recorder.as_ref().map(Recorder::acknowledgement) {
                self.world.send(RECORDER, &ack);
                self.world.settle();
            }
            left -= step;
        }
        true
    }

    fn record_effects(&mut self) -> bool {
        if self.recorder.is_some() {
            return true;
        }
        self.world.connect(RECORDER, 1);
        self.world.send(RECORDER, b"REPLCONF capa eof capa psync2\r\n");
        self.world.settle();
        self.world.send(RECORDER, b"PSYNC ? -1\r\n");
        self.recorder = Some(Recorder::default());
        // A snapshot may wait for a tick.
        for _ in 0..20 {
            self.record();
            if self.recorder.as_ref().is_some_and(|recorder| recorder.online) {
                return true;
            }
            self.world.advance(100);
        }
        panic!("the server sent no snapshot to the recorder of effects");
    }

    fn effects(&mut self) -> Vec<String> {
        self.record();
        self.recorder.as_mut().map(|recorder| std::mem::take(&mut recorder.lines)).unwrap_or_default()
    }
}

/// A replica that only writes down what it hears.
#[derive(Debug, Default)]
struct Recorder {
    pending: Vec<u8>,
    parser: Parser,
    online: bool,
    offset: u64,
    db: String,
    lines: Vec<String>,
}

impl Recorder {
    /// Takes bytes from the master; the answer to send, if one is due.
    fn hear(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        self.pending.extend_from_slice(bytes);
        if self.online {
            self.read_stream();
            return None;
        }
        let (offset, used) = snapshot_end(&self.pending)?;
        self.pending.drain(..used);
        self.offset = offset;
        self.online = true;
        self.db = "0".to_owned();
        self.read_stream();
        Some(self.acknowledgement())
    }

    fn acknowledgement(&self) -> Vec<u8> {
        format!("REPLCONF ACK {}\r\n", self.offset).into_bytes()
    }

    /// SELECT is told as the number of the database before a command, when it is not 0; heartbeats are not told.
    fn read_stream(&mut self) {
        let mut batch = Batch::default();
        let used = self.parser.parse(&self.pending, &Limits::OPEN, usize::MAX, &mut batch);
        let used = used.unwrap_or_else(|breach| panic!("the stream is no stream: {}", breach.0));
        for index in 0..batch.len() {
            let args = batch.args(&self.pending, index);
            let words: Vec<&[u8]> = args.iter_from(0).collect();
            match words.as_slice() {
                [verb, db] if verb.eq_ignore_ascii_case(b"SELECT") => {
                    self.db = String::from_utf8_lossy(db).into_owned();
                }
                [verb] if verb.eq_ignore_ascii_case(b"PING") => {}
                [bracket]
                    if [&b"MULTI"[..], b"EXEC"].iter().any(|verb| bracket.eq_ignore_ascii_case(verb)) =>
                {
                    self.lines.push(notation::request(&words));
                }
                _ if self.db == "0" => self.lines.push(notation::request(&words)),
                _ => self.lines.push(format!("[{}] {}", self.db, notation::request(&words))),
            }
        }
        self.pending.drain(..used);
        self.offset += used as u64;
    }
}

/// The offset a full synchronisation starts from, and where its snapshot ends in `bytes`; `None` while it is not
/// whole.
fn snapshot_end(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut at = 0;
    let mut offset = None;
    loop {
        let rest = bytes.get(at..)?;
        let end = rest.iter().position(|&byte| byte == b'\n')?;
        let line = String::from_utf8_lossy(rest.get(..end)?);
        let line = line.trim_end();
        at += end + 1;
        if let Some(answer) = line.strip_prefix("+FULLRESYNC ") {
            offset = answer.split(' ').nth(1).and_then(|text| text.parse().ok());
        } else if let Some(mark) = line.strip_prefix("$EOF:") {
            let body = bytes.get(at..)?;
            let end = body.windows(mark.len()).position(|window| window == mark.as_bytes())?;
            return Some((offset?, at + end + mark.len()));
        } else if let Some(size) = line.strip_prefix('$') {
            let end = at + size.parse::<usize>().ok()?;
            return (bytes.len() >= end).then_some((offset?, end));
        }
    }
}

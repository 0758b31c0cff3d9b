//! An ear on a wire between two nodes: it reads the replication conversation as it is sent, so that what was promised
//! on the wire can be compared with what is true.

use crate::replication::ReplId;
use crate::replication::link::{Verdict, verdict};
use crate::resp::number::{parse_i64, parse_u64};
use crate::resp::{Batch, Limits, Parser};

/// What a replica asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request {
    /// The history it holds; `None` for `?`.
    pub id: Option<ReplId>,
    /// Its position.
    pub position: i64,
    /// It asked its master to promote itself.
    pub failover: bool,
}

/// Something that was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// `PSYNC`.
    Asked(Request),
    /// `REPLCONF ACK`.
    Acknowledged(u64),
    /// `+FULLRESYNC`.
    Full {
        /// The history.
        id: ReplId,
        /// The cut.
        cut: u64,
    },
    /// `+CONTINUE`.
    Continued {
        /// The history, when it was said.
        id: Option<ReplId>,
    },
    /// An answer that is neither.
    Refused(String),
    /// Stream bytes from this position on.
    Stream {
        /// Where they stand.
        position: u64,
        /// The bytes.
        bytes: Vec<u8>,
    },
    /// What nobody should say.
    Nonsense(String),
}

#[derive(Debug)]
enum Down {
    /// Lines of the handshake.
    Lines,
    /// The header of a snapshot; the cut.
    Header(u64),
    /// Snapshot bytes up to this mark; the cut.
    Marked([u8; 40], u64),
    /// So many snapshot bytes; the cut.
    Counted(u64, u64),
    /// Stream bytes; the position.
    Stream(u64),
}

/// The ear.
#[derive(Debug)]
pub struct Tap {
    /// The replica: who dialed.
    pub replica: usize,
    /// The master: who was dialed.
    pub master: usize,
    /// The history of what the master sends, once it said so.
    pub history: Option<usize>,
    /// What the replica asked last.
    pub asked: Option<Request>,
    /// Why the master owes a continuation, judged when the question arrived.
    pub owed: Option<String>,
    /// How many bytes upstream the question ends behind, until it arrived.
    pub question_ends: Option<u64>,
    /// The last position it acknowledged here.
    pub acknowledged: u64,
    /// How many bytes arrived upstream.
    pub arrived: u64,
    up: Vec<u8>,
    sent_up: u64,
    down: Vec<u8>,
    state: Down,
}

impl Tap {
    /// An ear on a new wire.
    #[must_use]
    pub fn new(replica: usize, master: usize) -> Self {
        Self {
            replica,
            master,
            history: None,
            asked: None,
            owed: None,
            question_ends: None,
            acknowledged: 0,
            arrived: 0,
            up: Vec::new(),
            sent_up: 0,
            down: Vec::new(),
            state: Down::Lines,
        }
    }

    /// The replica sends.
    pub fn upstream(&mut self, bytes: &[u8]) -> Vec<Heard> {
        self.up.extend_from_slice(bytes);
        let mut heard = Vec::new();
        let mut batch = Batch::default();
        let mut used = 0;
        loop {
            batch.clear();
            let rest = self.up.get(used..).unwrap_or_default();
            if Parser::default().parse(rest, &Limits::OPEN, 64, &mut batch).is_err() {
                heard.push(Heard::Nonsense("what a replica sends is no request".into()));
                self.up.clear();
                return heard;
            }
            if batch.is_empty() {
                break;
            }
            for index in 0..batch.len() {
                let args = batch.args(rest, index);
                if args.get(0).eq_ignore_ascii_case(b"psync") {
                    let request = Request {
                        id: ReplId::parse(args.get(1)),
                        position: parse_i64(args.get(2)).unwrap_or(i64::MIN).saturating_sub(1),
                        failover: args.get(3).eq_ignore_ascii_case(b"failover"),
                    };
                    self.asked = Some(request);
                    self.question_ends = Some(self.sent_up + (used + batch.end_of(index)) as u64);
                    heard.push(Heard::Asked(request));
                } else if args.get(1).eq_ignore_ascii_case(b"ack") {
                    heard.push(Heard::Acknowledged(parse_u64(args.get(2)).unwrap_or(u64::MAX)));
                }
            }
            used += batch.end_of(batch.len() - 1);
        }
        self.up.drain(..used);
        self.sent_up += used as u64;
        heard
    }

    /// The master sends.
    pub fn downstream(&mut self, bytes: &[u8]) -> Vec<Heard> {
        let mut heard = Vec::new();
        self.down.extend_from_slice(bytes);
        while !self.down.is_empty() {
            let used = match self.state {
                Down::Lines => self.line(&mut heard),
                Down::Header(cut) => self.header(cut, &mut heard),
                Down::Marked(mark, cut) => memchr::memmem::find(&self.down, &mark).map(|at| {
                    self.state = Down::Stream(cut);
                    at + mark.len()
                }),
                Down::Counted(left, cut) => {
                    let n = (self.down.len() as u64).min(left);
                    self.state = if n == left { Down::Stream(cut) } else { Down::Counted(left - n, cut) };
                    usize::try_from(n).ok()
                }
                Down::Stream(position) => {
                    let bytes = std::mem::take(&mut self.down);
                    self.state = Down::Stream(position + bytes.len() as u64);
                    heard.push(Heard::Stream { position, bytes });
                    return heard;
                }
            };
            let Some(used) = used else { return heard };
            self.down.drain(..used);
        }
        heard
    }

    fn line(&mut self, heard: &mut Vec<Heard>) -> Option<usize> {
        let end = memchr::memchr(b'\n', &self.down)?;
        let line = self.down.get(..end).unwrap_or_default().trim_ascii();
        if let Some(request) = self.asked {
            match verdict(line, true) {
                Verdict::Wait => {}
                Verdict::Full { id, offset } => {
                    heard.push(Heard::Full { id, cut: offset });
                    self.state = Down::Header(offset);
                }
                Verdict::Continue { id } => {
                    heard.push(Heard::Continued { id });
                    self.state = Down::Stream(u64::try_from(request.position).unwrap_or(0));
                }
                Verdict::Transient(text) | Verdict::Unsupported(text) => heard.push(Heard::Refused(text)),
                // Answers to the introductions come after the question was sent, too.
                Verdict::Nonsense(_) if line == b"+OK" || line == b"+PONG" => {}
                Verdict::Nonsense(text) => heard.push(Heard::Nonsense(text)),
            }
        }
        Some(end + 1)
    }

    fn header(&mut self, cut: u64, heard: &mut Vec<Heard>) -> Option<usize> {
        let end = memchr::memchr(b'\n', &self.down)?;
        let line = self.down.get(..end).unwrap_or_default().trim_ascii();
        match line {
            [] => {}
            [b'$', b'E', b'O', b'F', b':', mark @ ..] if mark.len() == 40 => {
                self.state = Down::Marked(mark.try_into().unwrap_or([0; 40]), cut);
            }
            [b'$', digits @ ..] => match parse_u64(digits) {
                Some(length) => self.state = Down::Counted(length, cut),
                None => heard.push(Heard::Nonsense("a snapshot without a length".into())),
            },
            _ => heard.push(Heard::Nonsense("no header of a snapshot".into())),
        }
        Some(end + 1)
    }
}

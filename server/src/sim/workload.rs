//! What clients do: they write, run transactions, wait for replicas and read, and remember what they were promised.

use std::collections::VecDeque;

use super::canon::Index;
use super::chance::Chance;
use super::world::World;
use crate::resp::{Value, reply::encode_request, value};

/// A reply that is outstanding.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Due {
    /// Any reply will do.
    Any,
    /// The count of a WAIT.
    Count,
    /// What a GET should give; errors are fine.
    Read(Option<Vec<u8>>),
}

/// Where a client's last write ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Written {
    /// There was none, or nobody can tell.
    Unknown,
    /// Before anybody listened: it is part of where the next history starts.
    Unstreamed,
    /// At this position of a history.
    At(Index, u64),
}

/// One connection from outside.
#[derive(Debug)]
pub struct Client {
    /// Its name in the world.
    pub name: String,
    /// The node it speaks to.
    pub n: usize,
    due: VecDeque<Due>,
    /// What arrived and is no whole reply yet.
    inbox: Vec<u8>,
    written: Written,
    in_multi: bool,
    db: u64,
}

impl Client {
    /// A client of node `n`; connects when it first speaks.
    #[must_use]
    pub fn new(n: usize, index: usize) -> Self {
        let name = format!("client {n}.{index}");
        Self {
            name,
            n,
            due: VecDeque::new(),
            inbox: Vec::new(),
            written: Written::Unknown,
            in_multi: false,
            db: 0,
        }
    }

    /// It waits for a reply.
    #[must_use]
    pub fn busy(&self) -> bool {
        !self.due.is_empty()
    }

    /// What it wrote before anybody listened is where the next history of its node starts: called as soon as there may
    /// be one.
    pub fn place(&mut self, world: &World) {
        if self.written == Written::Unstreamed
            && let Some(check) = &world.check
            && let Some(index) = check.seen(self.n).and_then(|seen| seen.history)
            && let Some(past) = check.canon.past(index)
        {
            self.written = Written::At(index, past.start);
        }
    }

    /// Sends requests that are answered by one reply each; the last reply, if all came at once.
    fn speak(
        &mut self,
        world: &mut World,
        requests: &[Vec<Vec<u8>>],
        due: &Due,
    ) -> Result<Option<Value>, String> {
        if !world.running(self.n) {
            return Ok(None);
        }
        if !world.connected(&self.name) {
            (self.due, self.written, self.in_multi, self.db) = (VecDeque::new(), Written::Unknown, false, 0);
            self.inbox.clear();
            world.connect(&self.name, self.n);
        }
        let mut bytes = Vec::new();
        for request in requests {
            encode_request(&mut bytes, request);
            self.due.push_back(Due::Any);
        }
        if let Some(last) = self.due.back_mut() {
            *last = due.clone();
        }
        world.send(&self.name, &bytes);
        world.settle_clients();
        self.listen(world)
    }

    /// Takes what arrived; the last reply, if nothing is outstanding after it.
    ///
    /// # Errors
    /// A promise was broken.
    pub fn listen(&mut self, world: &mut World) -> Result<Option<Value>, String> {
        let (bytes, closed) = world.take(&self.name);
        self.inbox.extend_from_slice(&bytes);
        let bytes = std::mem::take(&mut self.inbox);
        let mut at = 0;
        let mut last = None;
        while let Some((reply, used)) =
            value::decode(bytes.get(at..).unwrap_or_default()).map_err(|bad| bad.0)?
        {
            at += used;
            match (self.due.pop_front(), &reply) {
                (None, _) => return Err(format!("{}: a reply that nobody asked for", self.name)),
                (Some(Due::Count), Value::Int(count)) => self.counted(world, *count),
                (Some(Due::Read(want)), Value::Null | Value::Bulk(_)) => {
                    let got = reply.as_bytes().map(<[u8]>::to_vec);
                    if got != want {
                        let shown = |value: Option<Vec<u8>>| {
                            value.map_or("nothing".to_owned(), |value| {
                                String::from_utf8_lossy(&value).into_owned()
                            })
                        };
                        let (got, want) = (shown(got), shown(want));
                        return Err(format!(
                            "node {}: alive: a read gives {got}, it should give {want}",
                            self.n
                        ));
                    }
                }
                _ => {}
            }
            last = Some(reply);
        }
        self.inbox = bytes.get(at..).unwrap_or_default().to_vec();
        if closed {
            self.due.clear();
        }
        Ok(last.filter(|_| self.due.is_empty()))
    }

    fn counted(&self, world: &mut World, count: i64) {
        let Some(check) = &mut world.check else { return };
        if let Written::At(index, position) = self.written {
            check.waited(self.n, (index, position), usize::try_from(count).unwrap_or(0));
        }
    }

    /// Sends what may write, and remembers where that ended.
    fn write(&mut self, world: &mut World, requests: &[Vec<Vec<u8>>]) -> Result<Option<Value>, String> {
        let end = |world: &World| {
            let check = world.check.as_ref()?;
            let index = check.seen(self.n)?.history?;
            Some((index, check.canon.past(index)?.data_end))
        };
        let before = end(world);
        let master = world.node(self.n).is_some_and(|node| node.upstream().is_none());
        let n = self.n;
        let reply = self.speak(world, requests, &Due::Any)?;
        let after = {
            let check = world.check.as_ref();
            check.and_then(|check| {
                let index = check.seen(n)?.history?;
                Some((index, check.canon.past(index)?.data_end))
            })
        };
        self.written = match (&reply, after) {
            (None, _) => Written::Unknown,
            (Some(Value::Error(_) | Value::NullArray), _) => self.written,
            (Some(_), Some((index, position))) if after != before => Written::At(index, position),
            (Some(_), None) if master => Written::Unstreamed,
            (Some(_), _) => self.written,
        };
        Ok(reply)
    }

    /// One write of the usual kinds; `big` values are one in so many.
    ///
    /// # Errors
    /// A promise was broken.
    pub fn write_something(
        &mut self,
        world: &mut World,
        chance: &mut Chance,
        serial: u64,
        big: u64,
    ) -> Result<String, String> {
        let mut requests = self.select(chance);
        // What a transaction queues is written in one go, which a backlog has to hold.
        let command = something(chance, serial, if self.in_multi { 1000 } else { big });
        let shown = shown(&command);
        requests.push(command);
        self.write(world, &requests)?;
        Ok(format!("db {}: {shown}", self.db))
    }

    fn select(&mut self, chance: &mut Chance) -> Vec<Vec<Vec<u8>>> {
        if !chance.one_in(4) {
            return Vec::new();
        }
        self.db = chance.below(3);
        vec![words(&format!("SELECT {}", self.db))]
    }

    /// A transaction, the beginning of one, or the end of the one that is open.
    ///
    /// # Errors
    /// A promise was broken.
    pub fn transact(
        &mut self,
        world: &mut World,
        chance: &mut Chance,
        serial: u64,
    ) -> Result<String, String> {
        let mut requests = Vec::new();
        let begins = !(self.in_multi && world.connected(&self.name));
        if begins {
            requests.push(words("MULTI"));
            if chance.one_in(3) {
                requests.extend(self.select(chance));
            }
            for half in ["t:a", "t:b"] {
                requests.push(words(&format!("SET {half} {serial}")));
            }
            if chance.one_in(2) {
                requests.push(something(chance, serial, 1000));
            }
        }
        let ends = !begins || !chance.one_in(3);
        if ends {
            requests.push(words(if !begins && chance.one_in(8) { "DISCARD" } else { "EXEC" }));
        }
        self.write(world, &requests)?;
        self.in_multi = !ends;
        Ok(match (begins, ends) {
            (true, true) => format!("a transaction of {} commands", requests.len() - 2),
            (true, false) => "the beginning of a transaction".to_owned(),
            (false, _) => "the end of a transaction".to_owned(),
        })
    }

    /// WAIT.
    ///
    /// # Errors
    /// A promise was broken.
    pub fn wait(&mut self, world: &mut World, chance: &mut Chance) -> Result<String, String> {
        let (replicas, ms) = (1 + chance.below(3), chance.pick(&[1, 100, 1000, 5000], 100));
        let due = if self.in_multi { Due::Any } else { Due::Count };
        let reply = self.speak(world, &[words(&format!("WAIT {replicas} {ms}"))], &due)?;
        Ok(format!("WAIT {replicas} {ms}: {}", answer(reply.as_ref())))
    }

    /// A read, compared with what the node has and what time it is.
    ///
    /// # Errors
    /// The node shows a key past its deadline, or not one that lives.
    pub fn read(&mut self, world: &mut World, chance: &mut Chance) -> Result<String, String> {
        let key = key(chance);
        let wall_ms = world.now().wall_ms;
        let db = usize::try_from(self.db).unwrap_or(0);
        let want = world.node(self.n).and_then(|node| {
            let entry = node.keyspace().get(db, key.as_bytes())?;
            entry.expire().is_none_or(|at| at > wall_ms).then(|| match entry.value() {
                crate::keyspace::ValueRef::Int(number) => number.to_string().into_bytes(),
                crate::keyspace::ValueRef::Bytes(bytes) => bytes.to_vec(),
                crate::keyspace::ValueRef::Collection(_) => Vec::new(),
            })
        });
        let due = if self.in_multi { Due::Any } else { Due::Read(want) };
        let requests = [words(&format!("SELECT {db}")), words(&format!("GET {key}"))];
        let reply = self.speak(world, &requests, &due)?;
        // A reply that comes late may say something else.
        if let Some(last) = self.due.back_mut() {
            *last = Due::Any;
        }
        Ok(format!("GET {key}: {}", answer(reply.as_ref())))
    }

    /// Any command, one reply.
    ///
    /// # Errors
    /// A promise was broken.
    pub fn ask(&mut self, world: &mut World, line: &str) -> Result<Option<Value>, String> {
        self.speak(world, &[words(line)], &Due::Any)
    }
}

/// A reply, on one line.
#[must_use]
pub fn answer(reply: Option<&Value>) -> String {
    match reply {
        None => "no reply yet".to_owned(),
        Some(Value::Int(number)) => number.to_string(),
        Some(Value::Error(text)) => format!("-{text}"),
        Some(Value::Null) => "nothing".to_owned(),
        Some(other) => other.to_text().unwrap_or_else(|| "an array".to_owned()),
    }
}

/// A line as a request; words have no spaces.
fn words(line: &str) -> Vec<Vec<u8>> {
    line.split(' ').map(|word| word.as_bytes().to_vec()).collect()
}

fn shown(command: &[Vec<u8>]) -> String {
    let words = command.iter().map(|word| match String::from_utf8_lossy(word) {
        text if text.len() > 24 => format!("({} bytes)", text.len()),
        text => text.into_owned(),
    });
    words.collect::<Vec<_>>().join(" ")
}

fn key(chance: &mut Chance) -> String {
    format!("k{}", chance.below(6))
}

fn something(chance: &mut Chance, serial: u64, big: u64) -> Vec<Vec<u8>> {
    let key = key(chance);
    let mut value = format!("v{serial}");
    if chance.one_in(big) {
        value.push_str(&"x".repeat(chance.index(3000) + if big == 2 { 4000 } else { 500 }));
    }
    let ms = chance.pick(&[1, 50, 500, 5000, 60_000], 500);
    let line = match chance.below(16) {
        0..5 => format!("SET {key} {value}"),
        5 | 6 => format!("SET {key} {value} PX {ms}"),
        7..10 => format!("INCR n{}", chance.below(3)),
        10 => format!("INCRBY n{} {}", chance.below(3), chance.below(100)),
        11 | 12 if chance.one_in(6) => format!("SET a{} .", chance.below(2)),
        11 | 12 => format!("APPEND a{} {serial}.", chance.below(2)),
        13 => format!("DEL {key}"),
        14 => format!("RENAME {key} k{}", chance.below(6)),
        _ if chance.one_in(2) => format!("PEXPIRE {key} {ms}"),
        _ => format!("PERSIST {key}"),
    };
    words(&line)
}

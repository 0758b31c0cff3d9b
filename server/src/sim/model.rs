//! The data set that a stream stands for, computed naively from its bytes: what every node is compared with.
//!
//! It knows the few commands that a master of this kind writes into its stream for the workload of the simulation, and
//! nothing of deadlines: in a stream, what is not deleted lives.

use std::collections::BTreeMap;

use crate::keyspace::{Keyspace, ValueRef};
use crate::resp::Args;
use crate::resp::number::{parse_i64, parse_u64};

/// A value and its deadline in Unix milliseconds.
type Entry = (Vec<u8>, Option<u64>);

/// All databases of a naive server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Model {
    entries: BTreeMap<(usize, Vec<u8>), Entry>,
    /// The database that the stream last selected; `None` until it selects one.
    pub selected: Option<usize>,
    digest: u64,
    /// Commands that cannot be applied are passed over: the data set they were written for is not known.
    pub lenient: bool,
}

impl Model {
    /// The data set of a node, with the stream's database unknown.
    #[must_use]
    pub fn of(keyspace: &Keyspace) -> Self {
        let mut model = Self::default();
        for db in 0..keyspace.databases() {
            keyspace.for_each(db, &mut |entry| {
                let value = match entry.value() {
                    ValueRef::Int(number) => number.to_string().into_bytes(),
                    ValueRef::Bytes(bytes) => bytes.to_vec(),
                    // The workload makes strings only.
                    ValueRef::Collection(_) => Vec::new(),
                };
                model.put(db, entry.key(), value, entry.expire());
            });
        }
        model
    }

    /// One number for all entries: equal data sets have equal ones.
    #[must_use]
    pub fn digest(&self) -> u64 {
        self.digest
    }

    /// Names the first entry in which a node's data set differs: what is there, what should be.
    #[must_use]
    pub fn difference(&self, keyspace: &Keyspace) -> String {
        let other = Self::of(keyspace);
        let keys = self.entries.keys().chain(other.entries.keys());
        let shown = |entry: Option<&Entry>| match entry {
            None => "nothing".to_owned(),
            Some((value, expire)) => {
                let start = value.get(..value.len().min(40)).unwrap_or_default();
                format!("'{}' ({} bytes, deadline {expire:?})", String::from_utf8_lossy(start), value.len())
            }
        };
        for key in keys {
            let (want, got) = (self.entries.get(key), other.entries.get(key));
            if want != got {
                let name = String::from_utf8_lossy(&key.1);
                return format!("db {} key {name}: has {}, should have {}", key.0, shown(got), shown(want));
            }
        }
        "no entry differs".to_owned()
    }

    /// Keys whose deadline is not after `now_ms`.
    #[must_use]
    pub fn expired(&self, now_ms: u64) -> usize {
        self.entries.values().filter(|(_, expire)| expire.is_some_and(|at| at <= now_ms)).count()
    }

    fn put(&mut self, db: usize, key: &[u8], value: Vec<u8>, expire: Option<u64>) {
        self.digest = self.digest.wrapping_add(entry_digest(db, key, &value, expire));
        let old = self.entries.insert((db, key.to_vec()), (value, expire));
        if let Some((value, expire)) = old {
            self.digest = self.digest.wrapping_sub(entry_digest(db, key, &value, expire));
        }
    }

    fn take(&mut self, db: usize, key: &[u8]) -> Option<Entry> {
        let (value, expire) = self.entries.remove(&(db, key.to_vec()))?;
        self.digest = self.digest.wrapping_sub(entry_digest(db, key, &value, expire));
        Some((value, expire))
    }

    /// Applies one command of a stream. MULTI and EXEC are the caller's business.
    ///
    /// # Errors
    /// It is none that belongs there, or it comes before any SELECT.
    pub fn apply(&mut self, args: Args<'_>) -> Result<Applied, String> {
        let name = args.get(0).to_ascii_uppercase();
        match name.as_slice() {
            b"PING" | b"REPLCONF" => return Ok(Applied::Keepalive),
            b"SELECT" => {
                let db = parse_u64(args.get(1)).and_then(|db| usize::try_from(db).ok());
                self.selected = Some(db.ok_or("SELECT of no database")?);
                return Ok(Applied::Keepalive);
            }
            _ => {}
        }
        let Some(db) = self.selected else {
            let name = String::from_utf8_lossy(&name).into_owned();
            return Err(format!("{name} stands in the stream before any SELECT"));
        };
        match self.change(db, &name, args) {
            Err(why) if !self.lenient => Err(why),
            _ => Ok(Applied::Data),
        }
    }

    fn change(&mut self, db: usize, name: &[u8], args: Args<'_>) -> Result<(), String> {
        let (key, value) = (args.get(1), args.get(2));
        match name {
            b"SET" => {
                let option = args.get(3).to_ascii_uppercase();
                let expire = match option.as_slice() {
                    b"" => None,
                    b"PXAT" => Some(parse_u64(args.get(4)).ok_or("SET with a bad deadline")?),
                    b"KEEPTTL" => self.entries.get(&(db, key.to_vec())).and_then(|(_, expire)| *expire),
                    _ => return Err("SET with an option that no stream carries".into()),
                };
                self.put(db, key, value.to_vec(), expire);
            }
            b"INCR" => self.add(db, key, 1)?,
            b"INCRBY" => self.add(db, key, parse_i64(value).ok_or("INCRBY of no number")?)?,
            b"APPEND" => {
                let (mut text, expire) = self.take(db, key).unwrap_or_default();
                text.extend_from_slice(value);
                self.put(db, key, text, expire);
            }
            b"DEL" | b"UNLINK" => {
                for key in args.iter_from(1) {
                    self.take(db, key);
                }
            }
            b"RENAME" => {
                let (text, expire) = self.take(db, key).ok_or("RENAME of a key that is not there")?;
                self.put(db, value, text, expire);
            }
            b"PEXPIREAT" => {
                let at = parse_u64(value).ok_or("PEXPIREAT of no number")?;
                let (text, _) = self.take(db, key).ok_or("PEXPIREAT of a key that is not there")?;
                self.put(db, key, text, Some(at));
            }
            b"PERSIST" => {
                let (text, _) = self.take(db, key).ok_or("PERSIST of a key that is not there")?;
                self.put(db, key, text, None);
            }
            b"FLUSHALL" => {
                self.entries.clear();
                self.digest = 0;
            }
            _ => return Err(format!("{} has no place in a stream", String::from_utf8_lossy(name))),
        }
        Ok(())
    }

    fn add(&mut self, db: usize, key: &[u8], by: i64) -> Result<(), String> {
        let (text, expire) = self.take(db, key).unwrap_or_else(|| (b"0".to_vec(), None));
        let sum = parse_i64(&text).and_then(|number| number.checked_add(by));
        let sum = sum.ok_or("an increment of no number")?;
        self.put(db, key, sum.to_string().into_bytes(), expire);
        Ok(())
    }
}

/// What a command of a stream was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    /// It changes no data.
    Keepalive,
    /// It may change data.
    Data,
}

/// The digest of a node's data set, comparable with [`Model::digest`].
#[must_use]
pub fn digest_of(keyspace: &Keyspace) -> u64 {
    let mut digest = 0u64;
    let mut digits = itoa::Buffer::new();
    for db in (0..keyspace.databases()).filter(|&db| keyspace.len(db) > 0) {
        keyspace.for_each(db, &mut |entry| {
            let value = match entry.value() {
                ValueRef::Int(number) => digits.format(number).as_bytes(),
                ValueRef::Bytes(bytes) => bytes,
                ValueRef::Collection(_) => &[],
            };
            digest = digest.wrapping_add(entry_digest(db, entry.key(), value, entry.expire()));
        });
    }
    digest
}

/// Entries are summed, so each has to be scrambled well.
fn entry_digest(db: usize, key: &[u8], value: &[u8], expire: Option<u64>) -> u64 {
    let mut hash = mix(db as u64 + 1, expire.map_or(0, |at| at.wrapping_add(1)));
    hash = absorb(hash, key);
    absorb(hash, value)
}

fn absorb(mut hash: u64, bytes: &[u8]) -> u64 {
    hash = mix(hash, bytes.len() as u64);
    let mut chunks = bytes.chunks_exact(8);
    for chunk in &mut chunks {
        hash = mix(hash, chunk.try_into().map_or(0, u64::from_le_bytes));
    }
    let mut last = [0u8; 8];
    for (slot, byte) in last.iter_mut().zip(chunks.remainder()) {
        *slot = *byte;
    }
    mix(hash, u64::from_le_bytes(last))
}

fn mix(hash: u64, word: u64) -> u64 {
    let mixed = (hash ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) ^ (mixed >> 32)
}

//! What a node holds: its keys by SCAN, each with a fingerprint of its value by a read of its type.
//!
//! Values are not kept, only their fingerprints; members of a set or a hash have no order, and are put into one first.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};

use rctl_server::resp::Value;

use crate::commands::set::Running;
use crate::error::{Error, Exit, Result};
use crate::node::client::{CHANGE, Client, REPLY_LIMIT_MAX};

/// Keys that are read at once.
const BATCH: usize = 200;
/// Databases that are looked into at most.
const DATABASES: u32 = 1024;

/// A key of a database.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) db: u32,
    pub(super) key: Vec<u8>,
}

/// What is known of a value without keeping it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Print {
    pub(super) kind: String,
    pub(super) deadline: bool,
    pub(super) value: u64,
}

impl fmt::Display for Print {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.kind, if self.deadline { " with a deadline" } else { "" })
    }
}

/// Keys and the prints of their values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Contents(pub(super) BTreeMap<Place, Print>);

impl Contents {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

/// A connection that reads a whole node.
pub(super) struct Reader {
    client: Client,
    port: u16,
}

impl Reader {
    pub(super) async fn open(set: &Running, port: u16) -> Result<Self> {
        let client = set.connect(port, CHANGE).await?.with_reply_limit(REPLY_LIMIT_MAX);
        Ok(Self { client, port })
    }

    /// Everything.
    pub(super) async fn all(&mut self) -> Result<Contents> {
        let mut contents = Contents::default();
        for db in self.databases().await? {
            self.ask(&[b"SELECT".to_vec(), db.to_string().into_bytes()]).await?;
            let mut cursor = b"0".to_vec();
            loop {
                let words = [b"SCAN".to_vec(), cursor, b"COUNT".to_vec(), BATCH.to_string().into_bytes()];
                let reply = self.ask(&words).await?;
                let Value::Array(parts) = reply else { return Err(self.odd("SCAN")) };
                let (Some(next), Some(Value::Array(keys))) =
                    (parts.first().and_then(Value::as_bytes), parts.get(1))
                else {
                    return Err(self.odd("SCAN"));
                };
                let keys: Vec<Vec<u8>> =
                    keys.iter().filter_map(|key| Some(key.as_bytes()?.to_vec())).collect();
                let next = next.to_vec();
                self.batch(db, &keys, &mut contents).await?;
                if next == b"0" {
                    break;
                }
                cursor = next;
            }
        }
        Ok(contents)
    }

    /// Some keys again.
    pub(super) async fn some<'p>(&mut self, places: impl Iterator<Item = &'p Place>) -> Result<Contents> {
        let mut contents = Contents::default();
        let mut by_db: BTreeMap<u32, Vec<Vec<u8>>> = BTreeMap::new();
        for place in places {
            by_db.entry(place.db).or_default().push(place.key.clone());
        }
        for (db, keys) in by_db {
            self.ask(&[b"SELECT".to_vec(), db.to_string().into_bytes()]).await?;
            for keys in keys.chunks(BATCH) {
                self.batch(db, keys, &mut contents).await?;
            }
        }
        Ok(contents)
    }

    /// The databases that have keys.
    async fn databases(&mut self) -> Result<Vec<u32>> {
        let reply = self.ask(&[b"INFO".to_vec(), b"keyspace".to_vec()]).await?;
        let text = reply.to_text().unwrap_or_default();
        let number = |line: &str| line.strip_prefix("db")?.split(':').next()?.parse::<u32>().ok();
        Ok(text.lines().filter_map(number).filter(|db| *db < DATABASES).collect())
    }

    async fn batch(&mut self, db: u32, keys: &[Vec<u8>], contents: &mut Contents) -> Result<()> {
        let about =
            |word: &'static str| keys.iter().map(move |key| vec![word.as_bytes().to_vec(), key.clone()]);
        let asked: Vec<Vec<Vec<u8>>> = about("TYPE").chain(about("PTTL")).collect();
        let replies = self.pipeline(&asked).await?;
        let kinds: Vec<String> =
            replies.iter().take(keys.len()).map(|reply| reply.to_text().unwrap_or_default()).collect();
        let there: Vec<usize> =
            (0..keys.len()).filter(|at| kinds.get(*at).is_some_and(|kind| kind != "none")).collect();
        let reads: Vec<Vec<Vec<u8>>> =
            there.iter().filter_map(|at| Some(read(kinds.get(*at)?, keys.get(*at)?))).collect();
        let values = self.pipeline(&reads).await?;
        for (at, value) in there.into_iter().zip(values) {
            let (Some(key), Some(kind)) = (keys.get(at), kinds.get(at)) else { continue };
            // Gone, or of another type by now: as good as missing, until it is read again.
            if matches!(value, Value::Null | Value::NullArray | Value::Error(_)) {
                continue;
            }
            let deadline = matches!(replies.get(keys.len() + at), Some(Value::Int(ms)) if *ms >= 0);
            let print = Print { kind: kind.clone(), deadline, value: fingerprint(kind, value) };
            contents.0.insert(Place { db, key: key.clone() }, print);
        }
        Ok(())
    }

    async fn ask(&mut self, words: &[Vec<u8>]) -> Result<Value> {
        Ok(self.client.command(words, CHANGE).await?)
    }

    async fn pipeline(&mut self, requests: &[Vec<Vec<u8>>]) -> Result<Vec<Value>> {
        let requests: Vec<&[Vec<u8>]> = requests.iter().map(Vec::as_slice).collect();
        if requests.is_empty() {
            return Ok(Vec::new());
        }
        Ok(self.client.pipeline(&requests, CHANGE).await?)
    }

    fn odd(&self, command: &str) -> Error {
        Error::new(Exit::Unexpected, format!("{} gave an answer to {command} that is none", self.port))
    }
}

/// The command that reads a whole value of a type.
fn read(kind: &str, key: &[u8]) -> Vec<Vec<u8>> {
    let words: &[&str] = match kind {
        "string" => &["GET"],
        "list" => &["LRANGE", "0", "-1"],
        "set" => &["SMEMBERS"],
        "hash" => &["HGETALL"],
        "zset" => &["ZRANGE", "0", "-1", "WITHSCORES"],
        "stream" => &["XRANGE", "-", "+"],
        // A module's type: its own serialisation, which is the same on one version only.
        _ => &["DUMP"],
    };
    let mut all = vec![words.first().map(|word| word.as_bytes().to_vec()).unwrap_or_default(), key.to_vec()];
    all.extend(words.iter().skip(1).map(|word| word.as_bytes().to_vec()));
    all
}

fn fingerprint(kind: &str, value: Value) -> u64 {
    let mut hasher = DefaultHasher::new();
    kind.hash(&mut hasher);
    let value = match (kind, value) {
        ("set", Value::Array(mut items) | Value::Set(mut items)) => {
            items.sort_by(|a, b| a.as_bytes().cmp(&b.as_bytes()));
            Value::Array(items)
        }
        ("hash", Value::Array(items)) => {
            let mut pairs: Vec<&[Value]> = items.chunks(2).collect();
            pairs.sort_by_key(|pair| pair.first().and_then(Value::as_bytes));
            Value::Array(pairs.concat())
        }
        (_, value) => value,
    };
    put(&mut hasher, &value);
    hasher.finish()
}

fn put(hasher: &mut DefaultHasher, value: &Value) {
    match value {
        Value::Array(items) | Value::Set(items) => {
            items.len().hash(hasher);
            items.iter().for_each(|item| put(hasher, item));
        }
        Value::Int(number) => number.hash(hasher),
        other => other.as_bytes().hash(hasher),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bulks(words: &[&str]) -> Value {
        Value::Array(words.iter().map(|word| Value::Bulk(word.as_bytes().to_vec())).collect())
    }

    #[test]
    fn sets_and_hashes_have_no_order_and_lists_have() {
        let same = |kind: &str, one: &[&str], other: &[&str]| {
            fingerprint(kind, bulks(one)) == fingerprint(kind, bulks(other))
        };
        assert!(same("set", &["a", "b"], &["b", "a"]) && !same("set", &["a"], &["b"]));
        assert!(same("hash", &["a", "1", "b", "2"], &["b", "2", "a", "1"]));
        assert!(!same("hash", &["a", "1", "b", "2"], &["a", "2", "b", "1"]));
        assert!(!same("list", &["a", "b"], &["b", "a"]) && !same("list", &["ab"], &["a", "b"]));
    }
}

//! Bytes to entries: an RDB file read as it arrives.
//!
//! The file is a row of items (an AUX field, a deadline, a key with its value), and the decoder is fed slices cut
//! anywhere. Items that lie whole in a slice are read where they lie; of one that does not, the bytes so far are kept,
//! and then exactly as many as it still needs, so that memory is bounded by the largest item and no byte is read twice
//! but those of one item's lengths.
//!
//! A large collection is many items, an element or a node each, from which a builder makes it (`build`, `stream`); so it is never
//! held as bytes. What small ones are packed into is one item.
//!
//! An item is told to the [`Load`] when it is whole and right, never before; a collection when its last item is.

mod build;
mod stream;
mod ziplist;

pub(super) use self::build::Builder;

use super::crc64::Crc64;
use super::format::{self, kind, module, opcode};
use super::read::{Cursor, Damage, Stop, Text, Why};
use crate::data::{Collection, Limits};
use crate::keyspace::NewValue;

/// Who receives what a file holds, in the order of the file. A refusal (a sentence) ends the decoding.
pub trait Load {
    /// The file is one we can read; nothing of it was told yet. The moment to make room for it.
    ///
    /// # Errors
    /// A sentence saying why the file is not wanted.
    fn begin(&mut self, version: u16) -> Result<(), String>;
    /// A fact about the file. Unknown ones are to be ignored.
    fn aux(&mut self, name: &[u8], value: &[u8]);
    /// The database of the keys that follow; 0 until this is called.
    ///
    /// # Errors
    /// There is no such database.
    fn select(&mut self, db: u64) -> Result<(), String>;
    /// How many keys and deadlines the database will have: a claim, good only as a hint.
    fn resize(&mut self, keys: u64, expires: u64);
    /// A key that holds a string; `expire` is milliseconds since the Unix epoch, and may be past.
    ///
    /// # Errors
    /// The key cannot be kept.
    fn string(&mut self, key: &[u8], value: NewValue<'_>, expire: Option<u64>) -> Result<(), String>;
    /// A key that holds a collection, which is not empty unless it is a stream.
    ///
    /// # Errors
    /// The key cannot be kept.
    fn collection(&mut self, key: &[u8], collection: Collection, expire: Option<u64>) -> Result<(), String>;
    /// The settings that collections are made with.
    fn limits(&self) -> Limits {
        Limits::default()
    }
    /// Something was skipped that a user may miss: a sentence.
    fn skipped(&mut self, what: &str);
    /// The file is whole; whether it had a checksum (it was right).
    fn end(&mut self, checked: bool);
}

/// How far a file has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// All bytes were taken; more must come.
    More,
    /// The file is whole.
    Done {
        /// How many of the bytes of this call belong to it.
        consumed: usize,
    },
}

/// Reads one file.
#[derive(Debug)]
pub struct Decoder {
    stage: Stage,
    /// The bytes of an item that is not whole, and how many more it needs at least.
    held: Vec<u8>,
    need: usize,
    /// Where the current item begins in the file.
    position: u64,
    version: u16,
    checksum: Crc64,
    /// What was said about the next key.
    expire: Option<u64>,
    /// The collection that is being read, and its key.
    building: Option<(Vec<u8>, Builder)>,
    scratch: Scratch,
}

/// Memory for strings that are not stored byte by byte, kept from key to key.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    key: Vec<u8>,
    value: Vec<u8>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Stage {
    Header,
    Items,
    /// Within a collection, whose elements are items of their own.
    Elements,
    /// Within the data of a module, whose parts are items of their own: there may be any number of them.
    Module,
    Checksum,
    Done,
    Broken(Damage),
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}

impl Decoder {
    /// A decoder at the beginning of a file.
    #[must_use]
    pub fn new() -> Self {
        Self {
            stage: Stage::Header,
            held: Vec::new(),
            need: 0,
            position: 0,
            version: 0,
            checksum: Crc64::new(),
            expire: None,
            building: None,
            scratch: Scratch::default(),
        }
    }

    /// Takes the next bytes of the file, and tells `load` what they complete. What lies behind the end of the file
    /// is left alone.
    ///
    /// # Errors
    /// The file cannot be loaded. Every further call gives the same answer.
    pub fn feed(&mut self, bytes: &[u8], load: &mut impl Load) -> Result<Progress, Damage> {
        if let Stage::Broken(damage) = &self.stage {
            return Err(damage.clone());
        }
        self.run(bytes, load).map_err(|why| {
            let damage = Damage { at: self.position, why };
            self.stage = Stage::Broken(damage.clone());
            self.held = Vec::new();
            self.building = None;
            damage
        })
    }

    /// No more bytes will come.
    ///
    /// # Errors
    /// The file is not whole.
    pub fn finish(&self) -> Result<(), Damage> {
        match &self.stage {
            Stage::Done => Ok(()),
            Stage::Broken(damage) => Err(damage.clone()),
            _ => Err(Damage { at: self.position + self.held.len() as u64, why: Why::Truncated }),
        }
    }

    /// Bytes held because they are not a whole item.
    #[must_use]
    pub fn held(&self) -> usize {
        self.held.len()
    }

    fn run(&mut self, bytes: &[u8], load: &mut impl Load) -> Result<Progress, Why> {
        let mut at = 0;
        // The checksum covers all of a slice up to the end mark, whatever items it is cut into.
        let mut summed = matches!(self.stage, Stage::Checksum | Stage::Done);
        while self.stage != Stage::Done {
            let rest = bytes.get(at..).unwrap_or_default();
            match self.next(rest, load)? {
                Some(used) => at += used,
                None => break,
            }
            if !summed && matches!(self.stage, Stage::Checksum | Stage::Done) {
                self.checksum.update(bytes.get(..at).unwrap_or_default());
                summed = true;
            }
        }
        if self.stage == Stage::Done {
            return Ok(Progress::Done { consumed: at });
        }
        if !summed {
            self.checksum.update(bytes);
        }
        Ok(Progress::More)
    }

    /// One item, from what is held and `rest`: how many bytes of `rest` it took, or `None` when `rest` was not
    /// enough and is now held.
    fn next(&mut self, rest: &[u8], load: &mut impl Load) -> Result<Option<usize>, Why> {
        if self.held.is_empty() {
            return match self.item(rest, load) {
                Ok(used) => {
                    self.position += used as u64;
                    Ok(Some(used))
                }
                Err(Stop::Wrong(why)) => Err(why),
                Err(Stop::Need(need)) => {
                    self.held.extend_from_slice(rest);
                    self.need = need;
                    Ok(None)
                }
            };
        }
        let mut taken = 0;
        loop {
            let more = rest.get(taken..).unwrap_or_default();
            let Some(more) = more.get(..self.need) else {
                self.held.extend_from_slice(more);
                self.need -= more.len();
                return Ok(None);
            };
            self.held.extend_from_slice(more);
            taken += self.need;
            let mut held = std::mem::take(&mut self.held);
            match self.item(&held, load) {
                Ok(used) => {
                    debug_assert_eq!(used, held.len(), "what an item needs is exact");
                    self.position += used as u64;
                    // A buffer that held a large value is given back.
                    if held.capacity() <= 1 << 20 {
                        held.clear();
                        self.held = held;
                    }
                    return Ok(Some(taken));
                }
                Err(Stop::Wrong(why)) => return Err(why),
                Err(Stop::Need(need)) => {
                    self.held = held;
                    self.need = need;
                }
            }
        }
    }

    /// One item at the start of `bytes`: its length.
    fn item(&mut self, bytes: &[u8], load: &mut impl Load) -> Result<usize, Stop> {
        let mut cursor = Cursor::new(bytes);
        match self.stage {
            Stage::Header => self.header(&mut cursor, load)?,
            Stage::Items => self.entry(&mut cursor, load)?,
            Stage::Elements => self.element(&mut cursor, load)?,
            Stage::Module => self.module_part(&mut cursor)?,
            Stage::Checksum => self.trailer(&mut cursor, load)?,
            Stage::Done | Stage::Broken(_) => {}
        }
        Ok(cursor.at())
    }

    fn header(&mut self, cursor: &mut Cursor<'_>, load: &mut impl Load) -> Result<(), Stop> {
        let start: [u8; format::HEADER_LEN] = cursor.array()?;
        if start.starts_with(b"VALKEY") {
            return Err(Why::Valkey.into());
        }
        let digits = start.strip_prefix(format::MAGIC).filter(|digits| digits.iter().all(u8::is_ascii_digit));
        let Some(digits) = digits else { return Err(Why::NotRdb(start.to_vec()).into()) };
        let version = digits.iter().fold(0u16, |version, digit| version * 10 + u16::from(digit - b'0'));
        if !(1..=format::NEWEST).contains(&version) {
            return Err(Why::Version(version).into());
        }
        load.begin(version).map_err(Why::Refused)?;
        self.version = version;
        self.stage = Stage::Items;
        Ok(())
    }

    fn entry(&mut self, cursor: &mut Cursor<'_>, load: &mut impl Load) -> Result<(), Stop> {
        let first = cursor.byte()?;
        // The versions without a checksum are also without most opcodes. Without this rule one flipped bit of the
        // version would switch the checksum off.
        if self.version < format::FIRST_WITH_CHECKSUM
            && (opcode::SLOT_INFO..=opcode::RESIZE_DB).contains(&first)
        {
            return Err(Why::Breach("an opcode that its version does not have").into());
        }
        match first {
            opcode::EXPIRE_MS => self.expire = Some(deadline(i64::from_le_bytes(cursor.array()?))),
            opcode::EXPIRE_S => {
                let seconds = i64::from(i32::from_le_bytes(cursor.array()?));
                self.expire = Some(deadline(seconds * 1000));
            }
            opcode::IDLE => drop(cursor.length()?),
            opcode::FREQ => drop(cursor.byte()?),
            opcode::SELECT_DB => load.select(cursor.length()?).map_err(Why::Refused)?,
            opcode::RESIZE_DB => {
                let (keys, expires) = (cursor.length()?, cursor.length()?);
                load.resize(keys, expires);
            }
            opcode::AUX => {
                let (name, value) = (cursor.text()?, cursor.text()?);
                load.aux(name.bytes(&mut self.scratch.key)?, value.bytes(&mut self.scratch.value)?);
            }
            opcode::SLOT_INFO => {
                for _ in 0..3 {
                    cursor.length()?;
                }
            }
            opcode::FUNCTION => {
                cursor.text()?;
                load.skipped("a library of functions, which this server cannot run yet");
            }
            opcode::FUNCTION_EARLY => return Err(Why::Breach("a function of a Redis 7 preview").into()),
            opcode::MODULE_AUX => {
                for _ in 0..3 {
                    cursor.length()?;
                }
                load.skipped("data of a module, which this server cannot load");
                self.stage = Stage::Module;
            }
            opcode::END => {
                self.stage = Stage::Checksum;
                if self.version < format::FIRST_WITH_CHECKSUM {
                    self.stage = Stage::Done;
                    load.end(false);
                }
            }
            kind => self.key(kind, cursor, load)?,
        }
        Ok(())
    }

    /// A key and its value; of a collection, only the key.
    fn key(&mut self, kind: u8, cursor: &mut Cursor<'_>, load: &mut impl Load) -> Result<(), Stop> {
        let name = type_name(kind).ok_or(Why::UnknownType(kind))?;
        if self.version < format::FIRST_WITH_CHECKSUM
            && !(kind <= kind::HASH || (kind::HASH_ZIPMAP..=kind::HASH_ZIPLIST).contains(&kind))
        {
            return Err(Why::Breach("a type that its version does not have").into());
        }
        let key = cursor.text()?;
        if kind == kind::STRING {
            let value = cursor.text()?;
            let key = key.bytes(&mut self.scratch.key)?;
            let value = match value {
                Text::Int(n) => NewValue::Int(n),
                other => NewValue::Bytes(other.bytes(&mut self.scratch.value)?),
            };
            load.string(key, value, self.expire.take()).map_err(Why::Refused)?;
            self.scratch.shrink();
            return Ok(());
        }
        let key = key.bytes(&mut self.scratch.key)?.to_vec();
        let Some(builder) = Builder::new(kind, load.limits()) else {
            return Err(Why::CannotHold { key, what: name }.into());
        };
        self.building = Some((key, builder));
        self.stage = Stage::Elements;
        Ok(())
    }

    /// An item of a collection. One without elements is no key, unless it is a stream: it is skipped, as Redis does.
    fn element(&mut self, cursor: &mut Cursor<'_>, load: &mut impl Load) -> Result<(), Stop> {
        let Some((_, builder)) = &mut self.building else { return Ok(()) };
        let Some(collection) = builder.next(cursor, &mut self.scratch)? else { return Ok(()) };
        let key = self.building.take().map(|(key, _)| key).unwrap_or_default();
        self.stage = Stage::Items;
        self.scratch.shrink();
        let expire = self.expire.take();
        if collection.is_nothing() {
            load.skipped("a key that holds an empty collection");
            return Ok(());
        }
        Ok(load.collection(&key, collection, expire).map_err(Why::Refused)?)
    }

    fn module_part(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Stop> {
        match cursor.length()? {
            module::END => self.stage = Stage::Items,
            module::SIGNED | module::UNSIGNED => drop(cursor.length()?),
            module::FLOAT => drop(cursor.array::<4>()?),
            module::DOUBLE => drop(cursor.array::<8>()?),
            module::STRING => drop(cursor.text()?),
            _ => return Err(Why::Breach("module data of unknown form").into()),
        }
        Ok(())
    }

    fn trailer(&mut self, cursor: &mut Cursor<'_>, load: &mut impl Load) -> Result<(), Stop> {
        let stored = u64::from_le_bytes(cursor.array::<{ format::CHECKSUM_LEN }>()?);
        let computed = self.checksum.value();
        if stored != 0 && stored != computed {
            return Err(Why::Checksum { stored, computed }.into());
        }
        self.stage = Stage::Done;
        load.end(stored != 0);
        Ok(())
    }
}

impl Scratch {
    /// Memory of a large string is given back.
    fn shrink(&mut self) {
        for buffer in [&mut self.key, &mut self.value] {
            if buffer.capacity() > 1 << 20 {
                *buffer = Vec::new();
            }
        }
    }
}

/// A deadline before 1970 is as past as one in 1970.
fn deadline(ms: i64) -> u64 {
    u64::try_from(ms).unwrap_or(0)
}

/// What a value of this type is, as it is said of a key; `None` for what no server writes.
fn type_name(kind: u8) -> Option<&'static str> {
    Some(match kind {
        kind::STRING => "a string",
        1 | 10 | 14 | 18 => "a list",
        2 | 11 | 20 => "a set",
        3 | 5 | 12 | 17 => "a sorted set",
        4 | 9 | 13 | 16 => "a hash",
        22..=25 => "a hash whose fields have deadlines",
        15 | 19 | 21 => "a stream",
        6 | 7 => "a value of a module",
        _ => return None,
    })
}

#[cfg(test)]
mod tests;

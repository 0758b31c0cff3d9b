//! Every history that ever was in a world, as the harness wrote it down itself: the bytes that the one owner of an id
//! appended, and what data set they stand for at every position where a command or a transaction ends.
//!
//! Histories form a tree: one that began by a promotion shares its parent's bytes up to a position.

use std::cell::RefCell;

use super::model::{Applied, Model};
use crate::replication::ReplId;
use crate::resp::{Batch, Limits, Parser};

/// A history by the order in which it appeared.
pub type Index = usize;

/// One incarnation of one node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    /// The node.
    pub node: usize,
    /// Its process's number.
    pub incarnation: u64,
}

/// What is known of one id.
#[derive(Debug)]
pub struct Past {
    /// The id.
    pub id: ReplId,
    /// Who may append.
    pub owner: Owner,
    /// The history before it and how many bytes are shared.
    pub parent: Option<(Index, u64)>,
    /// Position of the first byte of its own.
    pub start: u64,
    /// Position behind the last command that may change data.
    pub data_end: u64,
    bytes: Vec<u8>,
    base: Model,
    head: Model,
    /// Position and digest of the data set, where commands and transactions end; no digest where nobody could tell.
    marks: Vec<(u64, Option<u64>)>,
    /// Up to here the bytes are known and the data sets are not.
    known_from: u64,
    /// How many of the bytes were read as commands.
    parsed: usize,
    in_transaction: bool,
}

impl Past {
    /// Position behind the last byte.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }

    /// The data set at the end.
    #[must_use]
    pub fn head(&self) -> &Model {
        &self.head
    }
}

/// All histories.
#[derive(Debug, Default)]
pub struct Canon {
    pasts: Vec<Past>,
    batch: RefCell<Batch>,
}

impl Canon {
    /// The history under this id, if it was ever seen.
    #[must_use]
    pub fn find(&self, id: ReplId) -> Option<Index> {
        self.pasts.iter().rposition(|past| past.id == id)
    }

    /// What is known of a history.
    #[must_use]
    pub fn past(&self, index: Index) -> Option<&Past> {
        self.pasts.get(index)
    }

    /// A new id appears with its owner: its bytes begin at `start` over the data set `base`.
    pub fn open(
        &mut self,
        id: ReplId,
        owner: Owner,
        parent: Option<(Index, u64)>,
        start: u64,
        mut base: Model,
    ) -> Index {
        base.selected = None;
        self.pasts.push(Past {
            id,
            owner,
            parent,
            start,
            data_end: start,
            bytes: Vec::new(),
            head: base.clone(),
            marks: vec![(start, Some(base.digest()))],
            known_from: start,
            base,
            parsed: 0,
            in_transaction: false,
        });
        self.pasts.len() - 1
    }

    /// The owner appended these bytes.
    ///
    /// # Errors
    /// They are not whole commands that belong into a stream.
    pub fn append(&mut self, index: Index, bytes: &[u8]) -> Result<(), String> {
        let Some(past) = self.pasts.get_mut(index) else { return Ok(()) };
        past.bytes.extend_from_slice(bytes);
        let (mut model, mut at, mut inside) =
            (std::mem::take(&mut past.head), past.parsed, past.in_transaction);
        let (start, mut data_end) = (past.start, past.data_end);
        let marks = &mut past.marks;
        let result = commands(
            &self.batch,
            &past.bytes,
            &mut at,
            &mut inside,
            &mut model,
            &mut |at, applied, model| {
                let position = start + at as u64;
                if applied == Applied::Data {
                    data_end = position;
                }
                marks.push((position, Some(model.digest())));
            },
        );
        past.head = model;
        past.parsed = at;
        past.in_transaction = inside;
        past.data_end = data_end;
        result?;
        if past.parsed < past.bytes.len() || past.in_transaction {
            return Err("what a master appended in one go ends inside a command or a transaction".into());
        }
        Ok(())
    }

    /// A history is first seen when `bytes` of it are there already, and `base` is the data set behind them.
    ///
    /// # Errors
    /// They are not whole commands that belong into a stream.
    pub fn open_late(
        &mut self,
        id: ReplId,
        owner: Owner,
        start: u64,
        bytes: &[u8],
        base: Model,
    ) -> Result<Index, String> {
        let index = self.open(id, owner, None, start, base.clone());
        if let Some(past) = self.pasts.get_mut(index) {
            past.head.lenient = true;
        }
        self.append(index, bytes)?;
        let Some(past) = self.pasts.get_mut(index) else { return Ok(index) };
        let selected = past.head.selected;
        past.head = base;
        past.head.selected = selected;
        past.base = past.head.clone();
        past.known_from = past.end();
        past.data_end = past.data_end.max(start);
        let digest = past.head.digest();
        for (position, known) in &mut past.marks {
            *known = (*position == past.known_from).then_some(digest);
        }
        Ok(index)
    }

    /// The digest of the data set that a node at this position has to hold; `None` where no command or transaction
    /// ends, or where the history does not reach, and no digest where it is not known.
    #[must_use]
    pub fn digest_at(&self, index: Index, position: u64) -> Option<Option<u64>> {
        let past = self.past_holding(index, position)?;
        let at = past.marks.binary_search_by_key(&position, |(position, _)| *position).ok()?;
        past.marks.get(at).map(|(_, digest)| *digest)
    }

    /// The data set at a position, computed again from the beginning of its history.
    #[must_use]
    pub fn model_at(&self, index: Index, position: u64) -> Option<Model> {
        let past = self.past_holding(index, position)?;
        let from = usize::try_from(past.known_from - past.start).ok()?;
        let upto = usize::try_from(position - past.start).ok()?;
        let (mut model, mut at, mut inside) = (past.base.clone(), from, false);
        let bytes = past.bytes.get(..upto).filter(|_| from <= upto)?;
        commands(&self.batch, bytes, &mut at, &mut inside, &mut model, &mut |_, _, _| {}).ok()?;
        Some(model)
    }

    /// How many of `bytes` are what this history holds from `position` on.
    #[must_use]
    pub fn matching(&self, index: Index, position: u64, bytes: &[u8]) -> usize {
        let mut done = 0;
        while done < bytes.len() {
            let at = position + done as u64;
            let Some((past, bound)) = self.byte_holder(index, at) else { return done };
            let from = usize::try_from(at - past.start).unwrap_or(usize::MAX);
            let want = past.bytes.get(from..).unwrap_or_default();
            let limit = usize::try_from(bound - at).unwrap_or(usize::MAX);
            let rest = bytes.get(done..).unwrap_or_default();
            let n = want.len().min(limit).min(rest.len());
            let same = want.iter().zip(rest).take(n).take_while(|(a, b)| a == b).count();
            done += same;
            if same < n || n == 0 {
                return done;
            }
        }
        done
    }

    /// Up to which position two histories are the same.
    #[must_use]
    pub fn shared(&self, a: Index, b: Index) -> u64 {
        let mut best = 0;
        let (mut at, mut limit) = (Some(a), u64::MAX);
        while let Some(index) = at {
            let (mut other, mut bound) = (Some(b), u64::MAX);
            while let Some(candidate) = other {
                if candidate == index {
                    best = best.max(limit.min(bound));
                }
                (other, bound) = self.up(candidate, bound);
            }
            (at, limit) = self.up(index, limit);
        }
        best
    }

    fn up(&self, index: Index, bound: u64) -> (Option<Index>, u64) {
        match self.pasts.get(index).and_then(|past| past.parent) {
            Some((parent, shared)) => (Some(parent), bound.min(shared)),
            None => (None, bound),
        }
    }

    /// The ancestor in which this position of `index` lies.
    fn past_holding(&self, index: Index, position: u64) -> Option<&Past> {
        let mut past = self.pasts.get(index)?;
        if position > past.end() {
            return None;
        }
        while position < past.start {
            let (parent, shared) = past.parent?;
            if position > shared {
                return None;
            }
            past = self.pasts.get(parent)?;
        }
        // At its first position a history is its parent's end; a position before any byte belongs to it too.
        (position >= past.start).then_some(past)
    }

    /// The ancestor that holds the byte behind position `at` of `index`, and where its part ends.
    fn byte_holder(&self, index: Index, at: u64) -> Option<(&Past, u64)> {
        let mut past = self.pasts.get(index)?;
        let mut bound = u64::MAX;
        while at < past.start {
            let (parent, shared) = past.parent?;
            bound = bound.min(shared);
            past = self.pasts.get(parent)?;
        }
        (at < bound).then_some((past, bound))
    }
}

/// Called where a command or a transaction ends: where, what it was, and the data set then.
type Ended<'a> = dyn FnMut(usize, Applied, &Model) + 'a;

/// Reads commands from `bytes` at `*at` on and applies them to `model`.
fn commands(
    batch: &RefCell<Batch>,
    bytes: &[u8],
    at: &mut usize,
    inside: &mut bool,
    model: &mut Model,
    ended: &mut Ended<'_>,
) -> Result<(), String> {
    let mut batch = batch.borrow_mut();
    let mut kind = Applied::Keepalive;
    loop {
        batch.clear();
        let rest = bytes.get(*at..).unwrap_or_default();
        Parser::default().parse(rest, &Limits::OPEN, 64, &mut batch).map_err(|error| error.0)?;
        if batch.is_empty() {
            return Ok(());
        }
        let mut end = 0;
        for index in 0..batch.len() {
            let args = batch.args(rest, index);
            end = batch.end_of(index);
            if args.raw().is_empty() {
                return Err("a stream holds arrays only".into());
            }
            let name = args.get(0);
            if name.eq_ignore_ascii_case(b"multi") && !*inside {
                (*inside, kind) = (true, Applied::Keepalive);
                continue;
            }
            let exec = name.eq_ignore_ascii_case(b"exec") && *inside;
            let applied = if exec { kind } else { model.apply(args)? };
            if applied == Applied::Data {
                kind = Applied::Data;
            }
            *inside &= !exec;
            if !*inside {
                ended(*at + end, applied, model);
            }
        }
        *at += end;
    }
}

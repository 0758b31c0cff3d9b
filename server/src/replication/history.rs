//! Which stream a server holds, up to where, and whether a replica may continue from what it has.

use std::fmt;
use std::ops::Range;

use crate::data::Rng;
use crate::mutant::{Mutant, made};

/// A replication id: forty hex digits. Compared without regard to case.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ReplId([u8; 40]);

impl ReplId {
    /// A fresh id.
    pub fn random(rng: &mut Rng) -> Self {
        let mut id = [b'0'; 40];
        for (slot, digit) in id.iter_mut().zip(rng.hex40().bytes()) {
            *slot = digit;
        }
        Self(id)
    }

    /// Reads an id; anything but forty hex digits is none.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        let mut id: [u8; 40] = text.try_into().ok()?;
        id.make_ascii_lowercase();
        id.iter().all(u8::is_ascii_hexdigit).then_some(Self(id))
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.0).unwrap_or("")
    }
}

impl fmt::Display for ReplId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for ReplId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str().get(..8).unwrap_or(""))
    }
}

/// The history of a server's data: the id it lives under now, and the one before it with the position up to
/// which both are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct History {
    /// The current id.
    pub id: ReplId,
    /// The id before a promotion or an adoption, and how many bytes are shared with it.
    pub previous: Option<(ReplId, u64)>,
}

/// What a replica asks for: `PSYNC <id> <wire offset>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// The history it holds; `None` for `?`.
    pub id: Option<ReplId>,
    /// Its position: the wire offset minus one. Negative when it asked for -1.
    pub position: i64,
}

/// Why a replica has to take a snapshot. The text goes to the log, to INFO and to `rctl status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FullReason {
    /// It holds nothing to continue from.
    FirstContact,
    /// Its history is none of ours.
    UnknownHistory(ReplId),
    /// It followed our previous history further than we did.
    BeyondShared {
        /// Where it is.
        at: u64,
        /// Up to where we shared that history.
        shared: u64,
    },
    /// What it misses is no longer kept.
    FellOff {
        /// Where it is.
        at: u64,
        /// First position still kept.
        start: u64,
    },
    /// It is ahead of us in our own history.
    Ahead {
        /// Where it is.
        at: u64,
        /// Where we are.
        end: u64,
    },
    /// We keep no backlog.
    NoBacklog,
    /// It came by `SYNC`, which knows no histories.
    NoHistory,
}

impl FullReason {
    /// One word, for a list of replicas.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::FirstContact => "first-contact",
            Self::UnknownHistory(_) => "unknown-history",
            Self::BeyondShared { .. } => "beyond-shared",
            Self::FellOff { .. } => "fell-off",
            Self::Ahead { .. } => "ahead",
            Self::NoBacklog => "no-backlog",
            Self::NoHistory => "no-history",
        }
    }
}

impl fmt::Display for FullReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FirstContact => write!(f, "it asked for a full resync"),
            Self::UnknownHistory(id) => write!(f, "replication id mismatch: it holds {id}"),
            Self::BeyondShared { at, shared } => {
                write!(f, "second replication id shared only up to {shared}, it is at {at}")
            }
            Self::FellOff { at, start } => {
                write!(f, "it is at {at}, the backlog starts at {start}: {} bytes are gone", start - at)
            }
            Self::Ahead { at, end } => {
                write!(f, "it is {} bytes ahead of us ({at}, we are at {end})", at - end)
            }
            Self::NoBacklog => write!(f, "there is no backlog"),
            Self::NoHistory => write!(f, "it asked by SYNC, which knows no histories"),
        }
    }
}

impl History {
    /// A history that starts now.
    pub fn fresh(rng: &mut Rng) -> Self {
        Self { id: ReplId::random(rng), previous: None }
    }

    /// May a replica that asks for this continue from `backlog` (the positions kept)? Gives the position to
    /// continue from.
    ///
    /// # Errors
    /// The reason why it needs a full resync. The rule is Redis' own (`masterTryPartialResynchronization`): the
    /// id is ours, or our previous one within the shared part, and the position lies in the backlog; its upper
    /// end included, where nothing is missing.
    pub fn continue_from(&self, asked: Asked, backlog: Option<Range<u64>>) -> Result<u64, FullReason> {
        let Some(id) = asked.id else { return Err(FullReason::FirstContact) };
        let Ok(at) = u64::try_from(asked.position) else { return Err(FullReason::FirstContact) };
        if id != self.id {
            match self.previous {
                Some((previous, shared)) if previous == id => {
                    if at > shared && !made(Mutant::SecondIdUnbounded) {
                        return Err(FullReason::BeyondShared { at, shared });
                    }
                }
                _ => return Err(FullReason::UnknownHistory(id)),
            }
        }
        let Some(backlog) = backlog else { return Err(FullReason::NoBacklog) };
        if at < backlog.start {
            return Err(FullReason::FellOff { at, start: backlog.start });
        }
        if at > backlog.end {
            return Err(FullReason::Ahead { at, end: backlog.end });
        }
        if made(Mutant::ContinueOneEarly) && at > backlog.start {
            return Ok(at - 1);
        }
        Ok(at)
    }

    /// We become a master at `offset`: a new id, the old one stays valid up to here.
    pub fn promoted(&mut self, offset: u64, rng: &mut Rng) {
        self.previous = Some((self.id, offset));
        self.id = ReplId::random(rng);
    }

    /// Our master continues under a new id at `offset`: what we hold is shared with the old one.
    pub fn renamed(&mut self, id: ReplId, offset: u64) {
        if id != self.id {
            *self = Self { id, previous: Some((self.id, offset)) };
        }
    }

    /// A full resync replaced our data by another history's.
    pub fn adopted(&mut self, id: ReplId) {
        *self = Self { id, previous: None };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(digit: char) -> ReplId {
        ReplId::parse(digit.to_string().repeat(40).as_bytes()).unwrap()
    }

    #[test]
    fn a_replica_continues_only_within_a_shared_and_kept_part() {
        use FullReason::*;
        let history = History { id: id('a'), previous: Some((id('b'), 50)) };
        let kept = Some(20..100);
        for (who, position, backlog, want) in [
            (None, -1, kept.clone(), Err(FirstContact)),
            (Some(id('a')), -2, kept.clone(), Err(FirstContact)),
            (Some(id('c')), 50, kept.clone(), Err(UnknownHistory(id('c')))),
            (Some(id('a')), 20, kept.clone(), Ok(20)),
            (Some(id('a')), 100, kept.clone(), Ok(100)),
            (Some(id('a')), 101, kept.clone(), Err(Ahead { at: 101, end: 100 })),
            (Some(id('a')), 19, kept.clone(), Err(FellOff { at: 19, start: 20 })),
            (Some(id('b')), 50, kept.clone(), Ok(50)),
            (Some(id('b')), 51, kept.clone(), Err(BeyondShared { at: 51, shared: 50 })),
            (Some(id('a')), 50, None, Err(NoBacklog)),
        ] {
            assert_eq!(
                history.continue_from(Asked { id: who, position }, backlog),
                want,
                "{who:?} {position}"
            );
        }
    }

    #[test]
    fn promotion_keeps_the_old_id_up_to_where_it_was_shared() {
        let mut history = History { id: id('a'), previous: Some((id('b'), 5)) };
        history.promoted(50, &mut Rng::new(1));
        assert_eq!(history.previous, Some((id('a'), 50)));
        assert_ne!(history.id, id('a'));
        history.renamed(id('d'), 60);
        assert_eq!(history.previous.map(|p| p.1), Some(60));
    }

    #[test]
    fn ids_are_forty_hex_digits_whatever_their_case() {
        assert_eq!(ReplId::parse(&[b'A'; 40]), ReplId::parse(&[b'a'; 40]));
        assert_eq!(ReplId::parse(&[b'g'; 40]), None);
        assert_eq!(ReplId::parse(&[b'a'; 39]), None);
    }
}

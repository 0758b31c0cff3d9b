//! What a master says of itself before a replica gives up its data for it: read from its INFO.
//!
//! Two questions are answered from it. *The guard*: whether this master came back with less than we hold, empty or older.
//! A replica never gives its data up for such a master on its own; a REPLICAOF command is being told to, a restart or
//! a configuration file is not (redis#2087). *The lost tail*: a former master whose new master left the shared history
//! earlier holds writes that nobody else has; they are counted and kept in a file before they go.

use super::history::{History, ReplId};
use crate::mutant::{Mutant, made};
use crate::resp::number::parse_u64;

/// A master's INFO, as far as it matters here. What it does not say is `None`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Survey {
    /// It is a master, not a replica in the middle of a chain.
    pub is_master: bool,
    /// Its history.
    pub id: Option<ReplId>,
    /// The history before, with the position up to which it is shared.
    pub previous: Option<(ReplId, u64)>,
    /// Its offset.
    pub offset: Option<u64>,
    /// It keeps a stream: it will not begin another history for whoever asks first.
    pub streams: bool,
    /// Keys over all databases.
    pub keys: u64,
}

impl Survey {
    /// Reads INFO's text; anything unknown or malformed is skipped.
    #[must_use]
    pub fn parse(text: &[u8]) -> Self {
        let mut survey = Self::default();
        let (mut second_id, mut second_offset) = (None, None);
        for line in text.split(|&b| b == b'\n') {
            let mut halves = line.trim_ascii().splitn(2, |&b| b == b':');
            let (Some(name), Some(value)) = (halves.next(), halves.next()) else { continue };
            match name {
                b"role" => survey.is_master = value == b"master",
                b"master_replid" => survey.id = ReplId::parse(value),
                b"master_replid2" => second_id = ReplId::parse(value),
                b"second_repl_offset" => second_offset = parse_u64(value),
                b"repl_backlog_active" => survey.streams = value == b"1",
                b"master_repl_offset" => survey.offset = parse_u64(value),
                _ if name.starts_with(b"db") => survey.keys = survey.keys.saturating_add(keys_of(value)),
                _ => {}
            }
        }
        // The wire names the first byte that is not shared any more.
        survey.previous = second_id.zip(second_offset.and_then(|first| first.checked_sub(1)));
        survey
    }

    /// It can continue our history from `offset`.
    #[must_use]
    pub fn continues(&self, ours: &History, offset: u64) -> bool {
        self.id == Some(ours.id)
            || self.previous.is_some_and(|(id, shared)| id == ours.id && offset <= shared)
    }

    /// Why our data must not be given up for this master, if it must not: it is a master, it does not know our history
    /// as far as we do, and it holds less.
    #[must_use]
    pub fn holds_less(&self, ours: &History, offset: u64, keys: u64) -> Option<String> {
        if !self.is_master || self.id.is_none() || keys == 0 || self.continues(ours, offset) {
            return None;
        }
        if self.keys == 0 {
            return Some(format!("it came back empty, we hold {keys} keys"));
        }
        let theirs = self.offset.filter(|_| !made(Mutant::OlderTaken))?;
        (theirs < offset).then(|| format!("it came back {} bytes older than we are", offset - theirs))
    }

    /// Up to where a former master's history is shared with this one, when it is not to its end: what follows is lost.
    #[must_use]
    pub fn shared_until(&self, ours: &History, offset: u64) -> Option<u64> {
        let (id, shared) = self.previous?;
        (id == ours.id && shared < offset).then_some(shared)
    }
}

/// `keys=12,expires=0,…`
fn keys_of(value: &[u8]) -> u64 {
    let first = value.split(|&b| b == b',').next().unwrap_or_default();
    first.strip_prefix(b"keys=").and_then(parse_u64).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(digit: char) -> ReplId {
        ReplId::parse(digit.to_string().repeat(40).as_bytes()).unwrap()
    }

    fn survey(role: &str, replid: char, second: Option<(char, u64)>, offset: u64, keys: u64) -> Survey {
        let (id2, at) = second
            .map_or(("0".repeat(40), "-1".to_owned()), |(c, at)| (c.to_string().repeat(40), at.to_string()));
        let text = format!(
            "# Replication\r\nrole:{role}\r\nmaster_replid:{}\r\nmaster_replid2:{id2}\r\nmaster_repl_offset:{offset}\r\n\
             second_repl_offset:{at}\r\n# Keyspace\r\ndb0:keys={keys},expires=0,avg_ttl=0\r\ndb3:keys=1,expires=1\r\n",
            replid.to_string().repeat(40)
        );
        Survey::parse(text.as_bytes())
    }

    #[test]
    fn a_master_with_less_is_told_from_one_that_goes_on() {
        let ours = History { id: id('a'), previous: None };
        for (survey, want) in [
            (survey("master", 'a', None, 10, 5), None),
            (survey("master", 'b', Some(('a', 101)), 200, 5), None),
            (survey("master", 'b', Some(('a', 51)), 60, 5), Some("it came back 40 bytes older than we are")),
            (survey("master", 'b', None, 60, 5), Some("it came back 40 bytes older than we are")),
            (survey("master", 'b', None, 500, 5), None),
            (survey("slave", 'b', None, 60, 5), None),
            (
                Survey { keys: 0, ..survey("master", 'b', None, 500, 5) },
                Some("it came back empty, we hold 7 keys"),
            ),
            (Survey::parse(b"-NOPERM"), None),
        ] {
            assert_eq!(survey.holds_less(&ours, 100, 7).as_deref(), want, "{survey:?}");
            assert_eq!(survey.holds_less(&ours, 100, 0), None, "nothing to lose");
        }
    }

    #[test]
    fn the_tail_behind_the_shared_part_is_what_is_lost() {
        let ours = History { id: id('a'), previous: None };
        assert_eq!(survey("master", 'b', Some(('a', 51)), 500, 5).shared_until(&ours, 100), Some(50));
        assert_eq!(survey("master", 'b', Some(('a', 101)), 500, 5).shared_until(&ours, 100), None);
        assert_eq!(survey("master", 'b', Some(('c', 51)), 500, 5).shared_until(&ours, 100), None);
    }
}

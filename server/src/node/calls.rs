//! How often each command was called, and each kind of error answered: INFO's `commandstats` and `errorstats`.
//!
//! One addition per command on the hot path: a row of the table is found by its place, not by its name.

use std::collections::BTreeMap;

use crate::command::Command;
use crate::command::table::TABLE;

use super::spread::Spread;

/// Kinds of errors told apart; a client that makes up more finds them under `ERR`.
const KINDS: usize = 128;

/// What became of a command's calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Calls {
    /// Run, with whatever result.
    pub(super) run: u64,
    /// Refused before they were run.
    pub(super) rejected: u64,
    /// Run, and answered with an error.
    pub(super) failed: u64,
    /// Time taken by those that were run, nanoseconds.
    pub(super) took_ns: u64,
}

/// Counters since the start, or since CONFIG RESETSTAT.
#[derive(Debug)]
pub(super) struct CallStats {
    rows: Vec<Calls>,
    subcommands: BTreeMap<&'static str, Calls>,
    spreads: Vec<Option<Box<Spread>>>,
    subcommand_spreads: BTreeMap<&'static str, Spread>,
    errors: BTreeMap<String, u64>,
}

impl Default for CallStats {
    fn default() -> Self {
        Self {
            rows: vec![Calls::default(); TABLE.len()],
            subcommands: BTreeMap::new(),
            spreads: std::iter::repeat_with(|| None).take(TABLE.len()).collect(),
            subcommand_spreads: BTreeMap::new(),
            errors: BTreeMap::new(),
        }
    }
}

impl CallStats {
    /// The counters of `command`.
    #[inline]
    pub(super) fn of(&mut self, command: &'static Command) -> &mut Calls {
        match self.rows.get_mut(row(command)) {
            Some(calls) => calls,
            // Rows of subcommands lie elsewhere; they are seldom and found by name.
            None => self.subcommands.entry(command.name).or_default(),
        }
    }

    /// So many calls of `command` took so long each; `tracked` says whether their spread is kept.
    #[inline]
    pub(super) fn took(&mut self, command: &'static Command, each_ns: u64, times: u32, tracked: bool) {
        let times = u64::from(times);
        self.of(command).took_ns += each_ns.saturating_mul(times);
        if tracked {
            let spread = match self.spreads.get_mut(row(command)) {
                Some(spread) => spread.get_or_insert_default(),
                None => self.subcommand_spreads.entry(command.name).or_default(),
            };
            spread.add(each_ns, times);
        }
    }

    /// How the times of commands are spread, by name.
    pub(super) fn spreads(&self) -> impl Iterator<Item = (&'static str, &Spread)> {
        let rows = TABLE.iter().zip(&self.spreads);
        let rows = rows.filter_map(|(command, spread)| Some((command.name, spread.as_deref()?)));
        rows.chain(self.subcommand_spreads.iter().map(|(name, spread)| (*name, spread)))
    }

    /// An error reply, by its first word.
    pub(super) fn error(&mut self, text: &[u8]) {
        let word = text.split(|&b| b == b' ').next().unwrap_or_default();
        let plain = !word.is_empty() && word.len() <= 32 && word.iter().all(u8::is_ascii_uppercase);
        let word = if plain { String::from_utf8_lossy(word).into_owned() } else { "ERR".to_owned() };
        if self.errors.len() < KINDS || self.errors.contains_key(&word) {
            *self.errors.entry(word).or_default() += 1;
        }
    }

    /// Commands that were called or refused, by name.
    pub(super) fn commands(&self) -> impl Iterator<Item = (&'static str, Calls)> + '_ {
        let rows = TABLE.iter().zip(&self.rows).map(|(command, calls)| (command.name, *calls));
        let all = rows.chain(self.subcommands.iter().map(|(name, calls)| (*name, *calls)));
        all.filter(|(_, calls)| *calls != Calls::default())
    }

    /// Kinds of errors and how often each was answered.
    pub(super) fn errors(&self) -> impl Iterator<Item = (&str, u64)> {
        self.errors.iter().map(|(word, count)| (word.as_str(), *count))
    }
}

/// The place of a row in the table, or one past its end.
#[inline]
fn row(command: &'static Command) -> usize {
    std::ptr::from_ref(command).addr().wrapping_sub(TABLE.as_ptr().addr()) / size_of::<Command>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::lookup::lookup;

    #[test]
    fn every_row_has_its_own_counter() {
        let mut stats = CallStats::default();
        for command in TABLE {
            stats.of(command).run += 1;
            for sub in command.subcommands {
                stats.of(sub).run += 1;
            }
        }
        assert!(stats.commands().all(|(_, calls)| calls.run == 1));
        stats.of(lookup(b"get").unwrap()).run += 1;
        assert_eq!(
            stats.commands().filter(|(_, calls)| calls.run == 2).map(|(name, _)| name).collect::<Vec<_>>(),
            ["get"]
        );
        stats.error(b"WRONGTYPE Operation");
        stats.error(b"lower case");
        assert_eq!(stats.errors().collect::<Vec<_>>(), [("ERR", 1), ("WRONGTYPE", 1)]);
    }
}

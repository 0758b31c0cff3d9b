//! The configuration: every directive, typed, with its spellings, limits and defaults.
//!
//! One table (`table.rs`) says what there is; `rule.rs` checks a value, `slot.rs` holds it, `file.rs` reads a
//! file and the command line, `rewrite.rs` writes a file back. Nothing here opens a file or applies a change:
//! [`Config::set`] answers what changed, and whoever holds the configuration acts on it.
//!
//! Values are UTF-8. A value that is not is refused, as the only difference to Redis' binary strings.

mod file;
mod rewrite;
mod part;
pub(super) mod rule;
mod slot;
mod table;

pub use file::FileError;
pub use part::Part;
pub use rule::memory;
pub use slot::{
    Bind, Debugging, DisklessLoad, Eviction, LogLevel, Mode, OutputLimit, OutputLimits, ReplicaOf, SavePoint,
    SavePoints, Secret,
};
pub use table::Config;

use crate::data::Limits;
use table::{ADDS, FIXED, HIDDEN, IGNORED, PROTECTED, Place, REFUSED, Row, SHELL, TABLE, UNBUILT};

pub use crate::persist::format::REDIS_VERSION;

/// A directive that CONFIG SET changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The directive's first name.
    pub name: &'static str,
    /// Its value now, in canonical text.
    pub value: String,
    /// Its value before.
    pub old: String,
    /// It is real only after [`super::Sink::configure`] took it.
    pub shell: bool,
}

impl Config {
    /// The thresholds of small collections; `seed` is that of hashes.
    #[must_use]
    pub fn limits(&self, seed: u64) -> Limits {
        let size = |size: u64| usize::try_from(size).unwrap_or(usize::MAX);
        Limits {
            seed,
            list_node: self.list_max_listpack_size,
            list_plain: 0,
            hash_entries: size(self.hash_max_listpack_entries),
            hash_value: size(self.hash_max_listpack_value),
            set_ints: size(self.set_max_intset_entries),
            set_entries: size(self.set_max_listpack_entries),
            set_value: size(self.set_max_listpack_value),
            zset_entries: size(self.zset_max_listpack_entries),
            zset_value: size(self.zset_max_listpack_value),
            stream_bytes: size(self.stream_node_max_bytes),
            stream_entries: size(self.stream_node_max_entries),
            hll_sparse: size(self.hll_sparse_max_bytes),
        }
    }

    /// CONFIG GET: names and values of all directives that one of the patterns names, each once, in the order
    /// of the table. A pattern without `*`, `?` and `[` is a name, in any case of letters; the spelling asked is
    /// the spelling answered. `glob` says whether a pattern matches a name.
    pub fn get(
        &self,
        patterns: &[&[u8]],
        glob: impl Fn(&[u8], &[u8]) -> bool,
    ) -> Vec<(&'static str, String)> {
        let patterns: Vec<Vec<u8>> = patterns.iter().map(|pattern| pattern.to_ascii_lowercase()).collect();
        let asked = |row: &Row, name: &str| {
            patterns.iter().any(|pattern| {
                let is_name = !pattern.iter().any(|byte| b"*?[".contains(byte));
                if is_name || row.flags.has(HIDDEN) {
                    pattern == name.as_bytes()
                } else {
                    glob(pattern, name.as_bytes())
                }
            })
        };
        let mut found = Vec::new();
        for row in TABLE {
            for name in row.names.iter().filter(|name| asked(row, name)) {
                found.push((*name, row.show(self)));
            }
        }
        found
    }

    /// CONFIG SET: all of the pairs or none.
    ///
    /// What it answers are the directives whose value is another now, in the order given. For those with
    /// `shell` the caller asks the shell, and on a refusal takes the whole configuration back and answers
    /// [`Config::refusal`]. `local` says that the client is on this machine.
    ///
    /// # Errors
    /// The error reply, without its leading `-`. Nothing is changed then.
    pub fn set(&mut self, pairs: &[(&[u8], &[u8])], local: bool) -> Result<Vec<Change>, String> {
        let mut next = self.clone();
        let mut rows: Vec<&'static Row> = Vec::with_capacity(pairs.len());
        for (name, _) in pairs {
            let shown = printable(name);
            let row = find(&shown).ok_or_else(|| {
                format!("ERR Unknown option or number of arguments for CONFIG SET - '{shown}'")
            })?;
            row.may_change(self, local).map_err(|why| Self::refusal(&shown, &why))?;
            if rows.iter().any(|other| std::ptr::eq(*other, row)) {
                return Err(Self::refusal(&shown, "duplicate parameter"));
            }
            rows.push(row);
        }
        for (row, (name, value)) in rows.iter().zip(pairs) {
            let refuse = |why: String| Self::refusal(&printable(name), &why);
            let value = str::from_utf8(value).map_err(|_| refuse("argument must be UTF-8".to_owned()))?;
            if value.contains('\0') {
                return Err(refuse("argument must not contain a zero byte".to_owned()));
            }
            if row.flags.has(ADDS) {
                row.clear(&mut next);
            }
            row.assign(&mut next, &row.split(value)).map_err(refuse)?;
        }
        let changed = rows.iter().map(|row| Change {
            name: row.name(),
            value: row.show(&next),
            old: row.show(self),
            shell: row.flags.has(SHELL),
        });
        let changed = changed.filter(|change| change.value != change.old).collect();
        *self = next;
        Ok(changed)
    }

    /// The reply of a CONFIG SET that failed at `name`, without its leading `-`.
    #[must_use]
    pub fn refusal(name: &str, why: &str) -> String {
        format!("ERR CONFIG SET failed (possibly related to argument '{name}') - {why}")
    }
}

/// The row of that name, in any case of letters.
fn find(name: &str) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.names.iter().any(|known| known.eq_ignore_ascii_case(name)))
}

/// A name of a client's making, fit for an error line.
fn printable(name: &[u8]) -> String {
    String::from_utf8_lossy(name).chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

impl Row {
    /// Its first name.
    fn name(&self) -> &'static str {
        self.names.first().copied().unwrap_or_default()
    }

    /// Its value in `config`, as text.
    fn show(&self, config: &Config) -> String {
        match &self.place {
            Place::Field { show, .. } => show(config),
            Place::Kept(default) => {
                config.kept.get(self.name()).cloned().unwrap_or_else(|| (*default).to_owned())
            }
        }
    }

    /// The words of a value that came as one text.
    fn split(&self, value: &str) -> Vec<String> {
        if !self.rule.takes_words() || value.is_empty() {
            return vec![value.to_owned()];
        }
        value.split_ascii_whitespace().map(str::to_owned).collect()
    }

    /// Empties a value that adds up.
    fn clear(&self, config: &mut Config) {
        if let Place::Field { take, .. } = &self.place {
            take(config, "");
        }
    }

    /// Sets the value from words.
    fn assign(&self, config: &mut Config, words: &[String]) -> Result<(), String> {
        // A file may quote the words of such a directive together.
        let words = match words {
            [one] => &self.split(one),
            _ => words,
        };
        let canonical = self.rule.check(words)?;
        match &self.place {
            Place::Field { take, .. } => {
                if !take(config, &canonical) {
                    return Err("argument does not fit".to_owned());
                }
            }
            Place::Kept(default) if canonical == *default => {
                config.kept.remove(self.name());
            }
            Place::Kept(default) if self.flags.has(UNBUILT) => {
                let name = self.name();
                return Err(format!("{name} is not supported by this server, it can only be '{default}'"));
            }
            Place::Kept(_) => {
                config.kept.insert(self.name(), canonical);
            }
        }
        Ok(())
    }

    fn may_change(&self, config: &Config, local: bool) -> Result<(), String> {
        if self.flags.has(FIXED) {
            return Err("can't set immutable config".to_owned());
        }
        let allowed = match config.enable_protected_configs {
            Debugging::Yes => true,
            Debugging::Local => local,
            Debugging::No => false,
        };
        if self.flags.has(PROTECTED) && !allowed {
            return Err("can't set protected config".to_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn starts_with(pattern: &[u8], name: &[u8]) -> bool {
        name.starts_with(pattern.strip_suffix(b"*").unwrap_or(pattern))
    }

    fn set(config: &mut Config, pairs: &[(&str, &str)]) -> Result<Vec<Change>, String> {
        let pairs: Vec<(&[u8], &[u8])> =
            pairs.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
        config.set(&pairs, true)
    }

    fn get(config: &Config, patterns: &[&str]) -> Vec<(&'static str, String)> {
        let patterns: Vec<&[u8]> = patterns.iter().map(|pattern| pattern.as_bytes()).collect();
        config.get(&patterns, starts_with)
    }

    #[test]
    fn names_are_unique_and_every_default_passes_its_own_rule() {
        let mut names: Vec<&str> = TABLE.iter().flat_map(|row| row.names).copied().collect();
        names.extend(REFUSED.iter().map(|(name, _)| *name));
        names.extend(IGNORED);
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
        for row in TABLE {
            let mut config = Config::default();
            let shown = row.show(&config);
            if row.flags.has(ADDS) {
                row.clear(&mut config);
            }
            // No master is the one value that a directive shows and a file cannot say in the same words.
            if row.name() != "replicaof" {
                assert_eq!(row.assign(&mut config, &row.split(&shown)), Ok(()), "{}", row.name());
            }
            assert_eq!(config, Config::default(), "{}", row.name());
        }
    }

    #[test]
    fn the_spelling_asked_is_the_spelling_answered() {
        let mut config = Config::default();
        set(&mut config, &[("slave-priority", "7")]).unwrap();
        assert_eq!(get(&config, &["SLAVE-priority"]), [("slave-priority", "7".to_owned())]);
        assert_eq!(get(&config, &["replica-priority"]), [("replica-priority", "7".to_owned())]);
        assert_eq!(get(&config, &["hz", "HZ", "hz*"]), [("hz", "10".to_owned())]);
        assert!(get(&config, &["*"]).len() > 200);
        assert!(!get(&config, &["*"]).iter().any(|(name, _)| *name == "rdb-key-save-delay"));
        assert_eq!(get(&config, &["rdb-key-save-delay"]).len(), 1);
        assert!(get(&config, &["nosuch", "save-*"]).is_empty());
    }

    #[test]
    fn errors_of_config_set_are_worded_as_redis_words_them() {
        let failed = |name: &str, why: &str| Config::refusal(name, why);
        for (pairs, want) in [
            (
                vec![("nosuch", "1")],
                "ERR Unknown option or number of arguments for CONFIG SET - 'nosuch'".into(),
            ),
            (vec![("port", "12x")], failed("port", "argument couldn't be parsed into an integer")),
            (vec![("databases", "3")], failed("databases", "can't set immutable config")),
            (vec![("dir", "/")], failed("dir", "can't set protected config")),
            (vec![("hz", "1"), ("HZ", "2")], failed("HZ", "duplicate parameter")),
            (
                vec![("maxmemory", "1gb"), ("timeout", "-1")],
                failed("timeout", "argument must be between 0 and 2147483647 inclusive"),
            ),
            (vec![("appendonly", "maybe")], failed("appendonly", "argument must be 'yes' or 'no'")),
            (
                vec![("appendonly", "yes")],
                failed("appendonly", "appendonly is not supported by this server, it can only be 'no'"),
            ),
        ] {
            let mut config = Config::default();
            assert_eq!(set(&mut config, &pairs).unwrap_err(), want);
            assert_eq!(config, Config::default(), "all or nothing");
        }
    }

    #[test]
    fn only_what_changed_is_reported_and_the_shell_is_named() {
        let mut config = Config::default();
        let changes = set(&mut config, &[("hz", "10"), ("port", "7000"), ("save", "1 2 3 4")]).unwrap();
        let names: Vec<(&str, &str, bool)> =
            changes.iter().map(|change| (change.name, change.value.as_str(), change.shell)).collect();
        assert_eq!(names, [("port", "7000", true), ("save", "1 2 3 4", false)]);
        assert_eq!(set(&mut config, &[("save", "")]).unwrap().len(), 1);
        assert!(config.save.0.is_empty());
    }

    #[test]
    fn values_that_could_break_a_line_are_refused_or_kept_as_one_value() {
        let mut config = Config::default();
        assert!(config.set(&[(b"requirepass", b"\xff\xfe")], true).unwrap_err().ends_with("must be UTF-8"));
        assert!(config.set(&[(b"requirepass", b"a\0b")], true).is_err());
        assert!(!set(&mut config, &[("a\r\nb", "1")]).unwrap_err().contains('\n'));
    }
}

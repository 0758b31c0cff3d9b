//! Reading a configuration file: lines, quoting, includes, and redis-server's fatal message.

use std::fmt;

use super::table::{ADDS, Row};
use super::{Config, IGNORED, REFUSED, find};
use crate::resp::words::split_words;

/// How deep files may include each other.
const MAX_DEPTH: u32 = 16;

/// A line that is not a directive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileError {
    /// Line number, from one.
    pub line: usize,
    /// The line.
    pub text: String,
    /// What is wrong with it.
    pub problem: String,
}

/// redis-server's words, which its users know by sight.
impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\n*** FATAL CONFIG FILE ERROR (Redis {}) ***", super::REDIS_VERSION)?;
        writeln!(f, "Reading the configuration file, at line {}", self.line)?;
        writeln!(f, ">>> '{}'", self.text)?;
        write!(f, "{}", self.problem)
    }
}

impl Config {
    /// The defaults changed by a file's text, or by the command line put into that form
    /// (`port "6380"` per option). `include` answers an `include` line with the text of that file.
    ///
    /// # Errors
    /// The first line that is no directive, or whose value is wrong.
    pub fn from_text(
        text: &[u8],
        include: &mut dyn FnMut(&str) -> Result<Vec<u8>, String>,
    ) -> Result<Self, FileError> {
        let mut config = Self::default();
        Reader { config: &mut config, include, cleared: Vec::new() }.text(text, 0)?;
        Ok(config)
    }
}

struct Reader<'a> {
    config: &'a mut Config,
    include: &'a mut dyn FnMut(&str) -> Result<Vec<u8>, String>,
    /// Rows that add up and were already cleared of their default.
    cleared: Vec<&'static str>,
}

impl Reader<'_> {
    fn text(&mut self, text: &[u8], depth: u32) -> Result<(), FileError> {
        for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
            let line = line.trim_ascii();
            let error = |problem| FileError {
                line: index + 1,
                text: String::from_utf8_lossy(line).into_owned(),
                problem,
            };
            let Some(words) = words(line).map_err(error)? else { continue };
            match words.split_first() {
                Some((name, [path])) if name.eq_ignore_ascii_case("include") => {
                    if depth >= MAX_DEPTH {
                        return Err(error("files include each other too deep".to_owned()));
                    }
                    let inner = (self.include)(path).map_err(error)?;
                    self.text(&inner, depth + 1)?;
                }
                Some((name, values)) => self.directive(name, values).map_err(error)?,
                None => {}
            }
        }
        Ok(())
    }

    fn directive(&mut self, name: &str, values: &[String]) -> Result<(), String> {
        let same = |known: &str| known.eq_ignore_ascii_case(name);
        if let Some(row) = find(name) {
            if row.flags.has(ADDS) && !self.cleared.contains(&row.name()) {
                self.cleared.push(row.name());
                row.clear(self.config);
            }
            return row.assign(self.config, values);
        }
        if IGNORED.iter().any(|known| same(known)) && !values.is_empty() {
            return Ok(());
        }
        let refused = REFUSED.iter().find(|(known, _)| same(known));
        Err(refused.map_or("Bad directive or wrong number of arguments", |(_, why)| *why).to_owned())
    }
}

/// The words of a line; `None` for a comment or an empty line.
///
/// # Errors
/// Quotes that do not close, or bytes that are not UTF-8.
pub(super) fn words(line: &[u8]) -> Result<Option<Vec<String>>, String> {
    if line.is_empty() || line.first() == Some(&b'#') {
        return Ok(None);
    }
    let words = split_words(line).map_err(|_| "Unbalanced quotes in configuration line".to_owned())?;
    let words: Result<Vec<String>, _> = words.into_iter().map(String::from_utf8).collect();
    let words = words.map_err(|_| "configuration line is not UTF-8".to_owned())?;
    if words.iter().any(|word| word.contains('\0')) {
        return Err("configuration line contains a zero byte".to_owned());
    }
    Ok((!words.is_empty()).then_some(words))
}

/// The row that a line sets, and its values; `None` for any other line.
pub(super) fn row_of(line: &[u8]) -> Option<(&'static Row, Vec<String>)> {
    let mut words = words(line).ok()??;
    let row = find(words.first()?)?;
    words.remove(0);
    Some((row, words))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Config, FileError> {
        Config::from_text(text.as_bytes(), &mut |path| match path {
            "loop.conf" => Ok(b"include loop.conf\n".to_vec()),
            "more.conf" => Ok(b"port 7001\n".to_vec()),
            _ => Err(format!("can't open {path}")),
        })
    }

    #[test]
    fn a_bad_line_is_shown_as_redis_shows_it() {
        let error = read("port 0\n\nfoo bar\n").unwrap_err();
        assert_eq!(
            error.to_string(),
            "\n*** FATAL CONFIG FILE ERROR (Redis 7.2.4) ***\nReading the configuration file, at line 3\n\
             >>> 'foo bar'\nBad directive or wrong number of arguments"
        );
        for (text, problem) in [
            ("maxmemory", "wrong number of arguments"),
            ("maxmemory 1 2", "wrong number of arguments"),
            ("port \"1", "Unbalanced quotes in configuration line"),
            ("save \"900\"", "Invalid save parameters"),
            ("save 1 x", "Invalid save parameters"),
            ("replicaof localhost 70000", "Invalid master port"),
            (
                "loglevel loud",
                "argument(s) must be one of the following: debug, verbose, notice, warning, nothing",
            ),
            ("cluster-enabled yes", "cluster-enabled is not supported by this server, it can only be 'no'"),
            ("loadmodule x.so", "modules are not supported by this server"),
            ("include loop.conf", "files include each other too deep"),
            ("include none.conf", "can't open none.conf"),
        ] {
            assert_eq!(read(text).unwrap_err().problem, problem, "{text}");
        }
    }

    #[test]
    fn lines_that_add_up_replace_the_default_once() {
        assert_eq!(read("").unwrap().save.0.len(), 3);
        assert_eq!(read("save 900 1\nsave 60 5\n").unwrap().save.0.len(), 2);
        assert_eq!(read("save 900 1 60 5\n").unwrap().save.0.len(), 2);
        assert_eq!(read("save \"900 1\"\n").unwrap().save.0.len(), 1);
        assert_eq!(read("save 900 1\nsave \"\"\n").unwrap().save.0.len(), 0);
        let limits = read("client-output-buffer-limit replica 1gb 0 0\n").unwrap().client_output_buffer_limit;
        assert_eq!((limits.replica.hard, limits.pubsub.hard), (1 << 30, 32 << 20));
    }

    #[test]
    fn spellings_comments_quotes_and_includes_are_read() {
        let text =
            "# a comment\r\n  SlaveOf localhost 6379\nrequirepass \"a b\\n\"\ninclude more.conf\nbind * -::*";
        let config = read(text).unwrap();
        assert_eq!(config.replicaof.0, Some(("localhost".to_owned(), 6379)));
        assert_eq!(config.requirepass.0, "a b\n");
        assert_eq!(config.port, 7001);
        assert_eq!(config.bind.0, ["*", "-::*"]);
    }

    #[test]
    fn any_bytes_are_read_or_refused() {
        for text in
            [&b"\xff"[..], b"requirepass \"\\xff\"", b"\0", b"requirepass \"\\x00\"", b"\"\"", b"include"]
        {
            assert!(Config::from_text(text, &mut |_| Ok(Vec::new())).is_err(), "{text:?}");
        }
    }
}

//! Notices as lines, in redis-server's form: `7:M 14 Apr 2024 17:53:13.918 * text`.
//!
//! To standard output or to a file. The file is opened for each line, as redis-server does, so that it can be
//! moved away at any time. A line that cannot be written is lost: a full disk stops no server.

#![expect(clippy::disallowed_methods, reason = "the shell is where the clock is read")]

use std::fmt::{self, Write as _};
use std::io::Write as _;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::node::config::LogLevel;
use crate::node::{Level, Voice};

/// Where lines go.
#[derive(Debug)]
pub(super) struct Log {
    file: Option<PathBuf>,
    level: LogLevel,
    pid: u32,
    zone: Option<tz::TimeZone>,
    line: String,
}

impl Log {
    /// A log into `file`, which is relative to the working directory; empty is standard output.
    pub(super) fn new(file: &str, level: LogLevel) -> Self {
        Self {
            file: (!file.is_empty()).then(|| PathBuf::from(file)),
            level,
            pid: std::process::id(),
            zone: None,
            line: String::new(),
        }
    }

    /// Whether the file can be opened for appending.
    pub(super) fn check(&self) -> Result<(), String> {
        match &self.file {
            None => Ok(()),
            Some(file) => append_to(file).map(drop).map_err(|error| super::reason(&error)),
        }
    }

    /// From which level on lines are written.
    pub(super) fn set_level(&mut self, level: LogLevel) {
        self.level = level;
    }

    /// Whether a line of this level is written.
    pub(super) fn takes(&self, level: Level) -> bool {
        let from = match self.level {
            LogLevel::Debug => Level::Debug,
            LogLevel::Verbose => Level::Verbose,
            LogLevel::Notice => Level::Notice,
            LogLevel::Warning => Level::Warning,
            LogLevel::Nothing => return false,
        };
        level >= from
    }

    /// Writes one line, if the level is taken. Control characters become spaces: a name that a peer chose
    /// cannot forge a line.
    pub(super) fn write(&mut self, level: Level, voice: Voice, text: fmt::Arguments<'_>) {
        if !self.takes(level) {
            return;
        }
        self.line.clear();
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let zone = self.zone.get_or_insert_with(|| tz::TimeZone::local().unwrap_or(tz::TimeZone::utc()));
        let _ = write!(self.line, "{}:{} ", self.pid, letter(voice));
        let seconds = i64::try_from(since.as_secs()).unwrap_or(0);
        stamp(&mut self.line, seconds, since.subsec_millis(), zone);
        let start = self.line.len();
        let _ = write!(self.line, " {} {text}", mark(level));
        if self.line.as_bytes().get(start..).is_some_and(|tail| tail.iter().any(u8::is_ascii_control)) {
            self.line = self.line.replace(|c: char| c.is_ascii_control(), " ");
        }
        self.line.push('\n');
        let _ = match &self.file {
            None => {
                let mut out = std::io::stdout().lock();
                out.write_all(self.line.as_bytes()).and_then(|()| out.flush())
            }
            Some(file) => append_to(file).and_then(|mut file| file.write_all(self.line.as_bytes())),
        };
    }
}

fn append_to(file: &PathBuf) -> std::io::Result<std::fs::File> {
    std::fs::OpenOptions::new().append(true).create(true).open(file)
}

fn letter(voice: Voice) -> char {
    match voice {
        Voice::Master => 'M',
        Voice::Replica => 'S',
    }
}

fn mark(level: Level) -> char {
    match level {
        Level::Debug => '.',
        Level::Verbose => '-',
        Level::Notice => '*',
        Level::Warning => '#',
    }
}

/// `14 Apr 2024 17:53:13.918`, in local time.
fn stamp(out: &mut String, unix_seconds: i64, millis: u32, zone: &tz::TimeZone) {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let time = tz::DateTime::from_timespec(unix_seconds, 0, zone.as_ref())
        .or_else(|_| tz::DateTime::from_timespec(unix_seconds, 0, tz::TimeZone::utc().as_ref()));
    let Ok(time) = time else { return };
    let month = usize::from(time.month()).checked_sub(1).and_then(|index| MONTHS.get(index)).unwrap_or(&"");
    let (day, year) = (time.month_day(), time.year());
    let (hour, minute, second) = (time.hour(), time.minute(), time.second());
    let _ = write!(out, "{day:02} {month} {year} {hour:02}:{minute:02}:{second:02}.{millis:03}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_written_as_redis_writes_it() {
        let mut out = String::new();
        stamp(&mut out, 1_713_117_193, 918, &tz::TimeZone::utc());
        assert_eq!(out, "14 Apr 2024 17:53:13.918");
    }

    #[test]
    fn a_line_stays_one_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let mut log = Log::new(path.to_str().unwrap(), LogLevel::Notice);
        log.write(Level::Notice, Voice::Master, format_args!("a\r\nb"));
        log.write(Level::Verbose, Voice::Master, format_args!("not written"));
        log.write(Level::Warning, Voice::Replica, format_args!("c"));
        let text = std::fs::read_to_string(path).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 2);
        assert!(lines[0].ends_with(" * a  b") && lines[0].starts_with(&format!("{}:M ", std::process::id())));
        assert!(lines[1].ends_with(" # c") && lines[1].contains(":S "));
    }
}

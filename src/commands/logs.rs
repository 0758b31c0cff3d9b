//! `rctl logs [-f] [SEL]`: the nodes' logs on one clock, each line with its node.
//!
//! Servers stamp their lines (`14 Apr 2024 17:53:13.918`); lines are merged by that stamp, and a line without one
//! stays behind the line before it. Only the end of a large log is read. Control bytes are taken out: a key that
//! somebody chose can be in a log, and a terminal obeys what it is sent.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::reader::Reader;
use super::select::select_any;
use super::set;
use super::{Ctx, Outcome};
use crate::cli::LogsArgs;
use crate::error::Result;

/// How much of a log is read at first, in bytes.
const TAIL: u64 = 1 << 20;
/// How much is read at once while following, in bytes.
const PIECE: u64 = 1 << 16;
/// Between two looks at the files.
const PAUSE: Duration = Duration::from_millis(50);

/// Shows the logs.
///
/// # Errors
/// No set, no such node, or nobody to write to.
pub async fn run(ctx: &Ctx, args: &LogsArgs) -> Result<Outcome> {
    let words: Vec<&str> = args.selectors.iter().flat_map(|word| word.split(',')).collect();
    let mut set = set::running(ctx, &words).await?;
    let all = ["all".to_owned()];
    let selectors = if args.selectors.is_empty() { all.as_slice() } else { &args.selectors };
    let ports = select_any(&mut set, selectors).await?;
    let mut logs: Vec<Log> = ports.iter().map(|&port| Log::open(port, set.dir.node(port).log())).collect();
    let mut lines: Vec<(Stamp, String)> = Vec::new();
    for log in &mut logs {
        let mut read = log.read(TAIL);
        let from = read.len().saturating_sub(args.lines);
        lines.extend(read.drain(from..));
    }
    show(ctx, lines)?;
    if !args.follow {
        return Ok(Outcome::done(""));
    }
    let mut reader = Reader::watch();
    loop {
        tokio::select! {
            () = reader.gone() => return Ok(Outcome::done("")),
            () = tokio::time::sleep(PAUSE) => {}
        }
        let lines: Vec<(Stamp, String)> = logs.iter_mut().flat_map(|log| log.read(PIECE)).collect();
        show(ctx, lines)?;
    }
}

fn show(ctx: &Ctx, mut lines: Vec<(Stamp, String)>) -> Result<()> {
    lines.sort_by_key(|(stamp, _)| *stamp);
    let mut text = String::new();
    for (_, line) in &lines {
        text.push_str(&tinted(ctx, line));
    }
    if text.is_empty() { Ok(()) } else { ctx.console.answer(&text) }
}

/// The node's name in a colour of its own.
fn tinted(ctx: &Ctx, line: &str) -> String {
    let port = line.split(' ').next().unwrap_or_default();
    match (ctx.painter.colour, port.parse::<u16>(), line.get(port.len()..)) {
        (true, Ok(number), Some(rest)) => format!("\x1b[3{}m{port}\x1b[0m{rest}\n", number % 6 + 1),
        _ => format!("{line}\n"),
    }
}

/// Year, month, day, and milliseconds of the day; what has no stamp comes first.
type Stamp = (u32, u32, u32, u64);

struct Log {
    port: u16,
    path: PathBuf,
    at: u64,
    rest: Vec<u8>,
    last: Stamp,
    begun: bool,
}

impl Log {
    fn open(port: u16, path: PathBuf) -> Self {
        Self { port, path, at: 0, rest: Vec::new(), last: Stamp::default(), begun: false }
    }

    /// The whole lines that were not read yet; the first time, those at the end of the file.
    fn read(&mut self, limit: u64) -> Vec<(Stamp, String)> {
        let Some((bytes, at)) = piece(&self.path, self.at, limit, !self.begun) else { return Vec::new() };
        let cut = !self.begun && at.saturating_sub(bytes.len() as u64) > 0;
        self.begun = true;
        self.at = at;
        self.rest.extend(bytes);
        let end = self.rest.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        let whole: Vec<u8> = self.rest.drain(..end).collect();
        let text = String::from_utf8_lossy(&whole).into_owned();
        text.lines().skip(usize::from(cut)).map(|line| self.line(line)).collect()
    }

    fn line(&mut self, line: &str) -> (Stamp, String) {
        let clean: String = line.chars().filter(|c| !c.is_control()).collect();
        self.last = stamp(&clean).unwrap_or(self.last);
        (self.last, format!("{} | {clean}", self.port))
    }
}

/// Bytes from `at` on (the last `limit` bytes, the first time), and where they end. A file that has shrunk was
/// begun anew.
fn piece(path: &Path, at: u64, limit: u64, first: bool) -> Option<(Vec<u8>, u64)> {
    let mut file = File::open(path).ok()?;
    let length = file.metadata().ok()?.len();
    let from = match () {
        () if first => length.saturating_sub(limit),
        () if length < at => 0,
        () => at,
    };
    file.seek(SeekFrom::Start(from)).ok()?;
    let mut bytes = Vec::new();
    file.take(limit).read_to_end(&mut bytes).ok()?;
    let end = from + bytes.len() as u64;
    Some((bytes, end))
}

/// `35311:S 14 Apr 2024 17:53:13.918 * text`.
fn stamp(line: &str) -> Option<Stamp> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let mut words = line.split(' ').skip(1);
    let day = words.next()?.parse().ok()?;
    let month = words.next()?;
    let month = u32::try_from(MONTHS.iter().position(|name| *name == month)?).ok()?;
    let year = words.next()?.parse().ok()?;
    let mut parts = words.next()?.split([':', '.']).map(str::parse::<u64>);
    let mut part = || parts.next()?.ok().filter(|part| *part < 1000);
    let (hours, minutes, seconds, ms) = (part()?, part()?, part()?, part()?);
    Some((year, month, day, ((hours * 60 + minutes) * 60 + seconds) * 1000 + ms))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn lines_are_ordered_by_the_servers_own_stamp() {
        assert_eq!(stamp("35311:S 14 Apr 2024 17:53:13.918 * Connecting"), Some((2024, 3, 14, 64_393_918)));
        assert!(stamp("1:M 01 Jan 2025 00:00:00.000 * x") > stamp("1:M 31 Dec 2024 23:59:59.999 * x"));
        for line in [
            "",
            "x",
            "1:M 14 Abc 2024 17:53:13.918 * x",
            "1:M 14 Apr 2024 17:53 * x",
            "1:M 14 Apr 2024 1:2:3.99999 x",
        ] {
            assert_eq!(stamp(line), None, "{line}");
        }
    }

    #[test]
    fn a_log_is_read_line_by_line_as_it_grows_and_when_it_is_begun_anew() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let path = file.path().to_owned();
        let mut log = Log::open(6379, path.clone());
        file.write_all(b"one\ntw").unwrap();
        let texts = |lines: Vec<(Stamp, String)>| lines.into_iter().map(|(_, text)| text).collect::<Vec<_>>();
        assert_eq!(texts(log.read(TAIL)), ["6379 | one"]);
        file.write_all(b"o\x1b[2J\n").unwrap();
        assert_eq!(texts(log.read(TAIL)), ["6379 | two[2J"]);
        std::fs::write(&path, "anew\n").unwrap();
        assert_eq!(texts(log.read(TAIL)), ["6379 | anew"]);
    }
}

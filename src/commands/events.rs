//! `rctl events`: what happened to a set, when, and by whom. Read from the file that the supervisor writes.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use super::reader::Reader;
use super::select::select;
use super::{Ctx, Outcome, set};
use crate::cli::EventsArgs;
use crate::error::{Error, Exit, Result};
use crate::status::figure::rfc3339;
use crate::supervise::event::Happening;
use crate::supervise::state_dir::SetDir;

/// How much of the file is read at first, in bytes.
const TAIL: u64 = 4 << 20;
/// Between two looks at the file.
const PAUSE: Duration = Duration::from_millis(50);

#[derive(Serialize)]
struct Line<'a> {
    schema: &'static str,
    at: Option<String>,
    node: Option<u16>,
    by: &'static str,
    what: &'a str,
}

/// Shows the events of a set, also of one that is down.
///
/// # Errors
/// No set, no such node, or nobody to write to.
pub async fn run(ctx: &Ctx, args: &EventsArgs) -> Result<Outcome> {
    let words: Vec<&str> = args.selectors.iter().flat_map(|word| word.split(',')).collect();
    let (dir, ports) = match set::meant(ctx, &words) {
        Ok(_) if !args.selectors.is_empty() => {
            let mut set = set::running(ctx, &words).await?;
            let ports = select(&mut set, &args.selectors).await?;
            (set.dir, Some(ports))
        }
        Ok(known) => (known.dir, None),
        Err(why) => (last_one(ctx, why)?, None),
    };
    let mut file = Tail::new();
    let mut lines = file.read(&dir.events());
    lines.retain(|line| concerns(line, ports.as_deref()));
    let from = lines.len().saturating_sub(args.lines);
    show(ctx, args, lines.get(from..).unwrap_or_default())?;
    if !args.follow {
        return Ok(Outcome::done(""));
    }
    let mut reader = Reader::watch();
    loop {
        tokio::select! {
            () = reader.gone() => return Ok(Outcome::done("")),
            () = tokio::time::sleep(PAUSE) => {}
        }
        let mut lines = file.read(&dir.events());
        lines.retain(|line| concerns(line, ports.as_deref()));
        show(ctx, args, &lines)?;
    }
}

/// The latest event of a kind.
#[must_use]
pub fn last(dir: &SetDir, kind: impl Fn(&Happening) -> bool) -> Option<Happening> {
    let mut file = Tail { at: 0, rest: Vec::new() };
    file.read(&dir.events()).into_iter().rfind(kind)
}

/// What happened can be asked after the end, too, where it is clear of which set.
fn last_one(ctx: &Ctx, why: Error) -> Result<SetDir> {
    let mut known = set::known(ctx);
    known.retain(|set| ctx.topology.as_ref().is_none_or(|name| set.dir.name() == *name));
    match known.pop() {
        Some(one) if known.is_empty() && why.exit == Exit::NotRunning => Ok(one.dir),
        _ => Err(why),
    }
}

fn concerns(happening: &Happening, ports: Option<&[u16]>) -> bool {
    match (ports, happening.port) {
        (Some(ports), Some(port)) => ports.contains(&port),
        _ => true,
    }
}

fn show(ctx: &Ctx, args: &EventsArgs, lines: &[Happening]) -> Result<()> {
    let mut text = String::new();
    for happening in lines {
        let what: String = happening.text.chars().filter(|c| !c.is_control()).collect();
        if args.json {
            let line = Line {
                schema: "rctl.event/1",
                at: rfc3339(happening.at_ms),
                node: happening.port,
                by: happening.by(),
                what: &what,
            };
            text.push_str(&serde_json::to_string(&line).unwrap_or_default());
            text.push('\n');
            continue;
        }
        let node = happening.port.map_or_else(|| "-".to_owned(), |port| port.to_string());
        text.push_str(&format!("{}  {node:>5}  {:<12}  {what}\n", clock(happening.at_ms), happening.by()));
    }
    if text.is_empty() { Ok(()) } else { ctx.console.answer(&text) }
}

/// The local time of day, to the millisecond.
fn clock(unix_ms: u64) -> String {
    let moment = i64::try_from(unix_ms).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    let zoned = moment.map(|moment| moment.to_zoned(jiff::tz::TimeZone::system()));
    zoned.map_or_else(|| "?".to_owned(), |zoned| zoned.strftime("%H:%M:%S%.3f").to_string())
}

/// A file that grows, read line by line.
pub(super) struct Tail {
    at: u64,
    rest: Vec<u8>,
}

impl Tail {
    pub(super) fn new() -> Self {
        Self { at: 0, rest: Vec::new() }
    }

    /// The whole lines that were not read yet.
    pub(super) fn read(&mut self, path: &Path) -> Vec<Happening> {
        let Some(bytes) = self.bytes(path) else { return Vec::new() };
        self.rest.extend(bytes);
        let end = self.rest.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        let whole: Vec<u8> = self.rest.drain(..end).collect();
        // A line that was cut by a crash tells nothing.
        whole.split(|&byte| byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect()
    }

    fn bytes(&mut self, path: &Path) -> Option<Vec<u8>> {
        let mut file = File::open(path).ok()?;
        let length = file.metadata().ok()?.len();
        if length < self.at {
            // Begun anew.
            self.at = 0;
            self.rest.clear();
        }
        if self.at == 0 {
            self.at = length.saturating_sub(TAIL);
        }
        file.seek(SeekFrom::Start(self.at)).ok()?;
        let mut bytes = Vec::new();
        file.take(TAIL).read_to_end(&mut bytes).ok()?;
        self.at += bytes.len() as u64;
        Some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_line_is_left_out_and_one_that_is_still_being_written_waits() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("events.jsonl");
        let line = |text: &str| format!("{{\"at_ms\":1,\"port\":null,\"text\":\"{text}\"}}\n");
        std::fs::write(&path, format!("{}{{\"at_ms\":2,\n{}{{\"at", line("one"), line("two"))).unwrap();
        let mut tail = Tail::new();
        let texts = |lines: Vec<Happening>| lines.into_iter().map(|line| line.text).collect::<Vec<_>>();
        assert_eq!(texts(tail.read(&path)), ["one", "two"]);
        assert_eq!(texts(tail.read(&path)), [""; 0]);
        std::fs::write(&path, line("anew")).unwrap();
        assert_eq!(texts(tail.read(&path)), ["anew"]);
    }
}

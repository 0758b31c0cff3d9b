//! `rctl autofailover on, off, status`: the watcher in the supervisor that does `failover` after `down-after`.

use serde::Serialize;

use super::status::json;
use super::{Ctx, Outcome, events, set};
use crate::cli::{AutofailoverArgs, Switch};
use crate::error::{Error, Exit, Result};
use crate::supervise::request::Request;

/// Where nobody has said how long.
const DOWN_AFTER_MS: u64 = 1_000;
/// The shortest that can be told from a busy machine, and the longest that makes sense, in milliseconds.
const DOWN_AFTER: std::ops::RangeInclusive<u64> = 50..=600_000;

#[derive(Serialize)]
struct Answer {
    schema: &'static str,
    topology: String,
    on: bool,
    down_after_ms: Option<u64>,
    /// What it did last, in its own words.
    last: Option<String>,
}

/// Switches it, or tells how it stands.
///
/// # Errors
/// No set runs (3), a time that makes no sense (2), Sentinels that look after the set already (7).
pub async fn run(ctx: &Ctx, args: &AutofailoverArgs) -> Result<Outcome> {
    let mut set = set::running(ctx, &[]).await?;
    let before = set.topology().autofailover.map(|auto| auto.down_after_ms);
    match args.switch {
        Switch::On => {
            let asked = args.down_after.map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
            let ms = asked.or(before).unwrap_or(DOWN_AFTER_MS);
            if !DOWN_AFTER.contains(&ms) {
                return Err(Error::new(
                    Exit::Usage,
                    format!("--down-after {ms}ms: it is a time from 50ms to 10m"),
                )
                .hint("rctl autofailover on --down-after 1s"));
            }
            set.begin(&Request::Autofailover { down_after_ms: Some(ms) }).await?;
        }
        Switch::Off => set.begin(&Request::Autofailover { down_after_ms: None }).await?,
        Switch::Status => {}
    }
    set.refresh().await?;
    let now = set.topology().autofailover.map(|auto| auto.down_after_ms);
    let last = events::last(&set.dir, |happening| happening.text.starts_with("autofailover from"));
    let name = set.topology().name.clone();
    if args.json {
        let answer = Answer {
            schema: "rctl.autofailover/1",
            topology: name,
            on: now.is_some(),
            down_after_ms: now,
            last: last.map(|happening| happening.text),
        };
        return Ok(Outcome::done(json(&answer)?));
    }
    let mut text = match now {
        Some(ms) => format!("autofailover of {name} is on: a master that is away for {ms} ms is succeeded\n"),
        None => format!("autofailover of {name} is off\n"),
    };
    if let (Switch::Status, Some(last)) = (args.switch, last) {
        text.push_str(&format!("last: {}\n", last.text));
    }
    Ok(Outcome::done(text))
}

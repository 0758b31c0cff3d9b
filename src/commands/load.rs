//! `rctl load`: numbered writes that follow the master, and what of them is there at the end.

#![expect(clippy::disallowed_methods, reason = "this does things and measures how long they take")]

use std::time::{Duration, Instant};

use serde::Serialize;

use super::interrupt::Interrupts;
use super::set::{self, Running};
use super::status::json;
use super::{Ctx, Outcome};
use crate::cli::LoadArgs;
use crate::error::{Error, Exit, Result};
use crate::proof::ledger::Verdict;
use crate::proof::writer::{Style, Writer};
use crate::render::progress::Progress;
use crate::status::figure::grouped;

/// How long a master is looked for at the end.
const PATIENCE: Duration = Duration::from_secs(5);
/// Between two lines of progress on a terminal.
const PAUSE: Duration = Duration::from_millis(100);

/// The JSON form.
#[derive(Serialize)]
struct Answer<'a> {
    schema: &'static str,
    topology: &'a str,
    took_ms: u64,
    longest_gap_ms: u64,
    #[serde(flatten)]
    verdict: &'a Verdict,
}

/// Writes for a while, then looks.
///
/// # Errors
/// No set runs (3), no node takes writes. Acknowledged writes that are gone are no error but an exit of 12.
pub async fn run(ctx: &Ctx, args: &LoadArgs) -> Result<Outcome> {
    let set = set::running(ctx, &[]).await?;
    let master = master(&set).await?;
    let mut interrupts = Interrupts::watch()?;
    let waiting = if args.wait > 0 { args.clients } else { 0 };
    let style = Style { rate: args.rate, clients: args.clients, waiting, replicas: args.wait };
    let writer = Writer::start(set.places(), master, &run_name(), style);
    let mut progress = Progress::new(ctx.painter, &ctx.console, [(0, "load".to_owned())]);
    progress.step(0, &format!("writing to {master}"), false);
    let began = Instant::now();
    while began.elapsed() < args.duration {
        tokio::select! {
            () = tokio::time::sleep(PAUSE.min(args.duration.saturating_sub(began.elapsed()))) => {}
            () = interrupts.next() => break,
        }
        if ctx.painter.talk_terminal {
            let (acknowledged, _) = writer.with(|ledger| ledger.count_since(0));
            progress.step(0, &format!("{} writes acknowledged", grouped(count(acknowledged))), false);
        }
    }
    let end = writer.now_us();
    progress.step(0, "looking at what is there", true);
    progress.clear();
    let (verdict, ledger) = writer.finish(PATIENCE).await?;
    let gap = ledger.longest_gap(0, end) / 1000;
    let exit = if verdict.lost > 0 { Exit::Differs } else { Exit::Done };
    if args.json {
        let answer = Answer {
            schema: "rctl.load/1",
            topology: &set.topology().name,
            took_ms: end / 1000,
            longest_gap_ms: gap,
            verdict: &verdict,
        };
        return Ok(Outcome { text: json(&answer)?, exit });
    }
    let mut text = format!(
        "{} writes in {}.{} s, {} acknowledged; longest time without an acknowledgement {} ms\n",
        grouped(verdict.written),
        end / 1_000_000,
        end / 100_000 % 10,
        grouped(verdict.acknowledged),
        grouped(gap)
    );
    for line in told(&verdict, args.wait) {
        text.push_str(&line);
        text.push('\n');
    }
    Ok(Outcome { text, exit })
}

/// What of the acknowledged writes is there, in lines.
pub(super) fn told(verdict: &Verdict, wait: u16) -> Vec<String> {
    let mut lines = vec![match verdict.lost {
        0 => format!("survived: all {} acknowledged writes", grouped(verdict.acknowledged)),
        lost => format!(
            "LOST: {} of {} acknowledged writes: numbers {}",
            grouped(lost),
            grouped(verdict.acknowledged),
            shown(&verdict.lost_numbers)
        ),
    }];
    if wait > 0 {
        let (confirmed, lost) = (grouped(verdict.confirmed), verdict.confirmed_lost);
        lines.push(match lost {
            0 => format!("confirmed by WAIT {wait}: {confirmed} writes, none lost"),
            lost => format!("confirmed by WAIT {wait}: {confirmed} writes, {} of them LOST", grouped(lost)),
        });
    }
    lines
}

/// The first ranges, and how many more.
fn shown(ranges: &[String]) -> String {
    const SHOWN: usize = 6;
    let first = ranges.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    match ranges.len().saturating_sub(SHOWN) {
        0 => first,
        more => format!("{first} and {more} more ranges"),
    }
}

/// The master that takes writes now: of several the one that most follow.
pub(super) async fn master(set: &Running) -> Result<u16> {
    let mut best = None;
    for node in &set.topology().nodes {
        if let Some(seen) = set.observe(node.port).await.filter(|seen| !seen.is_replica && !seen.loading) {
            let weight = (seen.replicas.len(), seen.offset);
            if best.is_none_or(|(most, _)| weight > most) {
                best = Some((weight, node.port));
            }
        }
    }
    best.map(|(_, port)| port)
        .ok_or_else(|| Error::new(Exit::NotRunning, "no node takes writes").hint("rctl status"))
}

/// Tells the keys of this run from those of another.
pub(super) fn run_name() -> String {
    format!("{:x}-{:x}", std::process::id(), super::look::now_ms())
}

fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

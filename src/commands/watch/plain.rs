//! `rctl watch` where nobody can look at a screen: one line for each change of a node, and for each happening.

use serde::Serialize;

use super::{Ends, Eyes, LEAST, Sight, clock, told};
use crate::cli::WatchArgs;
use crate::commands::events::Tail;
use crate::commands::reader::Reader;
use crate::commands::{Ctx, Outcome};
use crate::error::Result;
use crate::status::StatusReport;
use crate::status::figure::rfc3339;
use crate::watch::Told;
use crate::watch::changes::{Changed, changes};
use crate::watch::ticker::ticker;

/// A line of `--json`.
#[derive(Serialize)]
struct Line<'a> {
    schema: &'static str,
    at: Option<String>,
    #[serde(flatten)]
    what: What<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
enum What<'a> {
    /// A node is not what it was.
    State(&'a Changed),
    /// A line of the events.
    Event { node: Option<u16>, by: &'static str, what: &'a str },
    /// The set is down.
    Down,
    /// It cannot be looked at.
    Lost { why: &'a str },
}

/// Writes until the set is down, a signal comes, or nobody reads.
///
/// # Errors
/// Nobody to write to.
pub(super) async fn follow(ctx: &Ctx, args: &WatchArgs, mut eyes: Eyes) -> Result<Outcome> {
    let (mut ends, mut reader) = (Ends::new()?, Reader::watch());
    let path = eyes.running.as_ref().map(|running| running.dir.events()).unwrap_or_default();
    let mut tail = Tail::new();
    // What happened before somebody watched is for `rctl events`.
    tail.read(&path);
    let mut before: Option<StatusReport> = None;
    let mut lost: Option<String> = None;
    loop {
        let sight = tokio::select! {
            () = ends.any() => return Ok(Outcome::done("")),
            () = reader.gone() => return Ok(Outcome::done("")),
            sight = eyes.look() => sight,
        };
        let mut text = String::new();
        let happened: Vec<Told> = tail.read(&path).into_iter().map(told).collect();
        for one in &happened {
            text.push_str(&event(args, one));
        }
        match sight {
            Sight::Gone => return Ok(Outcome::done(text + &said(args, None, "the set is down", What::Down))),
            Sight::Lost(why) => {
                if lost.as_ref() != Some(&why) {
                    text.push_str(&said(args, None, &why, What::Lost { why: &why }));
                }
                lost = Some(why);
            }
            Sight::Seen(report) => {
                for changed in changes(before.as_ref(), &report) {
                    text.push_str(&said(args, Some(report.asked_ms), &changed.line(), What::State(&changed)));
                }
                (before, lost) = (Some(*report), None);
            }
        }
        if !text.is_empty() {
            ctx.console.answer(&text)?;
        }
        tokio::select! {
            () = ends.any() => return Ok(Outcome::done("")),
            () = reader.gone() => return Ok(Outcome::done("")),
            () = tokio::time::sleep(args.interval.max(LEAST)) => {}
        }
    }
}

fn event(args: &WatchArgs, one: &Told) -> String {
    if !args.json {
        return ticker(std::slice::from_ref(one), 1).into_iter().map(|line| line + "\n").collect();
    }
    let text: String = one.happening.text.chars().filter(|c| !c.is_control()).collect();
    let what = What::Event { node: one.happening.port, by: one.happening.by(), what: &text };
    json(&Line { schema: "rctl.watch/1", at: rfc3339(one.happening.at_ms), what })
}

fn said(args: &WatchArgs, at_ms: Option<u64>, line: &str, what: What<'_>) -> String {
    if args.json {
        return json(&Line { schema: "rctl.watch/1", at: at_ms.and_then(rfc3339), what });
    }
    match at_ms {
        Some(at_ms) => format!("{}   {line}\n", clock(at_ms)),
        None => format!("{line}\n"),
    }
}

fn json(line: &Line<'_>) -> String {
    serde_json::to_string(line).unwrap_or_default() + "\n"
}

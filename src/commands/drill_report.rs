//! What a drill found out, as a screen and as JSON.

use serde::Serialize;

use super::load::told;
use crate::error::Error;
use crate::proof::ledger::Verdict;
use crate::status::figure::grouped;

/// The JSON form.
#[derive(Serialize)]
pub(super) struct Answer<'a> {
    pub(super) schema: &'static str,
    pub(super) drills: &'a [Drill],
}

/// One drill.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Drill {
    /// What runs the nodes.
    pub(super) engine: String,
    /// The node that was killed.
    pub(super) killed: u16,
    /// The node that was promoted.
    pub(super) promoted: Option<u16>,
    /// `best`, `worst`.
    pub(super) pick: &'static str,
    /// Links, and by how many milliseconds they were delayed each way.
    pub(super) delays: Vec<(String, u64)>,
    /// Why links were not delayed.
    pub(super) not_delayed: Option<String>,
    /// For how long nobody could write, milliseconds.
    pub(super) outage_ms: u64,
    /// How many replicas half of the clients waited for.
    pub(super) wait: u16,
    /// What of the writes survived.
    #[serde(flatten)]
    pub(super) verdict: Verdict,
    /// How nodes came back.
    pub(super) resyncs: Vec<Resync>,
    /// Why there is nothing to tell.
    pub(super) problem: Option<String>,
}

/// How a node came back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Resync {
    /// The node.
    pub(super) node: u16,
    /// `full`, `partial`.
    pub(super) kind: &'static str,
    /// Why not partial, in its master's words.
    pub(super) why: Option<String>,
}

impl Drill {
    /// A drill that did not come about.
    pub(super) fn failed(engine: &str, error: &Error) -> Self {
        Self { engine: engine.to_owned(), problem: Some(error.what.clone()), ..Self::default() }
    }

    /// What was done to the links first.
    pub(super) fn delayed(&self) -> String {
        if let Some(why) = &self.not_delayed {
            return format!("links as they are, so bytes under way survive: {why}");
        }
        if self.delays.is_empty() {
            return "links as they are: the kernel delivers what is under way, so a kill loses nothing"
                .to_owned();
        }
        let delays: Vec<String> = self.delays.iter().map(|(link, ms)| format!("{link} by {ms} ms")).collect();
        format!("links delayed first, each way: {}", delays.join(", "))
    }
}

/// One screen: a page for one drill, a table for several.
pub(super) fn paint(drills: &[Drill]) -> String {
    match drills {
        [drill] => page(drill),
        several => table(several),
    }
}

fn page(drill: &Drill) -> String {
    let mut lines = vec![drill.delayed()];
    let then = match drill.promoted {
        Some(heir) => format!("{heir} promoted, the {} of its replicas", drill.pick),
        None => "nobody promoted: it was no master".to_owned(),
    };
    lines.push(format!("killed {} by SIGKILL under load; {then}", drill.killed));
    lines.push(String::new());
    lines.push(match drill.promoted {
        Some(_) => format!("nobody could write for {} ms", grouped(drill.outage_ms)),
        None => format!("longest time without an acknowledgement: {} ms", grouped(drill.outage_ms)),
    });
    lines.extend(told(&drill.verdict, drill.wait));
    for resync in &drill.resyncs {
        let why = resync.why.as_ref().map_or_else(String::new, |why| format!(": {why}"));
        lines.push(format!("{} came back by a {} resync{why}", resync.node, resync.kind));
    }
    lines.into_iter().map(|line| line + "\n").collect()
}

/// A figure of a drill.
type Cell = fn(&Drill) -> String;

/// Side by side, a column for each engine.
fn table(drills: &[Drill]) -> String {
    let rows: [(&str, Cell); 7] = [
        ("outage ms", |drill| grouped(drill.outage_ms)),
        ("acknowledged", |drill| grouped(drill.verdict.acknowledged)),
        ("lost", |drill| grouped(drill.verdict.lost)),
        ("confirmed by WAIT", |drill| grouped(drill.verdict.confirmed)),
        ("of these lost", |drill| grouped(drill.verdict.confirmed_lost)),
        ("full resyncs", |drill| kinds(drill, "full")),
        ("partial resyncs", |drill| kinds(drill, "partial")),
    ];
    let width = |drill: &Drill| drill.engine.chars().count().max(9);
    let mut out = format!("{:18}", "");
    for drill in drills {
        out.push_str(&format!("  {:>1$}", drill.engine, width(drill)));
    }
    for (head, cell) in rows {
        out.push_str(&format!("\n{head:18}"));
        for drill in drills {
            let text = if drill.problem.is_some() { "-".to_owned() } else { cell(drill) };
            out.push_str(&format!("  {text:>0$}", width(drill)));
        }
    }
    out.push_str("\n\n");
    for drill in drills {
        let told = drill.problem.clone().unwrap_or_else(|| drill.delayed());
        out.push_str(&format!("{}: {told}\n", drill.engine));
    }
    out
}

fn kinds(drill: &Drill, kind: &str) -> String {
    drill.resyncs.iter().filter(|resync| resync.kind == kind).count().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drill(engine: &str, lost: u64) -> Drill {
        let verdict = Verdict { acknowledged: 1200, lost, confirmed: 30, ..Verdict::default() };
        Drill {
            engine: engine.into(),
            killed: 1,
            promoted: Some(2),
            pick: "best",
            verdict,
            ..Drill::default()
        }
    }

    #[test]
    fn engines_stand_side_by_side_and_a_missing_one_says_why() {
        let missing = Drill { problem: Some("no valkey-server on the PATH".into()), ..drill("valkey", 0) };
        let text = paint(&[drill("builtin", 7), missing]);
        assert!(text.contains("lost                        7          -"), "{text}");
        assert!(text.contains("valkey: no valkey-server on the PATH"), "{text}");
    }

    #[test]
    fn a_page_says_what_was_lost_and_what_was_confirmed() {
        let text = paint(&[Drill { wait: 1, ..drill("builtin", 7) }]);
        assert!(
            text.contains("LOST: 7 of 1,200 acknowledged writes")
                && text.contains("WAIT 1: 30 writes, none lost"),
            "{text}"
        );
    }
}

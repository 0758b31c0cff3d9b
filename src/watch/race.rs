//! The offset race: one bar per node over the backlog window. Inside the window a node that lost its link can still
//! catch up; when it falls out, everything is copied anew.
//!
//! The window is that of the master above the node, or of the most advanced node that answers where that master is
//! gone. Whether a node could continue is asked of the node it follows, by the rule in [`crate::plan::resync`].

use crate::node::observe::Observation;
use crate::plan::resync::{Forecast, Reason, forecast};
use crate::render::Painter;
use crate::status::figure::{grouped, size};
use crate::status::{NodeStatus, State, StatusReport};

/// The least width of a bar that says anything.
const LEAST_BAR: usize = 8;

/// The race of a set, for the painter's width; nothing where no node keeps a backlog.
#[must_use]
pub fn race(report: &StatusReport, painter: &Painter) -> Vec<String> {
    let runners: Vec<Runner<'_>> = report.nodes.iter().map(|node| runner(report, node)).collect();
    let Some(window) = runners.iter().find_map(|runner| runner.window) else { return Vec::new() };
    let width = usize::from(painter.width);
    let label = runners.iter().map(|runner| runner.node.port.to_string().len()).max().unwrap_or(0);
    let room = |short: bool| {
        let text = runners.iter().map(|runner| runner.text(short).chars().count()).max().unwrap_or(0);
        width.saturating_sub(label + 2 + text)
    };
    let short = room(false) < 2 * LEAST_BAR;
    let bar = Some(room(short)).filter(|room| *room >= LEAST_BAR);
    let glyphs = if painter.ascii { ASCII } else { UNICODE };
    let mut lines = vec![heading(window, width, glyphs)];
    for runner in &runners {
        let drawn = bar.map(|bar| format!("{} ", runner.bar(bar, glyphs))).unwrap_or_default();
        let text = runner.text(short);
        let text = if painter.colour && runner.forecast.is_full() {
            format!("\x1b[31m{text}\x1b[39m")
        } else {
            text
        };
        lines.push(format!("{:label$} {drawn}{text}", runner.node.port));
    }
    lines
}

/// What of the stream a node could still give, in offsets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Window {
    /// `repl-backlog-size`.
    size: u64,
    /// Before the first byte that is held.
    first: u64,
    /// After the last.
    end: u64,
}

struct Runner<'a> {
    node: &'a NodeStatus,
    window: Option<Window>,
    /// It is the node whose window it is.
    holds: bool,
    /// What it would go through if its link were lost and came back.
    forecast: Forecast,
}

#[derive(Clone, Copy)]
struct Glyphs {
    held: char,
    done: char,
    head: char,
    gap: char,
    out: char,
}

const UNICODE: Glyphs = Glyphs { held: '▒', done: '─', head: '█', gap: '╌', out: '◂' };
const ASCII: Glyphs = Glyphs { held: ':', done: '-', head: '#', gap: '.', out: '<' };

impl Runner<'_> {
    fn text(&self, short: bool) -> String {
        if matches!(self.node.state, State::Syncing { .. }) {
            return "copies everything".to_owned();
        }
        let Some(offset) = self.node.offset else { return "?".to_owned() };
        let behind = self.window.map_or(0, |window| window.end.saturating_sub(offset));
        let behind = if short { String::new() } else { format!("{} B behind, ", grouped(behind)) };
        match &self.forecast {
            _ if self.holds => grouped(offset),
            Forecast::Partial { bytes: 0 } => grouped(offset),
            Forecast::Partial { .. } => format!("{behind}partial OK"),
            Forecast::Full(Reason::FellOff { .. }) => format!("{behind}FULL RESYNC"),
            Forecast::Full(_) if short => "FULL RESYNC".to_owned(),
            Forecast::Full(Reason::Parted { bytes } | Reason::Ahead { bytes }) => {
                format!("{} B alone, FULL RESYNC", grouped(*bytes))
            }
            Forecast::Full(Reason::OtherHistory) => "another history, FULL RESYNC".to_owned(),
            Forecast::Full(Reason::NoBacklog) => "no backlog, FULL RESYNC".to_owned(),
            Forecast::Unknown => "?".to_owned(),
        }
    }

    /// A bar of exactly `width` characters; its right edge is the end of the stream.
    fn bar(&self, width: usize, glyphs: Glyphs) -> String {
        let (Some(window), Some(offset)) = (self.window, self.node.offset) else { return " ".repeat(width) };
        let last = width.saturating_sub(1);
        let place = |offset: u64| {
            let back = u128::from(window.end.saturating_sub(offset)) * last as u128;
            let back = back / u128::from(window.size.max(1));
            last.checked_sub(usize::try_from(back).unwrap_or(usize::MAX))
        };
        let at = place(offset);
        let held_from = place(window.first).unwrap_or(0);
        let cell = |column: usize| match at {
            Some(at) if column == at => glyphs.head,
            None if column == 0 => glyphs.out,
            _ if self.holds && column < held_from => ' ',
            _ if self.holds => glyphs.held,
            Some(at) if column < at => glyphs.done,
            _ => glyphs.gap,
        };
        (0..width).map(cell).collect()
    }
}

fn heading(window: Window, width: usize, glyphs: Glyphs) -> String {
    let left = format!("OFFSET RACE  (window {} = repl-backlog-size)", size(window.size));
    let right = format!("{} = can still catch up", glyphs.held);
    let gap = width.saturating_sub(left.chars().count() + right.chars().count()).min(24);
    if gap < 2 { left } else { format!("{left}{}{right}", " ".repeat(gap)) }
}

fn runner<'a>(report: &'a StatusReport, node: &'a NodeStatus) -> Runner<'a> {
    let root = root(report, node);
    let holder = Some(root).filter(|root| window(root).is_some()).or_else(|| {
        let held = report.nodes.iter().filter(|node| window(node).is_some());
        held.max_by_key(|node| node.offset)
    });
    let above = report.nodes.iter().find(|other| node.follows(other)).filter(|above| answers(above));
    let forecast = match above.or(holder) {
        Some(above) if above.port != node.port => forecast(&seen(node), &seen(above)),
        _ => Forecast::Unknown,
    };
    let holds = holder.is_some_and(|holder| holder.port == node.port);
    Runner { node, window: holder.and_then(window), holds, forecast }
}

/// The master above a node; in a circle, any of it.
fn root<'a>(report: &'a StatusReport, node: &'a NodeStatus) -> &'a NodeStatus {
    let mut at = node;
    for _ in 0..report.nodes.len() {
        match report.nodes.iter().find(|other| at.follows(other)) {
            Some(above) => at = above,
            None => break,
        }
    }
    at
}

fn answers(node: &NodeStatus) -> bool {
    !node.info.is_empty()
}

fn window(node: &NodeStatus) -> Option<Window> {
    let seen = seen(node);
    Some(Window { size: seen.backlog_size?, first: seen.backlog_first?.saturating_sub(1), end: node.offset? })
}

/// As much of an observation as the rule needs. Of a node that does not answer, what was last known.
fn seen(node: &NodeStatus) -> Observation {
    let number = |field: &str| node.info.get(field).and_then(|text| text.parse::<u64>().ok());
    let active = number("repl_backlog_active") == Some(1);
    let held = |field| Some(field).filter(|_| active).and_then(number);
    Observation {
        replid: node.replid.clone(),
        replid2: node.replid2.clone(),
        second_offset: number("second_repl_offset"),
        offset: node.offset,
        backlog_size: held("repl_backlog_size"),
        backlog_first: held("repl_backlog_first_byte_offset"),
        ..Observation::default()
    }
}

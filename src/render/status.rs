//! The screen of `rctl status`: a heading, a table whose first column is a tree, and what to do.

use comfy_table::Color;

use super::Painter;
use super::faults::faults;
use super::sentinels::sentinels;
use super::style::{Marks, colour, mark, marks};
use super::table::{Column, table};
use super::tree::{Branch, tree};
use crate::status::figure::{duration, grouped, size};
use crate::status::{NodeStatus, Problem, Role, State, StatusReport};

/// How many columns a status table may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Columns {
    /// As many as the terminal takes.
    Fitting,
    /// Every one.
    All,
}

/// Paints a report. `clock` is the time to show, as the reader's clock has it.
#[must_use]
pub fn status(report: &StatusReport, clock: &str, columns: Columns, painter: &Painter) -> String {
    let marks = marks(painter);
    let lines = table(chosen(report, columns, painter, &marks), columns == Columns::All, painter);
    let mut out = heading(report, clock, &lines, painter, &marks);
    out.push_str("\n\n");
    for line in &lines {
        out.push_str(line);
        out.push('\n');
    }
    if !report.sentinels.is_empty() {
        out.push('\n');
        for line in sentinels(&report.sentinels, painter) {
            out.push_str(&line);
            out.push('\n');
        }
    }
    if !report.problems.is_empty() {
        out.push('\n');
        for line in problems(&report.problems, painter) {
            out.push_str(&line);
            out.push('\n');
        }
    }
    if !report.faults.is_empty() {
        out.push('\n');
        for line in faults(&report.faults, report.asked_ms, painter) {
            out.push_str(&line);
            out.push('\n');
        }
    }
    if !report.notes.is_empty() {
        out.push('\n');
        report.notes.iter().for_each(|note| out.push_str(&format!(" note: {note}\n")));
    }
    out
}

/// What can be typed next on a set where all is well; goes beside the answer, not into it.
#[must_use]
pub fn next(report: &StatusReport, painter: &Painter) -> Option<String> {
    let master = report.nodes.iter().find(|node| node.state == State::Writable).filter(|_| report.ok)?;
    let heir = report.nodes.iter().rfind(|node| node.state == State::InSync);
    let mut typed = vec![format!("rctl cli {}", master.port)];
    typed.extend(heir.map(|heir| format!("rctl promote {}", heir.port)));
    typed.push("rctl status -o wide".into());
    Some(format!("next: {}", typed.join(&format!(" {} ", marks(painter).dot))))
}

fn heading(report: &StatusReport, clock: &str, lines: &[String], painter: &Painter, marks: &Marks) -> String {
    let nodes = match report.nodes.len() {
        1 => "1 node".to_owned(),
        n => format!("{n} nodes"),
    };
    let sick = report.nodes.iter().filter(|node| !node.state.is_well()).count()
        + report.sentinels.iter().filter(|sentinel| !sentinel.state.is_well()).count();
    let verdict = match sick {
        0 if report.nodes.iter().any(|node| node.state == State::InSync) => format!("{} in sync", marks.well),
        0 => format!("{} writable", marks.well),
        1 => format!("{} 1 needs attention", marks.bad),
        n => format!("{} {n} need attention", marks.bad),
    };
    let left = format!("{}   {nodes}   {verdict}", report.topology);
    // The clock stands above the table's right edge, as long as there is room.
    let edge = lines.first().map_or(0, |head| head.chars().count()).min(usize::from(painter.width));
    let gap = edge.saturating_sub(left.chars().count() + clock.chars().count());
    if gap == 0 || clock.is_empty() { left } else { format!("{left}{}{clock}", " ".repeat(gap)) }
}

/// The columns for this width: below 60 the least, from 120 all, else the eight of a usual terminal. Those of the
/// highest rank are the first to be left out where names are long.
fn chosen(report: &StatusReport, columns: Columns, painter: &Painter, marks: &Marks) -> Vec<Column> {
    let branches = tree(&report.nodes, marks);
    let wide = columns == Columns::All || painter.width >= 120;
    let least = columns == Columns::Fitting && painter.width < 60;
    let rows: Vec<Row<'_>> = branches
        .iter()
        .map(|branch| (branch, branch.node.and_then(|index| report.nodes.get(index))))
        .collect();
    let text = |head, rank, cell: &dyn Fn(&NodeStatus) -> String| column(&rows, head, rank, false, cell);
    let figure = |head, rank, cell: &dyn Fn(&NodeStatus) -> String| column(&rows, head, rank, true, cell);
    let mut chosen = vec![node_column(&rows, marks)];
    if !least {
        chosen.push(text("ROLE", 2, &|node| role(node).to_owned()));
    }
    chosen.push(state_column(&rows, marks));
    if !least {
        chosen.push(figure("OFFSET", 3, &|node| known(node, node.offset.map(grouped))));
    }
    chosen.push(figure("LAG B", 1, &lag_bytes));
    if !least {
        chosen.push(figure("LAG s", 4, &lag_seconds));
        chosen.push(figure("KEYS", 5, &|node| plain(node.keys.map(grouped))));
        chosen.push(figure("OPS/S", 6, &|node| plain(node.ops_per_s.map(grouped))));
        chosen.push(text("REPLID", 7, &replid));
    }
    if wide {
        chosen.push(figure("UPSTREAM", 8, &|node| plain(node.upstream.map(|port| port.to_string()))));
        chosen.push(figure("ACK", 9, &|node| plain(node.ack_s.map(|s| s.to_string()))));
        chosen.push(figure("CLI", 10, &|node| plain(node.clients.map(grouped))));
        chosen.push(figure("MEM", 11, &|node| plain(node.memory_bytes.map(size))));
        chosen.push(figure("UP", 12, &|node| plain(node.uptime_s.map(duration))));
        chosen.push(figure("PID", 13, &|node| plain(node.pid.map(|pid| pid.to_string()))));
    }
    chosen
}

/// A line of the tree, and the node it is about.
type Row<'a> = (&'a Branch, Option<&'a NodeStatus>);

fn column(
    rows: &[Row<'_>],
    head: &'static str,
    rank: u8,
    figures: bool,
    cell: &dyn Fn(&NodeStatus) -> String,
) -> Column {
    let cells = rows.iter().map(|(_, node)| (node.map(cell).unwrap_or_default(), None)).collect();
    Column { head, figures, rank, cells }
}

fn node_column(rows: &[Row<'_>], marks: &Marks) -> Column {
    let cell = |(branch, node): &Row<'_>| match node {
        None => format!("{}{} see {}", branch.prefix, marks.sync, branch.port),
        Some(node) => match &node.name {
            Some(name) => format!("{}{} {name}", branch.prefix, node.port),
            None if node.attached => format!("{}{}:{}", branch.prefix, node.host, node.port),
            None => format!("{}{}", branch.prefix, node.port),
        },
    };
    Column {
        head: "NODE",
        figures: false,
        rank: 0,
        cells: rows.iter().map(|row| (cell(row), None)).collect(),
    }
}

fn state_column(rows: &[Row<'_>], marks: &Marks) -> Column {
    let cell = |node: &NodeStatus| -> (String, Option<Color>) {
        (format!("{} {}", mark(&node.state, marks), said(&node.state)), colour(&node.state))
    };
    let cells = rows.iter().map(|(_, node)| node.map(cell).unwrap_or_default()).collect();
    Column { head: "STATE", figures: false, rank: 0, cells }
}

fn role(node: &NodeStatus) -> &'static str {
    match node.role {
        Role::Master => "master",
        Role::Replica => "replica",
    }
}

/// A state as a cell says it.
fn said(state: &State) -> String {
    match state {
        State::Held { .. } => "held".into(),
        State::Syncing { read: Some(read), total: Some(total) } if *total > 0 => {
            // Of a total that the node claims to have passed, all.
            format!("sync {}%", (u128::from(*read) * 100 / u128::from(*total)).min(100))
        }
        State::Syncing { read: Some(read), .. } => format!("sync {}", size(*read)),
        State::Syncing { .. } => "sync".into(),
        State::LinkDown { for_s: Some(seconds) } => format!("link down {}", duration(*seconds)),
        State::LinkDown { .. } => "link down".into(),
        State::RefusingWrites { .. } => "refusing writes".into(),
        State::InSync => "in sync".into(),
        other => other.word().to_owned(),
    }
}

/// A last known figure is marked as such.
fn known(node: &NodeStatus, figure: Option<String>) -> String {
    match (figure, node.last_known_ms) {
        (Some(figure), Some(_)) => format!("~{figure}"),
        (figure, _) => plain(figure),
    }
}

fn plain(figure: Option<String>) -> String {
    figure.unwrap_or_else(|| "-".into())
}

fn lag_bytes(node: &NodeStatus) -> String {
    match (node.role, node.unique_bytes, node.lag_bytes) {
        (_, Some(unique), _) => format!("+{}", grouped(unique)),
        (Role::Master, ..) => "-".into(),
        (Role::Replica, _, lag) => lag.map_or_else(|| "?".into(), grouped),
    }
}

fn lag_seconds(node: &NodeStatus) -> String {
    match (node.role, node.lag_ms) {
        (Role::Master, _) => "-".into(),
        (Role::Replica, Some(ms)) => format!("{}.{}", ms / 1000, ms % 1000 / 100),
        (Role::Replica, None) => "?".into(),
    }
}

fn replid(node: &NodeStatus) -> String {
    let short = node.replid.as_ref().map(|id| id.chars().take(8).collect::<String>());
    match short {
        Some(id) if node.other_history => format!("!{id}"),
        Some(id) => format!(" {id}"),
        None => "-".into(),
    }
}

/// One line per problem, its command on the right where both fit, else below.
fn problems(problems: &[Problem], painter: &Painter) -> Vec<String> {
    let typed = |problem: &Problem| format!("{}: {}", if problem.see { "see" } else { "fix" }, problem.fix);
    let said = |problem: &Problem| format!(" {} {}", problem.port, problem.what);
    let left = problems.iter().map(|problem| said(problem).chars().count()).max().unwrap_or(0);
    let right = problems.iter().map(|problem| typed(problem).chars().count()).max().unwrap_or(0);
    let beside = left + 3 + right <= usize::from(painter.width);
    let mut lines = Vec::new();
    for problem in problems {
        if beside {
            lines.push(format!("{:left$}   {}", said(problem), typed(problem)));
        } else {
            lines.push(said(problem));
            lines.push(format!("      {}", typed(problem)));
        }
    }
    lines
}

//! `rctl ps`: every set of this machine.

use serde::Serialize;

use super::look::now_ms;
use super::status::json;
use super::{Ctx, Outcome, set};
use crate::cli::{OutputFormat, PsArgs};
use crate::error::Result;
use crate::render::table::{Column, table};
use crate::status::figure::{duration, rfc3339};
use crate::supervise::control::Client;
use crate::supervise::facts::SetFacts;

/// Everything that is known of all sets.
#[derive(Debug, Serialize)]
struct Answer {
    schema: &'static str,
    sets: Vec<Row>,
}

/// One set.
#[derive(Debug, Serialize)]
struct Row {
    name: String,
    state: Life,
    ports: Vec<u16>,
    /// How many of its nodes have a process; `None` where there is no supervisor to say.
    up: Option<usize>,
    /// The ports of its Sentinels.
    sentinels: Vec<u16>,
    /// How many of those have a process.
    sentinels_up: Option<usize>,
    /// When its supervisor started, RFC 3339.
    since: Option<String>,
    /// For how long, in seconds.
    age_s: Option<u64>,
    file: Option<String>,
    dir: String,
}

/// What a set is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Life {
    /// Supervised.
    Running,
    /// Its nodes live, its supervisor does not; any other verb starts a new one.
    Unsupervised,
    /// Nothing runs, its data is kept.
    Stopped,
    /// Its state cannot be read.
    Damaged,
}

/// Lists the sets. Starts nothing: a set whose supervisor died is listed as such.
///
/// # Errors
/// None but those of writing.
pub async fn run(ctx: &Ctx, args: &PsArgs) -> Result<Outcome> {
    let mut sets = Vec::new();
    for known in set::known(ctx) {
        sets.push(row(known).await);
    }
    if args.json || args.output == OutputFormat::Json {
        return Ok(Outcome::done(json(&Answer { schema: "rctl.ps/1", sets })?));
    }
    if sets.is_empty() {
        ctx.console.talk("no set is kept on this machine; start one with: rctl up");
        return Ok(Outcome::done(""));
    }
    let all = args.output == OutputFormat::Wide;
    let lines = table(columns(&sets), all, &ctx.painter);
    Ok(Outcome::done(lines.join("\n") + "\n"))
}

async fn row(known: set::Known) -> Row {
    let facts: Option<SetFacts> = match Client::connect(&known.dir.socket()).await {
        Ok(mut client) => client.facts().await.ok(),
        Err(_) => None,
    };
    let topology = facts.as_ref().map(|facts| &facts.topology).or(known.topology.as_ref());
    let state = match (&facts, topology) {
        (Some(_), _) => Life::Running,
        (None, None) => Life::Damaged,
        (None, Some(_)) if known.running => Life::Unsupervised,
        (None, Some(_)) => Life::Stopped,
    };
    let started = facts.as_ref().map(|facts| facts.started_ms);
    Row {
        name: known.dir.name(),
        state,
        ports: topology.map(|set| set.nodes.iter().map(|node| node.port).collect()).unwrap_or_default(),
        up: facts.as_ref().map(|facts| facts.nodes.iter().filter(|node| node.pid.is_some()).count()),
        sentinels: topology.map(|set| set.sentinel_ports().collect()).unwrap_or_default(),
        sentinels_up: facts
            .as_ref()
            .map(|facts| facts.sentinels.iter().filter(|node| node.pid.is_some()).count()),
        since: started.and_then(rfc3339),
        age_s: started.map(|started| now_ms().saturating_sub(started) / 1000),
        file: topology.and_then(|set| set.file.as_ref()).map(|file| file.display().to_string()),
        dir: known.dir.path().display().to_string(),
    }
}

fn columns(sets: &[Row]) -> Vec<Column> {
    let column = |head, rank, figures, cell: &dyn Fn(&Row) -> String| Column {
        head,
        figures,
        rank,
        cells: sets.iter().map(|set| (cell(set), None)).collect(),
    };
    let plain = |text: Option<String>| text.unwrap_or_else(|| "-".into());
    let mut all = vec![
        column("SET", 0, false, &|set| set.name.clone()),
        column("STATE", 0, false, &|set| {
            match set.state {
                Life::Running => "running",
                Life::Unsupervised => "unsupervised",
                Life::Stopped => "stopped",
                Life::Damaged => "damaged",
            }
            .to_owned()
        }),
        column("UP", 1, true, &|set| plain(set.up.map(|up| format!("{up}/{}", set.ports.len())))),
        column("PORTS", 2, false, &|set| ranges(&set.ports)),
        column("AGE", 3, true, &|set| plain(set.age_s.map(duration))),
        column("FILE", 4, false, &|set| plain(set.file.clone())),
    ];
    if sets.iter().any(|set| !set.sentinels.is_empty()) {
        let cell = |set: &Row| match set.sentinels.len() {
            0 => "-".to_owned(),
            count => plain(set.sentinels_up.map(|up| format!("{up}/{count} on {}", ranges(&set.sentinels)))),
        };
        all.insert(4, column("SENTINELS", 2, false, &cell));
    }
    all
}

/// Ports with runs drawn together: `6379-6381 7000`.
fn ranges(ports: &[u16]) -> String {
    let mut sorted = ports.to_vec();
    sorted.sort_unstable();
    let mut runs: Vec<(u16, u16)> = Vec::new();
    for port in sorted {
        match runs.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(port) => *last = port,
            _ => runs.push((port, port)),
        }
    }
    let drawn = |(first, last): (u16, u16)| match last - first {
        0 => first.to_string(),
        1 => format!("{first} {last}"),
        _ => format!("{first}-{last}"),
    };
    runs.into_iter().map(drawn).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_ports_are_drawn_together() {
        assert_eq!(ranges(&[6380, 6379, 6381, 7000]), "6379-6381 7000");
        assert_eq!(ranges(&[7001, 7000, 65535]), "7000 7001 65535");
        assert_eq!(ranges(&[]), "");
    }
}

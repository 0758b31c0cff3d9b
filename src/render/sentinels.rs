//! The Sentinels of a set as a table: a row for each master that one of them watches.

use super::Painter;
use super::style::{Marks, marks};
use super::table::{Column, table};
use crate::node::sentinel::Master;
use crate::status::{SentinelStatus, Vigil};

/// A heading and a row for each.
#[must_use]
pub fn sentinels(list: &[SentinelStatus], painter: &Painter) -> Vec<String> {
    let marks = marks(painter);
    let rows: Vec<(&SentinelStatus, Option<&Master>)> = list
        .iter()
        .flat_map(|sentinel| match sentinel.masters.is_empty() {
            true => vec![(sentinel, None)],
            false => sentinel.masters.iter().map(|master| (sentinel, Some(master))).collect(),
        })
        .collect();
    let column = |head, rank, figures, cell: &dyn Fn(&SentinelStatus, Option<&Master>) -> String| Column {
        head,
        figures,
        rank,
        cells: rows.iter().map(|(sentinel, master)| (cell(sentinel, *master), None)).collect(),
    };
    let of = |figure: fn(&Master) -> String| {
        move |_: &SentinelStatus, master: Option<&Master>| master.map_or_else(|| "-".into(), figure)
    };
    let columns = vec![
        column("SENTINEL", 0, false, &|sentinel, _| sentinel.port.to_string()),
        column("STATE", 0, false, &|sentinel, _| {
            format!("{} {}", mark(sentinel.state, &marks), sentinel.state.word())
        }),
        column("MASTER", 1, true, &of(|master| master.port.to_string())),
        column("REPLICAS", 3, true, &of(|master| master.replicas.to_string())),
        column("OTHERS", 2, true, &of(|master| master.others.to_string())),
        column("QUORUM", 4, true, &of(|master| master.quorum.to_string())),
    ];
    table(columns, false, painter)
}

fn mark(state: Vigil, marks: &Marks) -> &'static str {
    match state {
        Vigil::Watching => marks.well,
        Vigil::Doubting | Vigil::Unresponsive => "?",
        Vigil::Starting | Vigil::Stopped => marks.idle,
        Vigil::Paused => "||",
        Vigil::Crashed => marks.bad,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_row_for_each_master_that_is_watched() {
        let master = |port| Master {
            name: "lab".into(),
            host: "127.0.0.1".into(),
            port,
            replicas: 2,
            others: 1,
            quorum: 2,
            epoch: 0,
            in_doubt: false,
        };
        let sentinel = |port, state, masters| SentinelStatus {
            port,
            state,
            pid: None,
            masters,
            reason: None,
            fix: None,
        };
        let list = [
            sentinel(26_379, Vigil::Watching, vec![master(6381)]),
            sentinel(26_380, Vigil::Crashed, Vec::new()),
        ];
        assert_eq!(
            sentinels(&list, &Painter::plain()),
            [
                "SENTINEL  STATE       MASTER  REPLICAS  OTHERS  QUORUM",
                "26379     ✓ watching    6381         2       1       2",
                "26380     ✘ crashed        -         -       -       -",
            ]
        );
    }
}

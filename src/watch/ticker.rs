//! What happened, newest first, in plain words, and who caused it.

use super::Told;

/// How long after a verb its effect may come, in milliseconds.
const EFFECT: u64 = 3_000;

/// At most `room` lines, the newest first.
#[must_use]
pub fn ticker(told: &[Told], room: usize) -> Vec<String> {
    let lines = told.iter().enumerate().rev().take(room);
    lines
        .map(|(index, one)| {
            let node = one.happening.port.map_or_else(|| "-".to_owned(), |port| port.to_string());
            let text: String = one.happening.text.chars().filter(|c| !c.is_control()).collect();
            format!("{}  {node:>5}  {:<12}  {text}", one.clock, cause(told, index))
        })
        .collect()
}

/// Who caused a happening. A process that ended right after somebody asked for that ended for that reason, though its
/// own words do not tell.
fn cause(told: &[Told], index: usize) -> &'static str {
    let Some(one) = told.get(index) else { return "unknown" };
    let by = one.happening.by();
    let Some(port) = one.happening.port.filter(|_| by == "unknown") else { return by };
    let port = port.to_string();
    let earlier = told.get(..index).unwrap_or_default().iter().rev();
    let recent =
        earlier.take_while(|other| other.happening.at_ms.saturating_add(EFFECT) > one.happening.at_ms);
    let asked = recent.map(|other| other.happening.text.as_str()).any(|text| {
        let ends = ["rctl kill ", "rctl stop ", "rctl restart ", "rctl drill "];
        let ports = ends.iter().find_map(|verb| text.strip_prefix(verb));
        ports.is_some_and(|ports| ports.split([',', ' ']).any(|word| word == port))
    });
    if asked { "you" } else { by }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::supervise::event::Happening;

    fn told(at_ms: u64, port: Option<u16>, text: &str) -> Told {
        let happening = Happening::new(at_ms, port, text);
        Told { clock: format!("12:00:{:02}", at_ms / 1000), happening }
    }

    #[test]
    fn an_end_that_somebody_asked_for_is_theirs_and_any_other_is_nobodys() {
        let list = [
            told(1_000, None, "rctl kill 6380,6381"),
            told(1_100, Some(6381), "killed by SIGKILL"),
            told(1_200, Some(6379), "killed by SIGKILL"),
            told(9_000, Some(6380), "killed by SIGKILL\u{1b}[2J"),
            told(9_500, Some(6382), "autofailover: 6382 is chosen"),
        ];
        assert_eq!(
            ticker(&list, 4),
            [
                "12:00:09   6382  autofailover  autofailover: 6382 is chosen",
                "12:00:09   6380  unknown       killed by SIGKILL[2J",
                "12:00:01   6379  unknown       killed by SIGKILL",
                "12:00:01   6381  you           killed by SIGKILL",
            ]
        );
    }
}

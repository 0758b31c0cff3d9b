//! What fits: lines cut at the terminal's edge, and parts given room in the order of their weight.

/// A line of at most `width` characters. Escape codes take no room, and none is left switched on behind the cut.
#[must_use]
pub fn clip(line: &str, width: usize) -> String {
    let mut out = String::new();
    let (mut shown, mut styled) = (0, false);
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        if c == '\x1b' {
            styled = true;
            out.push(c);
            for c in chars.by_ref() {
                out.push(c);
                if c.is_ascii_alphabetic() {
                    break;
                }
            }
        } else if shown == width && !c.is_control() {
            if styled {
                out.push_str("\x1b[0m");
            }
            return out;
        } else if !c.is_control() {
            shown += 1;
            out.push(c);
        }
    }
    out
}

/// A line without its escape codes.
#[must_use]
pub fn plain(line: &str) -> String {
    let mut out = String::new();
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        if c != '\x1b' {
            out.push(c);
        } else if !chars.by_ref().any(|c| c.is_ascii_alphabetic()) {
            break;
        }
    }
    out
}

/// Words joined with two spaces between them, as many lines as `width` asks for.
#[must_use]
pub fn wrap(words: &[String], width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 2 + word.chars().count() <= width => {
                line.push_str("  ");
                line.push_str(word);
            }
            _ => lines.push(word.clone()),
        }
    }
    lines
}

/// The parts of a frame, from top to bottom.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parts {
    /// The heading and the head of the table.
    pub head: Vec<String>,
    /// A line per node.
    pub rows: Vec<String>,
    /// The row that has to be seen.
    pub at: usize,
    /// What is the matter.
    pub problems: Vec<String>,
    /// The offset race.
    pub race: Vec<String>,
    /// What happened, with its heading.
    pub events: Vec<String>,
    /// Questions, messages, keys.
    pub foot: Vec<String>,
}

/// Exactly `height` lines of at most `width` characters. The foot stays, then the table; problems, the race and the
/// events take what is left, and a part that would show nothing but its heading is left out.
#[must_use]
pub fn fit(mut parts: Parts, width: usize, height: usize) -> Vec<String> {
    let most = if height < 3 { height.saturating_sub(1) } else { height / 2 };
    while parts.foot.len() > most {
        // The first line says what it is about, the last what can be typed.
        parts.foot.remove(usize::from(most > 1));
    }
    let mut room = height - parts.foot.len();
    let mut lines = std::mem::take(&mut parts.head);
    // A head that leaves no row is worth less than the row.
    lines.truncate(room.saturating_sub(1).max(usize::from(parts.rows.is_empty() && room > 0)));
    room -= lines.len();
    let first = (parts.at + 1).saturating_sub(room).min(parts.rows.len().saturating_sub(room));
    let rows: Vec<String> = parts.rows.into_iter().skip(first).take(room).collect();
    room -= rows.len();
    lines.extend(rows);
    for (part, least) in [(parts.problems, 1), (parts.race, 2), (parts.events, 2)] {
        if !part.is_empty() && room > least {
            lines.push(String::new());
            let part: Vec<String> = part.into_iter().take(room - 1).collect();
            room -= part.len() + 1;
            lines.extend(part);
        }
    }
    lines.extend(std::iter::repeat_n(String::new(), room));
    lines.extend(parts.foot);
    lines.into_iter().map(|line| clip(&line, width)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_line_counts_no_escape_codes_and_leaves_none_on() {
        assert_eq!(clip("a\x1b[31mbcd\x1b[39me", 3), "a\x1b[31mbc\x1b[0m");
        assert_eq!(clip("abc", 3), "abc");
        assert_eq!(clip("a\u{7}b\x1b", 9), "ab\x1b");
        assert_eq!(plain("a\x1b[31mb\x1b[39mc\x1b["), "abc");
    }

    #[test]
    fn every_size_is_filled_exactly_and_the_row_that_matters_is_seen() {
        for height in 1..40 {
            for width in [1, 2, 7, 80] {
                let numbered = |n: usize| (0..n).map(|n| format!("row{n}")).collect::<Vec<_>>();
                let parts = Parts {
                    head: numbered(3),
                    rows: (0..9).map(|n| format!("node{n}")).collect(),
                    at: 8,
                    problems: numbered(2),
                    race: numbered(10),
                    events: numbered(5),
                    foot: numbered(2),
                };
                let lines = fit(parts, width, height);
                assert_eq!(lines.len(), height);
                assert!(lines.iter().all(|line| line.chars().count() <= width));
                assert!(width < 7 || lines.iter().any(|line| line == "node8"), "{height}: {lines:?}");
            }
        }
    }
}

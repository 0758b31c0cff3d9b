//! The foot of a frame: a question and its consequence, else what is at work, what came of it, and what can be typed.

use super::Screen;
use crate::status::State;
use crate::watch::layout::wrap;

/// After this long without a round, in milliseconds, the frame says how old it is.
const OLD: u64 = 3_000;

impl Screen {
    /// Its lines, for a width.
    pub(super) fn foot(&self, width: usize) -> Vec<String> {
        let mut lines = Vec::new();
        if let Some(why) = &self.lost {
            lines.push(format!("the set cannot be looked at: {why}"));
        }
        let age = self.now.report.as_ref().map_or(0, |report| self.clock_ms.saturating_sub(report.asked_ms));
        if self.held.is_none() && age >= OLD {
            lines.push(format!("this is {} s old", age / 1000));
        }
        if let Some(question) = &self.asking {
            lines.extend(question.lines.iter().cloned());
            if question.ready {
                lines.push(format!("y {}   any other key leaves it", question.change.typed()));
            }
            return lines;
        }
        if let Some(change) = self.busy {
            let then = if self.leaving { ", then leaving; q again leaves now" } else { "" };
            lines.push(format!("{} is at work{then}", change.typed()));
        }
        lines.extend(self.message.iter().cloned());
        lines.extend(wrap(&self.keys(), width));
        lines
    }

    /// What can be typed now.
    fn keys(&self) -> Vec<String> {
        let mut keys = Vec::new();
        if self.held.is_some() {
            keys.push("FROZEN".to_owned());
        }
        keys.push(if self.painter.ascii { "up/down select" } else { "↑↓ select" }.to_owned());
        if let (false, Some(node)) = (self.read_only, self.node()) {
            keys.push(format!("{}:", node.port));
            keys.push("p promote".to_owned());
            keys.push("k kill".to_owned());
            keys.push(if node.state == State::Paused { "z resume" } else { "z pause" }.to_owned());
            keys.push("c cut".to_owned());
            keys.push("h heal".to_owned());
        }
        if self.read_only {
            keys.push("read only".to_owned());
        }
        match self.held {
            Some(_) => keys.extend(["s step".to_owned(), "space go on".to_owned()]),
            None => keys.push("space freeze".to_owned()),
        }
        keys.push("q quit".to_owned());
        keys
    }
}

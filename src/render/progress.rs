//! Progress on long work, a line per node: lines that move on a terminal, plain lines elsewhere.
//!
//! Plain lines are written once per step, in the order in which the steps were seen, without escape codes.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Painter;
use super::console::Console;

/// One line per node.
pub struct Progress {
    console: Rc<Console>,
    lines: BTreeMap<u16, Line>,
    moving: Option<MultiProgress>,
    ascii: bool,
}

struct Line {
    label: String,
    said: String,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// Lines for nodes, each with its label.
    #[must_use]
    pub fn new(
        painter: Painter,
        console: &Rc<Console>,
        nodes: impl IntoIterator<Item = (u16, String)>,
    ) -> Self {
        let moving = (painter.talk_terminal && !console.quiet())
            .then(|| MultiProgress::with_draw_target(ProgressDrawTarget::stderr()));
        let frames = if painter.ascii { "|/-\\*" } else { "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏✓" };
        let style = ProgressStyle::with_template("{spinner} {prefix:<16} {msg}")
            .unwrap_or_else(|_| ProgressStyle::default_spinner())
            .tick_chars(frames);
        let line = |(port, label): (u16, String)| {
            let bar = moving.as_ref().map(|moving| {
                let bar = moving
                    .add(ProgressBar::new_spinner().with_style(style.clone()).with_prefix(label.clone()));
                bar.enable_steady_tick(Duration::from_millis(80));
                bar
            });
            (port, Line { label, said: String::new(), bar })
        };
        let lines = nodes.into_iter().map(line).collect();
        Self { console: Rc::clone(console), lines, moving, ascii: painter.ascii }
    }

    /// A node has come to another step. The same step twice is said once; `done` is the last one.
    pub fn step(&mut self, port: u16, text: &str, done: bool) {
        let Some(line) = self.lines.get_mut(&port) else { return };
        if line.said == text {
            return;
        }
        text.clone_into(&mut line.said);
        match &line.bar {
            Some(bar) if done => bar.finish_with_message(text.to_owned()),
            Some(bar) => bar.set_message(text.to_owned()),
            None if done => {
                let mark = if self.ascii { "*" } else { "✓" };
                self.console.talk(&format!("{mark} {} {text}", line.label));
            }
            None => self.console.talk(&format!("  {} {text}", line.label)),
        }
    }

    /// Takes moving lines away, before an error is printed in their place.
    pub fn clear(&self) {
        if let Some(moving) = &self.moving {
            // A terminal that went away is nobody's loss.
            let _ = moving.clear();
        }
    }
}

//! Marks and colours. Healthy has no colour, so colour always means "look here"; a state is never colour alone.

use comfy_table::Color;

use super::Painter;
use crate::status::State;

/// The characters of a screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Marks {
    /// All is well.
    pub well: &'static str,
    /// Something needs attention.
    pub bad: &'static str,
    /// Bytes are being copied; also: a circle goes on elsewhere.
    pub sync: &'static str,
    /// A link is broken.
    pub broken: &'static str,
    /// It passes by itself, or somebody wanted it.
    pub idle: &'static str,
    /// Between parts of a line.
    pub dot: &'static str,
    /// Before a child that has younger siblings.
    pub branch: &'static str,
    /// Before the last child.
    pub last: &'static str,
    /// Below a child that has younger siblings.
    pub trunk: &'static str,
}

const UNICODE: Marks = Marks {
    well: "✓",
    bad: "✘",
    sync: "↻",
    broken: "✗",
    idle: "…",
    dot: "·",
    branch: "├─ ",
    last: "└─ ",
    trunk: "│  ",
};

const ASCII: Marks = Marks {
    well: "*",
    bad: "X",
    sync: "o",
    broken: "x",
    idle: ".",
    dot: "-",
    branch: "|- ",
    last: "`- ",
    trunk: "|  ",
};

/// The characters that this reader's terminal has.
#[must_use]
pub fn marks(painter: &Painter) -> Marks {
    if painter.ascii { ASCII } else { UNICODE }
}

/// The mark of a state.
#[must_use]
pub fn mark(state: &State, marks: &Marks) -> &'static str {
    match state {
        State::InSync | State::Writable => marks.well,
        State::Held { .. } | State::Crashed { .. } => marks.bad,
        State::Stopped | State::Loading | State::Waiting => marks.idle,
        State::Paused => "||",
        State::Unresponsive { .. } | State::Foreign { .. } => "?",
        State::Diverged { .. } => "!=",
        State::Syncing { .. } => marks.sync,
        State::Cut | State::LinkDown { .. } | State::RefusingWrites { .. } => marks.broken,
        State::Stale { .. } => "~",
    }
}

/// The colour of a state, of the sixteen that every terminal's palette has; `None` for what is well.
#[must_use]
pub fn colour(state: &State) -> Option<Color> {
    match state {
        State::InSync | State::Writable => None,
        State::Held { .. }
        | State::Crashed { .. }
        | State::Unresponsive { .. }
        | State::Foreign { .. }
        | State::Diverged { .. } => Some(Color::DarkRed),
        State::Loading | State::Waiting | State::Syncing { .. } => Some(Color::DarkCyan),
        State::Paused | State::Stopped => Some(Color::DarkMagenta),
        State::Cut | State::LinkDown { .. } | State::Stale { .. } | State::RefusingWrites { .. } => {
            Some(Color::DarkYellow)
        }
    }
}

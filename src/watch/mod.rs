//! The live view as a value: rounds of looking, happenings, keys and sizes go in; frames of text and wishes come out.
//!
//! [`Screen`] decides what a frame shows and what a key means. It reads no clock, no terminal and no node: moments come
//! in as numbers and as the words to show for them. What changes something is only wished for, and carried out by the
//! verb's own file with the code of the verb that has the same name.
//!
//! Files: [`screen`] (what a key means, what is shown), [`layout`] (what of it fits), [`race`] (offsets over the backlog window), [`ticker`]
//! (happenings, and who caused them), [`consequence`] (what a change would do, with numbers), [`changes`] (two rounds
//! compared, for readers that are no terminal).

pub mod changes;
pub mod consequence;
pub mod layout;
pub mod race;
pub mod screen;
pub mod ticker;

pub use screen::Screen;

use crate::status::StatusReport;
use crate::supervise::event::Happening;

/// Everything that can happen to a screen.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A round of looking at every node.
    Round {
        /// What was seen.
        report: Box<StatusReport>,
        /// The moment, as the reader's clock has it.
        clock: String,
    },
    /// Lines of `events.jsonl`, oldest first.
    Happened(Vec<Told>),
    /// Somebody typed.
    Key(Key),
    /// The terminal has this size, in characters.
    Resize {
        /// Columns.
        width: u16,
        /// Lines.
        height: u16,
    },
    /// Time has passed: milliseconds since the Unix epoch.
    Tick(u64),
    /// The answer to [`Action::Outlook`].
    Outlook {
        /// The node.
        port: u16,
        /// What a promotion would do, a line each; or why it is refused.
        said: Result<Vec<String>, Vec<String>>,
    },
    /// The end of [`Action::Do`], in words.
    Ended(Vec<String>),
    /// The nodes cannot be looked at, and why.
    Lost(String),
}

/// One key, as far as the screen cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// A character.
    Char(char),
    /// The node above.
    Up,
    /// The node below.
    Down,
    /// Leave a question.
    Escape,
    /// Leave the view: Ctrl-C.
    Interrupt,
}

/// Everything a screen can want done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Give the terminal back and end.
    Quit,
    /// Say what a promotion of the node would do, and change nothing.
    Outlook(u16),
    /// Carry out a change.
    Do(Change),
}

/// A change of one node, by the verb of the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Make it the master.
    Promote(u16),
    /// SIGKILL.
    Kill(u16),
    /// SIGSTOP.
    Pause(u16),
    /// SIGCONT.
    Resume(u16),
    /// Cut its link to its upstream.
    Cut(u16),
    /// Take the faults of its links away.
    Heal(u16),
}

impl Change {
    /// The verb and the node, as they would be typed after `rctl`.
    #[must_use]
    pub fn typed(self) -> String {
        match self {
            Self::Promote(port) => format!("promote {port}"),
            Self::Kill(port) => format!("kill {port}"),
            Self::Pause(port) => format!("pause {port}"),
            Self::Resume(port) => format!("resume {port}"),
            Self::Cut(port) => format!("cut {port}"),
            Self::Heal(port) => format!("heal {port}"),
        }
    }
}

/// A happening, and its moment as the reader's clock has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// `12:04:31`.
    pub clock: String,
    /// What happened.
    pub happening: Happening,
}

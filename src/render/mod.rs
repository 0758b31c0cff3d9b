//! Paint: values in, text out, no logic.

pub mod console;
pub mod faults;
pub mod graph;
pub mod progress;
pub mod sentinels;
pub mod status;
pub mod style;
pub mod table;
pub mod tree;

/// How to paint for whoever reads: decided once, from the flags and the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Painter {
    /// Columns of the terminal; 80 where there is none.
    pub width: u16,
    /// Colour on stdout.
    pub colour: bool,
    /// ASCII characters only.
    pub ascii: bool,
    /// Stdout is a terminal.
    pub terminal: bool,
    /// Stderr is a terminal: progress may move the cursor there.
    pub talk_terminal: bool,
}

impl Painter {
    /// A painter for a pipe: 80 columns, no colour, Unicode marks.
    pub fn plain() -> Self {
        Self { width: 80, colour: false, ascii: false, terminal: false, talk_terminal: false }
    }
}

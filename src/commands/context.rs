//! What every verb is given: where the state is, how to paint, where to write, how long to wait.

use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use crate::render::Painter;
use crate::render::console::Console;

/// The surroundings of one invocation.
pub struct Ctx {
    /// The directory that holds a directory per set.
    pub state_root: PathBuf,
    /// `--topology` or `RCTL_TOPOLOGY`.
    pub topology: Option<String>,
    /// How to paint.
    pub painter: Painter,
    /// Where to write.
    pub console: Rc<Console>,
    /// Echo each Redis command with its reply.
    pub show_commands: bool,
    /// How long to wait for a node.
    pub timeouts: Timeouts,
}

impl Ctx {
    /// The same surroundings, with one set chosen.
    #[must_use]
    pub fn on(&self, set: &str) -> Self {
        Self {
            state_root: self.state_root.clone(),
            topology: Some(set.to_owned()),
            painter: self.painter,
            console: Rc::clone(&self.console),
            show_commands: self.show_commands,
            timeouts: self.timeouts,
        }
    }
}

/// Bounds of one network call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Asking a node something.
    pub look: Duration,
    /// Making a node change.
    pub change: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { look: Duration::from_millis(400), change: Duration::from_secs(5) }
    }
}

//! What every verb is given: where the state is, how to paint, where to write, how long to wait.

use std::path::{Path, PathBuf};
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

/// The directory that holds a directory per set: as asked for, else by the environment; `None` where neither says.
#[must_use]
pub fn state_root(asked: Option<&Path>) -> Option<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    asked
        .map(Path::to_owned)
        .or_else(|| set("RCTL_STATE_DIR"))
        .map(|path| std::path::absolute(&path).unwrap_or(path))
        .or_else(|| set("XDG_STATE_HOME").filter(|path| path.is_absolute()).map(|path| path.join("rctl")))
        .or_else(|| set("HOME").map(|home| home.join(".local/state/rctl")))
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

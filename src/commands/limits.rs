//! File descriptors: a set is not begun that its supervisor could not hold.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::error::{Error, Exit, Result};

/// What a supervisor, or an rctl that waits for its nodes, has open besides.
const BASE: u64 = 32;
/// For each node: its connection, its end, and what is open for a moment.
const PER_NODE: u64 = 4;

/// Raises this process's own limit as far as that many processes need it; a supervisor that is started inherits it.
///
/// # Errors
/// The system allows fewer.
pub(super) fn enough_for(processes: usize) -> Result<()> {
    let needed = BASE + PER_NODE * processes as u64;
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else { return Ok(()) };
    if soft >= needed {
        return Ok(());
    }
    if hard >= needed && setrlimit(Resource::RLIMIT_NOFILE, needed, hard).is_ok() {
        return Ok(());
    }
    let what = format!(
        "{processes} processes need {needed} file descriptors, and {hard} are allowed; nothing was started"
    );
    Err(Error::new(Exit::Environment, what).hint(format!("ulimit -n {needed}")))
}

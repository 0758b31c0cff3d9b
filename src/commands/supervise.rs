//! `rctl supervise DIR`: the detached supervisor itself. Hidden; `up` starts it.

use super::Outcome;
use crate::cli::SuperviseArgs;
use crate::error::Result;
use crate::supervise::launch;
use crate::supervise::state_dir::SetDir;

/// Supervises until everything is down.
///
/// # Errors
/// The supervisor cannot come up.
pub async fn run(args: &SuperviseArgs) -> Result<Outcome> {
    launch::supervise(SetDir::at(args.dir.clone())).await?;
    Ok(Outcome::done(""))
}

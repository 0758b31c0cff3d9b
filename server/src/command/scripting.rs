//! Scripts and functions: known by name, and refused by name, as there is nothing here that runs them.

use super::context::Context;
use super::error::Failure;
use crate::resp::Args;

/// `EVAL`, `FCALL`, `SCRIPT`, `FUNCTION` and all that belongs to them.
pub fn refused(_: &mut Context<'_>, _: Args<'_>) -> Result<(), Failure> {
    Err(Failure::fixed(
        "ERR scripting is not built into this server yet: scripts and functions cannot be loaded or run",
    ))
}

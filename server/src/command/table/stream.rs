//! Streams.

use crate::command::spec::Command;

#[rustfmt::skip]
pub(super) const ROWS: &[Command] = &[
];

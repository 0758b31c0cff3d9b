//! The configuration: every directive, typed, with its aliases and defaults.

/// Settings in force.
#[derive(Debug, Clone, Default)]
pub struct Config {}

//! Keeping it true: the pure `Supervisor` ((event, now) → actions) and the thin runtime around it.

pub mod facts;

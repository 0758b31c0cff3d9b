//! Changing who follows whom, on live servers: the steps that `plan` has decided, carried out.
//!
//! Reading order: [`fleet`] (one line to each node, every command echoed), [`look`] (the set as it is now),
//! [`carry_out`] (step by step, and back again on failure). What survives being killed half-way is in
//! [`crate::supervise::journal`].
//!
//! Invariants: nothing is decided here; what a step means when it fails is written in the step. Every call to a node
//! has a timeout. The intent is on the disk before the first command is sent and gone after the last.

pub mod carry_out;
pub mod fleet;
pub mod look;

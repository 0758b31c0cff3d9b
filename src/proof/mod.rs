//! Proof: writes that are numbered, the acknowledgement of each remembered, and what of them is there afterwards.
//!
//! Reading order: [`ledger`] (what was acknowledged, and what that says: pure), [`writer`] (clients that follow the
//! master and write).

pub mod ledger;
pub mod writer;

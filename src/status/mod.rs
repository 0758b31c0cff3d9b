//! Who follows whom, and is it true: one round of looking at every node, judged. Pure.
//!
//! A node's state comes from its process *and* the whole chain above it, not from `role:`. A frozen node looks healthy
//! in INFO, and the replica of a broken replica still says `up`: so nobody is judged alone.
//!
//! Reading order: [`figure`] (how figures are written), `look` (what goes in), `report` (what comes out), `chain` (who follows whom now), `history` (whose
//! data is whose), `judge` (the states, by precedence), `reason` (what to tell about them and what to type), `note` (what is
//! worth knowing besides), `sentinels` (who else watches).

pub mod figure;
mod look;
mod report;
mod chain;
mod history;
mod judge;
mod reason;
mod note;
mod sentinels;

pub use judge::judge;
pub use look::{Look, Round, Sight};
pub use report::{Blame, FaultStatus, Link, NodeStatus, Problem, Role, State, StatusReport};
pub use sentinels::{
    SentinelLook, SentinelStatus, Vigil, judge_sentinel, leave_to_them, moved, sentinel_problems,
};

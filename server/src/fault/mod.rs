//! Link faults: what may be wrong with the link between two nodes, and a way that bytes take late, slowly or never.
//!
//! Pure: time comes in, bytes come out. Two hands use it: the server's own shell, for links that it accepts, and the
//! controller's proxy, in front of servers that cannot do this themselves. Both so mean the same by a fault.
//!
//! Reading order: `rule` (what is wrong), `lane` (one direction of one connection).

mod lane;
mod rule;

pub use lane::{Lane, Out};
pub use rule::{Rule, read_rules};

//! The controller: a topology file in, a running and visible set of servers out.
//!
//! The rooms, bottom to top; each imports only rooms above it in this list. It is also the reading order.

pub mod error;
pub mod cli;
pub mod topology;
pub mod node;
pub mod fault;
pub mod proxy;
pub mod plan;
pub mod supervise;
pub mod status;
pub mod render;
pub mod watch;
pub mod handover;
pub mod proof;
pub mod prompt;
pub mod commands;

//! A world of nodes in one process: a fake network, fake clocks, fake disks, and every choice from one seed.
//!
//! ```text
//!   Chance ──▶ Campaign ──▶ World ──▶ Host (a Node, its disk) ◀──▶ Net (wires)
//!   (seed)     (what to do)   │                                      │
//!                             └──▶ Check ◀── Tap (what was said) ◀───┘
//!                                    └──▶ Canon (what every history is)
//! ```
//!
//! The nodes are the real ones: [`crate::node::Node`], as the shell drives it. Two drivers use the [`World`]: stories told
//! step by step in transcripts, and the [`campaign`], which does at random whatever can go wrong and asks a [`Check`] after
//! every input. The same seed always gives the same run, byte for byte; [`campaign::Outcome::hash`] says so in a number.
//!
//! Reading order: [`net`], [`asked`], [`host`], [`world`], then the judge: [`model`], [`canon`], [`tap`], [`check`], then the driver:
//! [`chance`], [`workload`], [`campaign`].

pub mod net;
pub mod asked;
pub mod host;
pub mod model;
pub mod canon;
pub mod tap;
pub mod check;
pub mod world;
pub mod chance;
pub mod workload;
pub mod campaign;

pub use campaign::{Campaign, Outcome};
pub use check::Check;
pub use world::World;

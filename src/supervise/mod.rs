//! Keeping it true: the pure [`Supervisor`] ((event, now) → actions) and the thin runtime around it.
//!
//! Reading order: `facts` and `request` are what can be said over the control socket; `event` is the whole
//! vocabulary between the decider and the doer; `guard`, `unit` and `supervisor` decide and touch nothing;
//! `identity`, `owner`, `process`, `state_dir`, `control`, `runtime` and `launch` do.

pub mod control;
pub mod event;
pub mod facts;
pub mod guard;
pub mod happening;
pub mod identity;
mod inspect;
pub mod journal;
pub mod launch;
pub mod owner;
pub mod process;
pub mod request;
pub mod runtime;
pub mod state_dir;
pub mod supervisor;
mod survey;
mod unit;

pub use supervisor::Supervisor;

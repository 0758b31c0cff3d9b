//! What can be asked: one table of commands, and the handlers of those that only touch data.
//!
//! A row's handler is either a *data* function, which sees the keyspace, the time, a reply writer and the
//! effects it has ([`context::Context`]), or a *control* variant that the node matches exhaustively. So most
//! commands can be tested with no server at all, and the table still lists everything.

pub mod context;
pub mod effects;
pub mod error;
pub mod spec;

pub use context::Context;
pub use effects::Effects;
pub use error::Failure;
pub use spec::{Command, Control, Handler};

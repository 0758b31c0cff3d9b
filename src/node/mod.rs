//! One live server seen from outside: a client, what runs it, what INFO says, what its data directory holds.

pub mod client;
pub mod engine;
pub mod observe;
pub mod saved;
pub mod sentinel;

//! One live server seen from outside: a client, what runs it, what INFO says.

pub mod client;
pub mod observe;

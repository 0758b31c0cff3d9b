//! Replication with real peers: Debian's redis-server 7.0, redis-server 6.2, redis-cli, redis-sentinel.
//!
//! Each test starts real processes on ports of its own. A peer that is not on this machine is said loudly, and the
//! test passes then; `RCTL_REQUIRE_REDIS` makes that a failure, as it is in CI. `RCTL_REDIS_62` names the 6.2 binary, `RCTL_CLIENTS` the
//! directory with the client libraries.
//! `RCTL_SEED` replays the seeded rounds of a failure. A story that fails prints the end of each node's log.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod client;
mod ports;
mod node;
mod load;
mod compare;
mod rogue;

mod places;
mod cuts;
mod roles;
mod streams;
mod sentinels;
mod libraries;
mod migrate;
mod soak;
mod forms;
mod tools;
mod hostile_masters;
mod hostile_clients;

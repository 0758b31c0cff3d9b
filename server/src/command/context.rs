//! What a data handler may touch.

use crate::command::effects::Effects;
use crate::data::Rng;
use crate::keyspace::Keyspace;
use crate::resp::Reply;

/// What a key past its deadline looks like to this command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiry {
    /// A client of a master: it is deleted, and the deletion is an effect.
    Delete,
    /// A client of a replica, or writes are paused: it is invisible but stays.
    Hide,
    /// The master's stream: it is alive until the master says otherwise.
    Ignore,
}

/// Settings that data commands read; the node's configuration keeps them current.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// `lazyfree-lazy-expire`: an expired key is propagated as UNLINK, not DEL.
    pub lazy_expire: bool,
    /// `lazyfree-lazy-user-del`: DEL frees in slices, as UNLINK does.
    pub lazy_user_del: bool,
    /// `lazyfree-lazy-user-flush`: FLUSHALL and FLUSHDB without an option free in slices.
    pub lazy_user_flush: bool,
    /// `proto-max-bulk-len`: the longest string a command may make, in bytes.
    pub max_string: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { lazy_expire: true, lazy_user_del: true, lazy_user_flush: true, max_string: 512 << 20 }
    }
}

/// Everything a data command sees: no clock, no connection, no configuration file.
#[derive(Debug)]
pub struct Context<'a> {
    /// All databases.
    pub keyspace: &'a mut Keyspace,
    /// The selected database.
    pub db: usize,
    /// Milliseconds since the Unix epoch, one reading per turn.
    pub now_ms: u64,
    /// How expired keys look.
    pub expiry: Expiry,
    /// Seeded randomness.
    pub rng: &'a mut Rng,
    /// Where the reply goes.
    pub reply: &'a mut Reply,
    /// What the command did.
    pub effects: &'a mut Effects,
    /// Current settings.
    pub settings: &'a Settings,
}

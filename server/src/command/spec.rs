//! What a row of the command table is.

use crate::command::{Context, Failure};
use crate::resp::Args;

/// A handler that only touches data.
pub type DataHandler = fn(&mut Context<'_>, Args<'_>) -> Result<(), Failure>;

/// What runs a command.
#[derive(Debug, Clone, Copy)]
pub enum Handler {
    /// A function of data.
    Data(DataHandler),
    /// A message to the node.
    Control(Control),
    /// A container (`CONFIG`): its subcommands are rows of their own, named `config|get`.
    Container,
}

/// Commands that need the server, not just its data. The node matches them exhaustively.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each variant is the command of that name; the table documents it")]
pub enum Control {
    Auth,
    Hello,
    Quit,
    Reset,
    Ping,
    Select,
    ClientId,
    ClientList,
    ClientInfo,
    ClientSetName,
    ClientGetName,
    ClientSetInfo,
    ClientKill,
    ClientPause,
    ClientUnpause,
    ClientReply,
    ClientNoEvict,
    ClientNoTouch,
    ClientUnblock,
    ConfigGet,
    ConfigSet,
    ConfigRewrite,
    ConfigResetStat,
    Info,
    Role,
    ReplicaOf,
    Psync,
    Sync,
    Replconf,
    Wait,
    Failover,
    Multi,
    Exec,
    Discard,
    Watch,
    Unwatch,
    Save,
    BgSave,
    LastSave,
    Shutdown,
    Monitor,
    Subscribe,
    Unsubscribe,
    PSubscribe,
    PUnsubscribe,
    Publish,
    PubsubChannels,
    PubsubNumSub,
    PubsubNumPat,
    DebugSleep,
    DebugDigest,
    DebugPopulate,
    DebugSetActiveExpire,
    DebugReload,
    DebugJmap,
    DebugObject,
    /// A DEBUG subcommand that is accepted and does nothing here.
    DebugIgnored,
    MemoryUsage,
    Slowlog,
    Latency,
    /// `POST` and `Host:`: a browser talking to us.
    CrossProtocol,
}

/// What gates read, and what COMMAND reports. A bit set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flags(pub u32);

impl Flags {
    /// May change data: refused on a read-only replica.
    pub const WRITE: Self = Self(1);
    /// Reads data, changes nothing.
    pub const READONLY: Self = Self(1 << 1);
    /// Refused when out of memory.
    pub const DENYOOM: Self = Self(1 << 2);
    /// An administrator's command.
    pub const ADMIN: Self = Self(1 << 3);
    /// Publishes or subscribes.
    pub const PUBSUB: Self = Self(1 << 4);
    /// Refused in scripts.
    pub const NOSCRIPT: Self = Self(1 << 5);
    /// May block its client.
    pub const BLOCKING: Self = Self(1 << 6);
    /// Allowed while loading.
    pub const LOADING: Self = Self(1 << 7);
    /// Allowed on a replica with stale data.
    pub const STALE: Self = Self(1 << 8);
    /// Not shown to MONITOR.
    pub const SKIP_MONITOR: Self = Self(1 << 9);
    /// Constant or logarithmic time.
    pub const FAST: Self = Self(1 << 10);
    /// Allowed before authentication.
    pub const NO_AUTH: Self = Self(1 << 11);
    /// Refused inside MULTI.
    pub const NO_MULTI: Self = Self(1 << 12);
    /// Keys cannot be told from positions alone.
    pub const MOVABLE_KEYS: Self = Self(1 << 13);
    /// Writes held back by CLIENT PAUSE WRITE though not WRITE itself (PUBLISH, PFCOUNT).
    pub const MAY_REPLICATE: Self = Self(1 << 14);
    /// Allowed while another command runs long (BUSY).
    pub const ALLOW_BUSY: Self = Self(1 << 15);
    /// Not counted in slow logs.
    pub const SKIP_SLOWLOG: Self = Self(1 << 16);

    /// Both sets.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// All of `other` are set.
    #[must_use]
    #[inline]
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// Which arguments are keys, counted from the command's name as 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keys {
    /// None.
    None,
    /// From `first` to `last` (negative counts from the end), every `step`.
    Range {
        /// Position of the first key.
        first: i16,
        /// Position of the last key; -1 is the last argument.
        last: i16,
        /// Distance between keys.
        step: i16,
    },
    /// Argument `count` says how many keys follow it.
    Counted {
        /// Position of the count.
        count: i16,
    },
}

/// One row of the table: everything there is to know about a command.
#[derive(Debug, Clone, Copy)]
pub struct Command {
    /// Lower case; a subcommand is `container|sub`.
    pub name: &'static str,
    /// Arguments with the name; negative means at least that many. For subcommands both words count.
    pub arity: i16,
    /// What gates read.
    pub flags: Flags,
    /// Which arguments are keys.
    pub keys: Keys,
    /// What runs it.
    pub handler: Handler,
    /// Arguments in the usual notation: `key value [NX | XX] [GET]`.
    pub synopsis: &'static str,
    /// One sentence.
    pub summary: &'static str,
    /// The Redis version it appeared in.
    pub since: &'static str,
    /// `O(1)` and the like.
    pub complexity: &'static str,
    /// `string`, `generic`, `connection`, `server`, `transactions`, `pubsub`.
    pub group: &'static str,
}

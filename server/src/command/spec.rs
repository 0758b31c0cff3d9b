//! What a row of the command table is.
//!
//! A row is built by two `const` calls, [`row`] for the machine and [`Command::doc`] for people, so that the table is a
//! plain static and a mistake in it does not compile.

use crate::command::{Context, Failure};
use crate::resp::Args;

/// A handler that only touches data. When it fails, whoever called it takes back what it has written to the reply; it has
/// changed nothing, except that expired keys it met may be gone.
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
    ClientCaching(Caching),
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
    Migrate,
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
    SSubscribe,
    SUnsubscribe,
    Publish,
    SPublish,
    PubsubChannels,
    PubsubShardChannels,
    PubsubNumSub,
    PubsubShardNumSub,
    PubsubNumPat,
    DebugSleep,
    /// `DEBUG LINK`.
    DebugLink,
    DebugDigest,
    DebugPopulate,
    DebugSetActiveExpire,
    DebugReload,
    DebugJmap,
    DebugObject,
    /// `DEBUG LISTPACK`, `DEBUG QUICKLIST` and `DEBUG QUICKLIST-PACKED-THRESHOLD`.
    DebugEncoding,
    /// A DEBUG subcommand that is accepted and does nothing here.
    DebugIgnored,
    MemoryUsage,
    MemoryStats,
    MemoryDoctor,
    MemoryMallocStats,
    MemoryPurge,
    Slowlog,
    Latency,
    /// `POST` and `Host:`: a browser talking to us.
    CrossProtocol,
}

/// The subcommands of CLIENT about client-side caching.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each variant is the subcommand of that name; the table documents it")]
pub enum Caching {
    Tracking,
    Caching,
    GetRedir,
    TrackingInfo,
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
    /// Refused while a replica loads a new data set beside the old one.
    pub const NO_ASYNC_LOADING: Self = Self(1 << 17);
    /// May be called without a key.
    pub const NO_MANDATORY_KEYS: Self = Self(1 << 18);

    /// The names COMMAND INFO gives to the flags it reports; [`Flags::MAY_REPLICATE`] is not one of them.
    const NAMES: [(Self, &'static str); 18] = [
        (Self::WRITE, "write"),
        (Self::READONLY, "readonly"),
        (Self::DENYOOM, "denyoom"),
        (Self::ADMIN, "admin"),
        (Self::PUBSUB, "pubsub"),
        (Self::NOSCRIPT, "noscript"),
        (Self::BLOCKING, "blocking"),
        (Self::LOADING, "loading"),
        (Self::STALE, "stale"),
        (Self::SKIP_MONITOR, "skip_monitor"),
        (Self::SKIP_SLOWLOG, "skip_slowlog"),
        (Self::FAST, "fast"),
        (Self::NO_AUTH, "no_auth"),
        (Self::NO_ASYNC_LOADING, "no_async_loading"),
        (Self::NO_MULTI, "no_multi"),
        (Self::NO_MANDATORY_KEYS, "no_mandatory_keys"),
        (Self::MOVABLE_KEYS, "movablekeys"),
        (Self::ALLOW_BUSY, "allow_busy"),
    ];

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

    /// The flags that are set, as COMMAND INFO names them.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMES.iter().filter(move |(flag, _)| self.has(*flag)).map(|&(_, name)| name)
    }
}

/// Where some keys of a command are, and what happens to them. Positions count from the command's name as 0.
///
/// Source of the model: <https://redis.io/docs/latest/develop/reference/key-specs/>.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeySpec {
    /// Where to begin.
    pub begin: Begin,
    /// How to go on from there.
    pub find: Find,
    /// What happens to them, in COMMAND INFO's words: `RO`, `RW`, `OW` or `RM`, then `access`, `update`, `insert`, `delete`;
    /// or [`NOT_KEY`].
    pub access: &'static str,
}

/// What happens to names that stand where keys do and are none: shard channels.
pub const NOT_KEY: &str = "not_key";

/// Where the search for keys begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begin {
    /// At this position.
    Index(i16),
    /// Behind this word, searched for from a position on; a negative one counts from the end, and the search goes back.
    Keyword(&'static str, i16),
    /// It cannot be said: names follow from data, or the word may stand anywhere. Behind the last word of this name, for those
    /// who ask about a request; nowhere when it is empty.
    Unknown(&'static str),
}

/// Which arguments are keys, from where the search begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Find {
    /// Every `step`th one up to the last.
    Range {
        /// The last key: as a distance from the first, or, when negative, from the end (-1 is the last argument).
        last: i16,
        /// Distance between keys.
        step: i16,
        /// With a `last` of -1, only the first 1/limit of the arguments; 0 and 1 for all of them.
        limit: i16,
    },
    /// As many as a number among the arguments says.
    Count {
        /// Distance of the number.
        at: i16,
        /// Distance of the first key.
        first: i16,
    },
    /// It cannot be said.
    Unknown,
}

/// Keys of which COMMAND says only that they are there; those behind the last `word` are known once there is a request.
#[must_use]
pub const fn unknown(word: &'static str, access: &'static str) -> KeySpec {
    KeySpec { begin: Begin::Unknown(word), find: Find::Unknown, access }
}

/// One key at `first`.
#[must_use]
pub const fn at(first: i16, access: &'static str) -> KeySpec {
    range(first, 0, 1, access)
}

/// Keys from `first` on: the [`KeySpec`] with these fields.
#[must_use]
pub const fn range(first: i16, last: i16, step: i16, access: &'static str) -> KeySpec {
    KeySpec { begin: Begin::Index(first), find: Find::Range { last, step, limit: 0 }, access }
}

/// Keys behind their number, which stands at `number`.
#[must_use]
pub const fn counted(number: i16, access: &'static str) -> KeySpec {
    KeySpec { begin: Begin::Index(number), find: Find::Count { at: 0, first: 1 }, access }
}

/// Keys behind a word, which is searched for from position `from` on.
#[must_use]
pub const fn behind(word: &'static str, from: i16, last: i16, limit: i16, access: &'static str) -> KeySpec {
    KeySpec { begin: Begin::Keyword(word, from), find: Find::Range { last, step: 1, limit }, access }
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
    /// Categories that do not follow from the flags, separated by spaces; see [`Command::categories`].
    pub acl: &'static str,
    /// Which arguments are keys.
    pub keys: &'static [KeySpec],
    /// What runs it.
    pub handler: Handler,
    /// Its subcommands; rows of their own.
    pub subcommands: &'static [Command],
    /// Arguments in the usual notation: `key value [NX | XX] [GET]`.
    pub synopsis: &'static str,
    /// What it does, in a few words.
    pub summary: &'static str,
    /// The Redis version it appeared in.
    pub since: &'static str,
    /// `O(1)` and the like.
    pub complexity: &'static str,
    /// `string`, `generic`, `connection`, `server`, `transactions`, `pubsub`.
    pub group: &'static str,
    /// Hints for cluster clients, separated by spaces.
    pub tips: &'static str,
}

/// The machine's half of a row: name, arity, flags, extra categories, keys, handler.
#[must_use]
pub const fn row(
    name: &'static str,
    arity: i16,
    flags: u32,
    acl: &'static str,
    keys: &'static [KeySpec],
    handler: Handler,
) -> Command {
    Command {
        name,
        arity,
        flags: Flags(flags | if are_movable(keys) { Flags::MOVABLE_KEYS.0 } else { 0 }),
        acl,
        keys,
        handler,
        subcommands: &[],
        synopsis: "",
        summary: "",
        since: "",
        complexity: "",
        group: "",
        tips: "",
    }
}

/// Whether some keys cannot be told from positions alone.
const fn are_movable(keys: &[KeySpec]) -> bool {
    let mut at = 0;
    while at < keys.len() {
        if !matches!((keys[at].begin, keys[at].find), (Begin::Index(_), Find::Range { .. })) {
            return true;
        }
        at += 1;
    }
    false
}

impl Command {
    /// The human half of a row.
    #[must_use]
    pub const fn doc(
        mut self,
        synopsis: &'static str,
        summary: &'static str,
        since: &'static str,
        complexity: &'static str,
        group: &'static str,
    ) -> Self {
        self.synopsis = synopsis;
        self.summary = summary;
        self.since = since;
        self.complexity = complexity;
        self.group = group;
        self
    }

    /// Hints for cluster clients.
    #[must_use]
    pub const fn tips(mut self, tips: &'static str) -> Self {
        self.tips = tips;
        self
    }

    /// Makes it a container of these subcommands.
    #[must_use]
    pub const fn subs(mut self, subcommands: &'static [Command]) -> Self {
        self.subcommands = subcommands;
        self
    }

    /// May a request of `count` arguments, names included, be this command.
    #[must_use]
    #[inline]
    pub fn takes(&self, count: usize) -> bool {
        let wanted = usize::from(self.arity.unsigned_abs());
        if self.arity < 0 { count >= wanted } else { count == wanted }
    }

    /// A subcommand's own word, `get` of `config|get`; a command's name.
    #[must_use]
    pub fn word(&self) -> &'static str {
        self.name.split_once('|').map_or(self.name, |(_, word)| word)
    }

    /// The ACL categories it belongs to, without the `@`, in the order Redis lists them: those that follow from its flags, and its
    /// own.
    pub fn categories(&self) -> impl Iterator<Item = &'static str> {
        CATEGORIES.into_iter().filter(|name| {
            let implied = match *name {
                // What a script reads is not known.
                "read" => self.flags.has(Flags::READONLY) && self.acl != "scripting",
                "write" => self.flags.has(Flags::WRITE),
                "pubsub" => self.flags.has(Flags::PUBSUB),
                "admin" | "dangerous" => self.flags.has(Flags::ADMIN),
                "fast" => self.flags.has(Flags::FAST),
                "slow" => !self.flags.has(Flags::FAST),
                "blocking" => self.flags.has(Flags::BLOCKING),
                _ => false,
            };
            implied || self.acl.split_ascii_whitespace().any(|own| own == *name)
        })
    }
}

/// Every ACL category that a row of the table has so far, in Redis' order.
const CATEGORIES: [&str; 21] = [
    "keyspace",
    "read",
    "write",
    "set",
    "sortedset",
    "list",
    "hash",
    "string",
    "bitmap",
    "hyperloglog",
    "geo",
    "stream",
    "pubsub",
    "admin",
    "fast",
    "slow",
    "blocking",
    "dangerous",
    "connection",
    "transaction",
    "scripting",
];

//! Every error text a client can see, as Redis 7 words it.

use std::borrow::Cow;

use crate::resp::Args;

/// What a client did wrong: the code and text of an error reply, without the leading dash.
///
/// Bytes, not text: some errors quote what the client sent. Line ends in it become spaces when it is written
/// ([`crate::resp::Reply::error_bytes`]).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure(pub Cow<'static, [u8]>);

impl Failure {
    /// A fixed text.
    #[must_use]
    pub const fn fixed(text: &'static str) -> Self {
        Self(Cow::Borrowed(text.as_bytes()))
    }

    /// A text made for this request.
    pub fn worded(text: impl Into<String>) -> Self {
        Self(Cow::Owned(text.into().into_bytes()))
    }

    /// The code and the text.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// `GET` on a list.
pub const WRONG_TYPE: Failure =
    Failure::fixed("WRONGTYPE Operation against a key holding the wrong kind of value");
/// An option that does not exist or does not fit.
pub const SYNTAX: Failure = Failure::fixed("ERR syntax error");
/// Not a canonical 64-bit integer.
pub const NOT_AN_INTEGER: Failure = Failure::fixed("ERR value is not an integer or out of range");
/// Not a double.
pub const NOT_A_FLOAT: Failure = Failure::fixed("ERR value is not a valid float");
/// RENAME and friends.
pub const NO_SUCH_KEY: Failure = Failure::fixed("ERR no such key");
/// SELECT, MOVE, COPY, SWAPDB.
pub const DB_OUT_OF_RANGE: Failure = Failure::fixed("ERR DB index is out of range");
/// A position outside the value.
pub const OUT_OF_RANGE: Failure = Failure::fixed("ERR value is out of range");

/// A database number that is no 32-bit integer.
pub const NOT_32_BITS: Failure =
    Failure::fixed("ERR value is out of range, value must between -2147483648 and 2147483647");
/// A count that has to be positive.
pub const NOT_POSITIVE: Failure = Failure::fixed("ERR value is out of range, must be positive");
/// APPEND and SETRANGE past `proto-max-bulk-len`.
pub const STRING_TOO_LONG: Failure =
    Failure::fixed("ERR string exceeds maximum allowed size (proto-max-bulk-len)");
/// COPY and MOVE onto itself.
pub const SAME_OBJECT: Failure = Failure::fixed("ERR source and destination objects are the same");
/// LCS of two long strings.
pub const LCS_TOO_BIG: Failure =
    Failure::fixed("ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len");
/// OBJECT IDLETIME.
pub const NO_LRU: Failure = Failure::fixed(
    "ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when switching between policies at \
     runtime LRU and LFU data will take some time to adjust.",
);
/// OBJECT FREQ.
pub const NO_LFU: Failure = Failure::fixed(
    "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when switching \
     between policies at runtime LRU and LFU data will take some time to adjust.",
);

/// Of a client's word, no more than this many bytes are quoted.
const QUOTED: usize = 128;

/// The start of a client's word that an error may quote: up to the first zero byte, as C prints it.
fn quotable(word: &[u8], most: usize) -> &[u8] {
    let word = word.get(..most).unwrap_or(word);
    word.split(|&byte| byte == 0).next().unwrap_or_default()
}

/// No command has this name; quotes it and the start of its arguments.
#[must_use]
pub fn unknown_command(args: Args<'_>) -> Failure {
    let mut quoted = Vec::new();
    for arg in args.iter_from(1) {
        if quoted.len() >= QUOTED {
            break;
        }
        let room = QUOTED - quoted.len();
        quoted.extend_from_slice(b"'");
        quoted.extend_from_slice(quotable(arg, room));
        quoted.extend_from_slice(b"' ");
    }
    let name = quotable(args.get(0), QUOTED);
    Failure(Cow::Owned([b"ERR unknown command '", name, b"', with args beginning with: ", &quoted].concat()))
}

/// The container has no such subcommand.
#[must_use]
pub fn unknown_subcommand(word: &[u8], container: &str) -> Failure {
    try_help(b"ERR unknown subcommand '", word, container)
}

/// The container has no such subcommand, or it takes other arguments: the words of DEBUG and of subcommands that check
/// their own arguments.
#[must_use]
pub fn unknown_or_wrong(word: &[u8], container: &str) -> Failure {
    try_help(b"ERR unknown subcommand or wrong number of arguments for '", word, container)
}

fn try_help(what: &[u8], word: &[u8], container: &str) -> Failure {
    let container = container.to_ascii_uppercase();
    let text = [what, quotable(word, QUOTED), b"'. Try ", container.as_bytes(), b" HELP."].concat();
    Failure(Cow::Owned(text))
}

/// The command takes another number of arguments; `name` is its row's.
#[must_use]
pub fn wrong_arity(name: &str) -> Failure {
    Failure::worded(format!("ERR wrong number of arguments for '{name}' command"))
}

/// A deadline that is not positive or too far away.
#[must_use]
pub fn invalid_expire(command: &str) -> Failure {
    Failure::worded(format!("ERR invalid expire time in '{command}' command"))
}

/// A word EXPIRE does not know.
#[must_use]
pub fn unsupported_option(word: &[u8]) -> Failure {
    Failure(Cow::Owned([b"ERR Unsupported option ", quotable(word, usize::MAX)].concat()))
}

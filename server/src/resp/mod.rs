//! Bytes on the wire: RESP2 and RESP3, nothing else. This room knows no command and no key.
//!
//! A client sends *requests*: an array of bulk strings (`*2\r\n$3\r\nGET\r\n$1\r\na\r\n`) or one *inline* line
//! (`GET a\r\n`). A server sends *replies*, one tree of values each. The two directions share no code because
//! requests are flat and replies are not.
//!
//! Reading order: [`number`] (integers exactly as Redis prints and parses them), [`double`] (the same for doubles), [`words`]
//! (quoting), [`request`] (bytes to arguments, incremental), [`reply`] (a writer of replies), [`value`] (a reader of replies: the
//! replica link, our own clients, tests).
//!
//! Every limit on what a peer can make us hold is in [`request::Limits`] and [`value::MAX_DEPTH`].
//! Protocol: <https://redis.io/docs/latest/develop/reference/protocol-spec/>.

pub mod number;
pub mod double;
pub mod reply;
pub mod request;
pub mod value;
pub mod words;

pub use reply::Reply;
pub use request::{Args, Batch, Limits, Parser, ProtocolError};
pub use value::Value;

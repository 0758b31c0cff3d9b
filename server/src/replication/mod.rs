//! One history, many readers.
//!
//! Terms. A *history* is a replication id and an offset: how many bytes of stream were ever produced under it.
//! The *stream* is those bytes: commands as RESP arrays, `SELECT`, `PING`, `REPLCONF GETACK` and the brackets of
//! transactions included. The *backlog* is the recent end of the stream. A *feed* is one replica as its master
//! sees it: a cursor over the stream. A *cut* is the offset a snapshot stands for. The *link* is a replica's
//! connection to its master.
//!
//! ```text
//!            append (a master's effects)  ─┐
//!                                          ├─▶ Stream ─▶ Backlog ◀─ cursor ─ Feed ─▶ replica
//!            mirror (its master's bytes)  ─┘    offset            ◀─ cursor ─ Feed ─▶ replica
//! ```
//!
//! Positions are half-open everywhere inside: position n has n bytes before it. PSYNC's wire offset names the
//! next byte, counted from one; it is converted at the edge, in [`history`]: a replica that holds bytes 1 to 50
//! is at position 50 and asks for byte 51.
//!
//! Invariants. On a master: start of backlog ≤ sent ≤ offset and acknowledged ≤ sent, for each online feed. On a
//! replica: applied ≤ received. With equal histories: replica's offset ≤ master's offset. Only [`stream`] moves an
//! offset, in the same breath in which it stores the bytes.
//!
//! Reading order: [`history`] (may this replica continue?), [`backlog`], [`stream`], [`marks`] (when was it written?), [`feed`], [`transfer`]
//! (snapshot framing), [`survey`] (is this master worth our data?), [`link`].

pub mod history;
pub mod backlog;
pub mod stream;
pub mod marks;
pub mod feed;
pub mod transfer;
pub mod survey;
pub mod link;

pub use backlog::Backlog;
pub use feed::Feed;
pub use history::{FullReason, History, ReplId};
pub use link::Link;
pub use marks::Marks;
pub use stream::Stream;

//! DEBUG on how a value is stored: LISTPACK, QUICKLIST, QUICKLIST-PACKED-THRESHOLD, and what OBJECT tells of large lists.
//!
//! What Redis prints on its standard output goes to the log, which is there unless `logfile` says otherwise.

use std::ops::ControlFlow;

use crate::command::args::is;
use crate::command::{Failure, error};
use crate::data::list::{List, NodeRef};
use crate::data::{Collection, Kind};
use crate::keyspace::EntryRef;
use crate::resp::Args;

use super::config::rule::memory;
use super::session::Session;
use super::{Level, Node, Sink};

const NO_LISTPACK: Failure = Failure::fixed("ERR Not a listpack encoded object.");
const NO_QUICKLIST: Failure = Failure::fixed("ERR Not a quicklist encoded object.");
const NO_SIZE: Failure =
    Failure::fixed("ERR argument must be a memory value bigger than 1 and smaller than 4gb");

/// Of a list's elements, no more than this many bytes are logged.
const LOGGED: usize = 4096;

impl Node {
    pub(super) fn debug_encoding(
        &mut self,
        session: &mut Session,
        args: Args<'_>,
        sink: &mut dyn Sink,
    ) -> Result<(), Failure> {
        self.may_debug(session)?;
        let word = args.get(1);
        if is(word, "QUICKLIST-PACKED-THRESHOLD") {
            let size =
                str::from_utf8(args.get(2)).ok().and_then(memory).and_then(|size| u32::try_from(size).ok());
            self.settings.limits.list_plain = size.ok_or(NO_SIZE)?;
            session.reply.ok();
            return Ok(());
        }
        let entry = self.keyspace.get(session.db, args.get(2)).ok_or(error::NO_SUCH_KEY)?;
        if is(word, "LISTPACK") {
            if entry.encoding() != "listpack" {
                return Err(NO_LISTPACK);
            }
            let count = entry.collection().map_or(0, Collection::len);
            self.note(sink, Level::Notice, format_args!("listpack: {count} elements"));
            session.reply.simple("Listpack structure printed on stdout");
            return Ok(());
        }
        if args.len() > 4 {
            return Err(error::unknown_or_wrong(word, "debug"));
        }
        let list = entry.collection().and_then(List::of).filter(|list| list.encoding() == "quicklist");
        let list = list.ok_or(NO_QUICKLIST)?;
        for (number, node) in list.nodes().enumerate() {
            let (kind, count, bytes) = measures(node);
            self.note(
                sink,
                Level::Notice,
                format_args!("quicklist node {number}: {kind}, {count} elements, {bytes} bytes"),
            );
        }
        if args.len() == 4 && args.get(3) != b"0" {
            self.note(sink, Level::Notice, format_args!("quicklist elements: {}", shown(list)));
        }
        session.reply.simple("Quicklist structure printed on stdout");
        Ok(())
    }
}

/// What DEBUG OBJECT adds for a large list, with a space before it.
pub(super) fn nodes_of(entry: EntryRef<'_>) -> String {
    let list = entry.collection().and_then(List::of);
    let Some((list, fill)) = list.and_then(|list| Some((list, list.large_fill()?))) else {
        return String::new();
    };
    let (mut nodes, mut bytes) = (0u32, 0);
    for node in list.nodes() {
        nodes += 1;
        bytes += measures(node).2;
    }
    let average = list.len() as f64 / f64::from(nodes.max(1));
    format!(
        " ql_nodes:{nodes} ql_avg_node:{average:.2} ql_listpack_max:{} ql_compressed:0 ql_uncompressed_size:{bytes}",
        fill.directive()
    )
}

/// Kind, elements and bytes of a node.
fn measures(node: NodeRef<'_>) -> (&'static str, usize, usize) {
    match node {
        NodeRef::Packed(pack) => ("packed", pack.len(), pack.bytes_len()),
        NodeRef::Plain(text) => ("plain", 1, text.len()),
    }
}

/// The first elements as they are quoted in the log.
fn shown(list: &List) -> String {
    let mut text = String::new();
    list.walk(0, false, |item| {
        item.with_text(|bytes| text.push_str(&format!("\"{}\" ", bytes.escape_ascii())));
        if text.len() > LOGGED { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    text
}

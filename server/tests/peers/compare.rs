//! The end of every story: the same data, the same offset, and no more full resyncs than were owed.

use crate::client::eventually;
use crate::node::Node;

/// Waits until all nodes of a set (the master first) are equal; none of them complained of another's bytes.
pub(crate) fn assert_same(nodes: &[&Node]) {
    assert_equal(nodes);
    for node in nodes {
        node.assert_no_complaint();
    }
}

/// Waits until all nodes have one history, one offset and one data set, in both brands' DEBUG DIGEST.
pub(crate) fn assert_equal(nodes: &[&Node]) {
    let mut last = Vec::new();
    let same = eventually(|| {
        last = nodes.iter().map(|node| state(node)).collect();
        let first = last.first()?;
        last.iter().all(|other| other == first).then_some(())
    });
    assert!(same.is_some(), "these differ: {nodes:?}\n{last:#?}");
    let digest = last.first().map(|state| state.2.clone()).unwrap_or_default();
    assert!(digest.len() == 40 && !digest.bytes().all(|byte| byte == b'0'), "nothing to compare: {digest}");
}

/// Offset, history and data.
fn state(node: &Node) -> (String, String, String, String) {
    let keyspace: String = node.ask("INFO keyspace").lines().map(|line| keys(line) + "\n").collect();
    (node.info("master_repl_offset"), node.info("master_replid"), node.ask("DEBUG DIGEST"), keyspace)
}

/// A line without its averages, which are nobody's promise.
fn keys(line: &str) -> String {
    line.split(",avg_ttl").next().unwrap_or_default().to_owned()
}

/// The set's syncs so far: (full, partial).
pub(crate) fn syncs(nodes: &[&Node]) -> (i64, i64) {
    let sum = |field| nodes.iter().map(|node| node.count(field)).sum();
    (sum("sync_full"), sum("sync_partial_ok"))
}

//! `--allow-data-loss`, told to the replicas: a built-in replica keeps its data from a master that came back with less,
//! until a REPLICAOF says otherwise. Whoever started that master knowingly says it here, to each of its replicas.

use super::set::Running;
use crate::node::client::CHANGE;

/// Tells the replicas of `ports` to take what their master holds. Asked of a replica whose link is up it changes
/// nothing; one that cannot be reached keeps its data, and `status` shows it.
pub(super) async fn give(set: &Running, ports: &[u16]) {
    for node in &set.facts.nodes {
        let Some(link) = set.observe(node.port).await.and_then(|seen| seen.link) else { continue };
        if !ports.contains(&link.port) || link.up {
            continue;
        }
        if let Ok(mut client) = set.connect(node.port, CHANGE).await {
            let port = link.port.to_string();
            let _ = client.command(&["REPLICAOF", &link.host, &port], CHANGE).await;
        }
    }
}

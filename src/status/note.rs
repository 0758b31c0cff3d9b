//! What is no trouble and yet worth knowing: roles that are not those that were asked for.

use super::chain::Chain;
use super::look::{Look, Round};
use super::report::Role;

/// The nodes that answer and have another role, or another upstream, than the file says; nothing where all are as it
/// says.
pub(super) fn roles(round: &Round<'_>, chain: &Chain) -> Vec<String> {
    let mut differ = Vec::new();
    for (index, node) in round.topology.nodes.iter().enumerate() {
        let (Some(place), Some(_)) = (chain.place(index), round.looks.get(index).and_then(Look::seen)) else {
            continue;
        };
        // Right after its creation a node is still to be pointed at its upstream.
        let facts = round.looks.get(index).and_then(|look| look.facts.as_ref());
        if facts.is_some_and(|facts| facts.wiring.is_some()) {
            continue;
        }
        let follows = place.upstream.as_ref().map(|(_, port)| *port);
        match (place.role, node.replica_of) {
            (Role::Master, Some(_)) => differ.push(format!("{} is a master", node.port)),
            (Role::Replica, wanted) if follows != wanted => {
                let upstream = follows.map_or_else(|| "somebody".to_owned(), |port| port.to_string());
                differ.push(format!("{} follows {upstream}", node.port));
            }
            _ => {}
        }
    }
    if differ.is_empty() {
        return Vec::new();
    }
    let file = round.topology.file.as_ref().and_then(|file| file.file_name());
    let asked = file.map_or_else(|| "asked for".to_owned(), |file| format!("in {}", file.to_string_lossy()));
    vec![format!("not as {asked}: {}", differ.join(", "))]
}

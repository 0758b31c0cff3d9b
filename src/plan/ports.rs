//! Which ports: moving a set to others, and finding some that are free. Pure: the caller says what is taken.

use crate::error::{Error, Exit, Result};
use crate::topology::Topology;

/// The first bases to propose when a set's own ports are taken.
const BASES: [u16; 6] = [7379, 8379, 9379, 16379, 26379, 36379];

/// Moves the lowest port of a set to `base` and keeps the distances; upstreams and Sentinels move along. Sentinels
/// below the nodes, and servers that are attached, stay where they are.
///
/// # Errors
/// A port that would leave the range 1024..=65535.
pub fn shift(topology: &mut Topology, base: u16) -> Result<()> {
    let lowest = all(topology).filter(|port| topology.node(*port).is_some()).min().unwrap_or(base);
    let highest = all(topology).max().unwrap_or(base);
    let moved = |port: u16| port.checked_sub(lowest).and_then(|distance| base.checked_add(distance));
    if base < 1024 || moved(highest).is_none() {
        let most = u16::MAX - (highest - lowest);
        return Err(Error::new(
            Exit::Usage,
            format!("--port-base {base} leaves no room for ports {lowest} to {highest}"),
        )
        .detail(format!("the base is between 1024 and {most}")));
    }
    let fixed: Vec<u16> =
        topology.nodes.iter().filter(|node| node.attach.is_some()).map(|node| node.port).collect();
    let to = |port: u16| if fixed.contains(&port) { port } else { moved(port).unwrap_or(port) };
    for node in &mut topology.nodes {
        node.port = to(node.port);
        node.replica_of = node.replica_of.map(to);
    }
    if let Some(sentinel) = &mut topology.sentinel {
        sentinel.port = moved(sentinel.port).unwrap_or(sentinel.port);
    }
    Ok(())
}

/// Every port that a set takes: its own nodes', then its Sentinels'.
pub fn all(topology: &Topology) -> impl Iterator<Item = u16> {
    let own = topology.nodes.iter().filter(|node| node.attach.is_none());
    own.map(|node| node.port).chain(topology.sentinel_ports())
}

/// A base on which none of the set's ports is taken; `taken` is asked for all of them at once.
#[must_use]
pub fn free_base(topology: &Topology, taken: impl Fn(&[u16]) -> bool) -> Option<u16> {
    BASES.into_iter().find(|&base| {
        let mut moved = topology.clone();
        shift(&mut moved, base).is_ok() && !taken(&all(&moved).collect::<Vec<_>>())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology::{Engine, NodeSpec, Persistence, Restart};

    fn set(ports: &[(u16, Option<u16>)]) -> Topology {
        let node = |&(port, replica_of): &(u16, Option<u16>)| NodeSpec {
            port,
            name: None,
            replica_of,
            engine: Engine::Builtin,
            persistence: Persistence::Rdb,
            restart: Restart::No,
            config: Default::default(),
            attach: None,
        };
        Topology { name: "t".into(), nodes: ports.iter().map(node).collect(), ..Topology::default() }
    }

    #[test]
    fn a_moved_set_keeps_its_distances_and_its_links() {
        let mut topology = set(&[(6380, Some(6379)), (6379, None), (6400, Some(6380))]);
        shift(&mut topology, 7000).unwrap();
        let got: Vec<_> = topology.nodes.iter().map(|node| (node.port, node.replica_of)).collect();
        assert_eq!(got, [(7001, Some(7000)), (7000, None), (7021, Some(7001))]);
    }

    #[test]
    fn a_base_without_room_is_refused_with_the_range() {
        let mut topology = set(&[(6379, None), (6389, Some(6379))]);
        let error = shift(&mut topology, 65530).unwrap_err();
        assert!(error.to_string().contains("between 1024 and 65525"), "{error}");
        assert!(shift(&mut topology, 0).is_err());
        shift(&mut topology, 65525).unwrap();
    }

    #[test]
    fn the_proposed_base_is_free_for_every_node() {
        let topology = set(&[(6379, None), (6380, Some(6379))]);
        assert_eq!(free_base(&topology, |ports| ports.contains(&7380)), Some(8379));
        assert_eq!(free_base(&topology, |_| true), None);
    }
}

//! What to do about it: every choice made (ports, directories, argv, order), nothing left for execution. Pure.

pub mod candidates;
pub mod diff;
pub mod following;
pub mod members;
pub mod ports;
pub mod promotion;
pub mod resync;
pub mod sentinels;
pub mod settling;
pub mod step;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::node::engine::{self, Program};
use crate::topology::{Engine, NodeSpec, Topology};

/// A topology with every choice made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// What was asked for.
    pub topology: Topology,
    /// One per node, in the order of the topology.
    pub nodes: Vec<NodePlan>,
    /// One per Sentinel. Their configuration is written when they start: it says who the masters are then.
    #[serde(default)]
    pub sentinels: Vec<NodePlan>,
}

/// One node with every choice made. Its directory follows from its port and the set's directory ([`NodeDir`]).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodePlan {
    /// What was asked for.
    pub spec: NodeSpec,
    /// What runs it.
    pub program: Program,
    /// The text of its first configuration file.
    pub config: String,
    /// A proxy owns its port, which breaks the links it accepts.
    #[serde(default)]
    pub proxied: bool,
}

impl Plan {
    /// Decides everything. `dir` is the set's directory; `path` is the value of `PATH`, where programs are found.
    ///
    /// # Errors
    /// An engine that is not there, or no Sentinel where one is wanted.
    pub fn new(topology: Topology, dir: &Path, path: Option<&OsStr>) -> Result<Self> {
        let locate = |engine: &Engine| Program::locate(engine, path);
        Self::with(topology, dir, locate, |prefer_valkey| Program::locate_sentinel(prefer_valkey, path))
    }

    /// As [`Plan::new`]; `locate` finds the program of an engine, `sentinel` one for Sentinels.
    ///
    /// # Errors
    /// What those say.
    pub fn with(
        topology: Topology,
        dir: &Path,
        locate: impl Fn(&Engine) -> Result<Program>,
        sentinel: impl FnOnce(bool) -> Result<Program>,
    ) -> Result<Self> {
        let nodes = topology
            .nodes
            .iter()
            .map(|spec| NodePlan::new(spec.clone(), dir, topology.direct, &locate))
            .collect::<Result<Vec<_>>>()?;
        let sentinels = sentinels::plans(&topology, sentinel)?;
        Ok(Self { topology, nodes, sentinels })
    }
}

impl NodePlan {
    /// Decides everything about one node.
    ///
    /// # Errors
    /// What `locate` says about its engine.
    pub fn new(
        spec: NodeSpec,
        dir: &Path,
        direct: bool,
        locate: impl Fn(&Engine) -> Result<Program>,
    ) -> Result<Self> {
        if spec.attach.is_some() {
            return Ok(Self { spec, program: Program::Own, config: String::new(), proxied: false });
        }
        let program = locate(&spec.engine)?;
        let proxied = !direct && spec.engine != Engine::Builtin;
        let config = engine::config(&spec, &NodeDir::new(dir, spec.port).data(), proxied);
        Ok(Self { spec, program, config, proxied })
    }
}

/// Where a node keeps its things.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeDir(PathBuf);

impl NodeDir {
    /// The directory of the node on `port` in the set's directory.
    #[must_use]
    pub fn new(set: &Path, port: u16) -> Self {
        Self(set.join("nodes").join(port.to_string()))
    }

    /// The directory itself.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The node's configuration file, which carries its role.
    #[must_use]
    pub fn conf(&self) -> PathBuf {
        self.0.join("node.conf")
    }

    /// The node's working directory: snapshots are here.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.0.join("data")
    }

    /// What the node says on stdout and stderr.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.0.join("log")
    }
}

/// How far each node is from its root: 0 for a master. `upstream` gives whom a node follows. A cycle ends at the
/// number of nodes.
#[must_use]
pub fn depths(upstream: &BTreeMap<u16, Option<u16>>) -> BTreeMap<u16, usize> {
    let depth = |port: u16| {
        let mut at = port;
        let mut depth = 0;
        while let Some(Some(above)) = upstream.get(&at)
            && depth < upstream.len()
        {
            at = *above;
            depth += 1;
        }
        depth
    };
    upstream.keys().map(|&port| (port, depth(port))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deepest_replica_is_the_farthest_from_its_root() {
        let upstream = BTreeMap::from([(1, None), (2, Some(1)), (3, Some(2)), (4, Some(9))]);
        assert_eq!(depths(&upstream), BTreeMap::from([(1, 0), (2, 1), (3, 2), (4, 1)]));
        let ring = BTreeMap::from([(1, Some(2)), (2, Some(1))]);
        assert_eq!(depths(&ring), BTreeMap::from([(1, 2), (2, 2)]), "a ring ends");
    }
}

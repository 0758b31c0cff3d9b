//! What is known before a node is started: its own directory, and what the others hold.

use std::path::Path;
use std::time::Duration;

use super::event::Found;
use super::facts::Seen;
use super::guard::Holding;
use super::identity::{self, Living};
use crate::node::client::{Auth, Client, LOOK};
use crate::node::engine;
use crate::node::observe::{Observation, observe};
use crate::node::saved::Saved;
use crate::node::sentinel::observe_sentinel;
use crate::plan::NodeDir;

/// Another node of the set.
pub(super) struct Other {
    pub(super) port: u16,
    pub(super) host: String,
    pub(super) dir: NodeDir,
    pub(super) lives: bool,
    pub(super) auth: Option<Auth>,
}

/// Looks at a node's directory, and asks the others.
pub(super) async fn examine(dir: &NodeDir, others: Vec<Other>) -> Found {
    let conf = std::fs::read_to_string(dir.conf()).ok();
    let mut found = Found { configured: conf.is_some(), ..Found::default() };
    let Some(conf) = conf else { return found };
    if let Some(identity) = identity::working_in(&dir.data()) {
        found.frozen = identity.look() == Living::Frozen;
        found.living = Some(identity);
        return found;
    }
    found.follows = engine::upstream_in(&conf);
    found.saved = saved(&dir.data(), &conf);
    // Only a master can take its replicas' data away.
    if found.follows.is_none() {
        let asked: Vec<_> = others.into_iter().map(|other| tokio::spawn(holding(other))).collect();
        for answer in asked {
            found.others.extend(answer.await.ok().flatten());
        }
    }
    found
}

/// The role in a node's configuration file; `None` where that cannot be read.
pub(super) fn role(dir: &NodeDir) -> Option<Option<(String, u16)>> {
    std::fs::read_to_string(dir.conf()).ok().map(|conf| engine::upstream_in(&conf))
}

/// What an observation says, for the supervisor's memory.
pub(super) fn seen(observation: &Observation, at_ms: u64) -> Seen {
    Seen {
        at_ms,
        run_id: observation.run_id.clone(),
        replid: observation.replid.clone(),
        replid2: observation.replid2.clone(),
        offset: observation.offset,
        keys: observation.keys,
        upstream: observation.link.as_ref().map(|link| (link.host.clone(), link.port)),
        link_up: observation.link.as_ref().is_some_and(|link| link.up),
        loading: observation.loading,
        watches: Vec::new(),
    }
}

/// Asks a Sentinel: is it the process that is meant, and what does it say.
pub(super) async fn sentinel(port: u16, pid: u32, at_ms: u64) -> Option<(bool, Seen)> {
    let mut client = Client::connect("127.0.0.1", port, LOOK).await.ok()?;
    let (info, watches) = observe_sentinel(&mut client, LOOK).await.ok()?;
    let ours = info.pid.is_none_or(|said| said == pid || identity::same_group(said, pid));
    Some((ours, Seen { watches, ..seen(&info, at_ms) }))
}

async fn holding(other: Other) -> Option<Holding> {
    if other.lives
        && let Ok(seen) = observe(&other.host, other.port, other.auth.as_ref(), LOOK).await
    {
        return Some(Holding {
            port: other.port,
            follows: seen.link.map(|link| link.port),
            data: seen.keys.is_some_and(|keys| keys > 0),
            replid: seen.replid,
            replid2: seen.replid2,
            offset: seen.offset,
        });
    }
    let conf = std::fs::read_to_string(other.dir.conf()).ok()?;
    let saved = saved(&other.dir.data(), &conf);
    Some(Holding {
        port: other.port,
        follows: engine::upstream_in(&conf).map(|(_, port)| port),
        data: saved.data,
        replid: saved.replid,
        replid2: None,
        offset: saved.offset,
    })
}

fn saved(data: &Path, conf: &str) -> Saved {
    let name = conf.lines().rev().find_map(|line| {
        let (key, value) = line.trim().split_once(char::is_whitespace)?;
        key.eq_ignore_ascii_case("dbfilename").then(|| value.trim().trim_matches('"').to_owned())
    });
    Saved::look(data, name.as_deref().unwrap_or("dump.rdb"))
}

/// How long one look at a node may take, for the loop.
pub(super) const PROBE: Duration = LOOK;

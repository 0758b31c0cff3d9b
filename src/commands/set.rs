//! Which set is meant, and the conversation with its supervisor.

#![expect(clippy::disallowed_methods, reason = "this does things and measures how long they take")]

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use super::Ctx;
use super::change::settle_if_interrupted;
use crate::error::{Error, Exit, Result};
use crate::handover::fleet::Place;
use crate::node::client::{Auth, Client as NodeClient, ClientError, LOOK};
use crate::node::observe::{Observation, observe};
use crate::supervise::control::Client;
use crate::supervise::facts::SetFacts;
use crate::supervise::identity::{Identity, Living};
use crate::supervise::launch;
use crate::supervise::request::Request;
use crate::supervise::state_dir::SetDir;
use crate::topology::{NodeSpec, Topology};

/// Between two looks at what a supervisor knows, while something is awaited.
const PAUSE: Duration = Duration::from_millis(3);

/// A set that runs, and the line to its supervisor.
#[derive(Debug)]
pub struct Running {
    /// Where it keeps its things.
    pub dir: SetDir,
    /// What the supervisor said last.
    pub facts: SetFacts,
    client: Client,
}

impl Running {
    /// Reaches the supervisor of a set; a dead one is replaced, and the new one adopts what lives.
    ///
    /// # Errors
    /// As [`launch::connect_or_start`].
    pub async fn reach(dir: SetDir) -> Result<Self> {
        let mut client = launch::connect_or_start(&dir).await?;
        // One that is dying takes the connection and answers no more: the next one is asked.
        let facts = match client.facts().await {
            Ok(facts) => facts,
            Err(_) => {
                client = launch::connect_or_start(&dir).await?;
                client.facts().await?
            }
        };
        Ok(Self { dir, facts, client })
    }

    /// The set as wanted.
    #[must_use]
    pub fn topology(&self) -> &Topology {
        &self.facts.topology
    }

    /// Asks for something to be begun.
    ///
    /// # Errors
    /// The refusal, or a lost supervisor.
    pub async fn begin(&mut self, request: &Request) -> Result<()> {
        self.client.begin(request).await
    }

    /// Asks the supervisor again.
    ///
    /// # Errors
    /// A lost supervisor.
    pub async fn refresh(&mut self) -> Result<&SetFacts> {
        self.facts = self.client.facts().await?;
        Ok(&self.facts)
    }

    /// Waits until the facts are as wanted; `false` when that took longer than `patience`.
    ///
    /// # Errors
    /// A lost supervisor.
    pub async fn until(&mut self, patience: Duration, wanted: impl Fn(&SetFacts) -> bool) -> Result<bool> {
        let began = Instant::now();
        loop {
            if wanted(self.refresh().await?) {
                return Ok(true);
            }
            if began.elapsed() > patience {
                return Ok(false);
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Waits until the supervisor has ended.
    pub async fn ended(&self, patience: Duration) -> bool {
        let began = Instant::now();
        while self.dir.supervised() {
            if began.elapsed() > patience {
                return false;
            }
            tokio::time::sleep(PAUSE).await;
        }
        true
    }

    /// Asks a node for INFO, with its password, within the time of a look.
    pub async fn observe(&self, port: u16) -> Option<Observation> {
        observe(self.topology().host(port), port, self.auth(port).as_ref(), LOOK).await.ok()
    }

    /// A connection to a node, with its password.
    ///
    /// # Errors
    /// As [`NodeClient::connect`].
    pub async fn connect(
        &self,
        port: u16,
        timeout: Duration,
    ) -> std::result::Result<NodeClient, ClientError> {
        let mut client = NodeClient::connect(self.topology().host(port), port, timeout).await?;
        if let Some(auth) = self.auth(port) {
            client.auth(&auth, timeout).await?;
        }
        Ok(client)
    }

    /// Where every node is, and what opens it.
    #[must_use]
    pub fn places(&self) -> BTreeMap<u16, Place> {
        let place = |node: &NodeSpec| Place { host: node.host().to_owned(), auth: self.auth(node.port) };
        self.topology().nodes.iter().map(|node| (node.port, place(node))).collect()
    }

    /// The credentials of a node.
    #[must_use]
    pub fn auth(&self, port: u16) -> Option<Auth> {
        let password = self.topology().node(port)?.password()?;
        Some(Auth { user: None, password: password.to_owned() })
    }
}

/// A set that is there, running or not.
#[derive(Debug)]
pub struct Known {
    /// Where it keeps its things.
    pub dir: SetDir,
    /// The set as it was last asked for; `None` where its state is damaged.
    pub topology: Option<Topology>,
    /// A supervisor lives, or a node does.
    pub running: bool,
}

/// Every set of which something is kept.
#[must_use]
pub fn known(ctx: &Ctx) -> Vec<Known> {
    known_in(&ctx.state_root)
}

/// The same, of a directory that holds a directory per set.
#[must_use]
pub fn known_in(state_root: &Path) -> Vec<Known> {
    let look = |dir: SetDir| {
        let state = dir.load().state;
        let lives = |identity: &Identity| identity.look() != Living::Gone;
        let living =
            state.iter().flat_map(|state| &state.nodes).filter_map(|node| node.identity.as_ref()).any(lives);
        let running = living || dir.supervised();
        Known { topology: state.map(|state| state.topology), running, dir }
    };
    SetDir::all(state_root).into_iter().map(look).collect()
}

/// The one running set that is meant: by `--topology`, else by a node that only one has, else the only one.
///
/// # Errors
/// None runs (3), or several do and it is not clear which (2).
pub async fn running(ctx: &Ctx, nodes: &[&str]) -> Result<Running> {
    let mut running = Running::reach(meant(ctx, nodes)?.dir).await?;
    // A change that was cut off is settled by whoever comes next, and is no reason not to come.
    if let Err(why) = settle_if_interrupted(ctx, &mut running).await {
        ctx.console.talk(&format!("warning: {why}"));
    }
    Ok(running)
}

/// As [`running`], without reaching for its supervisor.
///
/// # Errors
/// As [`running`].
pub fn meant(ctx: &Ctx, nodes: &[&str]) -> Result<Known> {
    choose(ctx, nodes, known(ctx))
}

fn choose(ctx: &Ctx, nodes: &[&str], known: Vec<Known>) -> Result<Known> {
    let mut candidates: Vec<Known> = known.into_iter().filter(|set| set.running).collect();
    if let Some(name) = &ctx.topology {
        candidates.retain(|set| set.dir.name() == *name);
        return match candidates.pop() {
            Some(set) => Ok(set),
            None => Err(Error::new(Exit::NotRunning, format!("{name} is not running")).hint("rctl ps")),
        };
    }
    if candidates.len() > 1 {
        let has = |set: &Known, node: &str| {
            set.topology.as_ref().is_some_and(|topology| {
                topology.find(node).is_some()
                    || topology.sentinel_ports().any(|port| node.parse() == Ok(port))
            })
        };
        let owns = |set: &Known| nodes.iter().any(|node| has(set, node));
        if candidates.iter().filter(|set| owns(set)).count() == 1 {
            candidates.retain(owns);
        }
    }
    if candidates.len() > 1 {
        let names: Vec<String> = candidates.iter().map(|set| set.dir.name()).collect();
        let error =
            Error::new(Exit::Usage, format!("{} sets are running: {}", names.len(), names.join(", ")));
        return Err(names
            .iter()
            .fold(error, |error, name| error.hint(format!("export RCTL_TOPOLOGY={name}"))));
    }
    match candidates.pop() {
        Some(set) => Ok(set),
        None => Err(Error::new(Exit::NotRunning, "no set is running").hint("rctl up")),
    }
}

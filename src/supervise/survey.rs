//! The hands of autofailover: every node asked at once, and the steps of a promotion sent.

use std::collections::BTreeMap;
use std::time::Duration;

use rctl_server::resp::Value;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::facts::{NodeFacts, ProcessState};
use super::journal::Journal;
use super::state_dir::SetDir;
use crate::node::client::{Auth, CHANGE, Client, ClientError, Failure, LOOK};
use crate::node::observe::{Observation, observe_over};
use crate::plan::members::{Last, Member, Members, Sight};
use crate::plan::settling::Intent;
use crate::plan::step::{Deed, Step, Weight, Words};

/// How long the whole survey may take: nobody can write meanwhile.
const SURVEY: Duration = Duration::from_millis(250);
/// Where Sentinels speak to each other through the nodes they watch.
const SENTINEL_CHANNEL: &str = "__sentinel__:hello";

/// A node before it is asked.
pub(super) struct Asked {
    door: Door,
    /// Somebody else started it: whether its process is gone is not known.
    attached: bool,
    frozen: bool,
    last: Last,
}

impl Asked {
    pub(super) fn new(facts: &NodeFacts, host: String, auth: Option<Auth>) -> Self {
        let last = facts.seen.as_ref().map(|seen| Last {
            offset: seen.offset,
            replid: seen.replid.clone(),
            upstream: seen.upstream.as_ref().map(|(_, port)| *port),
        });
        let frozen = facts.process == ProcessState::Paused;
        let attached = facts.process == ProcessState::Attached;
        Self { door: Door { host, port: facts.port, auth }, attached, frozen, last: last.unwrap_or_default() }
    }
}

/// Asks every node at the same time.
pub(super) async fn survey(nodes: Vec<Asked>) -> Members {
    let mut asked = JoinSet::new();
    for (index, node) in nodes.into_iter().enumerate() {
        asked.spawn(async move { (index, member(node).await) });
    }
    let mut members = Vec::new();
    while let Some(answer) = asked.join_next().await {
        members.extend(answer.ok());
    }
    members.sort_by_key(|(index, _)| *index);
    Members(members.into_iter().map(|(_, member)| member).collect())
}

async fn member(node: Asked) -> Member {
    let (port, host, last, attached) =
        (node.door.port, node.door.host.clone(), node.last.clone(), node.attached);
    let (sight, sentinels) = match node.frozen {
        true => (Sight::Silent(last), 0),
        false => match timeout(SURVEY, look(node)).await {
            Ok(Ok((seen, sentinels))) => (Sight::Seen(Box::new(seen)), sentinels),
            Ok(Err(error)) if error.kind == Failure::Refused && !attached => (Sight::Gone(last), 0),
            _ => (Sight::Silent(last), 0),
        },
    };
    Member { port, host, sight, has_failover: false, sentinels }
}

async fn look(node: Asked) -> Result<(Observation, u64), ClientError> {
    let mut client = node.door.open(LOOK).await?;
    let seen = observe_over(&mut client, LOOK).await?;
    let sentinels = match client.call(&["PUBSUB", "NUMSUB", SENTINEL_CHANNEL], LOOK).await {
        Ok(Value::Array(pair)) => match pair.get(1) {
            Some(Value::Int(count)) => u64::try_from(*count).unwrap_or(0),
            _ => 0,
        },
        _ => 0,
    };
    Ok((seen, sentinels))
}

/// Sends the commands of a promotion in order, under the lock of whoever changes a set. Roles of nodes that are down are
/// the supervisor's own to write, and nothing is waited for: the next looks will tell. Recorded first: where this
/// supervisor is killed in the middle, the next `rctl` finishes it.
///
/// # Errors
/// What kept it from happening, or from happening wholly, for people.
pub(super) async fn succeed(
    dir: &SetDir,
    intent: &Intent,
    doors: &BTreeMap<u16, Door>,
) -> Result<(), String> {
    let journal = Journal::open(dir.path()).map_err(|error| error.what)?;
    journal.record(intent).map_err(|error| error.what)?;
    let done = send_all(&intent.steps, doors).await;
    journal.close().map_err(|error| error.what)?;
    done
}

async fn send_all(steps: &[Step], doors: &BTreeMap<u16, Door>) -> Result<(), String> {
    let mut problems = Vec::new();
    for step in steps {
        let Deed::Send { node, words } = &step.deed else { continue };
        let Some(door) = doors.get(node) else { continue };
        match (send(door, words).await, step.weight) {
            (Ok(()), _) => {}
            (Err(error), Weight::Vital) => return Err(error.to_string()),
            (Err(error), Weight::Wanted) => problems.push(error.to_string()),
            (Err(_), Weight::Welcome) => {}
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(format!("not everybody follows: {}", problems.join(", "))) }
}

async fn send(door: &Door, words: &Words) -> Result<(), ClientError> {
    door.open(LOOK).await?.command(&words.0, CHANGE).await.map(drop)
}

/// Where a node is, and what opens it.
#[derive(Debug, Clone)]
pub(super) struct Door {
    /// Its host.
    pub(super) host: String,
    /// Its port.
    pub(super) port: u16,
    /// Its credentials.
    pub(super) auth: Option<Auth>,
}

impl Door {
    /// A connection to it.
    pub(super) async fn open(&self, timeout: Duration) -> Result<Client, ClientError> {
        let mut client = Client::connect(&self.host, self.port, timeout).await?;
        if let Some(auth) = &self.auth {
            client.auth(auth, timeout).await?;
        }
        Ok(client)
    }
}

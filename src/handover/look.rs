//! The set as it is now: every node asked once, in the order of the file.

use rctl_server::resp::Value;

use super::fleet::Fleet;
use crate::node::client::Failure;
use crate::plan::members::{Last, Member, Members, Sight};

/// Where Sentinels speak to each other through the master they watch.
const SENTINEL_CHANNEL: &str = "__sentinel__:hello";

/// A node before it is asked.
#[derive(Debug, Clone)]
pub struct Known {
    /// Its port.
    pub port: u16,
    /// The host at which the others reach it.
    pub host: String,
    /// What was last seen of it.
    pub last: Last,
    /// Somebody else started it: whether its process is gone is not known.
    pub attached: bool,
    /// Its process is frozen: it would take the connection and say nothing.
    pub frozen: bool,
}

/// Asks every node.
pub async fn look(fleet: &mut Fleet<'_>, nodes: &[Known]) -> Members {
    let mut members = Vec::new();
    for node in nodes {
        let sight = sight(fleet, node).await;
        let answers = matches!(sight, Sight::Seen(_));
        let (has_failover, sentinels) = if answers {
            (knows_failover(fleet, node.port).await, sentinels(fleet, node.port).await)
        } else {
            (false, 0)
        };
        members.push(Member { port: node.port, host: node.host.clone(), sight, has_failover, sentinels });
    }
    Members(members)
}

async fn sight(fleet: &Fleet<'_>, node: &Known) -> Sight {
    if node.frozen {
        return Sight::Silent(node.last.clone());
    }
    match fleet.observe(node.port).await {
        Ok(seen) => Sight::Seen(Box::new(seen)),
        Err(error) if error.kind == Failure::Refused && !node.attached => Sight::Gone(node.last.clone()),
        Err(_) => Sight::Silent(node.last.clone()),
    }
}

async fn knows_failover(fleet: &mut Fleet<'_>, port: u16) -> bool {
    // An unknown command is a missing value inside the array.
    match fleet.ask(port, &["COMMAND", "INFO", "failover"]).await {
        Ok(Value::Array(rows)) => rows.first().is_some_and(|row| matches!(row, Value::Array(_))),
        _ => false,
    }
}

async fn sentinels(fleet: &mut Fleet<'_>, port: u16) -> u64 {
    match fleet.ask(port, &["PUBSUB", "NUMSUB", SENTINEL_CHANNEL]).await {
        Ok(Value::Array(pair)) => match pair.get(1) {
            Some(Value::Int(count)) => u64::try_from(*count).unwrap_or(0),
            _ => 0,
        },
        _ => 0,
    }
}

//! The nodes of a set as they are found, and who follows whom among them. The input of every change.

use std::collections::BTreeSet;

use crate::node::observe::Observation;
use crate::topology::same_host;

/// One node of a set.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// Where it listens; also how people name it.
    pub port: u16,
    /// The host at which the others reach it.
    pub host: String,
    /// What it says of itself.
    pub sight: Sight,
    /// It knows FAILOVER.
    pub has_failover: bool,
    /// Sentinels that watch it.
    pub sentinels: u64,
}

/// What came of asking a node.
#[derive(Debug, Clone, PartialEq)]
pub enum Sight {
    /// It answered.
    Seen(Box<Observation>),
    /// Its process is gone.
    Gone(Last),
    /// It is there and says nothing: frozen, busy or cut off.
    Silent(Last),
}

/// What was last known of a node that does not answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Last {
    /// Its offset.
    pub offset: Option<u64>,
    /// Its history.
    pub replid: Option<String>,
    /// The node of the set it followed; `None` for a master, or when nothing is known.
    pub upstream: Option<u16>,
}

impl Member {
    /// What it says, if it answers.
    #[must_use]
    pub fn seen(&self) -> Option<&Observation> {
        match &self.sight {
            Sight::Seen(seen) => Some(seen),
            _ => None,
        }
    }

    /// What was last known of it, if it does not answer.
    #[must_use]
    pub fn last(&self) -> Option<&Last> {
        match &self.sight {
            Sight::Seen(_) => None,
            Sight::Gone(last) | Sight::Silent(last) => Some(last),
        }
    }
}

/// All nodes of a set, in the order of the file.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Members(pub Vec<Member>);

/// Where the way up from a node ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Top {
    /// At a master that answers.
    Master(u16),
    /// At a node of the set that does not answer, and was a master as far as is known.
    Lost(u16),
    /// At a server outside the set.
    Outside(String, u16),
    /// Nowhere: the way goes round.
    Circle,
}

impl Members {
    /// The node on a port.
    #[must_use]
    pub fn get(&self, port: u16) -> Option<&Member> {
        self.0.iter().find(|member| member.port == port)
    }

    /// What the node on a port says.
    #[must_use]
    pub fn seen(&self, port: u16) -> Option<&Observation> {
        self.get(port)?.seen()
    }

    /// The nodes above `port`, nearest first, and where the way ends. A node that answers as a master is its own
    /// top. The way leads through nodes that do not answer, by what was last known of them.
    #[must_use]
    pub fn way_up(&self, port: u16) -> (Vec<u16>, Top) {
        let (mut way, mut passed, mut at) = (Vec::new(), BTreeSet::new(), port);
        loop {
            if !passed.insert(at) {
                return (way, Top::Circle);
            }
            let upstream = match self.get(at).map(|member| &member.sight) {
                Some(Sight::Seen(seen)) if !seen.is_replica => return (way, Top::Master(at)),
                Some(Sight::Seen(seen)) => seen.link.as_ref().map(|link| (link.host.clone(), link.port)),
                Some(Sight::Gone(last) | Sight::Silent(last)) => last.upstream.map(|up| (String::new(), up)),
                None => return (way, Top::Lost(at)),
            };
            match upstream {
                Some((host, up)) if self.is_member(&host, up) => {
                    way.push(up);
                    at = up;
                }
                Some((host, up)) => return (way, Top::Outside(host, up)),
                None => return (way, Top::Lost(at)),
            }
        }
    }

    /// A node of the set is at this address; the host of one that does not answer may be unknown.
    fn is_member(&self, host: &str, port: u16) -> bool {
        self.get(port).is_some_and(|member| host.is_empty() || same_host(host, &member.host))
    }

    /// The port a node follows, or followed when last seen.
    #[must_use]
    pub fn upstream(&self, port: u16) -> Option<u16> {
        match &self.get(port)?.sight {
            Sight::Seen(seen) => seen.link.as_ref().map(|link| link.port),
            Sight::Gone(last) | Sight::Silent(last) => last.upstream,
        }
    }

    /// The nodes that follow `port` directly and answer.
    #[must_use]
    pub fn followers(&self, port: u16) -> Vec<u16> {
        let follows = |member: &&Member| member.seen().is_some() && self.upstream(member.port) == Some(port);
        self.0.iter().filter(follows).map(|member| member.port).collect()
    }
}

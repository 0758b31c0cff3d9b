//! Link faults as people ask for them, and the rule they make at each node.
//!
//! Invariants: a fault belongs to pairs of nodes, not to a direction, so that it holds whoever of the two is the master;
//! it is injected where the link is accepted; several faults of one pair add up.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use rctl_server::fault::Rule;
use serde::{Deserialize, Serialize};

/// Two nodes, by their ports, the lower one first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Link(u16, u16);

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "is")]
pub enum Effect {
    /// Closed, and refused.
    Cut,
    /// Bytes are held, so that the link looks alive until somebody's timeout.
    Stall,
    /// Each way takes this long.
    Delay {
        /// Milliseconds.
        ms: u64,
    },
    /// Each way carries no more than this.
    Throttle {
        /// Bytes per second.
        bytes_per_s: u64,
    },
}

/// One fault that is in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// Its name for `heal`: counts up from one in each set.
    pub id: u32,
    /// What is wrong.
    pub effect: Effect,
    /// With which links.
    pub links: Vec<Link>,
    /// Since when: milliseconds since the Unix epoch.
    pub since_ms: u64,
}

/// What is to be healed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "what")]
pub enum Healing {
    /// Everything.
    All,
    /// One fault.
    Fault {
        /// Its id.
        id: u32,
    },
    /// Every link of a node.
    Node {
        /// Its port.
        port: u16,
    },
    /// One link.
    Link {
        /// The link.
        link: Link,
    },
}

impl Link {
    /// The link between two nodes; `None` between a node and itself.
    #[must_use]
    pub fn between(one: u16, two: u16) -> Option<Self> {
        (one != two).then(|| Self(one.min(two), one.max(two)))
    }

    /// The node at the other end.
    #[must_use]
    pub fn other(self, port: u16) -> Option<u16> {
        match self {
            Self(low, high) if low == port => Some(high),
            Self(low, high) if high == port => Some(low),
            _ => None,
        }
    }

    /// Both ends.
    #[must_use]
    pub fn ends(self) -> [u16; 2] {
        [self.0, self.1]
    }
}

impl Effect {
    /// The rule that a server or a proxy is given.
    #[must_use]
    pub fn rule(self) -> Rule {
        match self {
            Self::Cut => Rule { cut: true, ..Rule::default() },
            Self::Stall => Rule { stall: true, ..Rule::default() },
            Self::Delay { ms } => Rule { delay_ms: ms, ..Rule::default() },
            Self::Throttle { bytes_per_s } => Rule { rate: bytes_per_s, ..Rule::default() },
        }
    }

    /// Nothing gets through.
    #[must_use]
    pub fn severs(self) -> bool {
        matches!(self, Self::Cut | Self::Stall)
    }
}

impl Fault {
    /// `6379-6381, 6380-6381`, or `6379-6381 and 11 more`.
    #[must_use]
    pub fn shown_links(&self) -> String {
        const SHOWN: usize = 4;
        let first: Vec<String> = self.links.iter().take(SHOWN).map(ToString::to_string).collect();
        match self.links.len().saturating_sub(SHOWN) {
            0 => first.join(", "),
            more => format!("{} and {more} more", first.join(", ")),
        }
    }
}

/// The rules that the node on `port` is to follow: for each other end, what is wrong with the link to it.
#[must_use]
pub fn rules_at(faults: &[Fault], port: u16) -> BTreeMap<u16, Rule> {
    let mut rules: BTreeMap<u16, Rule> = BTreeMap::new();
    for fault in faults {
        for other in fault.links.iter().filter_map(|link| link.other(port)) {
            let rule = rules.entry(other).or_default();
            *rule = rule.and(fault.effect.rule());
        }
    }
    rules
}

/// Nothing gets through between two nodes.
#[must_use]
pub fn is_severed<'f>(faults: impl IntoIterator<Item = &'f Fault>, one: u16, two: u16) -> bool {
    let link = Link::between(one, two);
    faults.into_iter().any(|fault| fault.effect.severs() && fault.links.iter().any(|own| Some(*own) == link))
}

/// What is left of the faults; `None` where nothing of them is meant.
#[must_use]
pub fn healed(faults: &[Fault], healing: Healing) -> Option<Vec<Fault>> {
    let keeps = |fault: &Fault, link: Link| match healing {
        Healing::All => false,
        Healing::Fault { id } => fault.id != id,
        Healing::Node { port } => link.other(port).is_none(),
        Healing::Link { link: meant } => link != meant,
    };
    let mut left = Vec::new();
    let mut met = false;
    for fault in faults {
        let links: Vec<Link> = fault.links.iter().copied().filter(|link| keeps(fault, *link)).collect();
        met |= links.len() < fault.links.len();
        if !links.is_empty() {
            left.push(Fault { links, ..fault.clone() });
        }
    }
    (met || healing == Healing::All).then_some(left)
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.0, self.1)
    }
}

impl FromStr for Link {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (one, two) = text.split_once('-').ok_or(())?;
        Self::between(one.parse().map_err(drop)?, two.parse().map_err(drop)?).ok_or(())
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cut => f.write_str("cut"),
            Self::Stall => f.write_str("silently cut"),
            Self::Delay { ms } => write!(f, "delayed by {ms} ms each way"),
            Self::Throttle { bytes_per_s } => write!(f, "throttled to {bytes_per_s} B/s each way"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(id: u32, effect: Effect, links: &[(u16, u16)]) -> Fault {
        let links = links.iter().map(|(one, two)| Link::between(*one, *two).unwrap()).collect();
        Fault { id, effect, links, since_ms: 0 }
    }

    #[test]
    fn a_fault_holds_at_both_ends_and_several_add_up() {
        let faults = [
            fault(1, Effect::Delay { ms: 200 }, &[(1, 2)]),
            fault(2, Effect::Throttle { bytes_per_s: 9 }, &[(2, 1)]),
            fault(3, Effect::Cut, &[(1, 3)]),
        ];
        let shown = |port| {
            rules_at(&faults, port).iter().map(|(other, rule)| format!("{other} {rule}")).collect::<Vec<_>>()
        };
        assert_eq!(shown(1), ["2 delay 200 rate 9", "3 cut"]);
        assert_eq!(shown(2), ["1 delay 200 rate 9"]);
        assert!(shown(4).is_empty());
        assert!(is_severed(&faults, 3, 1) && !is_severed(&faults, 1, 2));
    }

    #[test]
    fn healing_takes_away_what_is_meant_and_nothing_else() {
        let faults = [fault(1, Effect::Cut, &[(1, 3), (2, 3)]), fault(2, Effect::Stall, &[(1, 2)])];
        let left = |healing| {
            healed(&faults, healing)
                .map(|left| left.iter().map(|f| format!("{}:{}", f.id, f.shown_links())).collect::<Vec<_>>())
        };
        assert_eq!(left(Healing::Node { port: 2 }), Some(vec!["1:1-3".into()]));
        assert_eq!(left(Healing::Fault { id: 1 }), Some(vec!["2:1-2".into()]));
        assert_eq!(left(Healing::Link { link: Link(2, 3) }), Some(vec!["1:1-3".into(), "2:1-2".into()]));
        assert_eq!(left(Healing::All), Some(vec![]));
        assert_eq!(left(Healing::Fault { id: 9 }), None);
        assert_eq!(left(Healing::Node { port: 9 }), None);
        assert_eq!(healed(&[], Healing::All), Some(vec![]), "nothing to heal is healed");
    }

    #[test]
    fn a_link_is_two_ports_whatever_their_order() {
        assert_eq!("6381-6379".parse(), Ok(Link(6379, 6381)));
        for bad in ["6379", "6379-6379", "-", "6379-x", "6379-99999", "1-2-3"] {
            assert!(bad.parse::<Link>().is_err(), "{bad} was accepted");
        }
    }
}

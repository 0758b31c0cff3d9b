//! Contents of nodes against each other. Pure.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Serialize, Serializer};

use super::read::{Contents, Place};
use crate::prompt::format::quoted;

/// One key that is not the same everywhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Difference {
    /// Which key.
    #[serde(flatten)]
    pub(super) place: Place,
    /// What each node has, in the order of the nodes.
    on: Vec<Has>,
}

/// A key on one node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Has {
    node: u16,
    /// `missing`, or its type.
    has: String,
    /// Nodes with the same number hold the same; 0 is missing.
    group: usize,
}

impl Serialize for Place {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("db", &self.db)?;
        map.serialize_entry("key", &String::from_utf8_lossy(&self.key))?;
        map.end()
    }
}

/// Every key that is not the same on all nodes, in order.
pub(super) fn differences(ports: &[u16], contents: &[Contents]) -> Vec<Difference> {
    let places: BTreeSet<&Place> = contents.iter().flat_map(|contents| contents.0.keys()).collect();
    let mut found = Vec::new();
    for place in places {
        let prints: Vec<_> = contents.iter().map(|contents| contents.0.get(place)).collect();
        if prints.windows(2).all(|pair| matches!(pair, [one, other] if one == other)) {
            continue;
        }
        let mut kinds = Vec::new();
        let on = ports.iter().zip(&prints).map(|(&node, print)| {
            let group = match print {
                None => 0,
                Some(print) => {
                    let at = kinds.iter().position(|kind| kind == print).unwrap_or_else(|| {
                        kinds.push(*print);
                        kinds.len() - 1
                    });
                    at + 1
                }
            };
            Has { node, has: print.map_or_else(|| "missing".to_owned(), ToString::to_string), group }
        });
        found.push(Difference { place: place.clone(), on: on.collect() });
    }
    found
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut name = Vec::new();
        quoted(&mut name, &self.place.key);
        if self.place.db > 0 {
            write!(f, "db{} ", self.place.db)?;
        }
        write!(f, "{}:", String::from_utf8_lossy(&name))?;
        let groups: BTreeSet<usize> = self.on.iter().map(|has| has.group).collect();
        for (index, group) in groups.iter().rev().enumerate() {
            let same: Vec<&Has> = self.on.iter().filter(|has| has.group == *group).collect();
            let nodes: Vec<String> = same.iter().map(|has| has.node.to_string()).collect();
            let has = same.first().map_or("", |has| has.has.as_str());
            let another = if index > 0 && *group > 0 { "another " } else { "" };
            let comma = if index > 0 { "," } else { "" };
            write!(f, "{comma} {another}{has} on {}", nodes.join(" and "))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::read::Print;
    use super::*;

    fn contents(entries: &[(&str, u64)]) -> Contents {
        let entry = |(key, value): &(&str, u64)| {
            let place = Place { db: 0, key: key.as_bytes().to_vec() };
            (place, Print { kind: "string".into(), deadline: false, value: *value })
        };
        Contents(entries.iter().map(entry).collect())
    }

    #[test]
    fn a_key_differs_where_it_lacks_or_has_another_value() {
        let nodes = [
            contents(&[("a", 1), ("b", 1), ("c", 1)]),
            contents(&[("a", 1), ("c", 2)]),
            contents(&[("a", 1), ("b", 1), ("c", 1)]),
        ];
        let lines: Vec<String> = differences(&[1, 2, 3], &nodes).iter().map(ToString::to_string).collect();
        assert_eq!(
            lines,
            ["\"b\": string on 1 and 3, missing on 2", "\"c\": string on 2, another string on 1 and 3"]
        );
        assert!(differences(&[1, 2], &[contents(&[("a", 1)]), contents(&[("a", 1)])]).is_empty());
    }
}

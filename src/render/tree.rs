//! Who follows whom as lines: each node below the one it follows, in the order of the file.

use super::style::Marks;
use crate::status::NodeStatus;

/// One line of the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Branch {
    /// What stands before the node: `├─ `, `│  └─ `.
    pub prefix: String,
    /// The node's place in the report; `None` for a line that only points at a node shown elsewhere.
    pub node: Option<usize>,
    /// The port of the node.
    pub port: u16,
}

/// The lines of a report's nodes. Every node has exactly one line of its own; a circle ends in a line that points
/// back into it.
#[must_use]
pub fn tree(nodes: &[NodeStatus], marks: &Marks) -> Vec<Branch> {
    let mut walk = Walk { nodes, marks, shown: vec![false; nodes.len()], lines: Vec::new() };
    for (index, node) in nodes.iter().enumerate() {
        if walk.parent(node).is_none() {
            walk.visit(index, "", "");
        }
    }
    // What is left hangs in circles.
    for index in 0..nodes.len() {
        if walk.shown.get(index) == Some(&false) {
            walk.visit(index, "", "");
        }
    }
    walk.lines
}

struct Walk<'a> {
    nodes: &'a [NodeStatus],
    marks: &'a Marks,
    shown: Vec<bool>,
    lines: Vec<Branch>,
}

impl Walk<'_> {
    fn parent(&self, node: &NodeStatus) -> Option<usize> {
        self.nodes.iter().position(|other| node.follows(other))
    }

    /// `prefix` stands before this line, `below` before the lines of what follows it.
    fn visit(&mut self, index: usize, prefix: &str, below: &str) {
        let Some(node) = self.nodes.get(index) else { return };
        let again = self.shown.get(index) == Some(&true);
        let own = (!again).then_some(index);
        self.lines.push(Branch { prefix: prefix.to_owned(), node: own, port: node.port });
        if again {
            return;
        }
        if let Some(shown) = self.shown.get_mut(index) {
            *shown = true;
        }
        let children: Vec<usize> = (0..self.nodes.len())
            .filter(|child| self.nodes.get(*child).and_then(|node| self.parent(node)) == Some(index))
            .collect();
        for (nth, child) in children.iter().enumerate() {
            let last = nth + 1 == children.len();
            let (branch, trunk) =
                if last { (self.marks.last, "   ") } else { (self.marks.branch, self.marks.trunk) };
            self.visit(*child, &format!("{below}{branch}"), &format!("{below}{trunk}"));
        }
    }
}

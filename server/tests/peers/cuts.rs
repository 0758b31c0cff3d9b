//! Links cut, nodes stopped, killed and started again under load: equal data at the end, and only the full resyncs
//! that were owed.
//!
//! Owed is one for each first contact, and one for each replica that came back with nothing on its disk. Every other
//! gap fits the backlog.

use crate::compare::assert_same;
use crate::load::{Dice, Load, fill, seed};
use crate::node::{Brand, Node};

use Brand::{Ours, Redis62, Redis70};

/// The backlog covers any gap of these tests.
const OPTIONS: [&str; 2] = ["--repl-backlog-size", "64mb"];

/// A tree of nodes: each with the index of the one it follows. The first is the master.
struct Tree {
    nodes: Vec<Node>,
    above: Vec<usize>,
    /// Full resyncs so far that had to be.
    owed: i64,
}

impl Tree {
    /// Starts and links it; `None` when a brand is missing here.
    fn plant(shape: &[(Brand, usize)]) -> Option<Self> {
        let nodes =
            shape.iter().map(|&(brand, _)| Node::start(brand, &OPTIONS)).collect::<Option<Vec<_>>>()?;
        let above: Vec<usize> = shape.iter().map(|&(_, above)| above).collect();
        let tree = Self { nodes, above, owed: i64::try_from(shape.len()).unwrap() - 1 };
        fill(tree.node(0), 200);
        for n in 1..shape.len() {
            tree.node(n).follow(tree.node(tree.above(n)));
        }
        Some(tree)
    }

    fn node(&self, n: usize) -> &Node {
        self.nodes.get(n).unwrap()
    }

    fn above(&self, n: usize) -> usize {
        *self.above.get(n).unwrap()
    }

    /// Nodes below which nobody is.
    fn leaves(&self) -> Vec<usize> {
        (1..self.nodes.len()).filter(|n| !self.above.iter().skip(1).any(|above| above == n)).collect()
    }

    /// One misfortune; waits until all links are up again.
    fn suffer(&mut self, dice: &mut Dice, load: &Load) {
        let replicas: Vec<usize> = (1..self.nodes.len()).collect();
        let any = dice.pick(&replicas);
        let leaf = dice.pick(&self.leaves());
        let what = dice.below(8);
        match what {
            0 | 1 => drop(self.node(any).ask("CLIENT KILL TYPE master")),
            2 | 3 => drop(self.node(self.above(any)).ask("CLIENT KILL TYPE replica")),
            4 => {
                self.node(any).signal("STOP");
                load.wait(dice.below(2000));
                self.node(any).signal("CONT");
            }
            5 => {
                self.node(leaf).must("SAVE", "OK");
                load.wait(dice.below(500));
                self.restart(leaf, load, Node::kill);
            }
            6 => self.restart(leaf, load, |node| node.shutdown("SAVE")),
            _ => {
                // What an earlier misfortune saved would still do.
                let _ = std::fs::remove_file(self.node(leaf).dir().join("dump.rdb"));
                self.restart(leaf, load, Node::kill);
                self.owed += 1;
            }
        }
        load.wait(dice.below(300));
        for n in replicas {
            self.node(n).linked();
        }
        self.check(what);
    }

    fn restart(&mut self, n: usize, load: &Load, end: impl Fn(&mut Node)) {
        let node = self.nodes.get_mut(n).unwrap();
        end(node);
        load.wait(200);
        node.spawn();
    }

    /// Exactly the owed full resyncs happened. Nodes that are restarted have nobody below, so nothing is forgotten.
    fn check(&self, what: u64) {
        let full: i64 = self.nodes.iter().map(|node| node.count("sync_full")).sum();
        assert_eq!(full, self.owed, "full resyncs after misfortune {what}");
    }
}

/// Seeded misfortunes under load.
fn rounds(shape: &[(Brand, usize)], usual_seed: u64, count: usize) {
    let Some(mut tree) = Tree::plant(shape) else { return };
    let seed = seed(usual_seed);
    eprintln!("RCTL_SEED={seed}");
    let mut dice = Dice::new(seed);
    let load = Load::on(tree.node(0), seed);
    for _ in 0..count {
        load.wait(dice.below(500));
        tree.suffer(&mut dice, &load);
    }
    load.wait(500);
    assert!(load.end() > 1000);
    assert_same(&tree.nodes.iter().collect::<Vec<_>>());
    tree.check(99);
}

#[test]
fn cuts_below_us_cost_no_full_resync() {
    rounds(&[(Ours, 0), (Redis70, 0), (Redis62, 0), (Ours, 0)], 11, 24);
}

#[test]
fn cuts_above_us_cost_no_full_resync() {
    rounds(&[(Redis70, 0), (Ours, 0), (Ours, 1), (Redis62, 1)], 12, 24);
    rounds(&[(Redis62, 0), (Ours, 0), (Redis70, 1)], 13, 16);
}

#[test]
fn cuts_in_long_chains_cost_no_full_resync() {
    rounds(&[(Ours, 0), (Redis70, 0), (Ours, 1), (Redis62, 2), (Ours, 3)], 14, 24);
}

//! The second phase: the faults stop, somebody decides who follows whom, and everything has to come to rest.

use super::Campaign;
use crate::sim::model::Model;

/// The longest time it may take, in simulated milliseconds.
const PATIENCE_MS: u64 = 200_000;
/// Full resyncs that one node may need.
const FULL_MOST: usize = 6;

impl Campaign {
    /// The second phase.
    pub(super) fn come_to_rest(&mut self) {
        self.event(&[13], || "no more faults: everything has to come to rest".to_owned());
        self.world.net.heal();
        while !self.world.unaware.is_empty() {
            self.world.tell(0);
        }
        let nodes = self.machines.len();
        for n in 1..=nodes {
            if let Some(host) = self.world.host_mut(n) {
                host.disk_trouble = None;
            }
            if !self.world.running(n) {
                self.start_as(n, None, false);
            }
        }
        self.collect();
        let root = self.any_node();
        let mut tree: Vec<usize> = vec![root];
        // What each node is to follow.
        let mut wanted: Vec<(usize, Option<u16>)> = vec![(root, None)];
        for n in (1..=nodes).filter(|&n| n != root) {
            let above = self.chance.pick(&tree, root);
            wanted.push((n, self.machines.get(above - 1).map(|machine| machine.port)));
            tree.push(n);
        }
        self.full_of.fill(0);
        let begun = self.world.now().mono_ms();
        while self.outcome.broken.is_none() {
            self.world.settle();
            self.collect();
            let obeyed = self.see_to_it(&wanted);
            if obeyed && self.at_rest(root) {
                break;
            }
            if self.world.now().mono_ms() - begun > PATIENCE_MS {
                let why = self.unrest(root);
                return self.broke(format!("convergence: no rest after {} s: {why}", PATIENCE_MS / 1000));
            }
            // A process that was told to end is started again.
            for n in 1..=nodes {
                if !self.world.running(n) {
                    let line = if n == root { None } else { Some(root) };
                    self.start_as(n, line, false);
                }
            }
            let now = self.world.now().mono_us;
            self.world.jump(now + 500_000);
        }
        if let Some((n, count)) = self.full_of.iter().enumerate().find(|(_, count)| **count > FULL_MOST) {
            self.broke(format!("node {n}: liveness: {count} full resyncs before it came to rest"));
        }
        self.all_expire(root);
    }

    /// Gives an order to everyone who does not follow whom it is to follow; true when there was none to give.
    pub(super) fn see_to_it(&mut self, wanted: &[(usize, Option<u16>)]) -> bool {
        let mut obeyed = true;
        for &(n, port) in wanted {
            let Some(node) = self.world.node(n) else { continue };
            if node.hands_over() {
                obeyed = false;
                self.give_order(n, "FAILOVER ABORT");
            } else if node.upstream().map(|(port, _)| port) != port || node.holds_out() {
                obeyed = false;
                let line =
                    port.map_or("REPLICAOF NO ONE".to_owned(), |port| format!("REPLICAOF 127.0.0.1 {port}"));
                self.give_order(n, "CLIENT UNPAUSE");
                self.give_order(n, &line);
            }
        }
        obeyed && !self.clients.iter().any(|client| client.busy() && self.world.running(client.n))
    }

    /// Whether every node holds what the root holds.
    pub(super) fn at_rest(&self, root: usize) -> bool {
        let Some(check) = &self.world.check else { return true };
        let Some(master) = check.seen(root) else { return false };
        let same = |n: usize| {
            check.seen(n).is_some_and(|seen| {
                let up = n == root || seen.upstream.is_some_and(|(_, up)| up);
                up && seen.id == master.id && seen.offset == master.offset && seen.digest == master.digest
            })
        };
        self.machines.len() == 1 || (1..=self.machines.len()).all(same)
    }

    pub(super) fn unrest(&self, root: usize) -> String {
        let Some(check) = &self.world.check else { return String::new() };
        let nodes = (1..=self.machines.len()).map(|n| match check.seen(n) {
            None => format!("{n} is down"),
            Some(seen) => format!("{n} at {} of {:?}, upstream {:?}", seen.offset, seen.id, seen.upstream),
        });
        let nodes: Vec<String> = nodes.collect();
        format!("the root is {root}; {}", nodes.join("; "))
    }

    /// At rest a master deletes what is past its deadline, and its replicas follow.
    pub(super) fn all_expire(&mut self, root: usize) {
        if self.outcome.broken.is_some() {
            return;
        }
        for n in 1..=self.machines.len() {
            self.give_order(n, "CLIENT UNPAUSE");
        }
        let wall_ms = self.world.now().wall_ms;
        self.pass_settled(3000);
        let stale = self.world.node(root).map_or(0, |node| Model::of(node.keyspace()).expired(wall_ms));
        if stale > 0 {
            self.broke(format!("node {root}: expiry: {stale} keys are past their deadline and still there"));
        }
        if self.outcome.broken.is_none() && !self.at_rest(root) {
            let why = self.unrest(root);
            self.broke(format!("convergence: it was at rest and is not any more: {why}"));
        }
    }
}

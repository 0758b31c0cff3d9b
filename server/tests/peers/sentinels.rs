//! Three of Debian's sentinels watch a set: they find its replicas and each other, replace a killed master, make the one
//! that comes back a replica, and are quiet otherwise.

use crate::client::eventually;
use crate::compare::assert_same;
use crate::load::fill;
use crate::node::{Brand, Node};

use Brand::{Ours, Redis70};

/// A set and who watches it.
pub(crate) struct Watched {
    pub(crate) nodes: Vec<Node>,
    pub(crate) sentinels: Vec<Node>,
}

impl Watched {
    /// Starts all; waits until every sentinel knows everybody. The priorities decide who is promoted.
    pub(crate) fn start(members: &[(Brand, &str)]) -> Option<Self> {
        let start =
            |&(brand, priority): &(Brand, &str)| Node::start(brand, &["--replica-priority", priority]);
        let nodes = members.iter().map(start).collect::<Option<Vec<_>>>()?;
        let (master, replicas) = nodes.split_first().unwrap();
        for replica in replicas {
            replica.follow(master);
            replica.must("CONFIG REWRITE", "OK");
            replica.moved_by_others();
        }
        let sentinels = (0..3).map(|_| Node::sentinel(master)).collect::<Option<Vec<_>>>()?;
        for sentinel in &sentinels {
            // Their usual ten seconds between two looks would only make the test longer; and with a ping a second and a
            // limit of a second, a master that they have just switched to would be late before it is asked.
            sentinel.must("SENTINEL DEBUG info-period 500 publish-period 300 ping-period 400", "OK");
        }
        let watched = Self { nodes, sentinels };
        for sentinel in &watched.sentinels {
            let known = eventually(|| {
                let all = sentinel.ask("SENTINEL MASTER set");
                let replicas = sentinel.ask("SENTINEL REPLICAS set");
                let asked = members.iter().skip(1).all(|(_, priority)| {
                    replicas.contains(&format!(" slave-priority {priority} "))
                        && replicas.matches(" master-link-status ok ").count() == 2
                });
                (asked
                    && all.contains(" num-slaves 2 num-other-sentinels 2 ")
                    && all.contains(" flags master "))
                .then_some(())
            });
            assert!(known.is_some(), "{}", sentinel.ask("SENTINEL MASTER set"));
        }
        Some(watched)
    }

    /// Kills the master; the sentinels make `next` master, and the old one, started again, its replica.
    fn replace(&mut self, old: usize, next: usize) {
        let port = self.nodes[next].port;
        self.nodes[old].kill();
        for sentinel in &self.sentinels {
            let moved = eventually(|| {
                let said = sentinel.ask("SENTINEL GET-MASTER-ADDR-BY-NAME set");
                (said == format!("127.0.0.1 {port}")).then_some(())
            });
            assert!(moved.is_some(), "{sentinel:?} does not see {port} as the master");
        }
        self.nodes[next].wait_info("role", "master");
        self.nodes[next].must("SET written after", "OK");
        self.nodes[old].spawn();
        for (n, node) in self.nodes.iter().enumerate().filter(|(n, _)| *n != next) {
            node.wait_info("master_port", &port.to_string());
            node.linked();
            // Sentinels have the change written down: a restart keeps it.
            let file = std::fs::read_to_string(node.dir().join("node.conf")).unwrap();
            assert!(file.contains(&format!("replicaof 127.0.0.1 {port}")), "{n}: {file}");
        }
        let mut order: Vec<&Node> = vec![&self.nodes[next]];
        order.extend(self.nodes.iter().filter(|node| node.port != port));
        assert_same(&order);
        self.is_quiet();
    }

    /// Over many looks of every sentinel, none of them sees anything to tell.
    fn is_quiet(&self) {
        // The news of the failover ends with the last hello and the last look.
        let settled = eventually(|| {
            let before = self.events();
            self.sentinels.iter().for_each(looks_again);
            (self.events() == before).then_some(())
        });
        assert!(settled.is_some(), "the sentinels go on talking");
        for sentinel in &self.sentinels {
            let log = sentinel.log();
            assert!(!log.contains("+fix-slave-config"), "a replica followed the wrong master: {log}");
            assert!(!log.contains("-failover-abort"), "{log}");
        }
    }

    /// Lines the sentinels wrote so far.
    fn events(&self) -> usize {
        self.sentinels.iter().map(|sentinel| sentinel.log().lines().count()).sum()
    }
}

/// Waits until a sentinel has asked its master for INFO a number of times.
fn looks_again(sentinel: &Node) {
    let mut age = 0;
    let mut looks = 0;
    let looked = eventually(|| {
        let said = sentinel.ask("SENTINEL MASTER set");
        let (_, rest) = said.split_once(" info-refresh ")?;
        let now: u64 = rest.split(' ').next()?.parse().ok()?;
        looks += u32::from(now < age);
        age = now;
        (looks >= 5).then_some(())
    });
    assert!(looked.is_some(), "{sentinel:?} does not look at its master");
}

#[test]
fn a_built_in_set_survives_its_master_by_sentinel() {
    let Some(mut watched) = Watched::start(&[(Ours, "100"), (Ours, "10"), (Ours, "100")]) else { return };
    fill(&watched.nodes[0], 100);
    watched.is_quiet();
    watched.replace(0, 1);
}

#[test]
fn a_mixed_set_survives_its_masters_by_sentinel() {
    let Some(mut watched) = Watched::start(&[(Ours, "20"), (Redis70, "10"), (Ours, "100")]) else { return };
    fill(&watched.nodes[0], 100);
    watched.replace(0, 1);
    watched.replace(1, 0);
}

//! Everything a seed decides before a run begins: what can go wrong, how often, and how the nodes are configured.
//!
//! Each seed draws its own weights, some of them zero: a run without crashes finds other mistakes than one with crashes.
//! (The idea is TigerBeetle's, who call it swarm testing.)

use crate::data::Rng;

/// The source of every choice of a run.
#[derive(Debug, Clone)]
pub struct Chance(Rng);

impl Chance {
    /// All choices follow from `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(Rng::new(seed))
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0.below(bound)
    }

    /// An index below `bound`.
    pub fn index(&mut self, bound: usize) -> usize {
        usize::try_from(self.0.below(bound as u64)).unwrap_or(0)
    }

    /// True once in `n` times.
    pub fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    /// One of these.
    pub fn pick<T: Copy>(&mut self, from: &[T], otherwise: T) -> T {
        from.get(self.index(from.len())).copied().unwrap_or(otherwise)
    }
}

/// Something that can happen next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Bytes arrive.
    Deliver,
    /// Time passes.
    Pass,
    /// A connection comes about, or is refused.
    Dial,
    /// An end learns that its wire is gone.
    Tell,
    /// A client writes.
    Write,
    /// A client runs a transaction, or a part of one.
    Transact,
    /// A client waits for replicas.
    Wait,
    /// A client reads.
    Read,
    /// A wire dies without its ends noticing.
    Sever,
    /// A wire stalls in one direction, or flows again.
    Clog,
    /// A pair of machines is cut from each other, in one direction or both.
    Cut,
    /// All cuts heal.
    Heal,
    /// A process is killed.
    Crash,
    /// A process starts.
    Start,
    /// A replica is told to be a master.
    Promote,
    /// A node is told to follow another.
    Follow,
    /// A master is told to hand over, or not to.
    Failover,
    /// Clients are paused, or not any more.
    Pause,
    /// A snapshot is written to the disk, or the process ends with one.
    Save,
    /// A piece of a save reaches the disk.
    Disk,
    /// A disk begins or ceases to refuse.
    DiskTrouble,
    /// The wall clock jumps.
    Clock,
    /// Everything is deleted.
    Flush,
    /// The backlog's size is changed.
    Resize,
}

/// All of them, with the weight they have where they have one, and whether a run may do without.
const ACTS: [(Act, u64, bool); 24] = [
    (Act::Deliver, 240, false),
    (Act::Pass, 50, false),
    (Act::Dial, 40, false),
    (Act::Tell, 12, false),
    (Act::Write, 60, false),
    (Act::Transact, 20, true),
    (Act::Wait, 16, true),
    (Act::Read, 10, true),
    (Act::Sever, 8, true),
    (Act::Clog, 8, true),
    (Act::Cut, 5, true),
    (Act::Heal, 6, false),
    (Act::Crash, 5, true),
    (Act::Start, 12, false),
    (Act::Promote, 6, true),
    (Act::Follow, 8, true),
    (Act::Failover, 6, true),
    (Act::Pause, 4, true),
    (Act::Save, 6, true),
    (Act::Disk, 12, false),
    (Act::DiskTrouble, 2, true),
    (Act::Clock, 3, true),
    (Act::Flush, 1, true),
    (Act::Resize, 1, true),
];

/// What a seed decided.
#[derive(Debug, Clone)]
pub struct Odds {
    /// How many nodes there are, where nobody says.
    pub nodes: usize,
    /// How many steps the first phase has, where nobody says.
    pub steps: u64,
    /// The most bytes delivered in one piece, mostly.
    pub piece: u64,
    /// The most bytes in flight on a wire.
    pub room: usize,
    /// One value in so many is big against the smallest backlog; with 2, very big.
    pub big: u64,
    /// Before the first phase everything is let settle.
    pub settled: bool,
    weights: [u64; ACTS.len()],
    total: u64,
    /// Directives of all nodes.
    pub config: String,
}

impl Odds {
    /// Draws them.
    #[must_use]
    pub fn draw(chance: &mut Chance) -> Self {
        let mut weights = [0; ACTS.len()];
        for ((_, usual, optional), weight) in ACTS.iter().zip(&mut weights) {
            *weight = match chance.below(if *optional { 4 } else { 2 }) {
                0 => *usual,
                1 => 1 + chance.below(3 * *usual),
                _ if chance.one_in(2) => *usual,
                _ => 0,
            };
        }
        Self {
            nodes: 2 + chance.index(4),
            steps: 40 + chance.below(260),
            piece: chance.pick(&[8, 64, 64, 512, 4096], 64),
            room: chance.pick(&[64, 1024, 1 << 20, 1 << 20], 1024),
            big: chance.pick(&[2, 10, 10, 1000], 10),
            settled: !chance.one_in(4),
            total: weights.iter().sum(),
            weights,
            config: directives(chance),
        }
    }

    /// What happens next.
    pub fn act(&self, chance: &mut Chance) -> Act {
        let mut at = chance.below(self.total);
        for ((act, ..), weight) in ACTS.iter().zip(&self.weights) {
            if at < *weight {
                return *act;
            }
            at -= weight;
        }
        Act::Deliver
    }

    /// What was drawn, on one line.
    #[must_use]
    pub fn shown(&self) -> String {
        let acts = ACTS.iter().zip(&self.weights);
        let acts: Vec<String> = acts.map(|((act, ..), weight)| format!("{act:?} {weight}")).collect();
        format!(
            "piece {}, room {}, big 1/{}, settled {}, weights {}; config {}",
            self.piece,
            self.room,
            self.big,
            self.settled,
            acts.join(", "),
            self.config.replace('\n', "; ")
        )
    }
}

fn directives(chance: &mut Chance) -> String {
    let mut lines = vec!["databases 3".to_owned(), "save \"\"".to_owned(), "shutdown-timeout 2".to_owned()];
    let choices: [(&str, &[&str]); 8] = [
        ("repl-backlog-size", &["16kb", "16kb", "64kb", "1mb"]),
        ("repl-timeout", &["5\nrepl-ping-replica-period 1", "10\nrepl-ping-replica-period 2", "60"]),
        ("repl-diskless-sync", &["yes", "yes", "no"]),
        ("repl-diskless-sync-delay", &["0", "0", "1"]),
        ("repl-backlog-ttl", &["3600", "3600", "5"]),
        ("client-output-buffer-limit", &["replica 256mb 64mb 60", "replica 17000 16500 2"]),
        ("min-replicas-to-write", &["0", "0", "0", "1"]),
        ("replica-serve-stale-data", &["yes", "yes", "no"]),
    ];
    for (name, values) in choices {
        lines.push(format!("{name} {}", chance.pick(values, "")));
    }
    // A limit below the backlog's size does not count: where it is small, so is the backlog.
    if lines.iter().any(|line| line.ends_with("17000 16500 2")) {
        lines.retain(|line| !line.starts_with("repl-backlog-size"));
        lines.push("repl-backlog-size 16kb".to_owned());
    }
    lines.join("\n") + "\n"
}

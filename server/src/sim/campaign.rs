//! One run: a world, everything that can go wrong, and two phases.
//!
//! *Safety*: anything may happen, the laws are checked after every input. *Liveness*: the faults stop, one master and a
//! tree below it are chosen, and within a bounded time all nodes have to hold the same data under the same id.

mod acts;
mod rest;

use super::chance::{Act, Chance, Odds};
use super::check::Resync;
use super::workload::Client;
use super::world::{World, port_of};

/// Clients of each node.
const CLIENTS: usize = 3;
/// The client that gives orders.
const ORDERS: usize = 2;

/// A node of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// What people call it.
    pub name: String,
    /// Where it listens.
    pub port: u16,
    /// The port it follows at first.
    pub upstream: Option<u16>,
    /// Directives of its own.
    pub config: String,
}

/// What a run came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The law that was broken, and how; `None` when all held.
    pub broken: Option<String>,
    /// A number that follows from every event of the run.
    pub hash: u64,
    /// Steps of the first phase.
    pub steps: u64,
    /// Simulated milliseconds.
    pub time_ms: u64,
    /// Commands of clients that were sent.
    pub commands: u64,
    /// Continuations.
    pub partial: u64,
    /// Full resyncs.
    pub full: u64,
    /// What happened, if it was to be told: time in milliseconds and a line.
    pub story: Vec<(u64, String)>,
    /// What the nodes logged, if it was to be told.
    pub log: Vec<(u64, String)>,
    /// What the seed decided, on one line.
    pub odds: String,
}

/// A run under way.
#[derive(Debug)]
pub struct Campaign {
    world: World,
    chance: Chance,
    odds: Odds,
    machines: Vec<Machine>,
    clients: Vec<Client>,
    outcome: Outcome,
    tells: bool,
    serial: u64,
    full_of: Vec<usize>,
}

impl Campaign {
    /// The run that `seed` decides, nodes and all.
    #[must_use]
    pub fn new(seed: u64, tells: bool) -> Self {
        let mut chance = Chance::new(seed);
        let odds = Odds::draw(&mut chance);
        let mut machines: Vec<Machine> = Vec::new();
        for n in 1..=odds.nodes {
            let upstream = (n > 1 && !chance.one_in(8)).then(|| port_of(1 + chance.index(n - 1)));
            machines.push(Machine {
                name: format!("node {n}"),
                port: port_of(n),
                upstream,
                config: String::new(),
            });
        }
        Self::with(seed, chance, odds, machines, tells)
    }

    /// The run that `seed` decides with these nodes, and `steps` in its first phase if given.
    #[must_use]
    pub fn of(seed: u64, machines: Vec<Machine>, steps: Option<u64>, tells: bool) -> Self {
        let mut chance = Chance::new(seed);
        let mut odds = Odds::draw(&mut chance);
        odds.steps = steps.unwrap_or(odds.steps);
        Self::with(seed, chance, odds, machines, tells)
    }

    fn with(seed: u64, mut chance: Chance, odds: Odds, machines: Vec<Machine>, tells: bool) -> Self {
        let mut world = World::by_hand();
        world.net.set_room(odds.room);
        for (index, machine) in machines.iter().enumerate() {
            let config = format!("{}{}", odds.config, machine.config);
            world.add(index + 1, machine.port, &config, false, chance.below(u64::MAX));
            if let Some(host) = world.host_mut(index + 1) {
                host.configure(config_of(&config, machine, machine.upstream));
                if !tells {
                    host.be_quiet();
                }
            }
        }
        let clients =
            (1..=machines.len()).flat_map(|n| (0..CLIENTS).map(move |i| Client::new(n, i))).collect();
        let outcome = Outcome {
            broken: None,
            hash: 0xcbf2_9ce4_8422_2325 ^ seed,
            steps: 0,
            time_ms: 0,
            commands: 0,
            partial: 0,
            full: 0,
            story: Vec::new(),
            log: Vec::new(),
            odds: odds.shown(),
        };
        let full_of = vec![0; machines.len() + 1];
        Self { world, chance, odds, machines, clients, outcome, tells, serial: 0, full_of }
    }

    /// Runs both phases.
    #[must_use]
    pub fn run(mut self) -> Outcome {
        for n in 1..=self.machines.len() {
            self.world.start(n);
        }
        self.collect();
        if self.odds.settled {
            self.pass_settled(3000);
        }
        while self.outcome.steps < self.odds.steps && self.outcome.broken.is_none() {
            self.outcome.steps += 1;
            self.step();
        }
        if self.outcome.broken.is_none() {
            self.come_to_rest();
        }
        self.outcome.time_ms = self.world.now().mono_ms();
        self.outcome
    }

    /// Folds an event into the hash, and tells it if somebody listens.
    fn event(&mut self, numbers: &[u64], text: impl FnOnce() -> String) {
        for number in numbers {
            self.outcome.hash = (self.outcome.hash ^ number).wrapping_mul(0x0000_0100_0000_01b3);
        }
        if self.tells {
            let at = self.world.now().mono_ms();
            self.outcome.story.push((at, text()));
        }
    }

    fn name(&self, n: usize) -> String {
        self.machines
            .get(n.wrapping_sub(1))
            .map_or_else(|| format!("node {n}"), |machine| machine.name.clone())
    }

    fn broke(&mut self, why: String) {
        if self.outcome.broken.is_none() {
            self.event(&[0xbad], || format!("BROKEN {why}"));
            self.outcome.broken = Some(why);
        }
    }

    /// Takes what came of a step: late replies, resyncs, and broken laws.
    fn collect(&mut self) {
        for index in 0..self.clients.len() {
            let Some(client) = self.clients.get_mut(index) else { continue };
            client.place(&self.world);
            if !client.busy() {
                continue;
            }
            // An order that a pause holds back may be carried out at any moment.
            if index % CLIENTS == ORDERS
                && let Some(check) = &mut self.world.check
            {
                check.told(client.n);
            }
            if let Err(why) = client.listen(&mut self.world) {
                self.broke(why);
            }
        }
        let Some(check) = &mut self.world.check else { return };
        let resyncs = std::mem::take(&mut check.resyncs);
        let broken = check.broken.take();
        for resync in resyncs {
            self.resynced(&resync);
        }
        if let Some(why) = broken.or_else(|| self.world.trouble.take()) {
            self.broke(why);
        }
        if self.tells {
            self.take_logs();
        }
        let state = self.state_hash();
        self.event_quiet(state);
    }

    fn take_logs(&mut self) {
        let at = self.world.now().mono_ms();
        for n in 1..=self.machines.len() {
            let name = self.name(n);
            for line in self.world.take_log(n) {
                self.outcome.log.push((at, format!("{name}: {line}")));
            }
        }
    }

    fn event_quiet(&mut self, number: u64) {
        self.outcome.hash = (self.outcome.hash ^ number).wrapping_mul(0x0000_0100_0000_01b3);
    }

    fn state_hash(&self) -> u64 {
        let Some(check) = &self.world.check else { return 0 };
        let seen = (1..=self.machines.len()).filter_map(|n| check.seen(n));
        seen.fold(0, |hash: u64, seen| {
            (hash.rotate_left(7) ^ seen.digest ^ seen.offset).wrapping_mul(0x9e37_79b9_7f4a_7c15)
        })
    }

    fn resynced(&mut self, resync: &Resync) {
        match *resync {
            Resync::Partial { replica, master, missed } => {
                self.outcome.partial += 1;
                let (replica_name, master_name) = (self.name(replica), self.name(master));
                self.event(&[1, replica as u64, master as u64, missed], || {
                    format!("{replica_name} continues from {master_name}: {missed} bytes were missed")
                });
            }
            Resync::Full { replica, master } => {
                self.outcome.full += 1;
                if let Some(count) = self.full_of.get_mut(replica) {
                    *count += 1;
                }
                let node = self.world.node(master);
                let reason = node.and_then(|node| node.last_full_reason()).map(ToString::to_string);
                let (replica_name, master_name) = (self.name(replica), self.name(master));
                self.event(&[2, replica as u64, master as u64], || {
                    let reason = reason.unwrap_or_else(|| "it asked for a full resync".to_owned());
                    format!("{replica_name} takes a full copy from {master_name}: {reason}")
                });
            }
        }
    }

    fn step(&mut self) {
        let act = self.odds.act(&mut self.chance);
        match act {
            Act::Deliver => self.deliver(),
            Act::Pass => self.pass(),
            Act::Dial => self.dial(),
            Act::Tell => self.tell(),
            Act::Write | Act::Transact | Act::Wait | Act::Read => self.client(act),
            Act::Sever | Act::Clog => self.hurt_a_wire(act),
            Act::Cut => self.cut(),
            Act::Heal => {
                self.world.net.heal();
                self.event(&[3], || "the network heals".to_owned());
            }
            Act::Crash => self.crash(),
            Act::Start => self.start(),
            Act::Promote
            | Act::Follow
            | Act::Failover
            | Act::Pause
            | Act::Save
            | Act::Flush
            | Act::Resize => {
                self.order(act);
            }
            Act::Disk => {
                let n = self.any_node();
                self.world.save(n, 200);
            }
            Act::DiskTrouble => self.disk_trouble(),
            Act::Clock => {
                let by = self.chance.pick(&[-3_600_000, 3_600_000, -5000, 5000], 0);
                self.world.set_wall(by);
                self.event(&[4, by.unsigned_abs()], || format!("the wall clock jumps by {} s", by / 1000));
            }
        }
        self.world.finish();
        self.world.carry_out();
        self.collect();
    }
}

fn config_of(config: &str, machine: &Machine, upstream: Option<u16>) -> String {
    let follows = upstream.map_or(String::new(), |port| format!("replicaof 127.0.0.1 {port}\n"));
    format!("port {}\n{config}{follows}", machine.port)
}

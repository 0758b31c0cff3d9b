//! One run: a world, everything that can go wrong, and two phases.
//!
//! *Safety*: anything may happen, the laws are checked after every input. *Liveness*: the faults stop, one master and a
//! tree below it are chosen, and within a bounded time all nodes have to hold the same data under the same id.

use super::chance::{Act, Chance, Odds};
use super::check::Resync;
use super::workload::{Client, answer};
use super::world::{World, port_of};
use crate::resp::Value;

/// The longest time the second phase may take, in simulated milliseconds.
const PATIENCE_MS: u64 = 200_000;
/// Full resyncs that one node may need in the second phase.
const FULL_MOST: usize = 6;
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

    fn any_node(&mut self) -> usize {
        1 + self.chance.index(self.machines.len())
    }

    fn deliver(&mut self) {
        let moving = self.world.moving();
        if moving.is_empty() {
            return;
        }
        let (index, to) = self.chance.pick(&moving, (0, 0));
        let most = match self.chance.below(4) {
            0 => usize::MAX,
            1 => 1 + self.chance.index(8),
            _ => 1 + self.chance.index(usize::try_from(self.odds.piece).unwrap_or(8)),
        };
        if let Some((bytes, _)) = self.world.deliver(index, to, most) {
            self.event_quiet((index * 2 + to) as u64 ^ (bytes as u64) << 16);
        }
    }

    /// Time passes without anything arriving: to the next deadline, or so far that deadlines are missed.
    fn pass(&mut self) {
        let now = self.world.now().mono_us;
        let until = match self.chance.below(8) {
            0..4 => self.world.next_deadline().unwrap_or(now).max(now),
            4 | 5 => now + 1000 * self.chance.below(100),
            6 => now + 1000 * self.chance.below(3000),
            _ => now + 1000 * self.chance.below(20_000),
        };
        self.world.jump(until);
    }

    /// Lets everything work for so many milliseconds.
    fn pass_settled(&mut self, ms: u64) {
        for _ in 0..ms / 100 {
            self.world.settle();
            let now = self.world.now().mono_us;
            self.world.jump(now + 100_000);
        }
        self.world.settle();
        self.collect();
    }

    fn dial(&mut self) {
        let index = self.chance.index(self.world.dials.len().max(1));
        let answered = !self.chance.one_in(10);
        self.world.dialed(index, answered);
    }

    fn tell(&mut self) {
        let index = self.chance.index(self.world.unaware.len().max(1));
        self.world.tell(index);
    }

    fn hurt_a_wire(&mut self, act: Act) {
        if self.world.net.is_empty() {
            return;
        }
        let index = self.chance.index(self.world.net.len());
        let between: Vec<usize> = self
            .world
            .net
            .wire(index)
            .map(|wire| wire.ends.iter().filter_map(super::net::End::host).collect())
            .unwrap_or_default();
        let &[a, b] = between.as_slice() else { return };
        let (a_name, b_name) = (self.name(a), self.name(b));
        if act == Act::Sever {
            self.world.sever(index);
            self.event(&[5, index as u64], || format!("the connection from {a_name} to {b_name} breaks"));
        } else {
            let to = self.chance.index(2);
            self.world.net.clog(index, to);
            self.event(&[6, index as u64, to as u64], || {
                format!("the connection from {a_name} to {b_name} stalls, or flows again")
            });
        }
    }

    fn cut(&mut self) {
        let (a, b) = (self.any_node(), self.any_node());
        if a == b {
            return;
        }
        let both = self.chance.one_in(2);
        self.world.net.cut(a, b);
        if both {
            self.world.net.cut(b, a);
        }
        let (a_name, b_name) = (self.name(a), self.name(b));
        self.event(&[7, a as u64, b as u64, u64::from(both)], || {
            let other = if both { " and back" } else { "" };
            format!("nothing gets from {a_name} to {b_name}{other}")
        });
    }

    fn crash(&mut self) {
        let n = self.any_node();
        if self.world.running(n) {
            self.world.crash(n);
            let name = self.name(n);
            self.event(&[8, n as u64], || format!("{name} is killed"));
        }
    }

    fn start(&mut self) {
        let n = self.any_node();
        if self.world.running(n) {
            return;
        }
        let upstream = match self.chance.below(4) {
            0 => None,
            1 => Some(self.any_node()).filter(|&other| other != n),
            _ => self
                .machines
                .get(n - 1)
                .and_then(|machine| machine.upstream)
                .and_then(|port| self.at_port(port)),
        };
        let loses = self.chance.one_in(6);
        self.start_as(n, upstream, loses);
    }

    fn at_port(&self, port: u16) -> Option<usize> {
        self.machines.iter().position(|machine| machine.port == port).map(|index| index + 1)
    }

    fn start_as(&mut self, n: usize, upstream: Option<usize>, loses: bool) {
        let port = upstream.and_then(|other| self.machines.get(other - 1)).map(|machine| machine.port);
        let Some(machine) = self.machines.get(n - 1).cloned() else { return };
        let config = config_of(&format!("{}{}", self.odds.config, machine.config), &machine, port);
        let Some(host) = self.world.host_mut(n) else { return };
        host.configure(config);
        if loses {
            host.disk = None;
        }
        let saved = host.disk.is_some();
        self.world.start(n);
        let name = self.name(n);
        let follows =
            upstream.map_or("as a master".to_owned(), |other| format!("following {}", self.name(other)));
        self.event(&[9, n as u64, port.into_iter().map(u64::from).sum(), u64::from(saved)], || {
            let data = if saved { "with its saved data" } else { "without data" };
            format!("{name} starts {data}, {follows}")
        });
    }

    fn disk_trouble(&mut self) {
        let n = self.any_node();
        let Some(host) = self.world.host_mut(n) else { return };
        host.disk_trouble = match host.disk_trouble {
            Some(_) => None,
            None => Some("No space left on device".to_owned()),
        };
        let full = host.disk_trouble.is_some();
        let name = self.name(n);
        self.event(&[10, n as u64, u64::from(full)], || {
            format!("the disk of {name} {}", if full { "is full" } else { "has room again" })
        });
    }

    fn client(&mut self, act: Act) {
        let n = self.client_target(act);
        let index = (n - 1) * CLIENTS + self.chance.index(ORDERS);
        self.serial += 1;
        let (serial, big) = (self.serial, self.odds.big);
        let Some(client) = self.clients.get_mut(index) else { return };
        if client.busy() || !self.world.running(n) {
            return;
        }
        self.outcome.commands += 1;
        let (world, chance) = (&mut self.world, &mut self.chance);
        let done = match act {
            Act::Write => client.write_something(world, chance, serial, big),
            Act::Transact => client.transact(world, chance, serial),
            Act::Wait => client.wait(world, chance),
            _ => client.read(world, chance),
        };
        match done {
            Ok(text) => {
                let name = self.name(n);
                self.event(&[11, n as u64, text.len() as u64], || format!("a client of {name}: {text}"));
            }
            Err(why) => self.broke(why),
        }
    }

    /// Writes go mostly to masters.
    fn client_target(&mut self, act: Act) -> usize {
        let n = self.any_node();
        if act == Act::Read || self.chance.one_in(8) {
            return n;
        }
        let masters: Vec<usize> = (1..=self.machines.len())
            .filter(|&n| self.world.node(n).is_some_and(|node| node.upstream().is_none()))
            .collect();
        self.chance.pick(&masters, n)
    }

    /// Somebody who runs the place does something.
    fn order(&mut self, act: Act) {
        let n = self.any_node();
        let other = self.any_node();
        let port = self.machines.get(other - 1).map_or(0, |machine| machine.port);
        let line = match act {
            Act::Promote => "REPLICAOF NO ONE".to_owned(),
            Act::Follow if other == n => return,
            Act::Follow => format!("REPLICAOF 127.0.0.1 {port}"),
            Act::Failover => match self.chance.below(5) {
                0 => "FAILOVER ABORT".to_owned(),
                1 => format!("FAILOVER TO 127.0.0.1 {port} TIMEOUT 1000"),
                2 => format!("FAILOVER TO 127.0.0.1 {port} FORCE TIMEOUT 500"),
                _ => "FAILOVER TIMEOUT 3000".to_owned(),
            },
            Act::Pause if self.chance.one_in(3) => "CLIENT UNPAUSE".to_owned(),
            Act::Pause => format!(
                "CLIENT PAUSE {} {}",
                self.chance.pick(&[100, 3000], 100),
                self.chance.pick(&["WRITE", "ALL"], "ALL")
            ),
            Act::Save => match self.chance.below(5) {
                0 | 1 => "BGSAVE".to_owned(),
                2 | 3 => "SAVE".to_owned(),
                _ => format!("SHUTDOWN {}", self.chance.pick(&["SAVE", "NOSAVE", "SAVE NOW"], "SAVE")),
            },
            Act::Flush => "FLUSHALL".to_owned(),
            _ => {
                format!("CONFIG SET repl-backlog-size {}", self.chance.pick(&["16kb", "32kb", "1mb"], "1mb"))
            }
        };
        self.give_order(n, &line);
    }

    /// Sends an order to node `n`; true when it was taken.
    fn give_order(&mut self, n: usize, line: &str) -> bool {
        let index = (n - 1) * CLIENTS + ORDERS;
        let Some(client) = self.clients.get_mut(index) else { return false };
        if client.busy() || !self.world.running(n) {
            return false;
        }
        self.outcome.commands += 1;
        let handover = line.starts_with("FAILOVER") && !line.contains("FORCE") && !line.contains("ABORT");
        if (line.starts_with("FAILOVER TO") || line.starts_with("REPLICAOF"))
            && let Some(check) = &mut self.world.check
        {
            check.hands_over(n, false);
            check.told(n);
        }
        match client.ask(&mut self.world, line) {
            Err(why) => {
                self.broke(why);
                false
            }
            Ok(reply) => {
                let taken = matches!(reply, Some(Value::Simple(_)));
                if taken
                    && handover
                    && let Some(check) = &mut self.world.check
                {
                    check.hands_over(n, true);
                }
                let name = self.name(n);
                let shown = answer(reply.as_ref());
                self.event(&[12, n as u64, line.len() as u64, shown.len() as u64], || {
                    format!("{name} is told {line}: {shown}")
                });
                taken
            }
        }
    }

    /// The second phase.
    fn come_to_rest(&mut self) {
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
    fn see_to_it(&mut self, wanted: &[(usize, Option<u16>)]) -> bool {
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
    fn at_rest(&self, root: usize) -> bool {
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

    fn unrest(&self, root: usize) -> String {
        let Some(check) = &self.world.check else { return String::new() };
        let nodes = (1..=self.machines.len()).map(|n| match check.seen(n) {
            None => format!("{n} is down"),
            Some(seen) => format!("{n} at {} of {:?}, upstream {:?}", seen.offset, seen.id, seen.upstream),
        });
        let nodes: Vec<String> = nodes.collect();
        format!("the root is {root}; {}", nodes.join("; "))
    }

    /// At rest a master deletes what is past its deadline, and its replicas follow.
    fn all_expire(&mut self, root: usize) {
        if self.outcome.broken.is_some() {
            return;
        }
        let wall_ms = self.world.now().wall_ms;
        self.pass_settled(3000);
        let stale =
            self.world.node(root).map_or(0, |node| super::model::Model::of(node.keyspace()).expired(wall_ms));
        if stale > 0 {
            self.broke(format!("node {root}: expiry: {stale} keys are past their deadline and still there"));
        }
        if self.outcome.broken.is_none() && !self.at_rest(root) {
            let why = self.unrest(root);
            self.broke(format!("convergence: it was at rest and is not any more: {why}"));
        }
    }
}

fn config_of(config: &str, machine: &Machine, upstream: Option<u16>) -> String {
    let follows = upstream.map_or(String::new(), |port| format!("replicaof 127.0.0.1 {port}\n"));
    format!("port {}\n{config}{follows}", machine.port)
}

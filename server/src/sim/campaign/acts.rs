//! What can happen in the first phase: bytes and time, clients, and everything that goes wrong.

use super::{CLIENTS, Campaign, ORDERS, config_of};
use crate::resp::Value;
use crate::sim::chance::Act;
use crate::sim::net::End;
use crate::sim::workload::answer;

impl Campaign {
    pub(super) fn any_node(&mut self) -> usize {
        1 + self.chance.index(self.machines.len())
    }

    pub(super) fn deliver(&mut self) {
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
    pub(super) fn pass(&mut self) {
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
    pub(super) fn pass_settled(&mut self, ms: u64) {
        for _ in 0..ms / 100 {
            self.world.settle();
            let now = self.world.now().mono_us;
            self.world.jump(now + 100_000);
        }
        self.world.settle();
        self.collect();
    }

    pub(super) fn dial(&mut self) {
        let index = self.chance.index(self.world.dials.len().max(1));
        let answered = !self.chance.one_in(10);
        self.world.dialed(index, answered);
    }

    pub(super) fn tell(&mut self) {
        let index = self.chance.index(self.world.unaware.len().max(1));
        self.world.tell(index);
    }

    pub(super) fn hurt_a_wire(&mut self, act: Act) {
        if self.world.net.is_empty() {
            return;
        }
        let index = self.chance.index(self.world.net.len());
        let between: Vec<usize> = self
            .world
            .net
            .wire(index)
            .map(|wire| wire.ends.iter().filter_map(End::host).collect())
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

    pub(super) fn cut(&mut self) {
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

    pub(super) fn crash(&mut self) {
        let n = self.any_node();
        if self.world.running(n) {
            self.world.crash(n);
            let choice = self.outcome.hash;
            let host = self.world.host_mut(n).filter(|host| host.disk_trouble.is_some());
            if let Some(host) = host {
                host.tear(choice);
            }
            let name = self.name(n);
            let torn = self.world.host(n).is_some_and(|host| host.torn);
            self.event(&[8, n as u64, u64::from(torn)], || {
                format!("{name} is killed{}", if torn { ", and its file is damaged" } else { "" })
            });
        }
    }

    pub(super) fn start(&mut self) {
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

    pub(super) fn at_port(&self, port: u16) -> Option<usize> {
        self.machines.iter().position(|machine| machine.port == port).map(|index| index + 1)
    }

    pub(super) fn start_as(&mut self, n: usize, upstream: Option<usize>, loses: bool) {
        let port = upstream.and_then(|other| self.machines.get(other - 1)).map(|machine| machine.port);
        let Some(machine) = self.machines.get(n - 1).cloned() else { return };
        let config = config_of(&format!("{}{}", self.odds.config, machine.config), &machine, port);
        let Some(host) = self.world.host_mut(n) else { return };
        host.configure(config);
        if loses {
            host.disk = None;
            host.torn = false;
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

    pub(super) fn disk_trouble(&mut self) {
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

    pub(super) fn client(&mut self, act: Act) {
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
    pub(super) fn client_target(&mut self, act: Act) -> usize {
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
    pub(super) fn order(&mut self, act: Act) {
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
    pub(super) fn give_order(&mut self, n: usize, line: &str) -> bool {
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
}

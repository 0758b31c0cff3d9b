//! The words of a replication transcript, played on a [`World`].

use super::notation;
use super::session::{Shown, filter, millis, show};
use super::transcript::Section;
use rctl_server::node::Signal;
use rctl_server::resp::words::split_words;
use rctl_server::resp::{Value, reply::encode_request, value};
use rctl_server::sim::World;
use rctl_server::sim::world::port_of;
use std::collections::BTreeMap;

/// The longest time [`Cluster`] waits for rest, in simulated milliseconds.
const PATIENCE_MS: u64 = 120_000;

/// A few nodes, and what the story calls things.
#[derive(Debug)]
pub(crate) struct Cluster {
    world: World,
    /// Ids by the order in which they were first shown.
    names: BTreeMap<String, String>,
    /// Directives for all nodes.
    config: String,
}

impl Cluster {
    pub(crate) fn new() -> Self {
        Self { world: World::new(0, "", true), names: BTreeMap::new(), config: String::new() }
    }

    /// Plays the steps of `section` and notes beside each what it gave.
    pub(crate) fn play(&mut self, section: &mut Section) {
        for step in section.steps_mut() {
            let mut lines = self.step(&step.text);
            lines.extend(self.late_replies());
            assert_eq!(self.world.trouble, None, "{}", step.text);
            step.actual = Some(lines.into_iter().map(|line| self.named(&line)).collect());
        }
    }

    /// # Panics
    /// The line is no step: a mistake in the transcript.
    fn step(&mut self, line: &str) -> Vec<String> {
        let words: Vec<&str> = line.split(' ').collect();
        let number = |text: &str| text.parse::<usize>().unwrap_or_else(|_| panic!("no number: {line}"));
        let pair = |text: &str, by: &str| {
            let (a, b) = text.split_once(by).unwrap_or_else(|| panic!("no pair: {line}"));
            (number(a), number(b))
        };
        match words.as_slice() {
            ["config", ..] => self.config.push_str(&format!("{}\n", line.replacen("config ", "", 1))),
            ["nodes", n] => self.world = World::new(number(n), &self.config, true),
            ["replicaof", n, "no", "one"] => return self.ask(number(n), "REPLICAOF NO ONE", true),
            ["replicaof", n, master] => {
                let command = format!("REPLICAOF 127.0.0.1 {}", port_of(number(master)));
                return self.ask(number(n), &command, true);
            }
            // Another client than the one that writes and reads: it may have to wait for its answer.
            ["wait", n, ..] => return self.ask_as(&waiter(number(n)), number(n), rest(line), false),
            ["write", n, ..] => return self.ask(number(n), rest(line), true),
            ["read" | "ask", n, ..] => return self.ask(number(n), rest(line), false),
            ["fill", n, bytes] => {
                let command = format!("SET filler {}", "x".repeat(number(bytes)));
                return self.ask(number(n), &command, true);
            }
            ["hold", both] => self.world.hold(pair(both, "->"), 0),
            ["hold", both, "after", bytes] => self.world.hold(pair(both, "->"), number(bytes)),
            ["deliver"] => self.world.release(),
            ["cut", both] => self.world.cut(pair(both, "-")),
            ["break", both] => self.world.reset(pair(both, "-")),
            ["heal"] => self.world.heal(),
            ["room", bytes] => self.world.net.set_room(number(bytes)),
            ["split", size] => self.world.split(number(size)),
            ["advance", time] => {
                self.world.advance(millis(time).unwrap_or_else(|| panic!("no time: {line}")));
            }
            ["crash", n] => self.world.crash(number(n)),
            ["shutdown", n] => self.world.signal(number(n), Signal::Terminate),
            ["restart", n] => self.world.start(number(n)),
            ["stabilize"] => return self.stabilize(),
            ["status"] => return self.status(),
            ["log", n] => return self.world.take_log(number(n)),
            ["forget", n] => drop(self.world.take_log(number(n))),
            ["digest"] => return self.digest(),
            _ => panic!("no step: {line}"),
        }
        Vec::new()
    }

    /// Sends a command to node `n`; its reply, or nothing when all it says is OK and `terse`.
    fn ask(&mut self, n: usize, line: &str, terse: bool) -> Vec<String> {
        self.ask_as(&format!("of {n}"), n, line, terse)
    }

    fn ask_as(&mut self, client: &str, n: usize, line: &str, terse: bool) -> Vec<String> {
        let (line, shown) = filter(line);
        let words = split_words(line.as_bytes()).unwrap_or_else(|_| panic!("quotes do not close: {line}"));
        match self.reply_to(client, n, &words) {
            None if !self.world.running(n) => vec!["(down)".to_owned()],
            None => vec!["(no reply)".to_owned()],
            Some(Value::Simple(text)) if terse && shown == Shown::All && text == "OK" => Vec::new(),
            Some(reply) => show(&reply, &shown),
        }
    }

    fn reply<A: AsRef<[u8]>>(&mut self, n: usize, words: &[A]) -> Option<Value> {
        self.reply_to(&format!("of {n}"), n, words)
    }

    fn reply_to<A: AsRef<[u8]>>(&mut self, client: &str, n: usize, words: &[A]) -> Option<Value> {
        if !self.world.connected(client) {
            self.world.connect(client, n);
        }
        let mut bytes = Vec::new();
        encode_request(&mut bytes, words);
        self.world.send(client, &bytes);
        self.world.settle();
        let (bytes, _) = self.world.take(client);
        value::decode(&bytes).unwrap_or_else(|bad| panic!("{}", bad.0)).map(|(reply, _)| reply)
    }

    /// What came of commands that were not answered at once: `1: (integer) 2`, `waiting at 1: "x"`.
    fn late_replies(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        for n in self.world.nodes() {
            for (client, label) in [(format!("of {n}"), n.to_string()), (waiter(n), waiter(n))] {
                let (mut bytes, _) = self.world.take(&client);
                while let Some((reply, used)) =
                    value::decode(&bytes).unwrap_or_else(|bad| panic!("{}", bad.0))
                {
                    bytes.drain(..used);
                    lines.extend(notation::reply(&reply).iter().map(|line| format!("{label}: {line}")));
                }
            }
        }
        lines
    }

    /// INFO's replication section of a running node.
    fn replication(&mut self, n: usize) -> Option<BTreeMap<String, String>> {
        if !self.world.running(n) {
            return None;
        }
        let text = self.reply(n, &["INFO", "replication"])?.to_text()?;
        let pairs = text.lines().filter_map(|line| line.split_once(':'));
        Some(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    /// Lets time pass until every replica's link is up and has applied, and acknowledged, what its master has.
    fn stabilize(&mut self) -> Vec<String> {
        let mut waited = 0;
        while waited <= PATIENCE_MS {
            if self.at_rest() {
                return Vec::new();
            }
            self.world.advance(100);
            waited += 100;
        }
        vec!["(never at rest)".to_owned()]
    }

    fn at_rest(&mut self) -> bool {
        let facts: Vec<_> =
            self.world.nodes().into_iter().filter_map(|n| Some((n, self.replication(n)?))).collect();
        let of = |n: usize| facts.iter().find(|(other, _)| *other == n).map(|(_, facts)| facts);
        facts.iter().all(|(_, facts)| {
            let Some(master) = master_of(facts) else { return true };
            let link_up = facts.get("master_link_status").is_some_and(|status| status == "up");
            let same = |name| of(master).is_some_and(|master| master.get(name) == facts.get(name));
            let acknowledged = of(master).is_some_and(|master| {
                let offset = master.get("master_repl_offset").cloned().unwrap_or_default();
                feeds(master)
                    .all(|feed| feed.contains("state=online") && feed.contains(&format!("offset={offset},")))
            });
            link_up && same("master_repl_offset") && same("master_replid") && acknowledged
        })
    }

    /// A line per node: `1 master  offset 64  feeds 2:online/64`, `2 replica of 1  link up  offset 64`.
    fn status(&mut self) -> Vec<String> {
        let nodes = self.world.nodes();
        nodes.into_iter().map(|n| self.status_of(n).unwrap_or_else(|| format!("{n} down"))).collect()
    }

    fn status_of(&mut self, n: usize) -> Option<String> {
        let facts = self.replication(n)?;
        let fact = |name: &str| facts.get(name).map_or("?", String::as_str);
        let role = match master_of(&facts) {
            None => format!("{n} master"),
            Some(master) => format!("{n} replica of {master}  link {}", fact("master_link_status")),
        };
        let mut line =
            format!("{role}  history {}  offset {}", fact("master_replid"), fact("master_repl_offset"));
        if fact("second_repl_offset") != "-1" {
            line.push_str(&format!("  before {} to {}", fact("master_replid2"), fact("second_repl_offset")));
        }
        let mut attached: Vec<String> = feeds(&facts).filter_map(feed_line).collect();
        attached.sort();
        if !attached.is_empty() {
            line.push_str(&format!("  feeds {}", attached.join(" ")));
        }
        Some(line)
    }

    /// Whether all running nodes hold the same data.
    fn digest(&mut self) -> Vec<String> {
        let mut groups: BTreeMap<Vec<String>, Vec<String>> = BTreeMap::new();
        for n in self.world.nodes().into_iter().filter(|&n| self.world.running(n)).collect::<Vec<_>>() {
            let digest =
                self.reply(n, &["DEBUG", "DIGEST"]).map_or_else(Vec::new, |reply| notation::reply(&reply));
            groups.entry(digest).or_default().push(n.to_string());
        }
        let mut groups: Vec<String> = groups.into_values().map(|nodes| nodes.join(" = ")).collect();
        groups.sort();
        groups
    }

    /// The line with every id of 40 digits called by a short name.
    fn named(&mut self, line: &str) -> String {
        let mut out = String::new();
        let mut word = String::new();
        for c in line.chars().chain(['\n']) {
            if c.is_ascii_alphanumeric() {
                word.push(c);
                continue;
            }
            let word = std::mem::take(&mut word);
            if word.len() == 40 && word.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                out.push_str(&self.name_of(&word));
            } else {
                out.push_str(&word);
            }
            out.push(c);
        }
        out.truncate(out.len() - 1);
        out
    }

    /// `h1`, `h2`: histories in the order in which they were shown; zeroes are `none`.
    fn name_of(&mut self, id: &str) -> String {
        if id.bytes().all(|byte| byte == b'0') {
            return "none".to_owned();
        }
        let next = format!("h{}", self.names.len() + 1);
        self.names.entry(id.to_owned()).or_insert(next).clone()
    }
}

/// The client at a node that may have to wait.
fn waiter(n: usize) -> String {
    format!("waiting at {n}")
}

/// What stands behind the verb and the number.
fn rest(line: &str) -> &str {
    line.splitn(3, ' ').nth(2).unwrap_or_default()
}

fn master_of(facts: &BTreeMap<String, String>) -> Option<usize> {
    let port = facts.get("master_port")?.parse::<usize>().ok()?;
    port.checked_sub(usize::from(port_of(0)))
}

/// The `slaveN` lines.
fn feeds(facts: &BTreeMap<String, String>) -> impl Iterator<Item = &str> {
    let numbered = |name: &str| name.strip_prefix("slave").is_some_and(|rest| rest.parse::<u32>().is_ok());
    facts.iter().filter(move |(name, _)| numbered(name)).map(|(_, feed)| feed.as_str())
}

/// `2:online/64` from `ip=127.0.0.1,port=7002,state=online,offset=64,lag=0`.
fn feed_line(feed: &str) -> Option<String> {
    let field = |name: &str| feed.split(',').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    let n = field("port")?.parse::<usize>().ok()?.checked_sub(usize::from(port_of(0)))?;
    Some(format!("{n}:{}/{}", field("state")?, field("offset")?))
}

//! The words of a command transcript, and how they are played against a server, whichever it is.

use super::notation;
use super::transcript::Section;
use rctl_server::resp::words::split_words;
use rctl_server::resp::{Value, reply::encode_request, value};
use std::collections::BTreeMap;

/// A server that a transcript can be played against. Clients are known by name; the first is `a`.
pub(crate) trait Rig {
    /// Starts afresh with one more line in the configuration.
    fn configure(&mut self, line: &str);
    /// Sends bytes from `client`, connecting it when it is new (or was closed).
    fn send(&mut self, client: &str, bytes: &[u8]);
    /// What arrived at `client` since the last call, and whether its connection is closed. With `wait`, a rig that
    /// lives in real time waits for something to arrive.
    fn take(&mut self, client: &str, wait: Wait) -> (Vec<u8>, bool);
    /// Closes the connection of `client`.
    fn hang_up(&mut self, client: &str);
    /// Moves the clock; false when this rig cannot.
    fn advance(&mut self, ms: u64) -> bool;
    /// Starts to record effects; false when this rig does not.
    fn record_effects(&mut self) -> bool;
    /// Effects since the last call, one command a line.
    fn effects(&mut self) -> Vec<String>;
}

/// How long to wait for bytes, where time is real.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wait {
    /// Not at all.
    No,
    /// A moment: nothing is expected.
    Moment,
    /// Long: something is owed.
    Long,
}

/// One step, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    Request(Vec<Vec<u8>>, Shown),
    Raw(Vec<u8>),
    Server(String),
    Client(String),
    Resp(u8),
    HangUp,
    Advance(u64),
    Effects,
    Ours,
}

/// What of a reply is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Shown {
    All,
    Sorted,
    Fields(Vec<String>),
}

impl Action {
    /// # Panics
    /// The line is no step: a mistake in the transcript.
    pub(crate) fn parse(line: &str) -> Self {
        let words: Vec<&str> = line.split(' ').collect();
        match words.as_slice() {
            ["server", ..] => Self::Server(line.strip_prefix("server ").unwrap_or_default().to_owned()),
            ["client", name] => Self::Client((*name).to_owned()),
            ["resp2"] => Self::Resp(2),
            ["resp3"] => Self::Resp(3),
            ["close"] => Self::HangUp,
            ["effects"] => Self::Effects,
            ["ours"] => Self::Ours,
            ["advance", time] => Self::Advance(millis(time).unwrap_or_else(|| panic!("no time: {line}"))),
            ["raw", ..] => Self::Raw(unquote(line.strip_prefix("raw ").unwrap_or_default()).concat()),
            _ => {
                let (line, shown) = filter(line);
                Self::Request(unquote(line), shown)
            }
        }
    }
}

fn unquote(line: &str) -> Vec<Vec<u8>> {
    split_words(line.as_bytes()).unwrap_or_else(|_| panic!("quotes do not close: {line}"))
}

/// `500ms`, `10s`, `2m`, `1h`, `1d`, in milliseconds.
pub(crate) fn millis(text: &str) -> Option<u64> {
    let at = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(at);
    let factor = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}

pub(crate) fn filter(line: &str) -> (&str, Shown) {
    if let Some(line) = line.strip_suffix(" | sort") {
        return (line, Shown::Sorted);
    }
    match line.rsplit_once(" | fields ") {
        Some((line, names)) => (line, Shown::Fields(names.split(' ').map(str::to_owned).collect())),
        None => (line, Shown::All),
    }
}

/// Plays one section.
#[derive(Debug)]
pub(crate) struct Session<'a, R> {
    rig: &'a mut R,
    current: String,
    clients: BTreeMap<String, Client>,
    recording: bool,
    /// Only what is played on every rig counts from here on.
    stopped: bool,
    /// Whether this rig is the built-in server.
    ours: bool,
}

/// What a client has heard.
#[derive(Debug, Default)]
struct Client {
    /// Bytes that are not a whole reply yet.
    pending: Vec<u8>,
    closed: bool,
    /// The closing has been shown.
    told: bool,
}

impl<'a, R: Rig> Session<'a, R> {
    pub(crate) fn new(rig: &'a mut R, ours: bool) -> Self {
        let clients = BTreeMap::from([("a".to_owned(), Client::default())]);
        Self { rig, current: "a".to_owned(), clients, recording: false, stopped: false, ours }
    }

    /// Plays the steps of `section` and notes beside each what it gave.
    pub(crate) fn play(&mut self, section: &mut Section) {
        let shows = |line: &String| line.starts_with("-> ");
        if section.steps().any(|step| step.expected.iter().any(shows)) {
            self.recording = self.rig.record_effects();
        }
        for step in section.steps_mut() {
            let expected: Vec<String> = step.expected.iter().filter(|line| !shows(line)).cloned().collect();
            let Some(mut lines) = self.step(&Action::parse(&step.text), &expected) else { break };
            if self.recording {
                lines.extend(self.rig.effects().iter().map(|effect| format!("-> {effect}")));
            } else if !self.ours {
                // A rig that records no effects takes those that are written for true.
                lines.extend(step.expected.iter().filter(|line| shows(line)).cloned());
            }
            step.actual = Some(lines);
        }
    }

    /// The output of one step, or `None` when this rig goes no further in this section.
    fn step(&mut self, action: &Action, expected: &[String]) -> Option<Vec<String>> {
        let mut lines = Vec::new();
        match action {
            Action::Client(name) => {
                self.current.clone_from(name);
                self.clients.entry(name.clone()).or_default();
                return Some(lines);
            }
            Action::Server(line) => self.rig.configure(line),
            Action::Ours => self.stopped = !self.ours,
            // One effect shown has turned them on already.
            Action::Effects if self.recording => {}
            Action::Effects => self.recording = self.rig.record_effects(),
            Action::Advance(ms) => self.stopped = !self.rig.advance(*ms),
            Action::HangUp => {
                self.rig.hang_up(&self.current);
                self.clients.insert(self.current.clone(), Client::default());
            }
            Action::Resp(version) => {
                self.send(&[b"HELLO".to_vec(), vec![b'0' + version]]);
                let replies = self.await_reply(Wait::Long);
                if let Some(Value::Error(text)) = replies.first() {
                    lines.push(format!("(error) {text}"));
                }
            }
            Action::Request(words, shown) => {
                self.send(words);
                let owed = expected.first().is_none_or(|line| line != "(no reply)");
                let replies = self.await_reply(if owed { Wait::Long } else { Wait::Moment });
                lines.extend(replies.iter().flat_map(|reply| show(reply, shown)));
                if lines.is_empty() && !self.closed(&self.current) {
                    lines.push("(no reply)".to_owned());
                }
            }
            Action::Raw(bytes) => {
                self.reopen();
                self.rig.send(&self.current, bytes);
                let mut wait = if expected.is_empty() { Wait::Moment } else { Wait::Long };
                loop {
                    let replies = self.await_reply(wait);
                    if replies.is_empty() {
                        break;
                    }
                    lines.extend(replies.iter().flat_map(notation::reply));
                    wait = if lines.len() < expected.len() { Wait::Long } else { Wait::Moment };
                }
            }
        }
        if self.stopped {
            return None;
        }
        self.hear_current(&mut lines);
        self.hear_others(&mut lines, expected);
        Some(lines)
    }

    fn send(&mut self, words: &[Vec<u8>]) {
        self.reopen();
        let mut bytes = Vec::new();
        encode_request(&mut bytes, words);
        self.rig.send(&self.current, &bytes);
    }

    /// A closed client that speaks again is a new connection.
    fn reopen(&mut self) {
        if self.closed(&self.current) {
            self.clients.insert(self.current.clone(), Client::default());
        }
    }

    fn closed(&self, client: &str) -> bool {
        self.clients.get(client).is_some_and(|client| client.closed)
    }

    fn pending(&self, client: &str) -> usize {
        self.clients.get(client).map_or(0, |client| client.pending.len())
    }

    /// Replies at the current client: at least one when `wait` is long and the server sends one.
    fn await_reply(&mut self, wait: Wait) -> Vec<Value> {
        let client = self.current.clone();
        loop {
            let before = self.pending(&client);
            let replies = self.receive(&client, wait);
            let after = self.pending(&client);
            if !replies.is_empty() || self.closed(&client) || before == after {
                return replies;
            }
        }
    }

    fn receive(&mut self, client: &str, wait: Wait) -> Vec<Value> {
        let (bytes, closed) = self.rig.take(client, wait);
        let client = self.clients.entry(client.to_owned()).or_default();
        client.pending.extend_from_slice(&bytes);
        client.closed |= closed;
        let mut replies = Vec::new();
        while let Some((value, used)) =
            value::decode(&client.pending).unwrap_or_else(|bad| panic!("{}", bad.0))
        {
            client.pending.drain(..used);
            replies.push(value);
        }
        replies
    }

    /// What else the current client heard, and whether its connection ended.
    fn hear_current(&mut self, lines: &mut Vec<String>) {
        let name = self.current.clone();
        if !self.closed(&name) {
            let late = self.receive(&name, Wait::No);
            lines.extend(late.iter().flat_map(notation::reply));
        }
        lines.extend(self.ended(&name));
    }

    /// `(closed)`, once.
    fn ended(&mut self, name: &str) -> Option<String> {
        let client = self.clients.get_mut(name).filter(|client| client.closed && !client.told)?;
        client.told = true;
        Some("(closed)".to_owned())
    }

    /// What the other clients heard meanwhile: `b: OK`.
    fn hear_others(&mut self, lines: &mut Vec<String>, expected: &[String]) {
        let names: Vec<String> = self.clients.keys().filter(|name| **name != self.current).cloned().collect();
        for name in names {
            if self.closed(&name) {
                continue;
            }
            let head = format!("{name}: ");
            let due = expected.iter().any(|line| line.starts_with(&head));
            let replies = self.receive(&name, if due { Wait::Long } else { Wait::No });
            lines.extend(replies.iter().flat_map(notation::reply).map(|line| format!("{head}{line}")));
            lines.extend(self.ended(&name).map(|ended| format!("{head}{ended}")));
        }
    }
}

pub(crate) fn show(reply: &Value, shown: &Shown) -> Vec<String> {
    match (shown, reply) {
        (Shown::Sorted, Value::Array(items) | Value::Set(items)) => {
            let mut items = items.clone();
            items.sort_by_key(|item| notation::reply(item).join("\n"));
            notation::reply(&Value::Array(items))
        }
        (Shown::Fields(names), _) => fields(&reply.to_text().unwrap_or_default(), names),
        _ => notation::reply(reply),
    }
}

/// Of `name:value` lines, or of `name=value` words, those that were asked for, in the order asked.
fn fields(text: &str, names: &[String]) -> Vec<String> {
    let field =
        |piece: &str, name: &str| piece.strip_prefix(name).is_some_and(|rest| rest.starts_with([':', '=']));
    let words = |line: &str| line.find([':', '=']).is_some_and(|at| line.as_bytes().get(at) == Some(&b'='));
    let pieces = || text.lines().flat_map(|line| line.split(if words(line) { ' ' } else { '\n' }));
    names
        .iter()
        .map(|name| pieces().find(|piece| field(piece, name)).unwrap_or("(absent)").to_owned())
        .collect()
}

#[test]
fn steps_are_understood() {
    let words = |line: &str| line.split(' ').map(|word| word.as_bytes().to_vec()).collect::<Vec<_>>();
    assert_eq!(Action::parse("client b"), Action::Client("b".into()));
    assert_eq!(Action::parse("client list x"), Action::Request(words("client list x"), Shown::All));
    assert_eq!(Action::parse("advance 1500ms"), Action::Advance(1500));
    assert_eq!(Action::parse("raw \"*1\\r\\n\""), Action::Raw(b"*1\r\n".to_vec()));
    assert_eq!(Action::parse("KEYS * | sort"), Action::Request(words("KEYS *"), Shown::Sorted));
    let shown = Shown::Fields(vec!["role".into(), "run_id".into()]);
    assert_eq!(Action::parse("INFO | fields role run_id"), Action::Request(words("INFO"), shown));
    assert_eq!(fields("role:master\r\nx:1", &["x".into(), "y".into()]), ["x:1", "(absent)"]);
    assert_eq!(fields("id=3 addr=127.0.0.1:5 db=0", &["db".into()]), ["db=0"]);
}

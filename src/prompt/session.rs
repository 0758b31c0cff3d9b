//! One conversation: the connection, and what commands change about it.
//!
//! The state is what the prompt shows: the database, an open MULTI, whether there is a connection at all. It
//! follows the replies, so it is the server's truth. After a lost connection the next command opens a new one with
//! the same password, database and protocol; an open MULTI is gone with the old one, and the prompt says so.

#![expect(clippy::disallowed_methods, reason = "the one thread serves one person, who asked for the pause")]

use std::io::{self, Write};

use rctl_server::resp::Value;

use super::advice;
use super::format::{Delimiters, Form, format, invalidation, verbatim};
use super::link::{Address, Broken, Link};
use super::options::{Options, Protocol, leading_integer};

/// The process is to end with this code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended(pub u8);

/// How one command went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// A reply was printed, be it an error.
    Answered,
    /// The connection broke, or there was none to be had; the reason was printed.
    Lost,
}

/// The two ways out, and who reads there.
pub struct Screen<'a> {
    /// Replies.
    pub out: &'a mut dyn Write,
    /// Everything else.
    pub err: &'a mut dyn Write,
    /// Both are read by a person: what `redis-cli` does not say may be said.
    pub person: bool,
}

/// A conversation with one server.
pub struct Session<'a> {
    pub(super) screen: Screen<'a>,
    pub(super) link: Option<Link>,
    pub(super) form: Form,
    /// Lines are typed or piped in, as against one command from the command line.
    pub interactive: bool,
    address: Address,
    credentials: Option<(Option<String>, String)>,
    protocol: Protocol,
    fail_on_error: bool,
    show_pushes: bool,
    interval: std::time::Duration,
    delimiters: Delimiters,
    db: i64,
    wanted_db: i64,
    /// The database before MULTI, while one is open.
    multi: Option<i64>,
}

impl<'a> Session<'a> {
    /// A conversation that has not begun.
    #[must_use]
    pub fn new(options: &Options, screen: Screen<'a>, form: Form, show_pushes: bool) -> Self {
        let address = match &options.socket {
            Some(path) => Address::Unix(path.clone()),
            None => Address::Tcp(options.host.clone(), options.port),
        };
        Self {
            screen,
            link: None,
            form,
            interactive: false,
            address,
            credentials: options.password.clone().map(|password| (options.user.clone(), password)),
            protocol: options.protocol,
            fail_on_error: options.fail_on_error,
            show_pushes,
            interval: options.interval,
            delimiters: options.delimiters.clone(),
            db: 0,
            wanted_db: options.db,
            multi: None,
        }
    }

    /// What stands before the next line.
    #[must_use]
    pub fn prompt(&self) -> String {
        if self.link.is_none() {
            return "not connected> ".to_owned();
        }
        let mut prompt = match &self.address {
            Address::Unix(path) => format!("redis {path}"),
            address => named(address),
        };
        if self.db != 0 {
            prompt.push_str(&format!("[{}]", self.db));
        }
        if self.multi.is_some() {
            prompt.push_str("(TX)");
        }
        prompt.push_str("> ");
        prompt
    }

    /// Talks to another server from now on.
    pub fn go_to(&mut self, host: &str, port: u16) {
        self.address = Address::Tcp(host.to_owned(), port);
        self.link = None;
    }

    /// A second connection with the same credentials, for questions that must not disturb this one.
    #[must_use]
    pub fn aside(&self) -> Option<Link> {
        let mut link = Link::connect(&self.address).ok()?;
        if let Some(request) = self.auth_request() {
            link.call(&request).ok()?;
        }
        Some(link)
    }

    /// Opens the connection anew: password, database, protocol. A refusal of one of these is printed and leaves
    /// the connection usable.
    ///
    /// # Errors
    /// Nothing can be written any more.
    pub fn connect(&mut self, quiet: bool) -> Result<bool, Ended> {
        self.link = None;
        self.db = 0;
        self.multi = None;
        match Link::connect(&self.address) {
            Ok(link) => self.link = Some(link),
            Err(why) => {
                if !quiet {
                    let named = named(&self.address);
                    self.complain(&format!("Could not connect to Redis at {named}: {why}"))?;
                }
                return Ok(false);
            }
        }
        Ok(self.authenticate()? && self.select()? && self.switch_protocol()?)
    }

    /// Runs one command `repeat` times (negative: for ever), opening the connection first where there is none.
    ///
    /// # Errors
    /// The process is to end: the connection broke where nobody can type the next command, an error reply under
    /// `-e`, or nobody reads what is printed.
    pub fn issue(&mut self, args: &[Vec<u8>], repeat: i64) -> Result<Sent, Ended> {
        if self.link.is_none() && !self.connect(false)? {
            if self.link.is_some() {
                self.complain("Error: ")?;
            }
            return Ok(Sent::Lost);
        }
        let mut left = repeat;
        while left != 0 {
            if self.send(args)? == Sent::Lost {
                return Ok(Sent::Lost);
            }
            left = if left < 0 { left } else { left - 1 };
            if !self.interval.is_zero() {
                std::thread::sleep(self.interval);
            }
        }
        Ok(Sent::Answered)
    }

    fn send(&mut self, args: &[Vec<u8>]) -> Result<Sent, Ended> {
        let Some(name) = args.first().map(|name| name.to_ascii_lowercase()) else {
            return Ok(Sent::Answered);
        };
        let Some(link) = &mut self.link else { return Ok(Sent::Lost) };
        // A request that cannot be written shows when its reply is read.
        let _ = link.send(args);
        match name.as_slice() {
            b"monitor" => return self.monitor(),
            b"sync" | b"psync" => return self.follow(),
            b"subscribe" | b"psubscribe" | b"ssubscribe" => return self.messages(),
            _ => {}
        }
        let leaves = name.ends_with(b"unsubscribe");
        let reply = match self.receive(leaves) {
            Ok(reply) => reply,
            Err(_) if name == b"shutdown" => {
                self.link = None;
                return Ok(Sent::Answered);
            }
            Err(broken) => return self.lost(&broken),
        };
        self.show(&reply, reads_as_text(args))?;
        self.note(&name, args, &reply)?;
        if self.screen.person
            && let Some(line) = advice::on_reply(&reply, || self.aside())
        {
            self.complain(&line)?;
        }
        Ok(Sent::Answered)
    }

    /// The next reply. Pushes on the way are shown or dropped, unless `pushes` are what is waited for.
    pub(super) fn receive(&mut self, pushes: bool) -> Result<Value, Broken> {
        loop {
            let Some(link) = &mut self.link else { return Err(no_connection()) };
            match link.receive()? {
                Value::Push(items) if !pushes => {
                    if self.show_pushes {
                        // Nobody reading is found out at the next reply.
                        let _ = self.show_push(items);
                    }
                }
                value => return Ok(value),
            }
        }
    }

    fn show_push(&mut self, items: Vec<Value>) -> Result<(), Ended> {
        match invalidation(&items) {
            Some(line) if self.form == Form::Terminal => self.print(&line),
            _ => self.show(&Value::Push(items), false),
        }
    }

    /// Prints a reply; under `-e` an error reply ends a one-shot call.
    pub(super) fn show(&mut self, reply: &Value, as_text: bool) -> Result<(), Ended> {
        if let (Value::Error(text), false, true) = (reply, self.interactive, self.fail_on_error) {
            let text = text.clone();
            self.complain(&text)?;
            return Err(Ended(1));
        }
        let bytes = if as_text {
            verbatim(reply, &self.delimiters)
        } else {
            format(reply, self.form, &self.delimiters)
        };
        self.print(&bytes)
    }

    pub(super) fn print(&mut self, bytes: &[u8]) -> Result<(), Ended> {
        self.screen
            .out
            .write_all(bytes)
            .and_then(|()| self.screen.out.flush())
            .map_err(|error| unread(&error))
    }

    pub(super) fn complain(&mut self, line: &str) -> Result<(), Ended> {
        self.screen.out.flush().map_err(|error| unread(&error))?;
        // A closed stderr loses words, not answers.
        let _ = writeln!(self.screen.err, "{line}").and_then(|()| self.screen.err.flush());
        Ok(())
    }

    /// The connection broke. Where the next command can be typed that is a message, else the end.
    pub(super) fn lost(&mut self, broken: &Broken) -> Result<Sent, Ended> {
        self.link = None;
        self.complain(&format!("Error: {}", broken.why))?;
        if self.interactive && broken.peer_gone { Ok(Sent::Lost) } else { Err(Ended(1)) }
    }

    /// What a command that was answered changes about the conversation.
    fn note(&mut self, name: &[u8], args: &[Vec<u8>], reply: &Value) -> Result<(), Ended> {
        let failed = matches!(reply, Value::Error(_));
        let argument = |index: usize| args.get(index).map(|arg| String::from_utf8_lossy(arg).into_owned());
        match (name, args.len()) {
            (b"select", 2) if !failed => {
                self.db = argument(1).map_or(0, |text| leading_integer(&text));
                self.wanted_db = self.db;
            }
            (b"auth", 2 | 3) => {
                if !failed && self.multi.is_none() {
                    self.credentials = match args {
                        [_, _, _] => Some((argument(1), argument(2).unwrap_or_default())),
                        _ => Some((None, argument(1).unwrap_or_default())),
                    };
                }
                self.select()?;
            }
            (b"multi", 1) if !failed => self.multi = Some(self.db),
            (b"exec", 1) => {
                if let Some(before) = self.multi.take()
                    && (failed || matches!(reply, Value::Null | Value::NullArray))
                {
                    self.db = before;
                    self.wanted_db = before;
                }
            }
            (b"discard", 1) if !failed => {
                if let Some(before) = self.multi.take() {
                    self.db = before;
                    self.wanted_db = before;
                }
            }
            (b"reset", 1) if !failed => {
                self.multi = None;
                self.db = 0;
                self.wanted_db = 0;
                self.protocol = Protocol::Plain;
            }
            (b"hello", _) => match reply {
                Value::Map(_) => self.protocol = Protocol::Resp3,
                Value::Array(_) => self.protocol = Protocol::Plain,
                _ => {}
            },
            _ => {}
        }
        Ok(())
    }

    fn auth_request(&self) -> Option<Vec<String>> {
        let (user, password) = self.credentials.clone()?;
        Some(["AUTH".to_owned()].into_iter().chain(user).chain([password]).collect())
    }

    fn authenticate(&mut self) -> Result<bool, Ended> {
        let Some(request) = self.auth_request() else { return Ok(true) };
        self.prepare(&request, Some("AUTH failed"))
    }

    fn select(&mut self) -> Result<bool, Ended> {
        if self.wanted_db == self.db {
            return Ok(true);
        }
        let request = ["SELECT".to_owned(), self.wanted_db.to_string()];
        let done = self.prepare(&request, Some(&format!("SELECT {} failed", self.wanted_db)))?;
        if done {
            self.db = self.wanted_db;
        }
        Ok(done)
    }

    fn switch_protocol(&mut self) -> Result<bool, Ended> {
        let request = ["HELLO".to_owned(), "3".to_owned()];
        match self.protocol {
            Protocol::Plain => Ok(true),
            Protocol::Resp3 => self.prepare(&request, Some("HELLO 3 failed")),
            Protocol::Resp3IfPossible => self.prepare(&request, None).map(|_| true),
        }
    }

    /// One request of the connection's beginning. An error reply is printed after `complaint`, where there is one.
    fn prepare(&mut self, request: &[String], complaint: Option<&str>) -> Result<bool, Ended> {
        let Some(link) = &mut self.link else { return Ok(false) };
        match link.call(request) {
            Ok(Value::Error(text)) => {
                if let Some(complaint) = complaint {
                    self.complain(&format!("{complaint}: {text}"))?;
                }
                Ok(false)
            }
            Ok(_) => Ok(true),
            Err(_) => {
                self.complain("\nI/O error")?;
                self.link = None;
                Ok(false)
            }
        }
    }
}

/// Commands whose reply is text for reading, printed without quotes and escapes.
fn reads_as_text(args: &[Vec<u8>]) -> bool {
    let word = |index: usize| args.get(index).map(|word| word.to_ascii_lowercase()).unwrap_or_default();
    let (first, second) = (word(0), word(1));
    matches!(
        (first.as_slice(), second.as_slice(), args.len()),
        (b"info" | b"lolwut", _, _)
            | (b"debug", b"htstats" | b"htstats-key" | b"client-eviction", _)
            | (b"memory", b"malloc-stats" | b"doctor", _)
            | (b"cluster", b"nodes" | b"info", 2)
            | (b"client", b"list" | b"info", _)
            | (b"latency", b"graph", 3)
            | (b"latency", b"doctor", 2)
            | (b"proxy", b"info", _)
    )
}

/// `host:port` with brackets around an IPv6 address, or the socket's path.
fn named(address: &Address) -> String {
    match address {
        Address::Tcp(host, port) if host.contains(':') => format!("[{host}]:{port}"),
        Address::Tcp(host, port) => format!("{host}:{port}"),
        Address::Unix(path) => path.clone(),
    }
}

pub(super) fn no_connection() -> Broken {
    Broken { why: "Server closed the connection".to_owned(), peer_gone: true }
}

/// Whoever read us has had enough: that is success. Anything else is a fault.
fn unread(error: &io::Error) -> Ended {
    Ended(u8::from(error.kind() != io::ErrorKind::BrokenPipe))
}

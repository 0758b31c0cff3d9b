//! A line to each node of a set. Every command that changes something is echoed with its reply: there is no magic.

use std::collections::BTreeMap;

use rctl_server::resp::Value;

use crate::node::client::{Auth, CHANGE, Client, ClientError, Failure, LOOK};
use crate::node::observe::{Observation, observe};
use crate::plan::step::Words;
use crate::render::console::Console;

/// Where a node is, and what opens it.
#[derive(Debug, Clone)]
pub struct Place {
    /// Its host.
    pub host: String,
    /// Its credentials.
    pub auth: Option<Auth>,
}

/// Lines to all nodes, opened as they are needed.
pub struct Fleet<'c> {
    places: BTreeMap<u16, Place>,
    clients: BTreeMap<u16, Client>,
    console: &'c Console,
    echo: bool,
}

/// Why a command did not have the answer that was needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// For people.
    pub why: String,
    /// The node answered, so the command had no effect.
    pub answered: bool,
}

impl<'c> Fleet<'c> {
    /// Lines that are not opened yet. With `echo`, commands and replies are shown on `console`.
    #[must_use]
    pub fn new(places: BTreeMap<u16, Place>, console: &'c Console, echo: bool) -> Self {
        Self { places, clients: BTreeMap::new(), console, echo }
    }

    /// Sends a command that changes something.
    ///
    /// # Errors
    /// An error reply, no reply in time, or no such node.
    pub async fn send(&mut self, port: u16, words: &Words) -> Result<Value, Refused> {
        let outcome = self.call(port, &words.0).await;
        let (shown, outcome) = match outcome {
            Ok(Value::Error(text)) => {
                let why = format!("{port} answered {words} with: {text}");
                (format!("(error) {text}"), Err(Refused { why, answered: true }))
            }
            Ok(value) => (value.to_text().unwrap_or_else(|| "…".to_owned()), Ok(value)),
            Err(error) => {
                self.clients.remove(&port);
                let answered = error.kind == Failure::Refused;
                (format!("({error})"), Err(Refused { why: error.to_string(), answered }))
            }
        };
        if self.echo {
            self.console.talk(&format!("{port}> {words}\n{shown}"));
        }
        outcome
    }

    /// Asks something that changes nothing; not echoed.
    ///
    /// # Errors
    /// No answer in time.
    pub async fn ask(&mut self, port: u16, words: &[&str]) -> Result<Value, ClientError> {
        self.call(port, words).await.inspect_err(|_| {
            self.clients.remove(&port);
        })
    }

    /// What a node says of itself now, over a line of its own: the other may be waiting.
    ///
    /// # Errors
    /// As [`observe`].
    pub async fn observe(&self, port: u16) -> Result<Observation, ClientError> {
        let place = self.place(port)?;
        observe(&place.host, port, place.auth.as_ref(), LOOK).await
    }

    /// Says something, without a command behind it.
    pub fn say(&self, line: &str) {
        self.console.talk(line);
    }

    async fn call<A: AsRef<[u8]>>(&mut self, port: u16, words: &[A]) -> Result<Value, ClientError> {
        if !self.clients.contains_key(&port) {
            let place = self.place(port)?;
            let mut client = Client::connect(&place.host, port, LOOK).await?;
            if let Some(auth) = &place.auth {
                client.auth(auth, LOOK).await?;
            }
            self.clients.insert(port, client);
        }
        match self.clients.get_mut(&port) {
            Some(client) => client.call(words, CHANGE).await,
            None => Err(ClientError { node: port.to_string(), kind: Failure::Closed }),
        }
    }

    fn place(&self, port: u16) -> Result<&Place, ClientError> {
        let unknown =
            || ClientError { node: port.to_string(), kind: Failure::Io("not a node of this set".into()) };
        self.places.get(&port).ok_or_else(unknown)
    }
}

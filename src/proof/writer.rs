//! Clients that write numbered keys, follow the master wherever it goes, and remember each acknowledgement.
//!
//! A write is tried once: what was not acknowledged promised nothing. A client whose master is gone or has become a
//! replica looks for the new one among all nodes, as a client library would.

#![expect(clippy::disallowed_methods, reason = "this does things and measures how long they take")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rctl_server::resp::value::Value;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use super::ledger::{Ledger, PREFIX, Verdict};
use crate::error::{Error, Exit, Result};
use crate::handover::fleet::Place;
use crate::node::client::{CHANGE, Client, ClientError};
use crate::node::observe::{Observation, observe};
use crate::topology::HERE;

/// How long a write may take before its client looks for another master.
const WRITE: Duration = Duration::from_secs(1);
/// How long one look for the master may take: a frozen node costs no more.
const SEEK: Duration = Duration::from_millis(150);
/// Between two looks for the master.
const PAUSE: Duration = Duration::from_millis(3);
/// A key that is left behind by a killed run goes by itself, seconds.
const LIFETIME: &str = "3600";
/// Keys asked for or removed at a time.
const BATCH: usize = 500;

/// How to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Writes per second of all clients; `None` is as fast as they can.
    pub rate: Option<u32>,
    /// Clients that write.
    pub clients: u16,
    /// How many of them send WAIT after each write.
    pub waiting: u16,
    /// How many replicas WAIT asks for.
    pub replicas: u16,
}

/// A run under way. Dropping it ends the clients and leaves the keys.
pub struct Writer {
    shared: Arc<Shared>,
    clients: JoinSet<()>,
}

struct Shared {
    began: Instant,
    nodes: BTreeMap<u16, Place>,
    ledger: Mutex<Ledger>,
    /// The master that is written to, and how often it was looked for.
    master: tokio::sync::Mutex<(u16, u64)>,
}

impl Writer {
    /// Begins to write to `master`, and to whoever of `nodes` succeeds it.
    #[must_use]
    pub fn start(nodes: BTreeMap<u16, Place>, master: u16, run: &str, style: Style) -> Self {
        let shared = Arc::new(Shared {
            began: Instant::now(),
            nodes,
            ledger: Mutex::new(Ledger::new(run)),
            master: tokio::sync::Mutex::new((master, 0)),
        });
        let mut clients = JoinSet::new();
        let pace =
            style.rate.map(|rate| Duration::from_secs(1) * u32::from(style.clients.max(1)) / rate.max(1));
        for index in 0..style.clients.max(1) {
            let wait = (index < style.waiting).then_some(style.replicas);
            clients.spawn(write(Arc::clone(&shared), pace, wait));
        }
        Self { shared, clients }
    }

    /// Microseconds since the start.
    #[must_use]
    pub fn now_us(&self) -> u64 {
        self.shared.now_us()
    }

    /// Looks at what was written so far.
    pub fn with<T>(&self, look: impl FnOnce(&Ledger) -> T) -> T {
        look(&self.shared.ledger.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Waits until something is true of what was written; `false` when that took longer than `patience`.
    pub async fn until(&self, patience: Duration, wanted: impl Fn(&Ledger) -> bool) -> bool {
        let began = Instant::now();
        while !self.with(&wanted) {
            if began.elapsed() > patience {
                return false;
            }
            tokio::time::sleep(PAUSE).await;
        }
        true
    }

    /// Ends the clients, looks at what is there on the master of now, and removes it.
    ///
    /// # Errors
    /// No master is found, or it cannot be asked: then nothing can be said.
    pub async fn finish(mut self, patience: Duration) -> Result<(Verdict, Ledger)> {
        self.clients.shutdown().await;
        let began = Instant::now();
        let ledger = self.with(Clone::clone);
        loop {
            let asked = match seek(&self.shared.nodes).await {
                Some(port) => read_back(&self.shared, port, &ledger).await.map_err(Error::from),
                None => Err(Error::new(Exit::Differs, "no node takes writes: what survived is not known")
                    .hint("rctl status")),
            };
            match asked {
                Ok(there) => return Ok((ledger.judge(&there), ledger)),
                Err(error) if began.elapsed() > patience => return Err(error),
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
        }
    }
}

impl Shared {
    fn now_us(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    fn note<T>(&self, what: impl FnOnce(&mut Ledger) -> T) -> T {
        what(&mut self.ledger.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A connection to the master; `seen` is how often it had been looked for when the caller's last one failed.
    async fn connect(&self, seen: &mut Option<u64>) -> Option<Client> {
        let port = {
            let mut master = self.master.lock().await;
            // Of many clients that lost it at once, one looks.
            if *seen == Some(master.1) {
                master.0 = seek(&self.nodes).await?;
                master.1 += 1;
            }
            *seen = Some(master.1);
            master.0
        };
        connect(port, self.nodes.get(&port), SEEK).await.ok()
    }
}

/// One client, until it is stopped.
async fn write(shared: Arc<Shared>, pace: Option<Duration>, wait: Option<u16>) {
    let mut ticks = pace.map(tokio::time::interval);
    if let Some(ticks) = &mut ticks {
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    }
    let mut client: Option<Client> = None;
    let mut seen = None;
    loop {
        if let Some(ticks) = &mut ticks {
            ticks.tick().await;
        }
        let Some(open) = &mut client else {
            client = shared.connect(&mut seen).await;
            if client.is_none() {
                tokio::time::sleep(PAUSE).await;
            }
            continue;
        };
        let number = shared.note(Ledger::begin);
        let (key, value) = (shared.note(|ledger| ledger.key(number)), number.to_string());
        match open.call(&["SET", &key, &value, "EX", LIFETIME], WRITE).await {
            Ok(Value::Simple(_)) => {
                let now = shared.now_us();
                shared.note(|ledger| ledger.acknowledged(number, now));
            }
            _ => {
                client = None;
                continue;
            }
        }
        if let Some(replicas) = wait {
            let asked = ["WAIT".to_owned(), replicas.to_string(), "900".to_owned()];
            match open.call(&asked, WRITE).await {
                Ok(Value::Int(have)) if have >= i64::from(replicas) => {
                    shared.note(|ledger| ledger.confirmed(number));
                }
                Ok(Value::Int(_)) => {}
                _ => client = None,
            }
        }
    }
}

/// The node that takes writes. Of several masters the one that most replicas follow; then the one that has most.
async fn seek(nodes: &BTreeMap<u16, Place>) -> Option<u16> {
    let mut asked = JoinSet::new();
    for (port, place) in nodes {
        let (port, place) = (*port, place.clone());
        asked.spawn(async move { (port, observe(&place.host, port, place.auth.as_ref(), SEEK).await) });
    }
    let mut best: Option<((usize, Option<u64>), u16)> = None;
    while let Some(answer) = asked.join_next().await {
        let Ok((port, Ok(seen))) = answer else { continue };
        if takes_writes(&seen) {
            let weight = (seen.replicas.len(), seen.offset);
            if best.is_none_or(|(most, _)| weight > most) {
                best = Some((weight, port));
            }
        }
    }
    best.map(|(_, port)| port)
}

fn takes_writes(seen: &Observation) -> bool {
    !seen.is_replica && !seen.loading
}

/// Which writes are there; then they are removed.
async fn read_back(
    shared: &Shared,
    port: u16,
    ledger: &Ledger,
) -> std::result::Result<Vec<bool>, ClientError> {
    let mut client = connect(port, shared.nodes.get(&port), CHANGE).await?;
    let mut there = Vec::with_capacity(ledger.len());
    let keys: Vec<String> = (0..ledger.len()).map(|number| ledger.key(number)).collect();
    for batch in keys.chunks(BATCH) {
        let words: Vec<&str> = ["MGET"].into_iter().chain(batch.iter().map(String::as_str)).collect();
        let Value::Array(values) = client.command(&words, CHANGE).await? else { continue };
        there.extend(values.iter().map(|value| *value != Value::Null));
    }
    for batch in keys.chunks(BATCH) {
        let words: Vec<&str> = ["UNLINK"].into_iter().chain(batch.iter().map(String::as_str)).collect();
        client.command(&words, CHANGE).await?;
    }
    Ok(there)
}

/// Removes every key of a run that did not come to its end. Where no master is found, they go by themselves later.
pub async fn sweep(nodes: &BTreeMap<u16, Place>, run: &str) {
    let Some(port) = seek(nodes).await else { return };
    let Ok(mut client) = connect(port, nodes.get(&port), CHANGE).await else { return };
    let pattern = format!("{PREFIX}{run}:*");
    let mut cursor = "0".to_owned();
    loop {
        let asked = client.command(&["SCAN", &cursor, "MATCH", &pattern, "COUNT", "1000"], CHANGE).await;
        let Ok(Value::Array(reply)) = asked else { return };
        let [next, Value::Array(keys)] = reply.as_slice() else { return };
        let keys: Vec<String> = keys.iter().filter_map(Value::to_text).collect();
        if !keys.is_empty() {
            let words: Vec<&str> = ["UNLINK"].into_iter().chain(keys.iter().map(String::as_str)).collect();
            if client.command(&words, CHANGE).await.is_err() {
                return;
            }
        }
        match next.to_text() {
            Some(next) if next != "0" => cursor = next,
            _ => return,
        }
    }
}

async fn connect(
    port: u16,
    place: Option<&Place>,
    timeout: Duration,
) -> std::result::Result<Client, ClientError> {
    let host = place.map_or(HERE, |place| place.host.as_str());
    let mut client = Client::connect(host, port, timeout).await?;
    if let Some(auth) = place.and_then(|place| place.auth.as_ref()) {
        client.auth(auth, timeout).await?;
    }
    Ok(client)
}

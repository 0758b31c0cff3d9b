//! Requests to a running supervisor over its unix socket: both ends. One line of JSON each way.
//!
//! Invariants: whatever arrives, the listener goes on answering others: a line has a length limit and a time
//! limit, what is no request gets a refusal and the connection is closed, and the number of open connections is
//! bounded. Another version of the protocol is refused by name, never guessed at.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::timeout;

use super::facts::SetFacts;
use super::request::{Refusal, Reply, Request, VERSION};
use crate::error::{Error, Exit, Result};

/// The longest line, in bytes: a plan of some thousand nodes.
const LINE_LIMIT: usize = 4 << 20;
/// How long a line may take to arrive, and an answer to come.
const PATIENCE: Duration = Duration::from_secs(10);
/// Connections at once; more wait to be accepted.
const CONNECTIONS: usize = 64;

/// One request on its way into the supervisor's loop.
#[derive(Debug)]
pub struct Ask {
    /// What is asked.
    pub request: Request,
    /// Where the answer goes.
    pub answer: oneshot::Sender<Reply>,
}

#[derive(Serialize, Deserialize)]
struct Envelope<T> {
    v: u32,
    #[serde(flatten)]
    content: Content<T>,
}

#[derive(Serialize, Deserialize)]
struct Content<T> {
    say: T,
}

/// Makes the socket. The supervisor's lock is held, so a socket that is there already is a dead one's.
///
/// # Errors
/// The path and the reason.
pub fn listen(path: &Path) -> Result<UnixListener> {
    let failed = |error: io::Error| {
        Error::new(Exit::Environment, format!("cannot listen on {}: {error}", path.display()))
    };
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    let listener = UnixListener::bind(path).map_err(failed)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).map_err(failed)?;
    Ok(listener)
}

/// Takes connections for ever, and hands their requests to `asks`.
pub async fn serve(listener: UnixListener, asks: mpsc::Sender<Ask>) {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(permit) = Arc::clone(&room).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                let asks = asks.clone();
                tokio::spawn(async move {
                    converse(stream, asks).await;
                    drop(permit);
                });
            }
            // Out of descriptors: trying again at once would only burn the processor.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

async fn converse(mut stream: UnixStream, asks: mpsc::Sender<Ask>) {
    let mut unread = Vec::new();
    loop {
        let line = match timeout(PATIENCE, read_line(&mut stream, &mut unread)).await {
            Ok(Ok(Some(line))) => line,
            _ => return,
        };
        let (reply, stays) = match parse::<Request>(&line) {
            Ok(request) => {
                let (answer, answered) = oneshot::channel();
                if asks.send(Ask { request, answer }).await.is_err() {
                    return;
                }
                match timeout(PATIENCE, answered).await {
                    Ok(Ok(reply)) => (reply, true),
                    _ => return,
                }
            }
            Err(why) => (Reply::Refused(Refusal::new(Exit::Unexpected, why)), false),
        };
        let sent = timeout(PATIENCE, stream.write_all(&format_line(&reply))).await;
        if !stays || !matches!(sent, Ok(Ok(()))) {
            return;
        }
    }
}

/// One connection to a supervisor.
#[derive(Debug)]
pub struct Client {
    stream: UnixStream,
    unread: Vec<u8>,
}

impl Client {
    /// Connects.
    ///
    /// # Errors
    /// Nobody listens there.
    pub async fn connect(path: &Path) -> io::Result<Self> {
        Ok(Self { stream: UnixStream::connect(path).await?, unread: Vec::new() })
    }

    /// Asks one thing. A refusal is a reply.
    ///
    /// # Errors
    /// No answer within the patience, or the connection broke.
    pub async fn ask(&mut self, request: &Request) -> Result<Reply> {
        let lost = |why: &str| Error::new(Exit::Unexpected, format!("the supervisor {why}")).hint("rctl ps");
        let talk = async {
            self.stream.write_all(&format_line(request)).await?;
            read_line(&mut self.stream, &mut self.unread).await
        };
        match timeout(PATIENCE, talk).await {
            Err(_) => Err(lost("did not answer in time")),
            Ok(Err(error)) => Err(lost(&format!("cannot be reached: {error}"))),
            Ok(Ok(None)) => Err(lost("closed the connection")),
            Ok(Ok(Some(line))) => parse(&line).map_err(|why| lost(&format!("answered nonsense: {why}"))),
        }
    }

    /// Asks for something to be begun.
    ///
    /// # Errors
    /// As [`Client::ask`], and the refusal.
    pub async fn begin(&mut self, request: &Request) -> Result<()> {
        match self.ask(request).await? {
            Reply::Refused(refusal) => Err(refusal.into()),
            Reply::Begun | Reply::Facts { .. } => Ok(()),
        }
    }

    /// Asks for everything the supervisor knows.
    ///
    /// # Errors
    /// As [`Client::ask`], and a refusal.
    pub async fn facts(&mut self) -> Result<SetFacts> {
        match self.ask(&Request::Facts).await? {
            Reply::Facts { facts } => Ok(*facts),
            Reply::Refused(refusal) => Err(refusal.into()),
            Reply::Begun => Err(Error::new(Exit::Unexpected, "the supervisor answered another question")),
        }
    }
}

/// One line without its end; `None` where the peer closed between two lines.
async fn read_line(stream: &mut UnixStream, unread: &mut Vec<u8>) -> io::Result<Option<Vec<u8>>> {
    let mut searched = 0;
    loop {
        let found = unread.get(searched..).and_then(|new| new.iter().position(|&byte| byte == b'\n'));
        if let Some(found) = found {
            let mut line: Vec<u8> = unread.drain(..=searched + found).collect();
            line.pop();
            return Ok(Some(line));
        }
        searched = unread.len();
        if searched > LINE_LIMIT {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a line that is too long"));
        }
        if stream.read_buf(unread).await? == 0 {
            return if unread.is_empty() { Ok(None) } else { Err(io::ErrorKind::UnexpectedEof.into()) };
        }
    }
}

fn parse<T: for<'a> Deserialize<'a>>(line: &[u8]) -> std::result::Result<T, String> {
    #[derive(Deserialize)]
    struct Version {
        v: u32,
    }
    match serde_json::from_slice::<Version>(line) {
        Ok(Version { v: VERSION }) => {}
        Ok(Version { v }) => {
            return Err(format!("speaks version {v} of the control protocol, this rctl speaks {VERSION}"));
        }
        Err(_) => return Err("that is no message of the control protocol".to_owned()),
    }
    serde_json::from_slice::<Envelope<T>>(line)
        .map(|envelope| envelope.content.say)
        .map_err(|error| format!("that is no message of the control protocol: {error}"))
}

fn format_line(say: &impl Serialize) -> Vec<u8> {
    let envelope = Envelope { v: VERSION, content: Content { say } };
    let mut line = serde_json::to_vec(&envelope).unwrap_or_default();
    line.push(b'\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn supervisor(path: &Path) {
        let listener = listen(path).unwrap();
        let (asks, mut asked) = mpsc::channel::<Ask>(8);
        tokio::spawn(serve(listener, asks));
        tokio::spawn(async move {
            while let Some(ask) = asked.recv().await {
                let _ = ask.answer.send(Reply::Begun);
            }
        });
    }

    #[tokio::test]
    async fn c41_garbage_is_refused_and_hurts_nobody_else() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s");
        supervisor(&path).await;
        let mut client = Client::connect(&path).await.unwrap();
        let _half_open = UnixStream::connect(&path).await.unwrap();
        for garbage in [
            &b"\n"[..],
            b"{}\n",
            b"\xff\xfe\n",
            b"{\"v\":1}\n",
            b"{\"v\":1,\"say\":{\"do\":\"dance\"}}\n",
            b"[[[[\n",
        ] {
            let mut stream = UnixStream::connect(&path).await.unwrap();
            stream.write_all(garbage).await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            assert!(answer.contains("refused"), "{garbage:?} got {answer}");
            client.begin(&Request::Down).await.unwrap();
        }
    }

    #[tokio::test]
    async fn another_version_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s");
        supervisor(&path).await;
        let mut stream = UnixStream::connect(&path).await.unwrap();
        stream.write_all(b"{\"v\":99,\"say\":{\"do\":\"facts\"}}\n").await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.contains("version 99"), "{answer}");
    }

    #[tokio::test]
    async fn a_line_without_end_is_cut_off() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s");
        supervisor(&path).await;
        let mut stream = UnixStream::connect(&path).await.unwrap();
        let piece = vec![b'x'; 1 << 20];
        let mut sent = 0;
        while sent < LINE_LIMIT * 2 && stream.write_all(&piece).await.is_ok() {
            sent += piece.len();
        }
        assert!(sent < LINE_LIMIT * 2, "the listener went on reading");
        Client::connect(&path).await.unwrap().begin(&Request::Down).await.unwrap();
    }

    #[test]
    fn every_request_and_reply_survives_the_way() {
        let requests = [
            Request::Facts,
            Request::Start { ports: vec![1, 2], allow_data_loss: true },
            Request::Kill { ports: vec![1], signal: 9 },
            Request::SetRole { port: 1, upstream: Some(("::1".into(), 2)) },
            Request::Note { port: None, text: "a\nb".into() },
        ];
        for request in requests {
            let line = format_line(&request);
            assert_eq!(line.iter().filter(|&&byte| byte == b'\n').count(), 1);
            assert_eq!(parse::<Request>(&line).unwrap(), request);
        }
        let reply = Reply::Refused(Refusal::new(Exit::Refused, "no").hint("rctl ps"));
        assert_eq!(parse::<Reply>(&format_line(&reply)).unwrap(), reply);
    }
}

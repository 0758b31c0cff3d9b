//! An async RESP client over the server crate's codec: what every verb talks to a node with.
//!
//! Invariants: every call has a timeout, so a paused or hostile node never hangs the tool; a reply is never larger
//! than the connection's limit; a connection whose call timed out, broke or was dropped half-way is out of step
//! and refuses further calls, so a late reply can never be taken for the answer to another question.

mod dial;
mod frame;

use std::fmt;
use std::io;
use std::time::Duration;

use rctl_server::resp::reply::encode_request;
use rctl_server::resp::value::{MAX_BULK, Value, decode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout as within;

use crate::error::{Error, Exit};

pub(crate) use frame::Frame;

use dial::dial;

/// How long looking at a node may take in all.
pub const LOOK: Duration = Duration::from_millis(400);

/// How long one change to a node may take.
pub const CHANGE: Duration = Duration::from_secs(5);

/// The largest reply a connection accepts unless told otherwise, in bytes.
pub const REPLY_LIMIT: usize = 16 << 20;

/// Room for the largest bulk string a server may send, for callers that print what people asked for.
pub const REPLY_LIMIT_MAX: usize = MAX_BULK + (1 << 20);

/// Credentials of a node. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Auth {
    /// The ACL user; `None` is the default user (`AUTH password`).
    pub user: Option<String>,
    /// The password.
    pub password: String,
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Auth").field("user", &self.user).finish_non_exhaustive()
    }
}

/// Why a node could not be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientError {
    /// `host:port`.
    pub node: String,
    /// What went wrong.
    pub kind: Failure,
}

/// The ways a conversation with a node ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// Nothing listens there.
    Refused,
    /// No answer in time: paused, busy or cut off.
    TimedOut,
    /// The peer closed the connection, or an earlier call left it out of step.
    Closed,
    /// The bytes are no RESP, or more than the limit: whatever listens there is no server of ours.
    Malformed(String),
    /// An error reply where an answer was needed, with its text.
    Reply(String),
    /// Any other fault of the socket or of the name's resolution.
    Io(String),
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let node = &self.node;
        match &self.kind {
            Failure::Refused => write!(f, "{node} refused the connection"),
            Failure::TimedOut => write!(f, "{node} did not answer in time"),
            Failure::Closed => write!(f, "{node} closed the connection"),
            Failure::Malformed(why) => write!(f, "{node} does not speak the Redis protocol: {why}"),
            Failure::Reply(text) => write!(f, "{node} answered: {text}"),
            Failure::Io(why) => write!(f, "{node} cannot be reached: {why}"),
        }
    }
}

impl std::error::Error for ClientError {}

impl From<ClientError> for Error {
    fn from(error: ClientError) -> Self {
        let exit = match error.kind {
            Failure::Refused => Exit::NotRunning,
            Failure::TimedOut => Exit::TimedOut,
            Failure::Closed | Failure::Malformed(_) | Failure::Reply(_) | Failure::Io(_) => Exit::Unexpected,
        };
        Self::new(exit, error.to_string())
    }
}

/// One connection to one node.
#[derive(Debug)]
pub struct Client {
    node: String,
    stream: TcpStream,
    received: Vec<u8>,
    frame: Frame,
    reply_limit: usize,
    /// A call was begun and its reply not seen: nothing more can be asked on this connection.
    out_of_step: bool,
}

impl Client {
    /// Connects; every address of `host` is tried (`localhost` may be `::1` or `127.0.0.1`).
    ///
    /// # Errors
    /// Refused, unresolvable, or not connected within `timeout`.
    pub async fn connect(host: &str, port: u16, timeout: Duration) -> Result<Self, ClientError> {
        let node = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
        let failed = |kind| ClientError { node: node.clone(), kind };
        let stream = within(timeout, dial(host, port))
            .await
            .map_err(|_| failed(Failure::TimedOut))?
            .map_err(|error| failed(from_io(&error)))?;
        stream.set_nodelay(true).map_err(|error| failed(from_io(&error)))?;
        Ok(Self {
            node,
            stream,
            received: Vec::new(),
            frame: Frame::default(),
            reply_limit: REPLY_LIMIT,
            out_of_step: false,
        })
    }

    /// Sets the largest reply accepted, in bytes.
    #[must_use]
    pub fn with_reply_limit(mut self, bytes: usize) -> Self {
        self.reply_limit = bytes;
        self
    }

    /// The peer as `host:port`, for messages.
    #[must_use]
    pub fn node(&self) -> &str {
        &self.node
    }

    /// Authenticates.
    ///
    /// # Errors
    /// As [`Client::call`], and [`Failure::Reply`] when the server refuses the credentials.
    pub async fn auth(&mut self, auth: &Auth, timeout: Duration) -> Result<(), ClientError> {
        let args: Vec<&str> =
            ["AUTH"].into_iter().chain(auth.user.as_deref()).chain([auth.password.as_str()]).collect();
        self.command(&args, timeout).await.map(drop)
    }

    /// Sends one request and returns its reply as it came; an error reply is a value too.
    ///
    /// # Errors
    /// No reply within `timeout`, the connection broke, or the bytes are no reply. The connection is of no use
    /// afterwards.
    pub async fn call<A: AsRef<[u8]>>(
        &mut self,
        args: &[A],
        timeout: Duration,
    ) -> Result<Value, ClientError> {
        let mut replies = self.pipeline(&[args], timeout).await?;
        replies.pop().ok_or_else(|| self.failed(Failure::Closed))
    }

    /// As [`Client::call`], with an error reply as [`Failure::Reply`].
    ///
    /// # Errors
    /// As [`Client::call`], and an error reply. After an error reply the connection goes on.
    pub async fn command<A: AsRef<[u8]>>(
        &mut self,
        args: &[A],
        timeout: Duration,
    ) -> Result<Value, ClientError> {
        match self.call(args, timeout).await? {
            Value::Error(text) => Err(self.failed(Failure::Reply(text))),
            value => Ok(value),
        }
    }

    /// Sends several requests at once and returns their replies in order. `timeout` is for all of them.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn pipeline<A: AsRef<[u8]>>(
        &mut self,
        requests: &[&[A]],
        timeout: Duration,
    ) -> Result<Vec<Value>, ClientError> {
        let mut bytes = Vec::new();
        for args in requests {
            encode_request(&mut bytes, args);
        }
        if self.out_of_step {
            return Err(self.failed(Failure::Closed));
        }
        self.out_of_step = true;
        let talk = async {
            self.stream.write_all(&bytes).await.map_err(|error| self.failed(from_io(&error)))?;
            let mut replies = Vec::with_capacity(requests.len());
            while replies.len() < requests.len() {
                replies.push(self.receive().await?);
            }
            Ok(replies)
        };
        let replies = within(timeout, talk).await.unwrap_or_else(|_| Err(self.failed(Failure::TimedOut)))?;
        self.out_of_step = false;
        Ok(replies)
    }

    /// Sends one request without waiting for a reply (SUBSCRIBE, MONITOR); read with [`Client::receive`].
    ///
    /// # Errors
    /// The peer does not take the bytes within `timeout`, or the connection broke.
    pub async fn send<A: AsRef<[u8]>>(&mut self, args: &[A], timeout: Duration) -> Result<(), ClientError> {
        let mut bytes = Vec::new();
        encode_request(&mut bytes, args);
        match within(timeout, self.stream.write_all(&bytes)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(self.failed(from_io(&error))),
            Err(_) => Err(self.failed(Failure::TimedOut)),
        }
    }

    /// The next value the peer sends, however long that takes: the one call without a timeout, for streams of
    /// messages. It may be dropped and called again without loss.
    ///
    /// # Errors
    /// The connection broke, or the bytes are no reply or too many.
    pub async fn receive(&mut self) -> Result<Value, ClientError> {
        loop {
            if let Some(end) = self.frame.advance(&self.received) {
                let decoded = decode(self.received.get(..end).unwrap_or_default());
                self.received.drain(..end);
                self.frame = Frame::default();
                return match decoded {
                    Ok(Some((value, _))) => Ok(value),
                    Ok(None) => Err(self.failed(Failure::Malformed("a reply that is cut short".into()))),
                    Err(why) => Err(self.failed(Failure::Malformed(why.0))),
                };
            }
            if self.received.len() > self.reply_limit {
                let why = format!("a reply of more than {} bytes", self.reply_limit);
                return Err(self.failed(Failure::Malformed(why)));
            }
            let read = self.stream.read_buf(&mut self.received).await;
            match read {
                Ok(0) => return Err(self.failed(Failure::Closed)),
                Ok(_) => {}
                Err(error) => return Err(self.failed(from_io(&error))),
            }
        }
    }

    fn failed(&self, kind: Failure) -> ClientError {
        ClientError { node: self.node.clone(), kind }
    }
}

fn from_io(error: &io::Error) -> Failure {
    use io::ErrorKind;
    match error.kind() {
        ErrorKind::ConnectionRefused => Failure::Refused,
        ErrorKind::TimedOut => Failure::TimedOut,
        ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::BrokenPipe
        | ErrorKind::UnexpectedEof => Failure::Closed,
        _ => Failure::Io(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::dial::is_oneself;
    use super::*;
    use tokio::net::{TcpListener, TcpSocket};

    /// A peer that reads nothing into account and answers `bytes` in pieces of `piece`, then keeps the line open.
    async fn peer(bytes: &'static [u8], piece: usize) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.read_exact(&mut [0; 14]).await.unwrap();
            for part in bytes.chunks(piece) {
                stream.write_all(part).await.unwrap();
                tokio::task::yield_now().await;
            }
            std::future::pending::<()>().await;
        });
        port
    }

    async fn ask(bytes: &'static [u8], piece: usize) -> Result<Vec<Value>, ClientError> {
        let port = peer(bytes, piece).await;
        let mut client = Client::connect("127.0.0.1", port, CHANGE).await.unwrap();
        client.pipeline(&[&["PING"], &["PING"]], CHANGE).await
    }

    #[tokio::test]
    async fn replies_come_whole_and_in_order_however_they_are_split() {
        let bytes = b"*2\r\n$3\r\na\r\n\r\n%1\r\n+k\r\n*0\r\n$-1\r\n";
        for piece in 1..bytes.len() {
            let got = ask(bytes, piece).await.unwrap();
            let map = Value::Map(vec![(Value::Simple("k".into()), Value::Array(vec![]))]);
            assert_eq!(got, [Value::Array(vec![Value::Bulk(b"a\r\n".to_vec()), map]), Value::Null]);
        }
    }

    #[tokio::test]
    async fn a_silent_peer_ends_in_time_and_the_connection_with_it() {
        let port = peer(b"+late", 5).await;
        let mut client = Client::connect("127.0.0.1", port, CHANGE).await.unwrap();
        let short = Duration::from_millis(30);
        assert_eq!(client.call(&["PING"], short).await.unwrap_err().kind, Failure::TimedOut);
        assert_eq!(client.call(&["PING"], short).await.unwrap_err().kind, Failure::Closed);
    }

    #[tokio::test]
    async fn what_is_no_reply_is_told_and_held_in_no_memory() {
        for bytes in
            [&b"HTTP/1.1 400 Bad Request\r\n"[..], b"$999999999999\r\n", b"*1\r\n$x\r\n", b"\r\n", b":1x\r\n"]
        {
            let error = ask(bytes, 7).await.unwrap_err();
            assert!(matches!(error.kind, Failure::Malformed(_)), "{bytes:?} gave {error}");
        }
        let port = peer(b"$100000\r\n0123456789012345678901234567890123456789", 10).await;
        let client = Client::connect("127.0.0.1", port, CHANGE).await.unwrap();
        let error = client.with_reply_limit(32).call(&["PING"], CHANGE).await.unwrap_err();
        assert_eq!(error.kind, Failure::Malformed("a reply of more than 32 bytes".into()));
    }

    #[tokio::test]
    async fn nobody_listening_is_said_as_such() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let error = Client::connect("127.0.0.1", port, CHANGE).await.unwrap_err();
        assert_eq!(error.to_string(), format!("127.0.0.1:{port} refused the connection"));
        assert_eq!(Error::from(error).exit, Exit::NotRunning);
    }

    /// TCP joins a socket to itself when both its ends are one address; nobody listens there.
    #[tokio::test]
    async fn meeting_oneself_is_meeting_nobody() {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let own = socket.local_addr().unwrap();
        let stream = socket.connect(own).await.unwrap();
        assert!(is_oneself(&stream));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let other = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        assert!(!is_oneself(&other));
    }

    #[tokio::test]
    async fn our_end_of_a_connection_keeps_no_node_from_listening_on_that_port() {
        let peer = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = peer.local_addr().unwrap().port();
        // A stranger's connection may have its end on the same port: hardly on each of two hundred.
        for _ in 0..200 {
            let client = Client::connect("127.0.0.1", port, CHANGE).await.unwrap();
            if TcpListener::bind(client.stream.local_addr().unwrap()).await.is_ok() {
                return;
            }
        }
        panic!("our end keeps others from listening");
    }

    #[test]
    fn a_password_is_never_printed() {
        let auth = Auth { user: Some("u".into()), password: "secret".into() };
        assert!(!format!("{auth:?}").contains("secret"));
    }
}

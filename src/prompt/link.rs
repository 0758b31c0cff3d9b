//! One blocking connection to a server, for a person at a prompt.
//!
//! There is no timeout on a reply: a person may block on BLPOP for as long as they like, and Ctrl-C ends it. The
//! size of a reply is bounded by the codec's own limits on depth and bulk length; a reply is held as it arrives.

#![expect(
    clippy::disallowed_types,
    reason = "one connection, one request at a time: nothing here needs async"
)]

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;

use nix::errno::Errno;
use nix::sys::socket::{setsockopt, sockopt};
use rctl_server::resp::Value;
use rctl_server::resp::reply::encode_request;
use rctl_server::resp::value::decode;

use crate::node::client::Frame;

/// Seconds of silence after which the system asks whether the peer is still there.
const KEEPALIVE_S: u32 = 15;

/// Where to connect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// Host as given, and port.
    Tcp(String, u16),
    /// Path of a unix socket.
    Unix(String),
}

/// Why a conversation ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// In the words of `redis-cli`.
    pub why: String,
    /// The peer went away, as against a fault of ours or bytes that are no reply.
    pub peer_gone: bool,
}

/// A connection.
#[derive(Debug)]
pub struct Link {
    stream: Stream,
    received: Vec<u8>,
    frame: Frame,
}

#[derive(Debug)]
enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Link {
    /// Connects.
    ///
    /// # Errors
    /// The reason in the system's words: `Connection refused`.
    pub fn connect(address: &Address) -> Result<Self, String> {
        let stream = match address {
            Address::Tcp(host, port) => {
                let stream = TcpStream::connect((host.as_str(), *port)).map_err(|error| in_words(&error))?;
                // Where nobody listens TCP may join a socket to itself, and we would hear our own requests.
                if stream.local_addr().ok() == stream.peer_addr().ok() {
                    return Err(Errno::ECONNREFUSED.desc().to_owned());
                }
                // Neither changes what is said, only how soon: a system without them is served as well.
                let _ = stream.set_nodelay(true);
                let _ = setsockopt(&stream, sockopt::KeepAlive, &true);
                let _ = keep_alive_after(&stream, KEEPALIVE_S);
                Stream::Tcp(stream)
            }
            Address::Unix(path) => Stream::Unix(UnixStream::connect(path).map_err(|error| in_words(&error))?),
        };
        Ok(Self { stream, received: Vec::new(), frame: Frame::default() })
    }

    /// Sends one request.
    ///
    /// # Errors
    /// The connection broke.
    pub fn send<A: AsRef<[u8]>>(&mut self, args: &[A]) -> Result<(), Broken> {
        let mut bytes = Vec::new();
        encode_request(&mut bytes, args);
        self.stream.writer().write_all(&bytes).map_err(|error| Broken::from_io(&error))
    }

    /// Waits for the next value.
    ///
    /// # Errors
    /// The connection broke, or what came is no reply.
    pub fn receive(&mut self) -> Result<Value, Broken> {
        loop {
            if let Some(end) = self.frame.advance(&self.received) {
                let decoded = decode(self.received.get(..end).unwrap_or_default());
                self.received.drain(..end);
                self.frame = Frame::default();
                return match decoded {
                    Ok(Some((value, _))) => Ok(value),
                    Ok(None) => Err(Broken::protocol("a reply that is cut short")),
                    Err(why) => Err(Broken::protocol(&why.0)),
                };
            }
            self.fill()?;
        }
    }

    /// Sends one request and waits for its reply; pushes on the way are dropped.
    ///
    /// # Errors
    /// As [`Link::receive`].
    pub fn call<A: AsRef<[u8]>>(&mut self, args: &[A]) -> Result<Value, Broken> {
        self.send(args)?;
        loop {
            match self.receive()? {
                Value::Push(_) => {}
                value => return Ok(value),
            }
        }
    }

    /// Waits for one line that is not empty, without its end: how a master words its answer to SYNC and PSYNC,
    /// which are no replies. Empty lines are its way to say that it is still busy.
    ///
    /// # Errors
    /// The connection broke.
    pub fn receive_line(&mut self) -> Result<Vec<u8>, Broken> {
        loop {
            if let Some(end) = self.received.iter().position(|&byte| byte == b'\n') {
                let line: Vec<u8> = self.received.drain(..=end).collect();
                let line = line.strip_suffix(b"\n").unwrap_or(&line);
                let line = line.strip_suffix(b"\r").unwrap_or(line);
                if !line.is_empty() {
                    return Ok(line.to_vec());
                }
                continue;
            }
            self.fill()?;
        }
    }

    /// Waits for raw bytes, at most `limit` of them and at least one.
    ///
    /// # Errors
    /// The connection broke.
    pub fn receive_bytes(&mut self, limit: usize) -> Result<Vec<u8>, Broken> {
        if self.received.is_empty() {
            self.fill()?;
        }
        let len = self.received.len().min(limit);
        Ok(self.received.drain(..len).collect())
    }

    /// Puts bytes back in front of what comes next.
    pub fn put_back(&mut self, bytes: &[u8]) {
        self.received.splice(..0, bytes.iter().copied());
    }

    fn fill(&mut self) -> Result<(), Broken> {
        let mut chunk = [0; 64 << 10];
        loop {
            return match self.stream.reader().read(&mut chunk) {
                Ok(0) => Err(Broken { why: "Server closed the connection".to_owned(), peer_gone: true }),
                Ok(len) => {
                    self.received.extend_from_slice(chunk.get(..len).unwrap_or_default());
                    Ok(())
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => Err(Broken::from_io(&error)),
            };
        }
    }
}

impl Stream {
    fn reader(&mut self) -> &mut dyn Read {
        match self {
            Self::Tcp(stream) => stream,
            Self::Unix(stream) => stream,
        }
    }

    fn writer(&mut self) -> &mut dyn Write {
        match self {
            Self::Tcp(stream) => stream,
            Self::Unix(stream) => stream,
        }
    }
}

impl Broken {
    fn from_io(error: &io::Error) -> Self {
        let peer_gone = matches!(error.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe);
        Self { why: in_words(error), peer_gone }
    }

    fn protocol(why: &str) -> Self {
        Self { why: format!("Protocol error, {why}"), peer_gone: false }
    }
}

/// The system's own words, without the number that Rust adds.
fn in_words(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(code) => Errno::from_raw(code).desc().to_owned(),
        None => {
            let text = error.to_string();
            text.strip_prefix("failed to lookup address information: ").unwrap_or(&text).to_owned()
        }
    }
}

#[cfg(not(target_os = "macos"))]
fn keep_alive_after(stream: &TcpStream, seconds: u32) -> nix::Result<()> {
    setsockopt(stream, sockopt::TcpKeepIdle, &seconds)
}

#[cfg(target_os = "macos")]
fn keep_alive_after(stream: &TcpStream, seconds: u32) -> nix::Result<()> {
    setsockopt(stream, sockopt::TcpKeepAlive, &seconds)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn a_refusal_is_worded_as_the_system_words_it() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let error = Link::connect(&Address::Tcp("127.0.0.1".into(), port)).unwrap_err();
        assert_eq!(error, "Connection refused");
    }

    #[test]
    fn lines_bytes_and_replies_share_one_stream() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let peer = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.write_all(b"\n\n+FULLRESYNC\r\n$3\r\nabc*1\r\n$4\r\nPING\r\n").unwrap();
        });
        let mut link = Link::connect(&Address::Tcp("127.0.0.1".into(), port)).unwrap();
        assert_eq!(link.receive_line().unwrap(), b"+FULLRESYNC");
        assert_eq!(link.receive_line().unwrap(), b"$3");
        let mut payload = Vec::new();
        while payload.len() < 3 {
            payload.extend(link.receive_bytes(3 - payload.len()).unwrap());
        }
        assert_eq!(payload, b"abc");
        assert_eq!(link.receive().unwrap(), Value::Array(vec![Value::Bulk(b"PING".to_vec())]));
        assert_eq!(link.receive().unwrap_err().why, "Server closed the connection");
        peer.join().unwrap();
    }
}

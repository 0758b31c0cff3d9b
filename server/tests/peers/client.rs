//! A client that speaks RESP and lives with servers that die.

#![expect(clippy::disallowed_methods, reason = "a test of real processes has a deadline")]
#![expect(clippy::disallowed_types, reason = "a test of real servers speaks to them itself")]

use std::io::{Error, ErrorKind, Read as _, Result, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use rctl_server::resp::value::{Value, decode};

/// Nothing a test waits for takes so long, even on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(40);

/// A connection.
pub(crate) struct Client {
    pub(crate) stream: TcpStream,
    buffer: Vec<u8>,
}

impl Client {
    /// Connects to a port of this machine; fails when nobody listens there.
    pub(crate) fn connect(port: u16) -> Result<Self> {
        Ok(Self::over(TcpStream::connect(("127.0.0.1", port))?))
    }

    /// Over a connection.
    pub(crate) fn over(stream: TcpStream) -> Self {
        let client = Self { stream, buffer: Vec::new() };
        let _ = client.stream.set_nodelay(true);
        client.patience(PATIENCE);
        client
    }

    /// How long a reply is waited for.
    pub(crate) fn patience(&self, time: Duration) {
        self.stream.set_read_timeout(Some(time)).unwrap();
        self.stream.set_write_timeout(Some(time)).unwrap();
    }

    /// Sends the words of a line as one request; the reply as text, errors of the server included.
    pub(crate) fn ask(&mut self, line: &str) -> Result<String> {
        let mut request = Vec::new();
        encode(&mut request, &line.split(' ').map(str::as_bytes).collect::<Vec<_>>());
        self.stream.write_all(&request)?;
        Ok(text(&self.reply()?))
    }

    /// The next reply.
    pub(crate) fn reply(&mut self) -> Result<Value> {
        loop {
            match decode(&self.buffer) {
                Ok(Some((value, length))) => {
                    self.buffer.drain(..length);
                    return Ok(value);
                }
                Ok(None) => {}
                Err(error) => return Err(Error::new(ErrorKind::InvalidData, format!("{error:?}"))),
            }
            let mut bytes = vec![0; 1 << 16];
            let count = loop {
                match self.stream.read(&mut bytes) {
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    other => break other?,
                }
            };
            if count == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            self.buffer.extend_from_slice(bytes.get(..count).unwrap_or_default());
        }
    }
}

/// Appends a request.
pub(crate) fn encode(out: &mut Vec<u8>, args: &[&[u8]]) {
    out.extend_from_slice(format!("*{}\r\n", args.len()).as_bytes());
    for arg in args {
        out.extend_from_slice(format!("${}\r\n", arg.len()).as_bytes());
        out.extend_from_slice(arg);
        out.extend_from_slice(b"\r\n");
    }
}

/// A reply without its form: lists are words in a row.
pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::Simple(text) | Value::Error(text) => text.clone(),
        Value::Int(number) => number.to_string(),
        Value::Bulk(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(" "),
        other => format!("{other:?}"),
    }
}

/// Tries until it works, for as long as [`PATIENCE`]; `None` when it never did.
pub(crate) fn eventually<T>(mut attempt: impl FnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(value) = attempt() {
            return Some(value);
        }
        if Instant::now() >= end {
            return None;
        }
        // Nobody tells of what other processes do; between two looks the machine is theirs.
        std::thread::sleep(Duration::from_millis(3));
    }
}

//! A server as a process, and the few words the bench says to it.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use crate::{Outcome, PATIENCE, PEERS};

/// One inline request on an open connection; the reply as it arrived.
pub(crate) fn ask(line: &mut TcpStream, request: &str) -> Outcome<String> {
    line.write_all(format!("{request}\r\n").as_bytes())?;
    let mut reply = Vec::new();
    let mut buffer = [0; 16 << 10];
    loop {
        let count = line.read(&mut buffer)?;
        reply.extend_from_slice(&buffer[..count]);
        if count == 0 || is_whole(&reply) {
            return Ok(String::from_utf8_lossy(&reply).into_owned());
        }
    }
}

/// A bulk reply has come with all the bytes it announced; any other is one line.
fn is_whole(reply: &[u8]) -> bool {
    let Some(end) = reply.windows(2).position(|pair| pair == b"\r\n") else { return false };
    let announced =
        reply.strip_prefix(b"$").and_then(|rest| std::str::from_utf8(&rest[..end - 1]).ok()?.parse().ok());
    announced.is_none_or(|length: usize| reply.len() >= end + 2 + length + 2)
}

/// A server on a port and in a directory of its own; ends with this value.
pub(crate) struct Server {
    child: Child,
    pub(crate) port: u16,
    pub(crate) start_ns: u64,
    _dir: tempfile::TempDir,
}

impl Server {
    /// Starts one and waits for its PONG.
    pub(crate) fn start(which: usize) -> Outcome<Self> {
        Self::start_with(which, &[])
    }

    /// Starts one with further words on its command line.
    pub(crate) fn start_with(which: usize, more: &[&str]) -> Outcome<Self> {
        let (name, words) = PEERS[which];
        let dir = tempfile::tempdir()?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let begun = Instant::now();
        let child = Command::new(words[0])
            .args(&words[1..])
            .args(["--port", &port.to_string(), "--save", ""])
            .args(more)
            .current_dir(dir.path())
            .stdout(Stdio::null())
            .spawn()?;
        let mut server = Self { child, port, start_ns: 0, _dir: dir };
        while !server.answers() {
            if begun.elapsed() > PATIENCE || server.child.try_wait()?.is_some() {
                return Err(format!("{name} does not come up on port {port}").into());
            }
            std::thread::yield_now();
        }
        server.start_ns = u64::try_from(begun.elapsed().as_nanos())?;
        Ok(server)
    }

    /// A new connection.
    pub(crate) fn connect(&self) -> Outcome<TcpStream> {
        let line = TcpStream::connect(("127.0.0.1", self.port))?;
        line.set_nodelay(true)?;
        Ok(line)
    }

    fn answers(&self) -> bool {
        TcpStream::connect(("127.0.0.1", self.port))
            .ok()
            .and_then(|mut line| ask(&mut line, "PING").ok())
            .is_some_and(|reply| reply.starts_with("+PONG"))
    }

    /// Time on a processor so far, all threads, nanoseconds.
    pub(crate) fn processor_ns(&self) -> Outcome<u64> {
        let mut sum = 0;
        for thread in std::fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let text = std::fs::read_to_string(thread?.path().join("schedstat"))?;
            sum += text.split(' ').next().unwrap_or_default().parse::<u64>()?;
        }
        Ok(sum)
    }

    /// Resident memory, bytes.
    pub(crate) fn resident(&self) -> Outcome<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
        Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? << 10)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

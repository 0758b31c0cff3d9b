//! Command transcripts against a real redis-server: a process of its own on an ephemeral port.

#![expect(clippy::disallowed_methods, reason = "a test of real processes has a deadline")]
#![expect(clippy::disallowed_types, reason = "a test of real servers speaks to them itself")]

use super::session::{Rig, Wait};
use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The peer these tests know.
pub(crate) const REDIS_SERVER: &str = "/usr/bin/redis-server";

/// A real server; it ends with this value.
#[derive(Debug)]
pub(crate) struct Real {
    process: Child,
    dir: PathBuf,
    arguments: Vec<String>,
    port: u16,
    clients: BTreeMap<String, TcpStream>,
}

impl Real {
    /// Starts a server in `dir` with further `arguments` and waits until it answers; `None`, loudly, when there is no such program
    /// on this machine.
    ///
    /// # Panics
    /// The program is there but does not serve.
    pub(crate) fn start<A: AsRef<str>>(dir: &Path, arguments: &[A]) -> Option<Self> {
        if !Path::new(REDIS_SERVER).exists() {
            eprintln!(
                "NOT TESTED: {REDIS_SERVER} is missing; install redis-server to compare with a real peer"
            );
            return None;
        }
        let arguments: Vec<String> = arguments.iter().map(|argument| argument.as_ref().to_owned()).collect();
        for _ in 0..5 {
            let port = free_port();
            let mut command = Command::new(REDIS_SERVER);
            command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--dir"]);
            command
                .arg(dir)
                .args(&arguments)
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            let process = command.spawn().unwrap_or_else(|error| panic!("{REDIS_SERVER}: {error}"));
            let (dir, arguments) = (dir.to_path_buf(), arguments.clone());
            let mut real = Self { process, dir, arguments, port, clients: BTreeMap::new() };
            if real.wait_until_up() {
                return Some(real);
            }
        }
        panic!("{REDIS_SERVER} does not come up in {}", dir.display());
    }

    /// False when the process ended, as it does when somebody else took the port.
    fn wait_until_up(&mut self) -> bool {
        let give_up = Instant::now() + Duration::from_secs(10);
        while Instant::now() < give_up {
            if self.process.try_wait().ok().flatten().is_some() {
                return false;
            }
            if TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
                self.send("(first)", b"PING\r\n");
                let (answer, _) = self.take("(first)", Wait::Long);
                self.hang_up("(first)");
                // A server with a password says so; one that loads says that, and is asked again.
                if !answer.is_empty() && !answer.starts_with(b"-LOADING") {
                    return true;
                }
            }
            // Nothing tells when another process listens.
            std::thread::sleep(Duration::from_millis(2));
        }
        false
    }
}

impl Drop for Real {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Rig for Real {
    fn configure(&mut self, line: &str) {
        let (name, value) = line.split_once(' ').unwrap_or((line, ""));
        self.arguments.extend([format!("--{name}"), value.to_owned()]);
        let fresh = Self::start(&self.dir, &self.arguments).unwrap_or_else(|| unreachable!());
        *self = fresh;
    }

    fn send(&mut self, client: &str, bytes: &[u8]) {
        let port = self.port;
        let stream = self.clients.entry(client.to_owned()).or_insert_with(|| {
            TcpStream::connect(("127.0.0.1", port)).unwrap_or_else(|error| panic!("port {port}: {error}"))
        });
        // A server that closed already has said so, or will when it is read.
        let _ = stream.write_all(bytes);
    }

    fn take(&mut self, client: &str, wait: Wait) -> (Vec<u8>, bool) {
        let Some(stream) = self.clients.get_mut(client) else { return (Vec::new(), false) };
        let time = match wait {
            Wait::No => Duration::from_millis(1),
            Wait::Moment => Duration::from_millis(30),
            Wait::Long => Duration::from_secs(5),
        };
        let _ = stream.set_read_timeout(Some(time));
        let mut buffer = vec![0; 64 << 10];
        match stream.read(&mut buffer) {
            Ok(0) => {}
            Ok(size) => {
                buffer.truncate(size);
                return (buffer, false);
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                return (Vec::new(), false);
            }
            Err(_) => {}
        }
        self.clients.remove(client);
        (Vec::new(), true)
    }

    fn hang_up(&mut self, client: &str) {
        self.clients.remove(client);
    }

    fn advance(&mut self, _ms: u64) -> bool {
        false
    }

    fn record_effects(&mut self) -> bool {
        false
    }

    fn effects(&mut self) -> Vec<String> {
        Vec::new()
    }
}

/// A port nobody listens at just now.
fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0));
    let address = listener.and_then(|listener| listener.local_addr());
    address.unwrap_or_else(|error| panic!("no free port: {error}")).port()
}

//! The real binary as a test sees it: started on a free port, watched through its log, ended by its id.

#![expect(clippy::disallowed_methods, reason = "a test of real processes has a deadline")]
#![expect(clippy::disallowed_types, reason = "a test of real servers speaks to them itself")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::io::{BufRead as _, BufReader};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use rctl_server::resp::value::{Value, decode};

/// Nothing a test waits for takes so long, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// A port that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// The binary, not started yet.
pub(crate) fn binary() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rctl-server"));
    command.stdin(Stdio::null()).env_remove("RCTL_SERVER_BACKGROUND");
    command
}

/// Runs to the end: exit code, standard output, standard error.
pub(crate) fn outcome(args: &[&str], dir: &Path) -> (Option<i32>, String, String) {
    let output = binary().args(args).current_dir(dir).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

/// A server that runs; killed when the test ends.
pub(crate) struct Server {
    child: Child,
    lines: Receiver<String>,
    /// Every line so far.
    pub(crate) log: Vec<String>,
    pub(crate) port: u16,
}

impl Server {
    /// Starts on a free port, in `dir`, with more options; waits until it is ready.
    pub(crate) fn start(dir: &Path, options: &[&str]) -> Self {
        Self::start_with(dir, options, &[])
    }

    /// The same, with variables in its environment.
    pub(crate) fn start_with(dir: &Path, options: &[&str], variables: &[(&str, &str)]) -> Self {
        let port = free_port();
        let text = port.to_string();
        let mut args = vec!["--port", text.as_str()];
        args.extend(options);
        let mut server = Self::spawn_with(dir, &args, port, variables);
        server.wait_for("Ready to accept connections");
        server
    }

    /// Starts with just these arguments, and waits for nothing.
    pub(crate) fn spawn(dir: &Path, args: &[&str], port: u16) -> Self {
        Self::spawn_with(dir, args, port, &[])
    }

    fn spawn_with(dir: &Path, args: &[&str], port: u16, variables: &[(&str, &str)]) -> Self {
        let mut child = binary()
            .args(args)
            .envs(variables.iter().copied())
            .current_dir(dir)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (teller, lines) = channel();
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                if teller.send(line).is_err() {
                    return;
                }
            }
        });
        Self { child, lines, log: Vec::new(), port }
    }

    /// The line with this text, waited for.
    pub(crate) fn wait_for(&mut self, text: &str) -> String {
        if let Some(line) = self.log.iter().find(|line| line.contains(text)) {
            return line.clone();
        }
        loop {
            let Ok(line) = self.lines.recv_timeout(PATIENCE) else {
                panic!("no line {text:?} in {:#?}", self.log)
            };
            self.log.push(line.clone());
            if line.contains(text) {
                return line;
            }
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill").arg(format!("-{name}")).arg(self.pid().to_string()).status();
        assert!(status.unwrap().success());
    }

    /// Waits for the end.
    pub(crate) fn end(mut self) -> (ExitStatus, Vec<String>) {
        while let Ok(line) = self.lines.recv_timeout(PATIENCE) {
            self.log.push(line);
        }
        let log = std::mem::take(&mut self.log);
        (self.child.wait().unwrap(), log)
    }

    pub(crate) fn client(&self) -> Client<TcpStream> {
        Client::over(TcpStream::connect(("127.0.0.1", self.port)).unwrap())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A socket of either kind.
pub(crate) trait Socket: std::io::Read + std::io::Write {
    fn patience(&self);
}

impl Socket for TcpStream {
    fn patience(&self) {
        self.set_read_timeout(Some(PATIENCE)).unwrap();
        self.set_write_timeout(Some(PATIENCE)).unwrap();
    }
}

impl Socket for UnixStream {
    fn patience(&self) {
        self.set_read_timeout(Some(PATIENCE)).unwrap();
    }
}

/// A client that speaks RESP.
pub(crate) struct Client<S> {
    pub(crate) stream: S,
    buffer: Vec<u8>,
}

impl<S: Socket> Client<S> {
    pub(crate) fn over(stream: S) -> Self {
        stream.patience();
        Self { stream, buffer: Vec::new() }
    }

    /// Sends one request and reads its reply.
    pub(crate) fn call(&mut self, args: &[&[u8]]) -> Value {
        let mut request = format!("*{}\r\n", args.len()).into_bytes();
        for arg in args {
            request.extend_from_slice(format!("${}\r\n", arg.len()).as_bytes());
            request.extend_from_slice(arg);
            request.extend_from_slice(b"\r\n");
        }
        self.stream.write_all(&request).unwrap();
        self.reply()
    }

    /// Sends the words of a line as one request; answers the reply as text.
    pub(crate) fn ask(&mut self, line: &str) -> String {
        let args: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
        text(&self.call(&args))
    }

    /// The next reply.
    pub(crate) fn reply(&mut self) -> Value {
        loop {
            if let Some((value, length)) = decode(&self.buffer).unwrap() {
                self.buffer.drain(..length);
                return value;
            }
            let mut bytes = vec![0; 1 << 16];
            let count = match self.stream.read(&mut bytes) {
                // A debugger or a frozen machine; nothing was read.
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                other => other.unwrap(),
            };
            assert!(count > 0, "closed in the middle of a reply");
            self.buffer.extend_from_slice(&bytes[..count]);
        }
    }

    /// What comes until the server closes.
    pub(crate) fn rest(mut self) -> String {
        let mut bytes = std::mem::take(&mut self.buffer);
        self.stream.read_to_end(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Asks until the answer contains `wanted`.
    pub(crate) fn ask_until(&mut self, line: &str, wanted: &str) {
        let end = std::time::Instant::now() + PATIENCE;
        let mut answer = self.ask(line);
        while !answer.contains(wanted) {
            assert!(std::time::Instant::now() < end, "{line} still answers {answer}");
            answer = self.ask(line);
        }
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::Simple(text) | Value::Error(text) => text.clone(),
        Value::Int(number) => number.to_string(),
        Value::Bulk(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(" "),
        other => format!("{other:?}"),
    }
}

/// Tries until it works.
pub(crate) fn until<T>(what: &str, mut attempt: impl FnMut() -> Option<T>) -> T {
    let end = std::time::Instant::now() + PATIENCE;
    loop {
        if let Some(value) = attempt() {
            return value;
        }
        assert!(std::time::Instant::now() < end, "{what} does not happen");
        std::thread::yield_now();
    }
}

/// A process that is nobody's child; killed when the test ends.
pub(crate) struct Daemon(pub(crate) String);

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-KILL", &self.0]).stderr(Stdio::null()).status();
    }
}

/// A directory of the test's own.
pub(crate) fn directory() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().canonicalize().unwrap();
    (dir, path)
}

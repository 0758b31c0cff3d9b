//! A server of any brand as a process: started, asked, stopped, killed, started again on the same port and directory.

use std::cell::Cell;
use std::fmt;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::client::{Client, eventually};
use crate::ports::free_port;

/// Who made the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Brand {
    /// The built-in one.
    Ours,
    /// Debian's redis-server 7.0.
    Redis70,
    /// redis-server 6.2.
    Redis62,
}

impl Brand {
    /// The real ones.
    pub(crate) const REAL: [Self; 2] = [Self::Redis70, Self::Redis62];

    /// The program; `None`, loudly, when this machine has none.
    ///
    /// # Panics
    /// One of Debian's is missing though `RCTL_REQUIRE_REDIS` is set.
    pub(crate) fn program(self) -> Option<PathBuf> {
        let (path, hint) = match self {
            Self::Ours => return Some(env!("CARGO_BIN_EXE_rctl-server").into()),
            Self::Redis70 => (tool("redis-server"), "install redis-server 7.0"),
            Self::Redis62 => {
                (std::env::var_os("RCTL_REDIS_62").map(PathBuf::from), "set RCTL_REDIS_62 to its path")
            }
        };
        let found = path.filter(|path| path.exists());
        match (&found, self) {
            (Some(_), _) => {}
            // No distribution has it any more: it comes from a package index, which may be out of reach.
            (None, Self::Redis62) => not_tested("redis-server 6.2", hint),
            (None, _) => missing(&format!("{self:?}"), hint),
        }
        found
    }
}

/// Says that a peer is not here.
///
/// # Panics
/// Peers are required.
pub(crate) fn missing(what: &str, hint: &str) {
    assert!(
        std::env::var_os("RCTL_REQUIRE_REDIS").is_none(),
        "{what} is missing and RCTL_REQUIRE_REDIS is set: {hint}"
    );
    not_tested(what, hint);
}

/// Past the harness, which shows nothing of a test that passes.
pub(crate) fn not_tested(what: &str, hint: &str) {
    let _ = writeln!(std::io::stderr(), "NOT TESTED: {what} is missing; {hint}");
}

/// A program of Debian's redis packages.
pub(crate) fn tool(name: &str) -> Option<PathBuf> {
    let path = Path::new("/usr/bin").join(name);
    path.exists().then_some(path)
}

/// A server with its directory.
pub(crate) struct Node {
    pub(crate) brand: Brand,
    pub(crate) port: u16,
    program: PathBuf,
    dir: tempfile::TempDir,
    options: Vec<String>,
    /// The port of the master it last was told; a restart tells it again, as a rewritten configuration would.
    upstream: Cell<Option<u16>>,
    process: Option<Child>,
}

impl Node {
    /// Starts one with more options; `None` when this machine has none of that brand.
    pub(crate) fn start(brand: Brand, options: &[&str]) -> Option<Self> {
        let program = brand.program()?;
        // The file is empty until somebody says CONFIG REWRITE.
        let mut all = vec!["node.conf".to_owned()];
        all.extend(
            ["--bind", "127.0.0.1", "--save", "", "--repl-diskless-sync-delay", "0"].map(str::to_owned),
        );
        if brand == Brand::Redis70 {
            all.extend(["--enable-debug-command", "yes"].map(str::to_owned));
        }
        all.extend(options.iter().map(|&option| option.to_owned()));
        Some(Self::with_file(brand, program, all, ""))
    }

    /// One of Debian's sentinels, which watches `master` and holds it for down after a second; `None` when this machine
    /// has none.
    pub(crate) fn sentinel(master: &Self) -> Option<Self> {
        let Some(program) = tool("redis-sentinel") else {
            missing("redis-sentinel", "install redis-sentinel");
            return None;
        };
        let file = format!(
            "sentinel monitor set 127.0.0.1 {} 2\nsentinel down-after-milliseconds set 1000\n\
             sentinel failover-timeout set 10000\n",
            master.port
        );
        Some(Self::with_file(Brand::Redis70, program, vec!["node.conf".to_owned()], &file))
    }

    fn with_file(brand: Brand, program: PathBuf, mut options: Vec<String>, file: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let port = free_port();
        std::fs::write(dir.path().join("node.conf"), file).unwrap();
        options.extend(["--port".to_owned(), port.to_string()]);
        let mut node = Self { brand, port, program, dir, options, upstream: Cell::new(None), process: None };
        node.spawn();
        node
    }

    /// Starts the process (again) and waits until it answers.
    pub(crate) fn spawn(&mut self) {
        self.launch();
        self.answers();
    }

    /// Starts the process (again), and waits for nothing.
    pub(crate) fn launch(&mut self) {
        assert!(self.process.is_none(), "{self:?} runs already");
        let log = OpenOptions::new().create(true).append(true).open(self.log_path()).unwrap();
        let mut command = Command::new(&self.program);
        command.args(&self.options);
        if let Some(port) = self.upstream.get() {
            command.args(["--replicaof", "127.0.0.1", &port.to_string()]);
        }
        command.current_dir(self.dir.path()).stdin(Stdio::null());
        command.stdout(log.try_clone().unwrap()).stderr(log).env_remove("RCTL_SERVER_BACKGROUND");
        self.process = Some(command.spawn().unwrap());
    }

    /// Waits until it answers and has loaded its data.
    pub(crate) fn answers(&mut self) {
        let up = eventually(|| {
            let ended = self.process.as_mut().and_then(|child| child.try_wait().ok().flatten());
            assert!(ended.is_none(), "{self:?} ended at start");
            let reply = Client::connect(self.port).ok()?.ask("PING").ok()?;
            (!reply.starts_with("LOADING")).then_some(())
        });
        assert!(up.is_some(), "{self:?} does not come up");
    }

    /// A new connection.
    pub(crate) fn client(&self) -> Client {
        Client::connect(self.port).unwrap_or_else(|error| panic!("{self:?}: {error}"))
    }

    /// One request on a connection of its own.
    pub(crate) fn ask(&self, line: &str) -> String {
        // A sentinel that moves a node ends its clients' connections: whoever only looks looks again.
        let only_looks = line.starts_with("INFO") || line.starts_with("DEBUG DIGEST");
        let mut failed = 0;
        let answer =
            eventually(|| match Client::connect(self.port).and_then(|mut client| client.ask(line)) {
                Ok(answer) => Some(answer),
                Err(_) if only_looks && failed < 10 => {
                    failed += 1;
                    None
                }
                Err(error) => panic!("{self:?}: {line}: {error}"),
            });
        answer.unwrap_or_default()
    }

    /// One request that must be answered so.
    pub(crate) fn must(&self, line: &str, wanted: &str) {
        let answer = self.ask(line);
        assert_eq!(answer, wanted, "{self:?}: {line}");
    }

    /// A field of INFO; empty when it has none of that name.
    pub(crate) fn info(&self, field: &str) -> String {
        let text = self.ask("INFO");
        let line = text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
        line.unwrap_or_default().to_owned()
    }

    /// A number of INFO.
    pub(crate) fn count(&self, field: &str) -> i64 {
        let text = self.info(field);
        text.parse().unwrap_or_else(|_| panic!("{self:?}: {field} is {text:?}"))
    }

    /// Waits until a field of INFO has this value.
    pub(crate) fn wait_info(&self, field: &str, wanted: &str) {
        let seen = eventually(|| (self.info(field) == wanted).then_some(()));
        assert!(seen.is_some(), "{self:?}: {field} stays {:?}, not {wanted:?}", self.info(field));
    }

    /// Follows `master`, and waits until both say that the link is up.
    pub(crate) fn follow(&self, master: &Self) {
        self.turn_to(master);
        self.linked();
        // A real master waits for its child's end and for an acknowledgement.
        let listed = format!("port={},state=online", self.port);
        let online = eventually(|| master.ask("INFO replication").contains(&listed).then_some(()));
        assert!(online.is_some(), "{master:?} does not list {self:?} as online");
    }

    /// Follows `master`, and waits for nothing.
    pub(crate) fn turn_to(&self, master: &Self) {
        // To whom it follows already is said so after the OK.
        let answer = self.ask(&format!("REPLICAOF 127.0.0.1 {}", master.port));
        assert!(answer.starts_with("OK"), "{self:?}: {answer}");
        self.upstream.set(Some(master.port));
    }

    /// Becomes a master.
    pub(crate) fn promote(&self) {
        self.must("REPLICAOF NO ONE", "OK");
        self.upstream.set(None);
    }

    /// Forgets whom it followed: a sentinel moves it, and its own file has to know.
    pub(crate) fn moved_by_others(&self) {
        self.upstream.set(None);
    }

    /// Waits until its link is up.
    pub(crate) fn linked(&self) {
        self.wait_info("master_link_status", "up");
    }

    /// Sends a signal by name.
    pub(crate) fn signal(&self, name: &str) {
        let Some(child) = &self.process else { return };
        let status = Command::new("kill").arg(format!("-{name}")).arg(child.id().to_string()).status();
        assert!(status.unwrap().success());
    }

    /// Ends it without a word.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.process.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Sends SHUTDOWN with these words and waits for the end.
    pub(crate) fn shutdown(&mut self, words: &str) {
        let _ = self.client().ask(format!("SHUTDOWN {words}").trim_end());
        self.ended();
    }

    /// Waits for the end of the process, which must be a good one.
    pub(crate) fn ended(&mut self) {
        let mut child = self.process.take().unwrap();
        let status = eventually(|| child.try_wait().unwrap());
        if status.is_none() {
            let _ = child.kill();
        }
        assert!(status.is_some_and(|status| status.success()), "{self:?} ended with {status:?}");
    }

    /// The process's id.
    pub(crate) fn pid(&self) -> u32 {
        self.process.as_ref().unwrap().id()
    }

    /// What it says so far.
    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(self.log_path()).unwrap_or_default()).into_owned()
    }

    /// Where it lives.
    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    fn log_path(&self) -> PathBuf {
        self.dir.path().join("log")
    }

    /// No server complained of the other's bytes.
    pub(crate) fn assert_no_complaint(&self) {
        let log = self.log();
        for phrase in ["Bad protocol", "== CRITICAL ==", "Protocol error", "panicked", "REDIS BUG REPORT"] {
            assert!(!log.contains(phrase), "{self:?} complains of a {phrase}");
        }
    }
}

/// The brand, the port and the end of the log: what somebody needs who sees a test fail.
impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} at {}", self.brand, self.port)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // A stopped process would not die of what a test forgot.
        if let Some(mut child) = self.process.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
        if std::thread::panicking() {
            let log = self.log();
            let lines: Vec<&str> = log.lines().collect();
            let tail = lines.get(lines.len().saturating_sub(60)..).unwrap_or_default();
            eprintln!("---- {self:?}\n{}", tail.join("\n"));
        }
    }
}

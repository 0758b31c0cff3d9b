//! What the tests of whole verbs share: the binary in a state directory of its own, and four-digit ports that are free.

#![expect(clippy::disallowed_methods, reason = "a test of real processes has a deadline")]
#![expect(clippy::disallowed_types, reason = "a test of real servers speaks to them itself")]

use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

/// How long anything awaited may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A state directory; dropping it takes every set in it down.
pub(crate) struct World {
    pub(crate) dir: tempfile::TempDir,
    /// The first of ten ports that were free.
    pub(crate) base: u16,
}

impl World {
    pub(crate) fn new() -> Self {
        Self { dir: tempfile::Builder::new().prefix("rctl").tempdir().unwrap(), base: free_base() }
    }

    /// The binary, with this world's state, in this world's directory.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rctl"));
        command
            .args(args)
            .current_dir(self.dir.path())
            .env("RCTL_STATE_DIR", self.state())
            .env("LANG", "C.UTF-8")
            .env_remove("RCTL_TOPOLOGY")
            .env_remove("NO_COLOR")
            .env_remove("COLUMNS")
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Output {
        let output = self.command(args).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.code() != Some(101) && !errors.contains("panicked"),
            "{args:?} panicked: {errors}"
        );
        output
    }

    /// Runs it, and demands success.
    pub(crate) fn ok(&self, args: &[&str]) -> String {
        let output = self.run(args);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{args:?} ended with {:?}: {errors}", output.status.code());
        String::from_utf8(output.stdout).unwrap()
    }

    pub(crate) fn code(&self, args: &[&str]) -> i32 {
        self.run(args).status.code().unwrap()
    }

    pub(crate) fn state(&self) -> std::path::PathBuf {
        self.dir.path().join("state")
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let Ok(sets) = std::fs::read_dir(self.state()) else { return };
        for set in sets.flatten() {
            let name = set.file_name().to_string_lossy().into_owned();
            let name = name.rsplit_once('-').map(|(name, _)| name.to_owned()).unwrap_or(name);
            let _ = self.command(&["down", "-q", "--topology", &name]).output();
        }
    }
}

/// Four digits, so that tables are as wide as in the transcripts.
fn free_base() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    static CHOOSING: Mutex<()> = Mutex::new(());
    let _choosing = CHOOSING.lock();
    // Test binaries run at the same time: each begins somewhere else.
    let start = u16::try_from(std::process::id() % 350).unwrap() * 20;
    for _ in 0..400 {
        let base = 2000 + (start + NEXT.fetch_add(20, Ordering::Relaxed)) % 7000;
        let free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
        if (base..base + 10).all(free) {
            return base;
        }
    }
    unreachable!("no ten free ports");
}

/// Is redis-server there. Where it is not, that is said, and refused under `RCTL_REQUIRE_REDIS`.
pub(crate) fn redis_is_there(test: &str) -> bool {
    let there = Command::new("redis-server").arg("--version").stdout(Stdio::null()).status().is_ok();
    assert!(
        there || std::env::var_os("RCTL_REQUIRE_REDIS").is_none(),
        "redis-server is required and missing"
    );
    if !there {
        eprintln!("SKIPPED {test}: redis-server is not on the PATH");
    }
    there
}

/// Waits for a condition.
pub(crate) fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let began = Instant::now();
    while !condition() {
        assert!(began.elapsed() < PATIENCE, "timed out waiting until {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The processes that work under `dir`: nodes, by where they were started.
pub(crate) fn nodes_under(dir: &Path) -> Vec<u32> {
    let dir = dir.canonicalize().unwrap();
    let under = |pid: &u32| {
        std::fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd.starts_with(&dir) && cwd != dir)
    };
    rctl::supervise::identity::processes().into_iter().filter(under).collect()
}

/// Of those, the ones that were started: the leaders of their groups. A server behind a proxy is in the proxy's.
pub(crate) fn started_under(dir: &Path) -> Vec<u32> {
    use nix::unistd::{Pid, getpgid};
    let leads = |pid: &u32| {
        let own = Pid::from_raw(i32::try_from(*pid).unwrap());
        getpgid(Some(own)) == Ok(own)
    };
    nodes_under(dir).into_iter().filter(leads).collect()
}

/// The supervisors of sets under `dir`.
pub(crate) fn supervisors_under(dir: &Path) -> Vec<u32> {
    let dir = dir.to_string_lossy().into_owned();
    let of = |pid: &u32| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let words: Vec<String> =
            line.split(|b| *b == 0).map(|w| String::from_utf8_lossy(w).into_owned()).collect();
        words.get(1).is_some_and(|verb| verb == "supervise")
            && words.get(2).is_some_and(|path| path.starts_with(&dir))
    };
    rctl::supervise::identity::processes().into_iter().filter(of).collect()
}

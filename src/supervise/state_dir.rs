//! Where a set keeps its things, and how a second rctl finds the first.
//!
//! ```text
//!   ROOT/NAME-HASH/          0700; HASH is of the topology file's path
//!     lock                   flock, held by the supervisor for its life: a lock dies with its process, a file does not
//!     launch.lock            flock, held by whoever starts a supervisor
//!     control.sock           0600
//!     state, state.prev      what outlives a supervisor
//!     change.json, .lock     a change of roles that is under way, and the rctl at work on it
//!     events.jsonl           what happened
//!     supervisor.log         what the supervisor itself complained about
//!     nodes/PORT/            node.conf, data/, log
//! ```
//!
//! Invariants: the state is written as temporary file, fsync, rename, fsync of the directory, so that at every
//! moment one whole copy is there; it carries a version and a checksum, and what does not match is reported and
//! not used. Nothing is ever written outside the root.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::fcntl::{Flock, FlockArg};

use super::event::{Happening, SetState};
use crate::error::{Error, Exit, Result};
use crate::plan::NodeDir;
use crate::topology::Topology;

/// The first line of a state file, before its checksum.
const MAGIC: &str = "rctl-state 1";
/// The largest state file that is read, in bytes.
const STATE_LIMIT: u64 = 16 << 20;
/// The longest path of a unix socket that every system takes, in bytes.
const SOCKET_PATH_LIMIT: usize = 103;

/// The directory of one set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetDir {
    path: PathBuf,
}

/// A state file as it was found.
#[derive(Debug, Default)]
pub struct Loaded {
    /// What could be read.
    pub state: Option<SetState>,
    /// What could not, for people.
    pub problem: Option<String>,
}

/// A lock that is held; it goes with the process.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "held for its Drop")] Flock<File>);

impl SetDir {
    /// The directory of a set, whether it is there or not.
    #[must_use]
    pub fn of(root: &Path, topology: &Topology) -> Self {
        let file = topology.file.as_ref().map(|path| path.as_os_str().as_bytes()).unwrap_or_default();
        // Eight digits: enough to tell apart the few files of one name that a person has.
        let hash = fnv(file) & 0xffff_ffff;
        Self { path: root.join(format!("{}-{hash:08x}", topology.name)) }
    }

    /// A directory that is known already.
    #[must_use]
    pub fn at(path: PathBuf) -> Self {
        Self { path }
    }

    /// Every set of which something is kept, in the order of their names.
    #[must_use]
    pub fn all(root: &Path) -> Vec<Self> {
        let Ok(entries) = fs::read_dir(root) else { return Vec::new() };
        let mut paths: Vec<PathBuf> =
            entries.flatten().map(|entry| entry.path()).filter(|path| path.join("lock").is_file()).collect();
        paths.sort();
        paths.into_iter().map(Self::at).collect()
    }

    /// The directory itself.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The name of the set, from the name of its directory.
    #[must_use]
    pub fn name(&self) -> String {
        let name = self.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        name.rsplit_once('-').map(|(name, _)| name.to_owned()).unwrap_or(name)
    }

    /// Where a node keeps its things.
    #[must_use]
    pub fn node(&self, port: u16) -> NodeDir {
        NodeDir::new(&self.path, port)
    }

    /// The events.
    #[must_use]
    pub fn events(&self) -> PathBuf {
        self.path.join("events.jsonl")
    }

    /// What the supervisor itself complained about.
    #[must_use]
    pub fn supervisor_log(&self) -> PathBuf {
        self.path.join("supervisor.log")
    }

    /// The control socket. Where the directory's path is too long for one, it is in a directory of this user's
    /// in the system's temporary directory.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        let here = self.path.join("control.sock");
        if here.as_os_str().len() <= SOCKET_PATH_LIMIT {
            return here;
        }
        let hash = fnv(self.path.as_os_str().as_bytes());
        short_socket_dir().join(format!("{hash:016x}.sock"))
    }

    /// Makes the directory, for this user alone.
    ///
    /// # Errors
    /// The path and the reason.
    pub fn create(&self) -> Result<()> {
        private_dir(&self.path)?;
        private_dir(&self.path.join("nodes"))?;
        let socket = self.socket();
        match socket.parent() {
            Some(parent) if parent != self.path => owned_private_dir(parent),
            _ => Ok(()),
        }
    }

    /// Takes the supervisor's lock; `None` where somebody has it.
    ///
    /// # Errors
    /// The file cannot be made.
    pub fn lock(&self) -> Result<Option<Lock>> {
        self.try_lock("lock")
    }

    /// Takes the lock of whoever starts a supervisor; `None` where somebody has it.
    ///
    /// # Errors
    /// The file cannot be made.
    pub fn lock_launch(&self) -> Result<Option<Lock>> {
        self.try_lock("launch.lock")
    }

    /// Takes the lock of whoever changes who follows whom; `None` where somebody has it.
    ///
    /// # Errors
    /// The file cannot be made.
    pub fn lock_change(&self) -> Result<Option<Lock>> {
        self.try_lock("change.lock")
    }

    /// Does a supervisor live.
    #[must_use]
    pub fn supervised(&self) -> bool {
        let Ok(file) = File::open(self.path.join("lock")) else { return false };
        Flock::lock(file, FlockArg::LockSharedNonblock).is_err()
    }

    /// Reads the state, or the previous one where that is damaged.
    #[must_use]
    pub fn load(&self) -> Loaded {
        let mut problems = Vec::new();
        for name in ["state", "state.prev"] {
            match read_state(&self.path.join(name)) {
                Ok(Some(state)) => return Loaded { state: Some(state), problem: problems.pop() },
                Ok(None) => {}
                Err(why) => {
                    problems.push(format!(
                        "the state in {} {why}; what lives was looked for",
                        self.path.display()
                    ));
                }
            }
        }
        Loaded { state: None, problem: problems.pop() }
    }

    /// Writes the state.
    ///
    /// # Errors
    /// The reason, for people; the old state is whole then.
    pub fn store(&self, state: &SetState) -> std::result::Result<(), String> {
        let body =
            serde_json::to_string(state).map_err(|error| format!("the state cannot be written: {error}"))?;
        let text = format!("{MAGIC} {:016x}\n{body}\n", fnv(body.as_bytes()));
        let path = self.path.join("state");
        replace(&path, text.as_bytes(), Some(&self.path.join("state.prev")))
            .map_err(|error| format!("{} cannot be written: {error}", path.display()))
    }

    /// Adds a line to the events.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn publish(&self, happening: &Happening) -> io::Result<()> {
        let mut line = serde_json::to_string(happening).map_err(io::Error::other)?;
        line.push('\n');
        OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(self.events())?
            .write_all(line.as_bytes())
    }

    /// Removes all that rctl made for this set. What somebody else put there stays, and so does the directory then.
    ///
    /// # Errors
    /// The path that could not be removed, and the reason.
    pub fn purge(&self) -> Result<()> {
        let nodes = self.path.join("nodes");
        for entry in fs::read_dir(&nodes).into_iter().flatten().flatten() {
            let port = entry.file_name().to_str().and_then(|name| name.parse::<u16>().ok());
            if let Some(port) = port {
                self.discard(port)?;
            }
        }
        let _ = fs::remove_dir(&nodes);
        for name in [
            "state",
            "state.prev",
            "state.new",
            "events.jsonl",
            "supervisor.log",
            "change.json",
            "change.damaged",
            "change.lock",
            "launch.lock",
            "lock",
        ] {
            gone(fs::remove_file(self.path.join(name)), &self.path.join(name))?;
        }
        gone(fs::remove_file(self.socket()), &self.socket())?;
        let _ = fs::remove_dir(&self.path);
        Ok(())
    }

    /// Removes the directory of one node.
    ///
    /// # Errors
    /// The path and the reason.
    pub fn discard(&self, port: u16) -> Result<()> {
        let path = self.node(port).path().to_owned();
        gone(fs::remove_dir_all(&path), &path)
    }

    fn try_lock(&self, name: &str) -> Result<Option<Lock>> {
        let path = self.path.join(name);
        let file =
            OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path).map_err(
                |error| Error::new(Exit::Environment, format!("cannot make {}: {error}", path.display())),
            )?;
        Ok(Flock::lock(file, FlockArg::LockExclusiveNonblock).ok().map(Lock))
    }
}

/// Writes a file so that at every moment either the old or the new one is there, whole. The old one is kept as
/// `previous`, where given.
///
/// # Errors
/// Any step that fails; the old file is there then.
pub fn replace(path: &Path, bytes: &[u8], previous: Option<&Path>) -> io::Result<()> {
    let new = path.with_extension("new");
    let mut file = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    if let Some(previous) = previous {
        match fs::rename(path, previous) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    fs::rename(&new, path)?;
    match path.parent() {
        Some(parent) => File::open(parent)?.sync_all(),
        None => Ok(()),
    }
}

/// `Ok(None)` where there is no file.
fn read_state(path: &Path) -> std::result::Result<Option<SetState>, String> {
    let mut bytes = Vec::new();
    match File::open(path).and_then(|file| file.take(STATE_LIMIT).read_to_end(&mut bytes)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(format!("cannot be read: {error}")),
        Ok(_) => {}
    }
    let text = String::from_utf8(bytes).map_err(|_| "is damaged".to_owned())?;
    let (head, body) = text.split_once('\n').ok_or("is damaged")?;
    let Some(sum) = head.strip_prefix(MAGIC) else {
        let version = head.strip_prefix("rctl-state ").and_then(|rest| rest.split(' ').next());
        return Err(match version.and_then(|version| version.parse::<u32>().ok()) {
            Some(version) => format!("is of version {version}, written by another rctl"),
            None => "is damaged".to_owned(),
        });
    };
    let body = body.trim_end_matches('\n');
    if sum.trim() != format!("{:016x}", fnv(body.as_bytes())) {
        return Err("is damaged".to_owned());
    }
    serde_json::from_str(body).map(Some).map_err(|_| "is damaged".to_owned())
}

/// FNV-1a: names and checksums against accidents, not against enemies.
fn fnv(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

fn short_socket_dir() -> PathBuf {
    PathBuf::from(format!("/tmp/rctl-{}", nix::unistd::getuid()))
}

fn private_dir(path: &Path) -> Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|error| Error::new(Exit::Environment, format!("cannot make {}: {error}", path.display())))
}

/// In a directory that everybody may write to, somebody else may have been first.
fn owned_private_dir(path: &Path) -> Result<()> {
    private_dir(path)?;
    let uid = nix::unistd::getuid().as_raw();
    match fs::symlink_metadata(path) {
        Ok(meta) if meta.is_dir() && meta.uid() == uid && meta.mode() & 0o077 == 0 => Ok(()),
        _ => Err(Error::new(Exit::Environment, format!("{} does not belong to you alone", path.display()))
            .hint("export RCTL_STATE_DIR=/tmp/rctl")),
    }
}

fn gone(result: io::Result<()>, path: &Path) -> Result<()> {
    match result {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Error::new(Exit::Environment, format!("cannot remove {}: {error}", path.display())))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dir() -> (tempfile::TempDir, SetDir) {
        let root = tempfile::tempdir().unwrap();
        let topology = Topology { name: "a-b".into(), file: Some("/x/y.toml".into()), ..Topology::default() };
        let dir = SetDir::of(root.path(), &topology);
        dir.create().unwrap();
        (root, dir)
    }

    fn state(name: &str) -> SetState {
        SetState {
            faults: Vec::new(),
            faults_ever: 0,
            topology: Topology { name: name.into(), ..Topology::default() },
            nodes: Vec::new(),
            sentinels: Vec::new(),
        }
    }

    #[test]
    fn a_set_is_named_after_its_topology_and_told_apart_by_its_file() {
        let (root, dir) = dir();
        assert_eq!(dir.name(), "a-b");
        let other = Topology { name: "a-b".into(), file: Some("/x/z.toml".into()), ..Topology::default() };
        assert_ne!(SetDir::of(root.path(), &other), dir);
        assert_eq!(fs::metadata(dir.path()).unwrap().mode() & 0o777, 0o700);
    }

    #[test]
    fn a_damaged_state_is_reported_and_the_previous_one_used() {
        let (_root, dir) = dir();
        assert!(dir.load().state.is_none() && dir.load().problem.is_none());
        dir.store(&state("one")).unwrap();
        dir.store(&state("two")).unwrap();
        assert_eq!(dir.load().state.unwrap().topology.name, "two");
        let path = dir.path().join("state");
        let whole = fs::read(&path).unwrap();
        for at in 0..whole.len() - 1 {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x10;
            fs::write(&path, &bytes).unwrap();
            let loaded = dir.load();
            assert_eq!(loaded.state.unwrap().topology.name, "one", "byte {at} flipped");
            assert!(loaded.problem.is_some());
        }
        for end in 0..whole.len() - 1 {
            fs::write(&path, &whole[..end]).unwrap();
            assert_eq!(dir.load().state.unwrap().topology.name, "one", "cut at {end}");
        }
    }

    #[test]
    fn a_state_of_another_version_is_named_as_such() {
        let (_root, dir) = dir();
        fs::write(dir.path().join("state"), "rctl-state 999 0000\n{}\n").unwrap();
        let problem = dir.load().problem.unwrap();
        assert!(problem.contains("version 999"), "{problem}");
    }

    #[test]
    fn a_lock_excludes_and_goes_with_its_holder() {
        let (_root, dir) = dir();
        assert!(!dir.supervised());
        let lock = dir.lock().unwrap().unwrap();
        assert!(dir.supervised() && dir.lock().unwrap().is_none());
        drop(lock);
        assert!(!dir.supervised());
    }

    #[test]
    fn a_socket_path_is_short_enough_whatever_the_directory() {
        let deep = SetDir::at(PathBuf::from(format!("/tmp/{}", "d".repeat(200))));
        assert!(deep.socket().as_os_str().len() <= SOCKET_PATH_LIMIT);
    }

    #[test]
    fn purging_leaves_what_rctl_did_not_make() {
        let (_root, dir) = dir();
        fs::create_dir_all(dir.node(6379).data()).unwrap();
        fs::write(dir.path().join("mine.txt"), "keep").unwrap();
        dir.purge().unwrap();
        assert!(dir.path().join("mine.txt").exists() && !dir.path().join("nodes").exists());
    }
}

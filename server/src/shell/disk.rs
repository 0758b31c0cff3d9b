//! Files: the data file read at start and written by a thread, the configuration file replaced.
//!
//! A file is replaced as a whole: written beside the old one, fsynced, renamed over it, and the directory
//! fsynced. After a crash at any point there is the old file or the new one.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, SyncSender, TrySendError, channel, sync_channel};
use std::time::Duration;

use mio::Waker;

/// Pieces on their way to the disk: with [`super::turn::SAVE_CHUNK`] the memory that a slow disk can hold.
const PIECES: usize = 4;

/// A temporary file of a process that is gone is removed once it is so old.
const STALE: Duration = Duration::from_secs(60);

/// Opens the data file; `None` when there is none. With its size.
pub(super) fn open_data(path: &Path) -> io::Result<Option<(File, u64)>> {
    match File::open(path) {
        Ok(file) => {
            let size = file.metadata()?.len();
            Ok(Some((file, size)))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Fills `buf` as far as the file goes.
pub(super) fn read_slice(file: &mut File, buf: &mut Vec<u8>, size: u64) -> io::Result<usize> {
    buf.clear();
    file.take(size).read_to_end(buf)
}

/// Replaces a configuration file; it keeps its permissions.
pub(super) fn replace_file(path: &Path, text: &[u8]) -> io::Result<()> {
    // A link stays a link: what it points to is replaced.
    let path = &fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let mode = fs::metadata(path).map_or(0o600, |found| found.permissions().mode() & 0o777);
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!("-{}.tmp", std::process::id()));
    let temporary = path.with_file_name(name);
    let written = create(&temporary, mode).and_then(|mut file| {
        file.write_all(text)?;
        file.set_permissions(fs::Permissions::from_mode(mode))?;
        file.sync_all()
    });
    let replaced = written.and_then(|()| fs::rename(&temporary, path)).and_then(|()| sync_parent(path));
    if replaced.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    replaced
}

/// Removes `temp-<pid>.rdb` files that processes left when they were killed.
pub(super) fn remove_stale(dir: &Path) {
    let Ok(entries) = fs::read_dir(dir) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let pid = name.strip_prefix("temp-").and_then(|rest| rest.strip_suffix(".rdb"));
        let pid = pid.and_then(|rest| rest.split('-').next()).and_then(|digits| digits.parse::<i32>().ok());
        let Some(pid) = pid.filter(|pid| *pid > 0) else { continue };
        let gone = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), None) == Err(nix::Error::ESRCH);
        let age = entry.metadata().and_then(|found| found.modified()).map(|time| time.elapsed());
        if gone && age.is_ok_and(|age| age.is_ok_and(|age| age > STALE)) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn create(path: &Path, mode: u32) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(path)
}

fn sync_parent(path: &Path) -> io::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
}

/// The number of a save, and the size of its file or why there is none.
type Ended = (u64, Result<u64, String>);

enum Piece {
    Bytes(Vec<u8>),
    End,
}

/// The running save, as the loop sees it: pieces go in, a result comes out.
#[derive(Debug)]
pub(super) struct Saver {
    waker: Arc<Waker>,
    pieces: Option<SyncSender<Piece>>,
    /// A piece that found the thread busy.
    held: Option<Piece>,
    number: u64,
    results: Receiver<Ended>,
    teller: Sender<Ended>,
}

impl std::fmt::Debug for Piece {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bytes(bytes) => write!(f, "{} bytes", bytes.len()),
            Self::End => f.write_str("end"),
        }
    }
}

impl Saver {
    /// No save is running. The waker is used when a piece was written and when a save ended.
    pub(super) fn new(waker: Arc<Waker>) -> Self {
        let (teller, results) = channel();
        Self { waker, pieces: None, held: None, number: 0, results, teller }
    }

    /// Begins a save into `path`. One that runs is forgotten.
    pub(super) fn begin(&mut self, path: PathBuf) {
        self.abandon();
        self.number += 1;
        let (pieces, receiver) = sync_channel(PIECES);
        let (number, teller, waker) = (self.number, self.teller.clone(), Arc::clone(&self.waker));
        let job = move || {
            let write = || write(&path, number, &receiver, &waker);
            let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(write))
                .unwrap_or_else(|_| Some(Err(io::Error::other("the writing thread failed"))));
            // The piece channel closes first, so that the loop stops to wait for room in it.
            drop(receiver);
            if let Some(result) = result {
                let _ = teller.send((number, result.map_err(|error| super::reason(&error))));
            }
            let _ = waker.wake();
        };
        match std::thread::Builder::new().name("save".to_owned()).stack_size(128 << 10).spawn(job) {
            Ok(_) => self.pieces = Some(pieces),
            Err(error) => self.fail(super::reason(&error)),
        }
    }

    /// The save that would begin cannot: its result is this.
    pub(super) fn fail(&mut self, why: String) {
        self.number += 1;
        let _ = self.teller.send((self.number, Err(why)));
        let _ = self.waker.wake();
    }

    /// Forgets the running save and its file.
    pub(super) fn abandon(&mut self) {
        self.pieces = None;
        self.held = None;
    }

    /// Whether the thread has room for a piece. Tries to hand over the one that is held.
    pub(super) fn wants_piece(&mut self) -> bool {
        let Some(pieces) = &self.pieces else { return false };
        if let Some(piece) = self.held.take() {
            let last = matches!(piece, Piece::End);
            match pieces.try_send(piece) {
                Ok(()) if last => self.pieces = None,
                Ok(()) => {}
                Err(TrySendError::Full(piece)) => self.held = Some(piece),
                // The thread gave up; its result says why.
                Err(TrySendError::Disconnected(_)) => self.pieces = None,
            }
        }
        self.pieces.is_some() && self.held.is_none()
    }

    /// Hands over bytes; only after [`Saver::wants_piece`] said yes.
    pub(super) fn piece(&mut self, bytes: Vec<u8>) {
        self.held = Some(Piece::Bytes(bytes));
        self.wants_piece();
    }

    /// Says that there are no more bytes.
    pub(super) fn end(&mut self) {
        // At most one piece is held: what is held now goes first, blocking if it must.
        if let (Some(pieces), Some(piece)) = (&self.pieces, self.held.take()) {
            let _ = pieces.send(piece);
        }
        self.held = Some(Piece::End);
        self.wants_piece();
    }

    /// Waits for room. For a save that goes before everything else.
    pub(super) fn wait_for_room(&mut self) {
        if let (Some(pieces), Some(piece)) = (&self.pieces, self.held.take()) {
            let last = matches!(piece, Piece::End);
            if pieces.send(piece).is_err() || last {
                self.pieces = None;
            }
        }
    }

    /// The result of the latest save, once it is there.
    pub(super) fn result(&mut self) -> Option<Result<u64, String>> {
        let mut latest = None;
        while let Ok((number, result)) = self.results.try_recv() {
            latest = (number == self.number).then_some(result).or(latest);
        }
        latest
    }

    /// The result of the latest save, waited for.
    pub(super) fn wait_for_result(&mut self) -> Result<u64, String> {
        self.wait_for_room();
        loop {
            match self.results.recv() {
                Ok((number, result)) if number == self.number => return result,
                Ok(_) => {}
                Err(_) => return Err("the writing thread is gone".to_owned()),
            }
        }
    }
}

/// The thread: pieces to a file, then the file into its place. `None` when the save was abandoned.
fn write(path: &Path, number: u64, pieces: &Receiver<Piece>, waker: &Waker) -> Option<io::Result<u64>> {
    let pid = std::process::id();
    // An abandoned save may still be at its file when the next one begins.
    let name = if number == 1 { format!("temp-{pid}.rdb") } else { format!("temp-{pid}-{number}.rdb") };
    let temporary = path.with_file_name(name);
    let mut size = 0u64;
    let mut ended = false;
    let outcome = create(&temporary, 0o600).and_then(|mut file| {
        while let Ok(piece) = pieces.recv() {
            let Piece::Bytes(bytes) = piece else {
                ended = true;
                break;
            };
            file.write_all(&bytes)?;
            size += bytes.len() as u64;
            waker.wake()?;
        }
        if ended {
            file.sync_all()?;
            fs::rename(&temporary, path)?;
            sync_parent(path)?;
        }
        Ok(size)
    });
    if outcome.is_err() || !ended {
        let _ = fs::remove_file(&temporary);
    }
    match outcome {
        Ok(_) if !ended => None,
        other => Some(other),
    }
}

/// The right to write a data file: held by one server at a time, even by its crash given up.
#[derive(Debug)]
pub(super) struct DataLock {
    /// Dropped after the file is removed, so that nobody gets a lock on a removed file unseen.
    _lock: nix::fcntl::Flock<File>,
    path: PathBuf,
}

impl DataLock {
    /// Takes it for the data file at `data`. The inner error is who holds it.
    pub(super) fn take(data: &Path) -> io::Result<Result<Self, String>> {
        use std::os::unix::fs::MetadataExt as _;
        let mut name = std::ffi::OsString::from(".");
        name.push(data.file_name().unwrap_or_default());
        name.push(".lock");
        let path = std::path::absolute(data.with_file_name(name))?;
        loop {
            let mut options = OpenOptions::new();
            let file = options.read(true).write(true).create(true).truncate(false).mode(0o600).open(&path)?;
            let mut lock = match nix::fcntl::Flock::lock(file, nix::fcntl::FlockArg::LockExclusiveNonblock) {
                Ok(lock) => lock,
                Err((mut file, nix::Error::EWOULDBLOCK)) => {
                    let mut holder = String::new();
                    let _ = (&mut file).take(64).read_to_string(&mut holder);
                    return Ok(Err(holder.trim().to_owned()));
                }
                Err((_, error)) => return Err(error.into()),
            };
            // The holder before us may have removed the file between our opening and our locking it.
            let ours = lock.metadata()?.ino();
            if fs::metadata(&path).is_ok_and(|found| found.ino() == ours) {
                lock.set_len(0)?;
                write!(lock, "{}", std::process::id())?;
                return Ok(Ok(Self { _lock: lock, path }));
            }
        }
    }
}

impl Drop for DataLock {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test of real processes has a deadline")]
mod tests {
    use super::*;

    fn saver() -> (mio::Poll, Saver) {
        let poll = mio::Poll::new().unwrap();
        let waker = Arc::new(Waker::new(poll.registry(), mio::Token(0)).unwrap());
        (poll, Saver::new(waker))
    }

    fn names(dir: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_save_replaces_the_old_file_as_a_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("dump.rdb");
        fs::write(&path, "old").unwrap();
        let (_poll, mut saver) = saver();
        saver.begin(path.clone());
        for n in 0..50u8 {
            saver.wait_for_room();
            assert!(saver.wants_piece());
            saver.piece(vec![n; 1000]);
        }
        assert_eq!(fs::read(&path).unwrap(), b"old");
        saver.end();
        assert_eq!(saver.wait_for_result(), Ok(50_000));
        let want: Vec<u8> = (0..50u8).flat_map(|n| vec![n; 1000]).collect();
        assert_eq!(fs::read(&path).unwrap(), want);
        assert_eq!(names(dir.path()), ["dump.rdb"]);
    }

    #[test]
    fn an_abandoned_or_failed_save_leaves_the_old_file_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("dump.rdb");
        let (_poll, mut saver) = saver();
        saver.begin(path.clone());
        saver.piece(b"half".to_vec());
        saver.begin(path.clone());
        saver.piece(b"whole".to_vec());
        saver.end();
        assert_eq!(saver.wait_for_result(), Ok(5));
        assert_eq!(fs::read(&path).unwrap(), b"whole");

        saver.begin(dir.path().join("none/dump.rdb"));
        saver.end();
        assert_eq!(saver.wait_for_result(), Err("No such file or directory".to_owned()));
        saver.fail("locked".to_owned());
        assert_eq!(saver.result(), Some(Err("locked".to_owned())));
    }

    #[test]
    fn a_configuration_file_keeps_its_permissions() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("redis.conf");
        fs::write(&path, "port 1\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        replace_file(&path, b"port 2\n").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"port 2\n");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(names(dir.path()), ["redis.conf"]);
        assert!(replace_file(&dir.path().join("none/x"), b"").is_err());
    }

    #[test]
    fn one_data_file_has_one_server() {
        let dir = tempfile::tempdir().unwrap();
        let first = DataLock::take(&dir.path().join("db1.rdb")).unwrap().unwrap();
        let holder = DataLock::take(&dir.path().join("db1.rdb")).unwrap().unwrap_err();
        assert_eq!(holder, std::process::id().to_string());
        let _other = DataLock::take(&dir.path().join("db2.rdb")).unwrap().unwrap();
        drop(first);
        assert!(DataLock::take(&dir.path().join("db1.rdb")).unwrap().is_ok());
        assert_eq!(names(dir.path()), [".db2.rdb.lock"]);
    }

    #[test]
    fn only_old_files_of_processes_that_are_gone_are_removed() {
        let dir = tempfile::tempdir().unwrap();
        let own = format!("temp-{}.rdb", std::process::id());
        let old = std::time::SystemTime::now() - 2 * STALE;
        for name in [own.as_str(), "temp-2147483000.rdb", "temp-x.rdb", "temp-2147483001-2.rdb"] {
            File::create(dir.path().join(name)).unwrap().set_modified(old).unwrap();
        }
        File::create(dir.path().join("temp-2147483002.rdb")).unwrap();
        remove_stale(dir.path());
        let mut want = vec![own, "temp-2147483002.rdb".to_owned(), "temp-x.rdb".to_owned()];
        want.sort();
        assert_eq!(names(dir.path()), want);
    }
}

//! This process as the operating system sees it: limits, figures, signals, going to the background, files that
//! name it.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use mio::{Interest, Registry, Token};
use nix::sys::resource::{Resource, UsageWho, getrlimit, getrusage, setrlimit};
use nix::sys::stat::Mode;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::node::{Signal, Vitals};

/// File descriptors kept for the listeners, the log, the data file and the master's link; as Redis' reserve.
const RESERVED_FILES: u64 = 32;

/// Set for the process that was started again in the background.
const BACKGROUND: &str = "RCTL_SERVER_BACKGROUND";

/// Files that this process makes are its user's alone.
pub(super) fn private_files() {
    nix::sys::stat::umask(Mode::from_bits_truncate(0o077));
}

/// Makes room for `wanted` clients as far as the system lets it, and answers for how many there is room.
pub(super) fn room_for_clients(wanted: u32) -> u32 {
    let needed = u64::from(wanted) + RESERVED_FILES;
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else { return wanted };
    if soft >= needed {
        return wanted;
    }
    let target = needed.min(hard);
    let reached = match setrlimit(Resource::RLIMIT_NOFILE, target, hard) {
        Ok(()) => target,
        Err(_) => soft,
    };
    u32::try_from(reached.saturating_sub(RESERVED_FILES)).unwrap_or(wanted).clamp(1, wanted)
}

/// Two random numbers, from the system.
pub(super) fn entropy() -> std::io::Result<(u64, u64)> {
    let mut bytes = [0u8; 16];
    fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    let both = u128::from_ne_bytes(bytes);
    // Each half of 128 random bits is 64 random bits.
    Ok(((both >> 64) as u64, both as u64))
}

/// System, release and machine, as INFO's `os` shows them.
pub(super) fn system() -> String {
    let Ok(name) = nix::sys::utsname::uname() else { return String::new() };
    [name.sysname(), name.release(), name.machine()].map(|part| part.to_string_lossy()).join(" ")
}

/// Figures of this process that the system knows.
pub(super) fn vitals() -> Vitals {
    let mut vitals = Vitals { system_memory: system_memory(), ..Vitals::default() };
    if let Ok(usage) = getrusage(UsageWho::RUSAGE_SELF) {
        let micros = |time: nix::sys::time::TimeVal| {
            let micros = time.tv_sec().saturating_mul(1_000_000).saturating_add(time.tv_usec());
            u64::try_from(micros).unwrap_or(0)
        };
        vitals.cpu_user_us = micros(usage.user_time());
        vitals.cpu_sys_us = micros(usage.system_time());
        // macOS counts bytes where others count kilobytes.
        let unit = if cfg!(target_os = "macos") { 1 } else { 1024 };
        vitals.rss_peak = u64::try_from(usage.max_rss()).unwrap_or(0).saturating_mul(unit);
    }
    vitals.rss = resident().unwrap_or(vitals.rss_peak);
    vitals
}

/// The resident set in bytes, where the system has `/proc`.
fn resident() -> Option<u64> {
    let text = fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = text.split_ascii_whitespace().nth(1)?.parse().ok()?;
    let page = nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE).ok()??;
    pages.checked_mul(u64::try_from(page).ok()?)
}

/// Physical memory in bytes; 0 where the system does not tell.
fn system_memory() -> u64 {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kilobytes = line.and_then(|rest| rest.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok());
    kilobytes.unwrap_or(0).saturating_mul(1024)
}

/// Signals, readable as bytes.
#[derive(Debug)]
pub(super) struct Signals {
    pipes: Vec<(Signal, mio::net::UnixStream)>,
}

impl Signals {
    /// Catches SIGTERM and SIGINT, each readable under `token`; SIGHUP does nothing from now on. (SIGPIPE is
    /// ignored by every Rust program.)
    pub(super) fn catch(registry: &Registry, token: Token) -> std::io::Result<Self> {
        signal_hook::flag::register(SIGHUP, std::sync::Arc::default())?;
        let mut pipes = Vec::new();
        for (number, signal) in [(SIGTERM, Signal::Terminate), (SIGINT, Signal::Interrupt)] {
            let (reader, writer) = UnixStream::pair()?;
            reader.set_nonblocking(true)?;
            signal_hook::low_level::pipe::register(number, writer)?;
            let mut reader = mio::net::UnixStream::from_std(reader);
            registry.register(&mut reader, token, Interest::READABLE)?;
            pipes.push((signal, reader));
        }
        Ok(Self { pipes })
    }

    /// The signals that came since the last call, one entry each.
    pub(super) fn take(&mut self) -> Vec<Signal> {
        let mut taken = Vec::new();
        let mut bytes = [0u8; 16];
        for (signal, pipe) in &mut self.pipes {
            while let Ok(count @ 1..) = pipe.read(&mut bytes) {
                taken.extend(std::iter::repeat_n(*signal, count));
            }
        }
        taken
    }
}

/// Whether this is the process that was started again in the background; it then leaves its terminal.
pub(super) fn in_background() -> bool {
    if std::env::var_os(BACKGROUND).is_none() {
        return false;
    }
    // It fails only for a leader of a process group, which a child is not.
    let _ = nix::unistd::setsid();
    true
}

/// Starts this program again with the same arguments, in the background; `stdin` is what was read from standard
/// input. A new process instead of a fork: whatever threads there are keep their locks to themselves.
pub(super) fn start_in_background(stdin: Option<&[u8]>) -> std::io::Result<()> {
    // After a rebuild the path of the executable names another file or none; this link still names ours.
    let own = Path::new("/proc/self/exe");
    let program = if own.exists() { own.to_path_buf() } else { std::env::current_exe()? };
    let mut command = Command::new(program);
    command.args(std::env::args_os().skip(1)).env(BACKGROUND, "1");
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command.stdin(if stdin.is_some() { Stdio::piped() } else { Stdio::null() });
    let mut child = command.spawn()?;
    if let (Some(text), Some(mut pipe)) = (stdin, child.stdin.take()) {
        pipe.write_all(text)?;
    }
    Ok(())
}

/// A file that holds the process id while this lives.
#[derive(Debug)]
pub(super) struct PidFile(PathBuf);

impl PidFile {
    /// Writes it.
    pub(super) fn create(path: &str) -> std::io::Result<Self> {
        fs::write(path, format!("{}\n", std::process::id()))?;
        Ok(Self(std::path::absolute(path)?))
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_this_process_own() {
        let vitals = vitals();
        assert!(vitals.rss > 100 << 10 && vitals.rss_peak >= vitals.rss / 2);
        assert!(vitals.system_memory > vitals.rss);
        let (a, b) = entropy().unwrap();
        assert_ne!(a, b);
        assert_eq!(system().split(' ').count(), 3);
    }

    #[test]
    fn there_is_room_for_at_least_one_client() {
        assert_eq!(room_for_clients(1), 1);
        assert!(room_for_clients(u32::MAX) >= 1);
    }

    #[test]
    fn a_pid_file_goes_with_its_process() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pid");
        let file = PidFile::create(path.to_str().unwrap()).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap().trim(), std::process::id().to_string());
        drop(file);
        assert!(!path.exists());
    }
}

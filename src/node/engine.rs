//! What runs a node: the program, its arguments and its configuration file, for each kind of engine.
//!
//! Invariants: a role is in the node's own configuration file and nowhere else, so that `CONFIG REWRITE` by
//! anybody is what the next start obeys; the arguments never carry one. The paths in the file are quoted byte by
//! byte, so no directory name can become a directive.

use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Exit, Result};
use crate::topology::{Engine, NodeSpec, Persistence};

/// The socket of a server behind a proxy, in its working directory: an absolute path might be too long for a socket.
pub const SOCKET: &str = "server.sock";

/// A program that can run a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Program {
    /// This very binary, as `rctl server`. Kept as a notion, not a path: a rebuild replaces the file, and the
    /// supervisor goes on starting what it is itself.
    Own,
    /// A server program, by its absolute path.
    At(PathBuf),
    /// A program that can be a Sentinel, by its absolute path.
    Sentinel(PathBuf),
}

impl Program {
    /// Finds the program of an engine. `path` is the value of `PATH`.
    ///
    /// # Errors
    /// A program that is not there or cannot be run, with how to get one.
    pub fn locate(engine: &Engine, path: Option<&OsStr>) -> Result<Self> {
        match engine {
            Engine::Builtin => Ok(Self::Own),
            Engine::Redis => search("redis-server", path).ok_or_else(|| missing("redis-server", "redis")),
            Engine::Valkey => search("valkey-server", path).ok_or_else(|| missing("valkey-server", "valkey")),
            Engine::Path(at) => at_path(at),
        }
    }

    /// Finds a program that can be a Sentinel; `valkey` is asked for first where that is preferred. `path` is the value
    /// of `PATH`.
    ///
    /// # Errors
    /// There is none, with how to get one.
    pub fn locate_sentinel(prefer_valkey: bool, path: Option<&OsStr>) -> Result<Self> {
        let mut names = ["redis-sentinel", "redis-server", "valkey-sentinel", "valkey-server"];
        if prefer_valkey {
            names.rotate_left(2);
        }
        let found = names.into_iter().find_map(|name| search(name, path));
        match found {
            Some(Self::At(program)) => Ok(Self::Sentinel(program)),
            _ => Err(Error::new(Exit::Environment, "[sentinel]: no redis-sentinel on the PATH")
                .hint("apt-get install redis-sentinel")
                .hint("brew install redis")),
        }
    }

    /// What to execute, and how it is called in the process list.
    #[must_use]
    pub fn executable(&self) -> (PathBuf, OsString) {
        match self {
            Self::Own => (own_executable(), "rctl".into()),
            Self::At(path) | Self::Sentinel(path) => (path.clone(), path.clone().into_os_string()),
        }
    }

    /// The arguments after the program's name.
    #[must_use]
    pub fn arguments(&self, conf: &Path) -> Vec<OsString> {
        match self {
            Self::Own => vec!["server".into(), conf.into()],
            Self::At(_) => vec![conf.into()],
            Self::Sentinel(_) => vec![conf.into(), "--sentinel".into()],
        }
    }
}

/// A name of this binary that goes on working after the file was replaced.
#[must_use]
pub fn own_executable() -> PathBuf {
    let link = PathBuf::from("/proc/self/exe");
    if link.exists() { link } else { std::env::current_exe().unwrap_or(link) }
}

/// Reads an engine as people type it: a word, or a path (which has a slash).
///
/// # Errors
/// Any other word.
pub fn parse(text: &str) -> Result<Engine> {
    match text {
        "builtin" => Ok(Engine::Builtin),
        "redis" => Ok(Engine::Redis),
        "valkey" => Ok(Engine::Valkey),
        path if path.contains('/') => {
            Ok(Engine::Path(std::path::absolute(path).unwrap_or_else(|_| path.into())))
        }
        other => Err(Error::new(Exit::Usage, format!("unknown engine {other:?}"))
            .detail("an engine is builtin, redis, valkey or the path of a server program")),
    }
}

/// The first configuration file of a node, without a role. Behind a proxy it listens on a unix socket in its working
/// directory, and announces the port that the proxy owns.
#[must_use]
pub fn config(spec: &NodeSpec, data_dir: &Path, proxied: bool) -> String {
    let port = if proxied { 0 } else { spec.port };
    let mut lines = vec![
        ("port", port.to_string()),
        ("bind", "127.0.0.1 -::1".to_owned()),
        ("dir", quoted(data_dir.as_os_str().as_bytes())),
        ("dbfilename", "dump.rdb".to_owned()),
        ("daemonize", "no".to_owned()),
        ("logfile", "\"\"".to_owned()),
        ("maxmemory", "1gb".to_owned()),
        ("repl-diskless-sync-delay", "0".to_owned()),
        ("appendonly", if spec.persistence == Persistence::Aof { "yes" } else { "no" }.to_owned()),
    ];
    match spec.persistence {
        Persistence::None => lines.push(("save", "\"\"".to_owned())),
        Persistence::Rdb | Persistence::Aof => lines.push(("save", "3600 1 300 100 60 10000".to_owned())),
    }
    if proxied {
        lines.push(("unixsocket", SOCKET.to_owned()));
        lines.push(("unixsocketperm", "700".to_owned()));
        lines.push(("replica-announce-ip", "127.0.0.1".to_owned()));
        lines.push(("replica-announce-port", spec.port.to_string()));
    }
    if spec.engine != Engine::Builtin {
        lines.push(("set-proc-title", "no".to_owned()));
    }
    let mut text =
        "# Written by rctl. The role is kept here too: CONFIG REWRITE decides what the next start is.\n"
            .to_owned();
    for (key, value) in lines.iter().filter(|(key, _)| !spec.config.contains_key(*key)) {
        let _ = writeln!(text, "{key} {value}");
    }
    for (key, value) in &spec.config {
        let value = if value.is_empty() { "\"\"" } else { value };
        let _ = writeln!(text, "{key} {value}");
    }
    text
}

/// Whom a configuration file says to follow: host and port. The last directive wins, as in the server.
#[must_use]
pub fn upstream_in(conf: &str) -> Option<(String, u16)> {
    conf.lines().rev().find_map(role_line).flatten()
}

/// The same file with another role: following `upstream`, or nobody.
#[must_use]
pub fn with_upstream(conf: &str, upstream: Option<(&str, u16)>) -> String {
    let mut text = String::with_capacity(conf.len() + 40);
    for line in conf.lines().filter(|line| role_line(line).is_none()) {
        text.push_str(line);
        text.push('\n');
    }
    if let Some((host, port)) = upstream {
        let _ = writeln!(text, "replicaof {host} {port}");
    }
    text
}

/// `None` where the line has nothing to do with roles, `Some(None)` for `replicaof no one`.
fn role_line(line: &str) -> Option<Option<(String, u16)>> {
    let mut words = line.split_ascii_whitespace().map(|word| word.trim_matches('"'));
    let directive = words.next()?;
    // The old word is read, never written: a server older than 5.0 leaves it behind.
    if !directive.eq_ignore_ascii_case("replicaof") && !directive.eq_ignore_ascii_case("slaveof") {
        return None;
    }
    Some(match (words.next(), words.next().and_then(|port| port.parse().ok())) {
        (Some(host), Some(port)) => Some((host.to_owned(), port)),
        _ => None,
    })
}

fn quoted(bytes: &[u8]) -> String {
    let mut text = String::from("\"");
    for &byte in bytes {
        match byte {
            b'"' | b'\\' => {
                text.push('\\');
                text.push(char::from(byte));
            }
            0x20..=0x7e => text.push(char::from(byte)),
            _ => {
                let _ = write!(text, "\\x{byte:02x}");
            }
        }
    }
    text.push('"');
    text
}

fn search(name: &str, path: Option<&OsStr>) -> Option<Program> {
    std::env::split_paths(path?)
        .filter(|dir| dir.is_absolute())
        .map(|dir| dir.join(name))
        .find(|file| runnable(file).is_ok())
        .map(Program::At)
}

fn missing(program: &str, package: &str) -> Error {
    Error::new(Exit::Environment, format!("engine {package:?}: no {program} on the PATH"))
        .hint(format!("apt-get install {package}-server"))
        .hint(format!("brew install {package}"))
        .hint("rctl up --engine builtin")
}

fn at_path(at: &Path) -> Result<Program> {
    let absolute = std::path::absolute(at).unwrap_or_else(|_| at.to_owned());
    runnable(&absolute)
        .map(|()| Program::At(absolute))
        .map_err(|why| Error::new(Exit::Environment, format!("engine {:?}: {why}", at.display().to_string())))
}

fn runnable(file: &Path) -> std::result::Result<(), String> {
    match std::fs::metadata(file) {
        Ok(meta) if !meta.is_file() => Err("is not a file".to_owned()),
        Ok(meta) if meta.permissions().mode() & 0o111 == 0 => Err("is not executable".to_owned()),
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err("is not there".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology::Restart;

    fn spec() -> NodeSpec {
        NodeSpec {
            port: 7000,
            name: None,
            replica_of: Some(6379),
            engine: Engine::Redis,
            persistence: Persistence::Rdb,
            restart: Restart::No,
            config: [("repl-backlog-size".to_owned(), "1mb".to_owned())].into(),
            attach: None,
        }
    }

    #[test]
    fn the_first_configuration_has_no_role() {
        let text = config(&spec(), Path::new("/tmp/x"), false);
        assert_eq!(upstream_in(&text), None);
        for line in [
            "port 7000",
            "bind 127.0.0.1 -::1",
            "dir \"/tmp/x\"",
            "repl-backlog-size 1mb",
            "repl-diskless-sync-delay 0",
        ] {
            assert!(text.lines().any(|have| have == line), "{line} is missing in\n{text}");
        }
    }

    #[test]
    fn the_file_overrides_what_rctl_would_choose() {
        let mut spec = spec();
        spec.config.insert("repl-diskless-sync-delay".into(), "5".into());
        spec.config.insert("save".into(), String::new());
        let text = config(&spec, Path::new("/tmp/x"), false);
        assert_eq!(text.lines().filter(|line| line.starts_with("repl-diskless-sync-delay")).count(), 1);
        assert!(text.contains("repl-diskless-sync-delay 5\n") && text.contains("save \"\"\n"));
    }

    #[test]
    fn no_directory_name_becomes_a_directive() {
        let text = config(&spec(), Path::new("/tmp/a\"\nreplicaof evil 1\n"), false);
        assert_eq!(upstream_in(&text), None);
        assert!(text.contains(r#"dir "/tmp/a\"\x0areplicaof evil 1\x0a""#));
    }

    #[test]
    fn a_role_is_read_and_replaced_as_the_server_writes_it() {
        let text = "port 1\nslaveof a 1\nreplicaof 127.0.0.1 6379\n";
        assert_eq!(upstream_in(text), Some(("127.0.0.1".into(), 6379)));
        assert_eq!(with_upstream(text, Some(("::1", 6380))), "port 1\nreplicaof ::1 6380\n");
        assert_eq!(with_upstream(text, None), "port 1\n");
        assert_eq!(upstream_in("replicaof no one\n"), None);
        assert_eq!(upstream_in("replicaof a 99999\nreplicaof\n"), None);
    }

    #[test]
    fn a_missing_engine_is_named_with_how_to_get_it() {
        let error = Program::locate(&Engine::Valkey, Some(OsStr::new("/nowhere"))).unwrap_err();
        assert_eq!(error.exit, Exit::Environment);
        assert!(error.to_string().contains("valkey-server") && error.to_string().contains("apt-get install"));
        let text = tempfile::NamedTempFile::new().unwrap();
        let error = Program::locate(&Engine::Path(text.path().into()), None).unwrap_err();
        assert!(error.what.contains("is not executable"), "{error}");
    }
}

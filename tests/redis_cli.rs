//! `rctl cli` against the real `redis-cli`: the same bytes and the same exit status.
//!
//! Two real servers hear the same commands, one from each client. Differences that are meant:
//!
//! - After a lost connection the prompt and the database are what they were, the password and the protocol too, and
//!   an open MULTI is gone from the prompt. `redis-cli` 7.0 shows a database it is no longer in, and a `(TX)` that
//!   the server has forgotten.
//! - A port that is no port is refused; `redis-cli` 7.0 tries to connect there.
//! - `help`, hints, completion, `:set` and `--help` are ours.
//! - RESP3 attributes are skipped and big numbers printed; `redis-cli` 7.0 ends the process on both.
//! - PSYNC typed by hand prints the stream that follows; `redis-cli` 7.0 waits for an end mark that never comes.
//! - A write that a replica refuses is followed by a line on stderr, on a terminal only.
//!
//! Without `redis-server` and `redis-cli` on the PATH there is nothing to compare with, and these tests pass unless
//! `RCTL_REQUIRE_REDIS` is set.

#![expect(clippy::disallowed_methods, reason = "a test of real processes has a deadline")]
#![expect(clippy::disallowed_types, reason = "a test of real servers speaks to them itself")]
#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::fs::File;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use nix::pty::openpty;

const CORPUS: &str = include_str!("cli/redis-cli.txt");
const PATIENCE: Duration = Duration::from_secs(20);

/// A real server with a port of its own; ends with the test.
struct Real {
    child: Child,
    port: u16,
    _dir: tempfile::TempDir,
}

impl Real {
    fn start(extra: &[&str]) -> Option<Self> {
        let installed = ["redis-server", "redis-cli"].iter().all(|program| {
            Command::new(program).arg("--version").stdout(Stdio::null()).status().is_ok_and(|s| s.success())
        });
        if !installed {
            assert!(
                std::env::var_os("RCTL_REQUIRE_REDIS").is_none(),
                "redis-server and redis-cli are not installed"
            );
            return None;
        }
        let dir = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = Command::new("redis-server")
            .args(["--port", &port.to_string(), "--save", "", "--enable-debug-command", "yes"])
            // On a busy machine any command may be slow, and nobody is to tell.
            .args(["--slowlog-log-slower-than", "-1"])
            .args(extra)
            .current_dir(dir.path())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let real = Self { child, port, _dir: dir };
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(begun.elapsed() < PATIENCE, "redis-server does not listen on {port}");
            std::thread::yield_now();
        }
        Some(real)
    }

    /// One command over a connection of its own.
    fn ask(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.write_all(format!("{request}\r\nQUIT\r\n").as_bytes()).unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).unwrap();
        reply
    }
}

impl Drop for Real {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn client(which: &str, port: u16) -> Command {
    let mut command = match which {
        "redis-cli" => Command::new("redis-cli"),
        _ => {
            let mut command = Command::new(env!("CARGO_BIN_EXE_rctl"));
            command.arg("cli");
            command
        }
    };
    command.args(["-p", &port.to_string()]);
    command.env_remove("REDISCLI_AUTH").env("HOME", "/nonexistent").env("TERM", "dumb");
    command
}

fn fed(mut command: Command, input: &[u8]) -> Output {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A client that ends early closes its end: that is its affair.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

/// Output with the port, which alone may differ, replaced.
fn comparable(output: &Output, port: u16) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace(&port.to_string(), "PORT");
    format!(
        "stdout:\n{}stderr:\n{}exit: {:?}",
        text(&output.stdout),
        text(&output.stderr),
        output.status.code()
    )
}

fn corpus() -> Vec<&'static str> {
    CORPUS.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect()
}

fn words(line: &str) -> Vec<std::ffi::OsString> {
    use std::os::unix::ffi::OsStringExt;
    let words = rctl_server::resp::words::split_words(line.as_bytes()).unwrap();
    // NUL cannot stand in an argument of a process.
    words
        .into_iter()
        .map(|word| std::ffi::OsString::from_vec(word.into_iter().filter(|&byte| byte != 0).collect()))
        .collect()
}

const FORMS: [&[&str]; 8] = [
    &[],
    &["--no-raw"],
    &["--csv"],
    &["--json"],
    &["--quoted-json"],
    &["--no-raw", "-3"],
    &["--raw", "-3", "--show-pushes", "y"],
    &["--json", "-2"],
];

#[test]
fn one_command_prints_what_redis_cli_prints_in_every_form() {
    let (Some(theirs), Some(ours)) = (Real::start(&[]), Real::start(&[])) else { return };
    for form in FORMS {
        theirs.ask("FLUSHALL");
        ours.ask("FLUSHALL");
        for line in corpus() {
            let run = |which, real: &Real| {
                let output = fed(
                    {
                        let mut command = client(which, real.port);
                        command.args(form).args(words(line));
                        command
                    },
                    b"",
                );
                comparable(&output, real.port)
            };
            assert_eq!(run("rctl", &ours), run("redis-cli", &theirs), "{form:?} {line}");
        }
    }
}

#[test]
fn lines_from_a_pipe_print_what_redis_cli_prints_in_every_form() {
    let (Some(theirs), Some(ours)) = (Real::start(&[]), Real::start(&[])) else { return };
    let script = corpus().join("\n") + "\n\"unbalanced\n2 ping\n0 ping\n  \nexit\nget never\n";
    for form in FORMS {
        let run = |which, real: &Real| {
            real.ask("FLUSHALL");
            let mut command = client(which, real.port);
            command.args(form);
            comparable(&fed(command, script.as_bytes()), real.port)
        };
        assert_eq!(run("rctl", &ours), run("redis-cli", &theirs), "{form:?}");
    }
}

#[test]
fn options_mean_what_they_mean_to_redis_cli() {
    let extra = ["--requirepass", "secret"];
    let (Some(theirs), Some(ours)) = (Real::start(&extra), Real::start(&extra)) else { return };
    for real in [&theirs, &ours] {
        assert!(real.ask("AUTH secret\r\nACL SETUSER leon on >pw ~* +@all").starts_with("+OK\r\n+OK"));
    }
    let password: &[&str] = &["-a", "secret", "--no-auth-warning"];
    let cases: [(&[&str], &[&str]); 25] = [
        (&[], &["ping"]),
        (&["-e"], &["ping"]),
        (&["-a", "secret"], &["ping"]),
        (&["-a", "wrong"], &["ping"]),
        (&["--user", "leon", "--pass", "pw", "--no-auth-warning"], &["acl", "whoami"]),
        (password, &["-n", "3", "set", "a", "in three"]),
        (password, &["-n", "3", "get", "a"]),
        (password, &["-n", "99", "ping"]),
        (password, &["-n", "text", "ping"]),
        (password, &["-x", "set", "a"]),
        (password, &["get", "a"]),
        (password, &["-X", "TAG", "set", "TAG", "b"]),
        (password, &["-X", "TAG", "set", "a", "b"]),
        (password, &["-r", "3", "incr", "n"]),
        (password, &["-r", "2", "-i", "0.01", "incr", "n"]),
        (password, &["-r", "0", "incr", "n"]),
        (password, &["-d", ", ", "-D", ";", "mget", "a", "n"]),
        (password, &["--quoted-input", "set", "\"a\\x00b\"", "'c'"]),
        (password, &["--quoted-input", "set", "\"a", "c"]),
        (password, &["-e", "nonsense"]),
        (password, &["-3", "--no-raw", "config", "get", "maxmemory"]),
        (password, &["-zz", "ping"]),
        (password, &["-2", "-3", "ping"]),
        (password, &["-p"]),
        (password, &["-u", "http://here", "ping"]),
    ];
    for (first, rest) in cases {
        let run = |which, real: &Real| {
            let mut command = client(which, real.port);
            command.args(first).args(rest);
            comparable(&fed(command, b"from\nstdin"), real.port)
        };
        assert_eq!(run("rctl", &ours), run("redis-cli", &theirs), "{first:?} {rest:?}");
    }
    let run = |which, real: &Real| {
        let mut command = client(which, real.port);
        command.env("REDISCLI_AUTH", "secret").args(["acl", "whoami"]);
        let by_environment = comparable(&fed(command, b""), real.port);
        let mut command = client(which, real.port);
        command.args(["-u", &format!("redis://leon:p%77@127.0.0.1:{}/2", real.port), "client", "list"]);
        let by_uri = comparable(&fed(command, b""), real.port);
        (by_environment, by_uri.contains("db=2") && by_uri.contains("user=leon"))
    };
    assert_eq!(run("rctl", &ours), run("redis-cli", &theirs));
    assert!(run("rctl", &ours).1);
}

#[test]
fn a_server_that_is_away_is_reported_in_redis_clis_words() {
    let Some(real) = Real::start(&[]) else { return };
    let port = real.port;
    drop(real);
    for (args, input) in [(&["ping"][..], ""), (&[][..], "ping\nget a\n"), (&["-e", "ping"][..], "")] {
        let run = |which| {
            let mut command = client(which, port);
            command.args(args);
            comparable(&fed(command, input.as_bytes()), port)
        };
        assert_eq!(run("rctl"), run("redis-cli"), "{args:?}");
    }
}

#[test]
fn streams_of_answers_look_the_same() {
    let (Some(theirs), Some(ours)) = (Real::start(&[]), Real::start(&[])) else { return };
    for form in [&[][..], &["--no-raw"], &["--csv"], &["--no-raw", "-3"]] {
        let run = |which, real: &Real| {
            let mut command = client(which, real.port);
            command.args(form).args(["subscribe", "news", "weather"]);
            let mut child =
                command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
            let begun = Instant::now();
            while !real.ask("PUBLISH weather sunny").starts_with(":1") {
                assert!(begun.elapsed() < PATIENCE, "{which} does not subscribe");
            }
            real.ask("PUBLISH news \"two words\"");
            let mut seen = Vec::new();
            let mut stdout = child.stdout.take().unwrap();
            while !String::from_utf8_lossy(&seen).contains("two words") {
                let mut chunk = [0; 4096];
                let len = loop {
                    match stdout.read(&mut chunk) {
                        Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                        other => break other.unwrap(),
                    }
                };
                assert!(len > 0, "{which} ended: {}", String::from_utf8_lossy(&seen));
                seen.extend_from_slice(&chunk[..len]);
            }
            child.kill().unwrap();
            child.wait().unwrap();
            String::from_utf8(seen).unwrap()
        };
        assert_eq!(run("rctl", &ours), run("redis-cli", &theirs), "{form:?}");
    }
}

/// A client on a terminal of its own.
struct OnTerminal {
    child: Child,
    master: File,
    seen: String,
}

impl OnTerminal {
    fn start(mut command: Command) -> Self {
        let pair = openpty(None, None).unwrap();
        let stdio = || Stdio::from(pair.slave.try_clone().unwrap());
        let child = command.stdin(stdio()).stdout(stdio()).stderr(stdio()).spawn().unwrap();
        Self { child, master: File::from(pair.master), seen: String::new() }
    }

    /// Reads until what was seen ends with a prompt that came after `from` bytes; false when the client has ended.
    fn prompted(&mut self, from: usize) -> bool {
        let mut chunk = [0; 4096];
        while !self.seen.get(from..).is_some_and(|new| new.ends_with("> ")) {
            match self.master.read(&mut chunk) {
                Ok(len) if len > 0 => self.seen.push_str(&String::from_utf8_lossy(&chunk[..len])),
                _ => return false,
            }
        }
        true
    }

    fn type_line(&mut self, line: &str) -> bool {
        let from = self.seen.len();
        self.master.write_all(format!("{line}\n").as_bytes()).unwrap();
        self.prompted(from)
    }

    fn end(mut self) -> (String, Option<i32>) {
        let code = self.child.wait().unwrap().code();
        (self.seen, code)
    }
}

const TYPED: [&str; 24] = [
    "set name leon",
    "get name",
    "select 3",
    "dbsize",
    "select 0",
    "multi",
    "select 2",
    "set a 1",
    "exec",
    "select 0",
    "multi",
    "foo",
    "exec",
    "multi",
    "discard",
    "hello 3",
    "config get maxmemory",
    "client tracking on bcast",
    "reset",
    "\"unbalanced",
    "2 ping",
    "info nothing",
    "lrange nothing 0 -1",
    "debug sleep 0.6",
];

#[test]
fn on_a_terminal_prompts_and_replies_are_redis_clis() {
    let (Some(theirs), Some(ours)) = (Real::start(&[]), Real::start(&[])) else { return };
    let run = |which, real: &Real| {
        let mut terminal = OnTerminal::start(client(which, real.port));
        assert!(terminal.prompted(0));
        for line in TYPED {
            assert!(terminal.type_line(line), "{which} ended at {line}: {}", terminal.seen);
        }
        assert!(!terminal.type_line("quit"));
        let (seen, code) = terminal.end();
        let seen = seen.replace(&real.port.to_string(), "PORT");
        // How long the slow command took is the only figure that may differ.
        let seen: Vec<String> = seen
            .lines()
            .filter(|line| !line.starts_with("(0.") && !line.contains("\"id\" =>"))
            .map(str::to_owned)
            .collect();
        (seen.join("\n"), code)
    };
    assert_eq!(run("rctl", &ours), run("redis-cli", &theirs));
}

#[test]
fn after_a_lost_connection_the_prompt_tells_the_truth() {
    let Some(real) = Real::start(&[]) else { return };
    let mut terminal = OnTerminal::start(client("rctl", real.port));
    assert!(terminal.prompted(0));
    for line in ["select 3", "set a three", "hello 3", "multi"] {
        assert!(terminal.type_line(line));
    }
    real.ask("CLIENT KILL TYPE normal");
    let from = terminal.seen.len();
    for line in ["get a", "get a", "config get maxmemory", "quit"] {
        terminal.type_line(line);
    }
    let port = real.port;
    let want = format!(
        "get a\nError: Server closed the connection\nnot connected> get a\n\"three\"\n\
         127.0.0.1:{port}[3]> config get maxmemory\n1# \"maxmemory\" => \"0\"\n127.0.0.1:{port}[3]> quit\n"
    );
    let (seen, code) = terminal.end();
    assert_eq!(seen[from..].replace("\r\n", "\n"), want);
    assert_eq!(code, Some(0));
}

#[test]
fn a_refused_write_names_the_master_on_a_terminal_and_nowhere_else() {
    let Some(master) = Real::start(&[]) else { return };
    let Some(replica) = Real::start(&["--replicaof", &format!("127.0.0.1 {}", master.port)]) else { return };
    let mut terminal = OnTerminal::start(client("rctl", replica.port));
    assert!(terminal.prompted(0));
    assert!(terminal.type_line("set name leon"));
    terminal.type_line("quit");
    let (seen, _) = terminal.end();
    assert!(seen.contains("(error) READONLY You can't write against a read only replica."), "{seen}");
    assert!(seen.contains(&format!("this is a replica; its master is {}\r\n", master.port)), "{seen}");
    let mut command = client("rctl", replica.port);
    command.args(["set", "name", "leon"]);
    let output = fed(command, b"");
    assert_eq!(output.stdout, b"READONLY You can't write against a read only replica.\n\n");
    assert_eq!(output.stderr, b"");
}

#[test]
fn an_editing_terminal_has_the_same_prompts_and_keeps_secrets_out_of_its_history() {
    let Some(real) = Real::start(&[]) else { return };
    let home = tempfile::tempdir().unwrap();
    let mut command = client("rctl", real.port);
    command.env("TERM", "xterm").env("HOME", home.path());
    let mut terminal = OnTerminal::start(command);
    let prompt = format!("127.0.0.1:{}> ", real.port);
    let wait_for = |terminal: &mut OnTerminal, text: &str| {
        let mut chunk = [0; 4096];
        while !terminal.seen.contains(text) {
            let len = loop {
                match terminal.master.read(&mut chunk) {
                    Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                    other => break other.unwrap(),
                }
            };
            terminal.seen.push_str(&String::from_utf8_lossy(&chunk[..len]));
        }
        terminal.seen.clear();
    };
    wait_for(&mut terminal, &prompt);
    for (line, want) in [
        ("set name leon", "OK"),
        ("get name", "\"leon\""),
        ("auth secret", "(error)"),
        ("help set", "SET key value"),
    ] {
        terminal.master.write_all(format!("{line}\r").as_bytes()).unwrap();
        wait_for(&mut terminal, want);
    }
    terminal.master.write_all(b"quit\r").unwrap();
    let (_, code) = terminal.end();
    assert_eq!(code, Some(0));
    let history = std::fs::read_to_string(home.path().join(".rctl_history")).unwrap();
    assert!(history.contains("set name leon") && !history.contains("secret"), "{history}");
}

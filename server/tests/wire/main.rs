//! The real binary over real sockets: what no test in process can see.

#![expect(clippy::disallowed_methods, reason = "a test of real processes has a deadline")]
#![expect(clippy::disallowed_types, reason = "a test of real servers speaks to them itself")]

mod faults;
mod process;

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::UnixStream;

use process::{Client, Daemon, Server, directory, free_port, outcome, until};
use rctl_server::resp::value::Value;

#[test]
fn both_families_of_loopback_answer() {
    let (_keep, dir) = directory();
    let server = Server::start(&dir, &["--save", ""]);
    assert_eq!(server.client().ask("PING"), "PONG");
    // A machine without IPv6 serves the other family all the same.
    if let Ok(stream) = TcpStream::connect(("::1", server.port)) {
        assert_eq!(Client::over(stream).ask("PING"), "PONG");
    }
}

#[test]
fn requests_may_come_split_and_together() {
    let (_keep, dir) = directory();
    let server = Server::start(&dir, &["--save", ""]);
    let mut client = server.client();
    for byte in b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$2\r\n\r\n\r\n" {
        client.stream.write_all(&[*byte]).unwrap();
    }
    assert_eq!(client.reply(), Value::Simple("OK".to_owned()));
    let many = b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n".repeat(10_000);
    let mut writer = client.stream.try_clone().unwrap();
    let sender = std::thread::spawn(move || writer.write_all(&many).unwrap());
    for _ in 0..10_000 {
        assert_eq!(client.reply(), Value::Bulk(b"\r\n".to_vec()));
    }
    sender.join().unwrap();
}

#[test]
fn half_a_close_still_gets_its_answers() {
    let (_keep, dir) = directory();
    let server = Server::start(&dir, &["--save", ""]);
    let mut client = server.client();
    client.stream.write_all(b"PING\r\nECHO hello\r\n").unwrap();
    client.stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(client.rest(), "+PONG\r\n$5\r\nhello\r\n");
    let mut client = server.client();
    client.stream.write_all(b"QUIT\r\nPING\r\n").unwrap();
    assert_eq!(client.rest(), "+OK\r\n");
}

#[test]
fn a_reader_that_stops_stops_nobody_and_loses_nothing() {
    let (_keep, dir) = directory();
    let server = Server::start(&dir, &["--save", ""]);
    let mut slow = server.client();
    let value: Vec<u8> = (0..8u32 << 20).map(|n| n.to_le_bytes()[1]).collect();
    assert_eq!(slow.call(&[b"SET", b"big", &value]), Value::Simple("OK".to_owned()));
    slow.stream.write_all(&b"GET big\r\n".repeat(4)).unwrap();
    let mut other = server.client();
    for _ in 0..100 {
        assert_eq!(other.ask("PING"), "PONG");
    }
    for _ in 0..4 {
        assert_eq!(slow.reply(), Value::Bulk(value.clone()));
    }
}

#[test]
fn one_client_too_many_is_told_so() {
    let (_keep, dir) = directory();
    let server = Server::start(&dir, &["--save", "", "--maxclients", "2"]);
    let mut first = server.client();
    let mut second = server.client();
    assert_eq!((first.ask("PING"), second.ask("PING")), ("PONG".to_owned(), "PONG".to_owned()));
    assert_eq!(server.client().rest(), "-ERR max number of clients reached\r\n");
    drop(second);
    first.ask_until("INFO clients", "connected_clients:1");
    assert_eq!(server.client().ask("PING"), "PONG");
    assert!(first.ask("INFO stats").contains("rejected_connections:1"));
}

#[test]
fn what_was_set_is_there_after_a_restart() {
    let (_keep, dir) = directory();
    let mut server = Server::start(&dir, &["--dbfilename", "db1.rdb"]);
    server.wait_for("Server initialized");
    let mut client = server.client();
    assert_eq!(client.ask("SET greeting hello"), "OK");
    client.stream.write_all(b"SHUTDOWN\r\n").unwrap();
    let (status, log) = server.end();
    assert_eq!(status.code(), Some(0));
    assert!(log.iter().any(|line| line.contains("ready to exit, bye bye")), "{log:#?}");
    let files: Vec<_> = std::fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(files, ["db1.rdb"], "no lock and no temporary file is left");

    let mut server = Server::start(&dir, &["--dbfilename", "db1.rdb"]);
    server.wait_for("DB loaded from disk: ");
    assert_eq!(server.client().ask("GET greeting"), "hello");
    assert_eq!(server.client().ask("SET greeting bye"), "OK");
    assert_eq!(server.client().ask("SAVE"), "OK");
    server.signal("KILL");
    server.end();
    assert_eq!(Server::start(&dir, &["--dbfilename", "db1.rdb"]).client().ask("GET greeting"), "bye");
}

#[test]
fn a_damaged_data_file_ends_the_start_and_stays_as_it_is() {
    let (_keep, dir) = directory();
    std::fs::write(dir.join("dump.rdb"), "REDIS0009 is not what follows").unwrap();
    let (code, out, _) = outcome(&["--port", &free_port().to_string()], &dir);
    assert_eq!(code, Some(1));
    assert!(out.contains("Fatal error loading the DB"), "{out}");
    assert_eq!(std::fs::read(dir.join("dump.rdb")).unwrap(), b"REDIS0009 is not what follows");
}

#[test]
fn two_servers_share_a_directory_but_not_a_data_file() {
    let (_keep, dir) = directory();
    let first = Server::start(&dir, &["--dbfilename", "db1.rdb"]);
    let _second = Server::start(&dir, &["--dbfilename", "db2.rdb"]);
    let (code, _, err) = outcome(&["--port", &free_port().to_string(), "--dbfilename", "db1.rdb"], &dir);
    assert_eq!(code, Some(1));
    let want = format!("db1.rdb is in use by another server in this directory, process {}", first.pid());
    assert!(err.contains(&want), "{err}");
}

#[test]
fn a_signal_ends_it_at_once() {
    let (_keep, dir) = directory();
    for signal in ["TERM", "INT"] {
        let server = Server::start(&dir, &["--save", ""]);
        let begun = std::time::Instant::now();
        server.signal(signal);
        let (status, log) = server.end();
        assert_eq!(status.code(), Some(0));
        assert!(log.iter().any(|line| line.contains("bye bye")), "{log:#?}");
        assert!(begun.elapsed().as_secs() < 5, "nothing was to be waited for");
    }
    let server = Server::start(&dir, &["--save", ""]);
    server.signal("HUP");
    assert_eq!(server.client().ask("PING"), "PONG");
}

#[test]
fn what_is_wrong_at_start_is_told_in_redis_words() {
    let (_keep, dir) = directory();
    let server = Server::start(&dir, &["--save", ""]);
    let port = server.port.to_string();
    let (code, out, _) = outcome(&["--port", &port, "--save", ""], &dir);
    assert_eq!(code, Some(1));
    let want = format!(
        "# Warning: Could not create server TCP listening socket 127.0.0.1:{port}: bind: Address already in use\n"
    );
    assert!(
        out.contains(&want) && out.contains(&format!("# Failed listening on port {port} (tcp), aborting.")),
        "{out}"
    );

    std::fs::write(dir.join("bad.conf"), "port 0\n\nfoo bar\n").unwrap();
    let (code, _, err) = outcome(&["bad.conf"], &dir);
    assert_eq!(code, Some(1));
    assert!(err.contains("at line 3\n>>> 'foo bar'\nBad directive or wrong number of arguments"), "{err}");
    for (args, want) in [
        (&["--sentinel"][..], "--sentinel is not supported"),
        (&["none.conf"], "Fatal error, can't open config file 'none.conf': No such file or directory"),
        (&["--port", "0"], ""),
        (&["--appendonly", "yes"], "appendonly is not supported by this server"),
        (&["--dir", "none"], "Can't chdir to 'none': No such file or directory"),
    ] {
        let (code, _, err) = outcome(args, &dir);
        assert!(code == Some(1) && err.contains(want), "{args:?}: {err}");
    }
    assert!(outcome(&["--version"], &dir).1.starts_with("rctl-server v="));
    assert!(outcome(&["-h"], &dir).1.starts_with("Usage: "));
}

#[test]
fn a_unix_socket_serves_its_owner() {
    use std::os::unix::fs::PermissionsExt as _;
    let (_keep, dir) = directory();
    let path = dir.join("s.sock");
    let options = ["--port", "0", "--save", "", "--unixsocket", "s.sock", "--unixsocketperm", "700"];
    let mut server = Server::spawn(&dir, &options, 0);
    server.wait_for("Ready to accept connections unix");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(Client::over(UnixStream::connect(&path).unwrap()).ask("PING"), "PONG");
    server.signal("TERM");
    server.end();
    assert!(!path.exists());
}

#[test]
fn the_configuration_follows_config_set_and_rewrite() {
    let (_keep, dir) = directory();
    let (old, new) = (free_port(), free_port());
    let text = format!("# mine\nport {old}\nsave \"\"\nloglevel notice\n");
    std::fs::write(dir.join("r.conf"), &text).unwrap();
    let mut server = Server::spawn(&dir, &["r.conf"], old);
    server.wait_for("Ready to accept connections tcp");
    let mut client = server.client();
    assert_eq!(client.ask(&format!("CONFIG SET port {new}")), "OK");
    assert_eq!(client.ask("PING"), "PONG", "who is connected stays");
    assert!(TcpStream::connect(("127.0.0.1", old)).is_err());
    let mut moved = Client::over(TcpStream::connect(("127.0.0.1", new)).unwrap());
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    assert_eq!(
        moved.ask(&format!("CONFIG SET port {port}")),
        "ERR CONFIG SET failed (possibly related to argument 'port') - Unable to listen on this port. Check server logs."
    );
    assert_eq!(moved.ask("CONFIG GET port"), format!("port {new}"));
    assert_eq!(moved.ask("CONFIG REWRITE"), "OK");
    let text = std::fs::read_to_string(dir.join("r.conf")).unwrap();
    assert!(text.starts_with(&format!("# mine\nport {new}\nsave \"\"\nloglevel notice\n")), "{text}");
}

#[test]
fn the_command_line_can_be_a_pipe_and_the_server_a_daemon() {
    let (_keep, dir) = directory();
    let port = free_port();
    let mut child = process::binary();
    child.args(["--daemonize", "yes", "-"]).current_dir(&dir);
    let mut child = child.stdin(std::process::Stdio::piped()).spawn().unwrap();
    let text = format!("port {port}\nsave \"\"\npidfile d.pid\nlogfile d.log\n");
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success(), "the one that was called returns");
    let pid = until("a pid file", || {
        let text = std::fs::read_to_string(dir.join("d.pid")).ok()?;
        text.strip_suffix('\n').map(str::to_owned)
    });
    let daemon = Daemon(pid);
    let stream = until("a connection", || TcpStream::connect(("127.0.0.1", port)).ok());
    let mut client = Client::over(stream);
    assert!(client.ask("INFO server").contains(&format!("process_id:{}\r\n", daemon.0)));
    client.stream.write_all(b"SHUTDOWN NOSAVE\r\n").unwrap();
    let mut rest = Vec::new();
    let _ = client.stream.read_to_end(&mut rest);
    let log = std::fs::read_to_string(dir.join("d.log")).unwrap();
    assert!(log.contains("Ready to accept connections tcp") && log.contains("bye bye"), "{log}");
}

#[test]
fn a_replica_finds_its_master_by_name() {
    let (_keep, dir) = directory();
    let master = Server::start(&dir, &["--dbfilename", "db1.rdb"]);
    let replica = Server::start(&dir, &["--dbfilename", "db2.rdb"]);
    assert_eq!(master.client().ask("SET before 1"), "OK");
    let mut client = replica.client();
    assert_eq!(client.ask(&format!("REPLICAOF localhost {}", master.port)), "OK");
    client.ask_until("INFO replication", "master_link_status:up");
    assert_eq!(client.ask("GET before"), "1");
    assert_eq!(master.client().ask("SET after 2"), "OK");
    client.ask_until("GET after", "2");
    assert!(client.ask("SET x 1").starts_with("READONLY"));
    master.signal("KILL");
    client.ask_until("INFO replication", "master_link_status:down");
}

//! Link faults between two real processes. Whatever is measured in time has only a lower bound: a slow machine is no
//! failure.

use std::time::{Duration, Instant};

use crate::process::{Client, Server, directory, free_port, until};

/// A master and its replica, in step.
struct Pair {
    _keep: (tempfile::TempDir, tempfile::TempDir),
    master: Server,
    replica: Server,
}

impl Pair {
    fn new() -> Self {
        let ((keep, dir), (other_keep, other_dir)) = (directory(), directory());
        let master = Server::start(&dir, &["--save", ""]);
        let upstream = format!("127.0.0.1 {}", master.port);
        let replica = Server::start(&other_dir, &["--save", "", "--replicaof", &upstream]);
        replica.client().ask_until("INFO replication", "master_link_status:up");
        master.client().ask_until("INFO replication", "state=online");
        Self { _keep: (keep, other_keep), master, replica }
    }

    fn fault(&self, rule: &str) {
        let asked = format!("DEBUG LINK {} {rule}", self.replica.port);
        assert_eq!(self.master.client().ask(&asked), "OK");
    }

    fn replica_has(&self, key: &str, value: &str) {
        self.replica.client().ask_until(&format!("GET {key}"), value);
    }
}

fn set(client: &mut Client<std::net::TcpStream>, key: &str, value: &str) {
    assert_eq!(client.ask(&format!("SET {key} {value}")), "OK");
}

#[test]
fn a_cut_link_is_refused_until_it_is_healed_and_goes_on_where_it_was() {
    let pair = Pair::new();
    let mut client = pair.master.client();
    pair.fault("cut");
    pair.replica.client().ask_until("INFO replication", "master_link_status:down");
    set(&mut client, "k", "behind");
    // Clients of both are never touched.
    assert_eq!(pair.replica.client().ask("GET k"), "Null");
    client.ask_until("INFO replication", "connected_slaves:0");
    pair.fault("none");
    pair.replica_has("k", "behind");
    assert!(client.ask("INFO stats").contains("sync_full:1\r"), "a cut link came back with a full copy");
}

#[test]
fn a_silent_cut_looks_alive_and_delivers_all_of_it_when_it_is_healed() {
    let pair = Pair::new();
    let mut client = pair.master.client();
    pair.fault("stall");
    for n in 0..1000 {
        set(&mut client, &format!("k{n}"), &format!("v{n}"));
    }
    assert_eq!(client.ask("WAIT 1 200"), "0");
    assert!(pair.replica.client().ask("INFO replication").contains("master_link_status:up"));
    assert_eq!(pair.replica.client().ask("DBSIZE"), "0");
    pair.fault("none");
    pair.replica_has("k999", "v999");
    assert_eq!(client.ask("WAIT 1 20000"), "1");
    assert!(pair.replica.client().ask("INFO replication").contains("master_link_status:up"));
}

#[test]
fn a_delay_holds_each_way_and_lifting_it_delivers_at_once() {
    let pair = Pair::new();
    let mut client = pair.master.client();
    pair.fault("delay 150");
    let began = Instant::now();
    set(&mut client, "k", "late");
    assert_eq!(client.ask("WAIT 1 20000"), "1");
    assert!(began.elapsed() >= Duration::from_millis(300), "there and back took {:?}", began.elapsed());
    pair.fault("delay 3600000");
    set(&mut client, "k", "later");
    assert_eq!(client.ask("WAIT 1 100"), "0");
    pair.fault("none");
    assert_eq!(client.ask("WAIT 1 20000"), "1");
}

#[test]
fn a_throttled_link_is_as_slow_as_it_is_told() {
    let pair = Pair::new();
    let mut client = pair.master.client();
    pair.fault("rate 100000");
    let value = "x".repeat(50_000);
    let began = Instant::now();
    set(&mut client, "k", &value);
    assert_eq!(client.ask("WAIT 1 20000"), "1");
    assert!(began.elapsed() >= Duration::from_millis(400), "50 kB at 100 kB/s took {:?}", began.elapsed());
    assert_eq!(pair.replica.client().ask("STRLEN k"), "50000");
}

#[test]
fn what_is_under_way_dies_with_the_master() {
    let pair = Pair::new();
    let mut client = pair.master.client();
    set(&mut client, "k", "old");
    assert_eq!(client.ask("WAIT 1 20000"), "1");
    pair.fault("delay 2000");
    set(&mut client, "k", "new");
    pair.master.signal("KILL");
    pair.replica.client().ask_until("INFO replication", "master_link_status:down");
    assert_eq!(pair.replica.client().ask("GET k"), "old");
}

#[test]
fn a_full_copy_comes_through_a_slow_and_late_link_whole() {
    let pair = Pair::new();
    let mut client = pair.master.client();
    pair.fault("cut");
    assert_eq!(client.ask("DEBUG POPULATE 20000 key 100"), "OK");
    pair.fault("delay 20 rate 4000000");
    // What DEBUG made is in no stream: the replica has to copy all of it.
    assert_eq!(pair.replica.client().ask("REPLICAOF NO ONE"), "OK");
    assert_eq!(pair.replica.client().ask("SET own history"), "OK");
    assert_eq!(pair.replica.client().ask(&format!("REPLICAOF 127.0.0.1 {}", pair.master.port)), "OK");
    pair.replica.client().ask_until("DBSIZE", "20000");
    pair.fault("none");
    client.ask_until("INFO replication", "state=online");
    let digest = client.ask("DEBUG DIGEST");
    pair.replica.client().ask_until("DEBUG DIGEST", &digest);
}

#[test]
fn a_server_can_be_started_with_its_links_broken() {
    let ((_keep, dir), (_other, other_dir)) = (directory(), directory());
    let port = free_port();
    let fault = format!("{port} cut");
    let master = Server::start_with(&dir, &["--save", ""], &[("RCTL_LINK_FAULTS", &fault)]);
    let (text, upstream) = (port.to_string(), format!("127.0.0.1 {}", master.port));
    let mut replica =
        Server::spawn(&other_dir, &["--port", &text, "--save", "", "--replicaof", &upstream], port);
    replica.wait_for("Ready to accept connections");
    assert!(master.client().ask("DEBUG LINK LIST").contains(&fault));
    until("the replica was refused", || {
        let info = replica.client().ask("INFO replication");
        info.contains("master_link_status:down").then_some(())
    });
    master.client().ask_until("INFO replication", "connected_slaves:0");
    assert_eq!(master.client().ask("DEBUG LINK RESET"), "OK");
    replica.client().ask_until("INFO replication", "master_link_status:up");
}

//! Masters and replicas change places across brands: FAILOVER, promotion and the return of the old master, restarts and
//! a shutdown that waits.

use std::io::Write as _;

use rctl_server::command::{Flags, TABLE};

use crate::client::eventually;
use crate::compare::{assert_same, syncs};
use crate::load::{Load, fill};
use crate::node::{Brand, Node};

use Brand::{Ours, Redis62, Redis70};

/// redis-server 6.2 never stands right below 7.0, whose snapshots it cannot read.
///
/// Keepalives would move the offset between a load's end and a change of roles: exactness needs them gone.
const OPTIONS: [&str; 4] = ["--repl-ping-replica-period", "3600", "--repl-backlog-size", "64mb"];

/// A master with direct replicas and some data; `None` when a brand is missing.
fn star(brands: &[Brand]) -> Option<Vec<Node>> {
    let nodes = brands.iter().map(|&brand| Node::start(brand, &OPTIONS)).collect::<Option<Vec<_>>>()?;
    let (master, replicas) = nodes.split_first().unwrap();
    fill(master, 100);
    for replica in replicas {
        replica.follow(master);
    }
    Some(nodes)
}

/// Hands over under load from the first to the second, moves the third, and hands back.
fn there_and_back(brands: [Brand; 3]) {
    let Some(nodes) = star(&brands) else { return };
    let [old, new, third] = &nodes[..] else { return };
    let load = Load::on(old, 3);
    load.wait(500);
    old.must(&format!("FAILOVER TO 127.0.0.1 {}", new.port), "OK");
    new.wait_info("role", "master");
    old.wait_info("role", "slave");
    old.linked();
    old.wait_info("master_failover_state", "no-failover");
    load.move_to(new);
    load.wait(500);
    third.linked();
    third.follow(new);
    load.wait(500);
    new.must("FAILOVER", "OK");
    new.wait_info("role", "slave");
    new.linked();
    load.end();
    let top = nodes.iter().find(|node| node.info("role") == "master").unwrap();
    assert!(top.port != new.port);
    for node in &nodes {
        if node.port != top.port {
            node.follow(top);
        }
    }
    assert_same(&[top, old, new, third]);
    assert_eq!(syncs(&[old, new, third]).0, 2, "two first contacts and no full resync after them");
}

#[test]
fn redis_7_0_hands_over_to_us_and_back() {
    there_and_back([Redis70, Ours, Redis70]);
    there_and_back([Redis70, Ours, Ours]);
}

#[test]
fn we_hand_over_to_redis_and_back() {
    there_and_back([Ours, Redis70, Ours]);
    there_and_back([Ours, Redis62, Redis62]);
}

#[test]
fn redis_6_2_hands_over_to_us_and_back() {
    there_and_back([Redis62, Ours, Redis70]);
}

/// The target sleeps: without FORCE the master stays one, with it the roles change all the same.
fn sleeping_target(brands: [Brand; 2]) {
    let Some(nodes) = star(&brands) else { return };
    let [old, new] = &nodes[..] else { return };
    new.signal("STOP");
    old.must("SET while asleep", "OK");
    old.must(&format!("FAILOVER TO 127.0.0.1 {} TIMEOUT 200", new.port), "OK");
    old.wait_info("master_failover_state", "no-failover");
    assert_eq!(old.info("role"), "master");
    old.must("SET again asleep", "OK");
    new.signal("CONT");
    assert_same(&[old, new]);

    new.signal("STOP");
    old.must("SET more asleep", "OK");
    old.must(&format!("FAILOVER TO 127.0.0.1 {} FORCE TIMEOUT 200", new.port), "OK");
    old.wait_info("master_failover_state", "failover-in-progress");
    new.signal("CONT");
    new.wait_info("role", "master");
    old.linked();
    new.must("SET after it", "OK");
    assert_same(&[new, old]);

    // Aborted by hand.
    old.signal("STOP");
    new.must("SET third time", "OK");
    new.must("FAILOVER", "OK");
    new.wait_info("master_failover_state", "waiting-for-sync");
    new.must("FAILOVER ABORT", "OK");
    old.signal("CONT");
    new.must("SET fourth time", "OK");
    assert_same(&[new, old]);
}

#[test]
fn a_target_asleep_keeps_the_master_or_is_forced() {
    sleeping_target([Ours, Redis70]);
    sleeping_target([Redis70, Ours]);
    sleeping_target([Ours, Redis62]);
}

/// The second is promoted by hand; the others come over without a full resync. Then the old master, ahead by writes
/// of its own, comes over with one.
fn promoted(brands: [Brand; 3]) {
    let Some(nodes) = star(&brands) else { return };
    let [old, new, third] = &nodes[..] else { return };
    let load = Load::on(old, 5);
    load.wait(500);
    load.end();
    // A key that expires after the comparison would put the old master ahead.
    old.must("DEBUG SET-ACTIVE-EXPIRE 0", "OK");
    assert_same(&[old, new, third]);
    new.promote();
    let load = Load::on(new, 6);
    load.wait(200);
    third.follow(new);
    old.follow(new);
    load.wait(200);
    load.end();
    assert_same(&[new, old, third]);
    assert_eq!(syncs(&[old, new, third]), (2, 2), "first contacts; then two that continue");

    third.promote();
    new.must("SET only here", "OK");
    old.wait_info("master_repl_offset", &new.info("master_repl_offset"));
    // First the one that follows the other, which would ask for a snapshot of its own otherwise.
    for late in [old, new] {
        late.follow(third);
    }
    third.must("EXISTS only", "0");
    assert_same(&[third, new, old]);
    assert_eq!(syncs(&[old, new, third]).0, 4, "who is ahead of the new history has to start again");
}

#[test]
fn the_old_master_and_its_replicas_come_over_to_the_promoted_one() {
    promoted([Ours, Redis70, Redis62]);
    promoted([Redis70, Ours, Redis70]);
    promoted([Redis62, Ours, Ours]);
    promoted([Ours, Redis62, Ours]);
}

/// Every node in turn is stopped with its data saved and started again; nobody needs a snapshot.
fn restarted(brands: [Brand; 3]) {
    let Some(mut nodes) = star(&brands) else { return };
    // A key that dies while its master is down: a master tells its replicas of that after the start.
    for round in 0..2 {
        nodes[0].must("SET short lived PX 30", "OK");
        for n in 0..3 {
            let same: Vec<&Node> = nodes.iter().collect();
            assert_same(&same);
            let (full, _) = syncs(&same);
            assert_eq!(full, if round == 0 && n == 0 { 2 } else { 0 }, "{brands:?} {round} {n}");
            nodes[n].shutdown("SAVE");
            if n > 0 {
                nodes[0].must(&format!("SET down {n}"), "OK");
            }
            nodes[n].spawn();
            for replica in &nodes[1..] {
                replica.linked();
            }
            nodes[0].must("SET up again", "OK");
        }
    }
    assert_same(&nodes.iter().collect::<Vec<_>>());
}

#[test]
fn a_saved_node_comes_back_without_a_full_resync() {
    restarted([Ours, Redis70, Redis62]);
    restarted([Redis70, Ours, Redis70]);
    // redis-server 6.2 keeps its history only as a replica.
    restarted([Ours, Redis62, Redis62]);
}

/// A replica lags while its master is told to end: the master waits for it.
fn waits_for_the_slow(brands: [Brand; 2]) {
    let Some(mut nodes) = star(&brands) else { return };
    nodes[1].signal("STOP");
    fill(&nodes[0], 2000);
    let mut client = nodes[0].client();
    client.stream.write_all(b"SHUTDOWN SAVE\r\n").unwrap();
    let waits = eventually(|| (!nodes[0].info("shutdown_in_milliseconds").is_empty()).then_some(()));
    assert!(waits.is_some(), "it does not wait");
    nodes[1].signal("CONT");
    nodes[0].ended();
    assert!(nodes[0].log().contains("1 of 1 replicas are in sync when shutting down"));
    nodes[0].spawn();
    nodes[1].linked();
    assert_same(&[&nodes[0], &nodes[1]]);
    assert_eq!(nodes[0].count("sync_full"), 0);
}

#[test]
fn a_master_that_ends_waits_for_the_slow() {
    waits_for_the_slow([Ours, Redis70]);
    waits_for_the_slow([Redis70, Ours]);
    waits_for_the_slow([Ours, Redis62]);
}

#[test]
fn a_master_that_waits_no_longer_says_how_far_behind_each_replica_is() {
    let Some(mut nodes) = star(&[Ours, Redis70]) else { return };
    nodes[0].must("CONFIG SET shutdown-timeout 1", "OK");
    nodes[1].signal("STOP");
    let before = nodes[0].count("master_repl_offset");
    fill(&nodes[0], 100);
    let written = nodes[0].count("master_repl_offset") - before;
    nodes[0].shutdown("NOSAVE");
    let log = nodes[0].log();
    let told = log.split_once("reported offset ").and_then(|(_, rest)| rest.split(' ').next()?.parse().ok());
    assert!(told.is_some_and(|told: i64| told >= written), "{written} bytes were written: {log}");
    assert!(log.contains("0 of 1 replicas are in sync"), "{log}");
}

/// A master without a data file is killed and comes back empty: its replica of ours keeps what it has until it is told.
fn came_back_empty(brand: Brand) {
    let Some(mut nodes) = star(&[brand, Ours]) else { return };
    nodes[0].kill();
    // A snapshot for a replica may have gone by way of its data file.
    let _ = std::fs::remove_file(nodes[0].dir().join("dump.rdb"));
    nodes[0].spawn();
    let held = eventually(|| (!nodes[1].info("master_sync_held").is_empty()).then_some(()));
    assert!(held.is_some(), "{}", nodes[1].ask("INFO replication"));
    nodes[1].must("GET base:0:1", "1");
    nodes[0].must("DBSIZE", "0");
    nodes[1].turn_to(&nodes[0]);
    nodes[1].linked();
    nodes[1].must("EXISTS base:0:1", "0");
    nodes[0].must("SET fresh start", "OK");
    assert_same(&[&nodes[0], &nodes[1]]);
}

#[test]
fn a_master_that_comes_back_empty_takes_nothing_unless_told() {
    came_back_empty(Redis70);
    came_back_empty(Redis62);
    came_back_empty(Ours);
}

#[test]
fn every_writing_command_is_refused_by_a_replica() {
    let [Some(master), Some(replica)] = [(); 2].map(|()| Node::start(Ours, &[])) else { return };
    master.must("SET k v", "OK");
    replica.follow(&master);
    let before = replica.ask("DEBUG DIGEST");
    let rows = TABLE.iter().flat_map(|row| std::iter::once(row).chain(row.subcommands));
    let mut tried = 0;
    for row in rows.filter(|row| row.flags.has(Flags::WRITE)) {
        let mut words: Vec<&str> = row.name.split('|').collect();
        words.resize(usize::from(row.arity.unsigned_abs()), "1");
        let answer = replica.ask(&words.join(" "));
        assert!(answer.starts_with("READONLY"), "{words:?}: {answer}");
        tried += 1;
    }
    assert!(tried > 30, "{tried} writing commands");
    assert_eq!(replica.ask("DEBUG DIGEST"), before);
}

//! A real redis-server below us, above us and in the middle of chains.

use crate::compare::{assert_same, syncs};
use crate::load::{Load, fill};
use crate::node::{Brand, Node};

use Brand::{Ours, Redis62, Redis70};

/// Builds a chain from top to bottom under load, ends the load and compares. One full resync for each link is owed.
fn chain(brands: &[Brand], options: &[&str]) {
    let Some(nodes) = brands.iter().map(|&brand| Node::start(brand, options)).collect::<Option<Vec<_>>>()
    else {
        return;
    };
    let nodes: Vec<&Node> = nodes.iter().collect();
    let (top, rest) = nodes.split_first().unwrap();
    fill(top, 300);
    let load = Load::on(top, 7);
    let mut above = top;
    for node in rest {
        load.wait(100);
        node.follow(above);
        above = node;
    }
    load.wait(2000);
    load.end();
    assert_same(&nodes);
    assert_eq!(syncs(&nodes), (i64::try_from(rest.len()).unwrap(), 0), "{brands:?}");
}

#[test]
fn redis_7_0_below_us() {
    chain(&[Ours, Redis70], &[]);
}

#[test]
fn redis_7_0_above_us() {
    chain(&[Redis70, Ours], &[]);
}

#[test]
fn redis_7_0_in_the_middle_of_us() {
    chain(&[Ours, Redis70, Ours], &[]);
}

#[test]
fn we_in_the_middle_of_redis_7_0() {
    chain(&[Redis70, Ours, Redis70], &[]);
}

#[test]
fn redis_6_2_below_us() {
    chain(&[Ours, Redis62], &[]);
}

#[test]
fn redis_6_2_above_us() {
    chain(&[Redis62, Ours], &[]);
}

#[test]
fn redis_6_2_in_the_middle_of_us() {
    chain(&[Ours, Redis62, Ours], &[]);
}

#[test]
fn we_in_the_middle_of_redis_6_2() {
    chain(&[Redis62, Ours, Redis62], &[]);
}

#[test]
fn chains_of_five() {
    chain(&[Ours, Redis62, Ours, Redis70, Ours], &[]);
    chain(&[Redis70, Ours, Ours, Redis62, Ours], &[]);
}

#[test]
fn snapshots_by_way_of_a_file() {
    for brand in Brand::REAL {
        chain(&[Ours, brand, Ours], &["--repl-diskless-sync", "no"]);
        chain(&[brand, Ours, brand], &["--repl-diskless-sync", "no"]);
    }
}

#[test]
fn snapshots_straight_into_memory() {
    for brand in Brand::REAL {
        let options = ["--repl-diskless-sync", "yes", "--repl-diskless-load", "swapdb"];
        chain(&[Ours, brand, Ours], &options);
        chain(&[brand, Ours, brand], &options);
    }
}

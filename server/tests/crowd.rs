//! `maxmemory-clients` and `client-query-buffer-limit`: who takes too much is closed, and only they.

#![expect(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use rctl_server::resp::reply::encode_request;
use rctl_server::resp::{Value, value};
use rctl_server::sim::World;

/// A master with this configuration, and clients of it.
fn world(config: &str, clients: &[&str]) -> World {
    let mut world = World::new(1, config, true);
    clients.iter().for_each(|client| world.connect(client, 1));
    world
}

fn ask(world: &mut World, client: &str, words: &[&str]) -> Value {
    let mut bytes = Vec::new();
    encode_request(&mut bytes, words);
    world.send(client, &bytes);
    world.settle();
    let (bytes, _) = world.take(client);
    value::decode(&bytes).expect("a reply").unwrap_or_else(|| panic!("no reply to {words:?}")).0
}

/// Begins a request of this size and does not end it.
fn begin(world: &mut World, client: &str, size: usize) {
    let mut bytes = format!("*3\r\n$3\r\nSET\r\n$1\r\na\r\n${}\r\n", size + 1).into_bytes();
    bytes.resize(bytes.len() + size, b'x');
    world.send(client, &bytes);
    world.settle();
}

fn is_closed(world: &mut World, client: &str) -> bool {
    world.settle();
    world.take(client).1
}

fn info(world: &mut World, client: &str, section: &str, name: &str) -> u64 {
    let page = match ask(world, client, &["INFO", section]) {
        Value::Bulk(page) => String::from_utf8_lossy(&page).into_owned(),
        other => panic!("no page: {other:?}"),
    };
    let line = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.expect("it is shown").parse().expect("a number")
}

#[test]
fn the_largest_client_goes_first_and_no_more_than_needed() {
    let mut world = world("maxmemory-clients 1mb\n", &["ask", "small", "large", "middle"]);
    begin(&mut world, "small", 100_000);
    begin(&mut world, "large", 500_000);
    assert!(info(&mut world, "ask", "memory", "mem_clients_normal") > 600_000);
    begin(&mut world, "middle", 480_000);
    assert!(is_closed(&mut world, "large"));
    assert!(!is_closed(&mut world, "middle") && !is_closed(&mut world, "small"));
    assert_eq!(info(&mut world, "ask", "stats", "evicted_clients"), 1);
    let left = info(&mut world, "ask", "memory", "mem_clients_normal");
    assert!((580_000..1 << 20).contains(&left), "{left} bytes are left");
    assert!(world.take_log(1).iter().any(|line| line.contains("Evicting client: id=")));
}

#[test]
fn who_asked_to_be_spared_counts_and_stays() {
    let mut world = world("maxmemory-clients 1mb\n", &["ask", "spared", "other"]);
    ask(&mut world, "spared", &["CLIENT", "NO-EVICT", "on"]);
    begin(&mut world, "spared", 2_000_000);
    begin(&mut world, "other", 100);
    // Nobody but the spared one is to blame, and still they make the room there is to make.
    assert!(!is_closed(&mut world, "spared"));
    assert!(is_closed(&mut world, "other") && is_closed(&mut world, "ask"));
}

#[test]
fn a_transaction_and_what_is_not_read_count() {
    let mut world = world("maxmemory-clients 1mb\n", &["ask", "queues"]);
    ask(&mut world, "queues", &["MULTI"]);
    let value = "x".repeat(300_000);
    for _ in 0..3 {
        ask(&mut world, "queues", &["SET", "a", &value]);
    }
    assert!(!is_closed(&mut world, "queues"));
    begin(&mut world, "queues", 300_000);
    assert!(is_closed(&mut world, "queues"));
    assert_eq!(info(&mut world, "ask", "stats", "evicted_clients"), 1);
}

#[test]
fn a_limit_in_hundredths_follows_maxmemory_and_holds_at_once() {
    let mut world = world("maxmemory-clients 50%\n", &["ask", "large"]);
    begin(&mut world, "large", 700_000);
    assert!(!is_closed(&mut world, "large"), "there is no maxmemory");
    ask(&mut world, "ask", &["CONFIG", "SET", "maxmemory", "2mb"]);
    assert!(!is_closed(&mut world, "large"), "half of it is enough");
    ask(&mut world, "ask", &["CONFIG", "SET", "maxmemory", "1mb"]);
    assert!(is_closed(&mut world, "large"));
    assert_eq!(ask(&mut world, "ask", &["PING"]), Value::Simple("PONG".into()));
}

#[test]
fn input_that_is_not_executed_is_limited_whether_it_is_queued_or_not() {
    let config = "client-query-buffer-limit 1mb\n";
    let mut world = world(config, &["ask", "whole", "queues"]);
    begin(&mut world, "whole", 1 << 20);
    assert!(is_closed(&mut world, "whole"));
    ask(&mut world, "queues", &["MULTI"]);
    let value = "x".repeat(400_000);
    ask(&mut world, "queues", &["SET", "a", &value]);
    ask(&mut world, "queues", &["SET", "a", &value]);
    begin(&mut world, "queues", 400_000);
    assert!(is_closed(&mut world, "queues"));
    assert_eq!(info(&mut world, "ask", "stats", "client_query_buffer_limit_disconnections"), 2);
}

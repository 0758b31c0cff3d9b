//! `maxmemory`: what is evicted, by which policy, and that replicas follow.

#![expect(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use rctl_server::resp::reply::encode_request;
use rctl_server::resp::{Value, value};
use rctl_server::sim::World;
use rctl_server::sim::world::port_of;

/// A master with a limit and this policy, and a replica of it.
fn pair(policy: &str) -> World {
    let config = format!("maxmemory 256kb\nmaxmemory-policy {policy}\n");
    let mut world = World::new(2, &config, true);
    world.connect("1", 1);
    world.connect("2", 2);
    ask(&mut world, "2", &["REPLICAOF", "127.0.0.1", &port_of(1).to_string()]);
    world.advance(20_000);
    world.settle();
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

fn number(value: &Value) -> i64 {
    match value {
        Value::Int(number) => *number,
        other => panic!("no number: {other:?}"),
    }
}

/// Writes 4000 keys of about 100 bytes, the first with `options`; `hot` is read all the while.
fn fill(world: &mut World, options: &[&str]) {
    let value = "x".repeat(100);
    ask(world, "1", &[&["SET", "hot", value.as_str()], options].concat());
    for index in 0..4000 {
        let key = format!("key:{index}");
        assert_eq!(
            ask(world, "1", &[&["SET", key.as_str(), value.as_str()], options].concat()),
            Value::Simple("OK".into())
        );
        if index % 20 == 0 {
            ask(world, "1", &["GET", "hot"]);
            world.advance(1000);
        }
    }
}

/// Fewer keys are there than were written, the limit holds, and the replica has the same.
fn shed(world: &mut World) {
    world.settle();
    let left = number(&ask(world, "1", &["DBSIZE"]));
    assert!((500..3000).contains(&left), "{left} keys are left");
    let node = world.node(1).expect("it runs");
    assert!(node.keyspace().live_memory() <= 256 << 10);
    let digests: Vec<_> = [1, 2].map(|n| world.node(n).expect("it runs").keyspace().exact_digest()).into();
    assert_eq!(digests[0], digests[1], "the replica holds what the master holds");
}

#[test]
fn the_keys_used_least_recently_go_first() {
    let mut world = pair("allkeys-lru");
    fill(&mut world, &[]);
    shed(&mut world);
    assert_eq!(number(&ask(&mut world, "1", &["EXISTS", "hot"])), 1);
    let early =
        (0..500).filter(|i| number(&ask(&mut world, "1", &["EXISTS", &format!("key:{i}")])) == 1).count();
    let late =
        (3500..4000).filter(|i| number(&ask(&mut world, "1", &["EXISTS", &format!("key:{i}")])) == 1).count();
    assert!(early < 50 && late > 400, "of the first 500 keys {early} are left, of the last {late}");
}

#[test]
fn the_keys_used_least_often_go_first() {
    let mut world = pair("allkeys-lfu");
    fill(&mut world, &[]);
    shed(&mut world);
    assert_eq!(number(&ask(&mut world, "1", &["EXISTS", "hot"])), 1);
    assert!(number(&ask(&mut world, "1", &["OBJECT", "FREQ", "hot"])) > 5);
    assert!(matches!(ask(&mut world, "1", &["OBJECT", "IDLETIME", "hot"]), Value::Error(_)));
}

#[test]
fn any_key_may_go_at_random() {
    let mut world = pair("allkeys-random");
    fill(&mut world, &[]);
    shed(&mut world);
}

#[test]
fn volatile_policies_spare_keys_without_a_deadline() {
    for policy in ["volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl"] {
        let mut world = pair(policy);
        for index in 0..100 {
            ask(&mut world, "1", &["SET", &format!("for ever:{index}"), "x"]);
        }
        fill(&mut world, &["EX", "100000"]);
        shed(&mut world);
        for index in 0..100 {
            assert_eq!(
                number(&ask(&mut world, "1", &["EXISTS", &format!("for ever:{index}")])),
                1,
                "{policy}"
            );
        }
    }
}

#[test]
fn a_few_keys_with_a_deadline_are_found_among_many_without() {
    let mut world = pair("volatile-ttl");
    let value = "x".repeat(100);
    ask(&mut world, "1", &["SET", "late", &value, "EX", "2000000"]);
    ask(&mut world, "1", &["SET", "soon", &value, "EX", "1000000"]);
    let mut index = 0;
    while number(&ask(&mut world, "1", &["EXISTS", "soon"])) == 1 {
        index += 1;
        assert!(index < 4000, "nothing is evicted");
        ask(&mut world, "1", &["SET", &format!("key:{index}"), &value]);
    }
    assert_eq!(number(&ask(&mut world, "1", &["EXISTS", "late"])), 1, "the one that ends first goes first");
}

#[test]
fn nothing_is_evicted_and_writes_are_refused_without_a_policy() {
    let mut world = pair("noeviction");
    let value = "x".repeat(100);
    let mut index = 0;
    let refused = loop {
        index += 1;
        assert!(index < 4000, "nothing is refused");
        if let Value::Error(text) = ask(&mut world, "1", &["SET", &format!("key:{index}"), &value]) {
            break text;
        }
    };
    assert_eq!(refused, "OOM command not allowed when used memory > 'maxmemory'.");
    assert_eq!(number(&ask(&mut world, "1", &["DEL", "key:1"])), 1);
    assert_eq!(number(&ask(&mut world, "1", &["DBSIZE"])), index - 2);
}

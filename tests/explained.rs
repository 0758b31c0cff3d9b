//! Every field that a server prints has its sentence in `rctl info --explain`: asked of real servers, not of a list.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

#[expect(dead_code, reason = "shared with other tests")]
mod rig;

use rig::World;

fn every_field_is_explained(engine: &str) {
    if engine == "redis" && !rig::redis_is_there("explained") {
        return;
    }
    let world = World::new();
    let base = world.base.to_string();
    world.ok(&["up", "-q", "--replicas", "1", "--port-base", &base, "--engine", engine]);
    let mut fields = 0;
    for node in [world.base, world.base + 1] {
        for section in ["server", "clients", "memory", "persistence", "stats", "replication", "cpu"] {
            let text = world.ok(&["info", &node.to_string(), section, "--explain", "--json"]);
            let answer: serde_json::Value = serde_json::from_str(&text).unwrap();
            for field in answer["sections"][0]["fields"].as_array().unwrap() {
                assert!(field["meaning"].is_string(), "{engine}: {} is not explained", field["field"]);
                fields += 1;
            }
        }
    }
    assert!(fields > 200, "{engine}: only {fields} fields were seen");
}

#[test]
fn every_field_of_the_builtin_server_is_explained() {
    every_field_is_explained("builtin");
}

#[test]
fn every_field_of_redis_server_is_explained() {
    every_field_is_explained("redis");
}

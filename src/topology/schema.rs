//! The shape of a topology file as a JSON schema, for editors that complete and check while one types. It says less than
//! `rctl check`: what concerns several nodes at once cannot be said in a schema.

use serde_json::{Value, json};

use super::check::NODES_MAX;

/// The schema, draft 7, which is what editors of TOML understand.
#[must_use]
pub fn schema() -> Value {
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "rctl topology",
        "description": "A set of Redis-compatible servers: who there is, and who follows whom.",
        "type": "object",
        "additionalProperties": false,
        "required": ["node"],
        "properties": {
            "name": {
                "description": "What the set is called; without it, as its file.",
                "$ref": "#/definitions/name"
            },
            "defaults": {
                "description": "What holds for every node that does not say otherwise.",
                "type": "object",
                "additionalProperties": false,
                "properties": defaults()
            },
            "node": {
                "description": "The nodes: a [[node]] table for each.",
                "type": "array",
                "minItems": 1,
                "maxItems": NODES_MAX,
                "items": node()
            },
            "sentinel": sentinel(),
            "autofailover": {
                "description": "The supervisor promotes a replica where a master stays away.",
                "type": "object",
                "additionalProperties": false,
                "properties": { "down-after": down_after() }
            }
        },
        "not": { "required": ["sentinel", "autofailover"] },
        "definitions": {
            "name": {
                "type": "string",
                "pattern": "^[a-z0-9][a-z0-9-]{0,39}$",
                "not": { "pattern": "^[0-9]+$" }
            },
            "port": { "type": "integer", "minimum": 1024, "maximum": 65535 }
        }
    })
}

/// What may stand in the defaults, and in a node.
fn defaults() -> Value {
    json!({
        "engine": {
            "description": "What runs it: builtin, redis and valkey from the PATH, or the path of a server program.",
            "type": "string",
            "anyOf": [{ "enum": ["builtin", "redis", "valkey"] }, { "pattern": "/" }],
            "default": "builtin"
        },
        "persistence": {
            "description": "What survives a restart.",
            "enum": ["none", "rdb", "aof"],
            "default": "rdb"
        },
        "restart": {
            "description": "Whether it is started again after a crash.",
            "enum": ["no", "on-failure"],
            "default": "no"
        },
        "config": {
            "description": "redis.conf directives.",
            "type": "object",
            "propertyNames": { "pattern": "^[A-Za-z0-9-]+$" },
            "additionalProperties": { "type": ["string", "number", "boolean"] }
        }
    })
}

fn node() -> Value {
    let mut properties = json!({
        "port": { "description": "Its port, and its handle everywhere.", "$ref": "#/definitions/port" },
        "name": { "description": "Another handle.", "$ref": "#/definitions/name" },
        "replica-of": {
            "description": "Whom it follows, by port or name. Without it, it is a master.",
            "type": ["integer", "string"]
        },
        "attach": {
            "description": "Somebody else started it: it is seen, promoted and re-pointed, never started or stopped.",
            "type": "boolean",
            "default": false
        },
        "host": { "description": "Where it is, when it is attached.", "type": "string", "default": "127.0.0.1" }
    });
    if let (Some(own), Value::Object(shared)) = (properties.as_object_mut(), defaults()) {
        own.extend(shared);
    }
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["port"],
        "properties": properties
    })
}

fn sentinel() -> Value {
    json!({
        "description": "Real redis-sentinel processes that watch the masters.",
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "count": {
                "description": "How many.", "type": "integer", "minimum": 1, "maximum": 9, "default": 3
            },
            "quorum": {
                "description": "How many must agree that a master is gone.",
                "type": "integer", "minimum": 1, "maximum": 9
            },
            "port": {
                "description": "The port of the first; the others follow.",
                "$ref": "#/definitions/port"
            },
            "down-after": down_after()
        }
    })
}

fn down_after() -> Value {
    json!({
        "description": "How long a master may be away, from 50ms to 10m.",
        "type": "string",
        "pattern": "^[0-9]+(ms|s|m)$",
        "default": "1s"
    })
}

#[cfg(test)]
mod tests {
    use super::super::file::{FILE_KEYS, NODE_KEYS};
    use super::*;

    fn keys(value: &Value) -> Vec<&str> {
        let mut keys: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
        keys.sort_unstable();
        keys
    }

    #[test]
    fn the_schema_knows_the_keys_that_the_parser_knows() {
        let sorted = |list: &[&'static str]| {
            let mut list = list.to_vec();
            list.sort_unstable();
            list
        };
        let schema = schema();
        assert_eq!(keys(&schema["properties"]), sorted(&FILE_KEYS));
        assert_eq!(keys(&schema["properties"]["node"]["items"]["properties"]), sorted(&NODE_KEYS));
        let keeper = &schema["properties"]["sentinel"]["properties"];
        assert_eq!(keys(keeper), ["count", "down-after", "port", "quorum"]);
    }
}

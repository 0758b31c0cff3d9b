//! `rctl check --schema`: every shipped topology is valid by it, and what the parser refuses as a shape it refuses too.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::path::Path;
use std::process::Command;

use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::Value;

struct Schema {
    schemas: Schemas,
    index: SchemaIndex,
}

impl Schema {
    fn printed() -> Self {
        let output = Command::new(env!("CARGO_BIN_EXE_rctl")).args(["check", "--schema"]).output().unwrap();
        assert!(output.status.success());
        let value: Value = serde_json::from_slice(&output.stdout).unwrap();
        let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
        compiler.add_resource("topology.json", value).unwrap();
        let index = compiler.compile("topology.json", &mut schemas).unwrap();
        Self { schemas, index }
    }

    fn takes(&self, toml: &str) -> Result<(), String> {
        let value: toml::Table = toml::from_str(toml).map_err(|error| error.to_string())?;
        let value = serde_json::to_value(value).map_err(|error| error.to_string())?;
        self.schemas.validate(&value, self.index).map_err(|error| error.to_string())
    }
}

#[test]
fn every_shipped_topology_is_valid_by_the_printed_schema() {
    let schema = Schema::printed();
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("topologies");
    let mut count = 0;
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(schema.takes(&text), Ok(()), "{}", path.display());
        count += 1;
    }
    assert!(count >= 7, "only {count} were found");
}

#[test]
fn every_valid_case_of_the_parser_is_valid_by_the_schema() {
    let schema = Schema::printed();
    let text = std::fs::read_to_string("tests/topology/valid.txt").unwrap();
    let mut count = 0;
    for case in text.split("=== ").skip(1) {
        let Some((file, _)) = case.split_once('\n').and_then(|(_, body)| body.split_once("\n----")) else {
            continue;
        };
        assert_eq!(schema.takes(file), Ok(()), "{file}");
        count += 1;
    }
    assert!(count >= 1, "no case was found");
}

#[test]
fn what_has_not_the_shape_of_a_topology_is_refused() {
    let schema = Schema::printed();
    for text in [
        "",
        "name = \"Master Set\"\n[[node]]\nport = 6379\n",
        "[[node]]\nport = \"6379\"\n",
        "[[node]]\nport = 80\n",
        "[[node]]\nprot = 6379\n",
        "[[node]]\nport = 6379\nengine = \"postgres\"\n",
        "[[node]]\nport = 6379\npersistence = \"maybe\"\n",
        "[[node]]\nport = 6379\nconfig = { save = [1] }\n",
        "[[node]]\nport = 6379\n[sentinel]\ncount = 0\n",
        "[[node]]\nport = 6379\n[sentinel]\n[autofailover]\n",
        "[[node]]\nport = 6379\n[autofailover]\ndown-after = \"soon\"\n",
    ] {
        assert!(schema.takes(text).is_err(), "{text}");
    }
}

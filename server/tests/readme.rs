//! The server's README is what its table says: the list of commands between the two marks is made from it.
//!
//! `UPDATE=1 cargo test -p rctl-server --test readme` writes the list anew.

use std::fmt::Write as _;

use rctl_server::command::{Command, TABLE};

const BEGIN: &str = "<!-- commands: made from the table -->\n";
const END: &str = "<!-- end of commands -->";

/// A paragraph per group, in the table's order. A container shows its subcommands.
fn list() -> String {
    let mut list = String::new();
    for group in TABLE.chunk_by(|a, b| a.group == b.group) {
        let names: Vec<String> = group.iter().filter(|row| !is_decoy(row)).map(shown).collect();
        let _ = writeln!(list, "\n**{}**: {}.", group[0].group, names.join(", "));
    }
    list.push('\n');
    list
}

/// What a browser sends is in the table so that it can be refused.
fn is_decoy(row: &Command) -> bool {
    ["post", "host:"].contains(&row.name)
}

fn shown(row: &Command) -> String {
    let name = row.name.to_ascii_uppercase();
    let words = row.subcommands.iter().filter_map(|sub| sub.name.split_once('|'));
    let words: Vec<String> =
        words.map(|(_, word)| word.to_ascii_uppercase()).filter(|word| word != "HELP").collect();
    if words.is_empty() { name } else { format!("{name} ({})", words.join(", ")) }
}

#[test]
fn the_list_of_commands_is_the_table() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
    let page = std::fs::read_to_string(path).unwrap();
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let whole = format!("{before}{BEGIN}{}{END}{after}", list());
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, whole).unwrap();
    } else {
        assert_eq!(page, whole, "UPDATE=1 cargo test -p rctl-server --test readme");
    }
}

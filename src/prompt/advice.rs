//! What `redis-cli` does not say and a learner would like to hear. One line each, for stderr, to a person only.

use rctl_server::resp::Value;

use super::link::Link;

/// After a write that a replica refused: who the master is. `aside` opens a second connection.
pub fn on_reply(reply: &Value, aside: impl FnOnce() -> Option<Link>) -> Option<String> {
    let Value::Error(text) = reply else { return None };
    if !text.starts_with("READONLY") {
        return None;
    }
    let info = aside()?.call(&["INFO", "replication"]).ok()?.to_text()?;
    let field = |name: &str| info.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    let (host, port) = (field("master_host:")?, field("master_port:")?);
    let master = match host {
        "127.0.0.1" | "localhost" | "::1" => port.to_owned(),
        _ => format!("{host}:{port}"),
    };
    Some(format!("this is a replica; its master is {master}"))
}

/// A quote that a word processor made: the server takes it for a letter.
#[must_use]
pub fn on_line(line: &str) -> Option<String> {
    let quote = line
        .chars()
        .find(|c| "\u{201c}\u{201d}\u{201e}\u{201f}\u{2018}\u{2019}\u{201a}\u{ab}\u{bb}".contains(*c))?;
    Some(format!(
        "{quote} is a typographic quote and was sent as a letter; the quotes that quote are \" and '"
    ))
}

/// A `*` that the shell replaced by the names of files before we saw it. `exists` tells whether a word is one.
#[must_use]
pub fn on_arguments(args: &[Vec<u8>], exists: impl Fn(&[u8]) -> bool) -> Option<String> {
    let (name, rest) = args.split_first()?;
    let pattern =
        name.eq_ignore_ascii_case(b"keys") && !rest.is_empty() && rest.iter().all(|word| exists(word));
    pattern.then(|| "the shell replaced * by file names; quote it: keys '*'".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_that_became_file_names_is_noticed_and_a_pattern_is_not() {
        let words = |line: &str| line.split(' ').map(|word| word.as_bytes().to_vec()).collect::<Vec<_>>();
        let exists = |word: &[u8]| word == b"Cargo.toml" || word == b"src";
        assert!(on_arguments(&words("KEYS Cargo.toml src"), exists).is_some());
        assert!(on_arguments(&words("keys *"), exists).is_none());
        assert!(on_arguments(&words("keys user:1"), exists).is_none());
        assert!(on_arguments(&words("get src"), exists).is_none());
    }

    #[test]
    fn typographic_quotes_are_named() {
        assert!(on_line("set name \u{201c}leon\u{201d}").unwrap().contains('\u{201c}'));
        assert_eq!(on_line("set name \"leon\""), None);
    }

    #[test]
    fn only_a_replicas_refusal_is_explained() {
        assert_eq!(on_reply(&Value::Error("ERR no".into()), || panic!("asked")), None);
        assert_eq!(on_reply(&Value::Simple("OK".into()), || panic!("asked")), None);
    }
}

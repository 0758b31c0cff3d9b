//! `DEBUG LINK`, as a built-in node takes it.

use std::collections::BTreeMap;

use rctl_server::fault::Rule;
use rctl_server::resp::{Args, Batch, Limits, Parser, Reply};

/// What is wrong with which link, by the port of the replica.
pub(super) type Rules = BTreeMap<u16, Rule>;

/// The most that is held of a command that has not come whole.
const HOLD: usize = 4 << 10;

/// Serves what has come, as far as it is whole. `false` ends the connection.
pub(super) fn serve(input: &mut Vec<u8>, rules: &mut Rules, out: &mut Vec<u8>) -> bool {
    let mut batch = Batch::default();
    let Ok(taken) = Parser::default().parse(input, &Limits::BEFORE_AUTH, usize::MAX, &mut batch) else {
        return false;
    };
    for index in 0..batch.len() {
        answer(batch.args(input, index), rules, out);
    }
    input.drain(..taken.min(input.len()));
    input.len() <= HOLD
}

fn answer(args: Args<'_>, rules: &mut Rules, out: &mut Vec<u8>) {
    let word = |at: usize| {
        if at < args.len() { String::from_utf8_lossy(args.get(at)).into_owned() } else { String::new() }
    };
    let is = |at: usize, text: &str| word(at).eq_ignore_ascii_case(text);
    let mut reply = Reply::default();
    if !is(0, "DEBUG") || !is(1, "LINK") {
        reply.error("ERR this connection is for DEBUG LINK");
    } else if is(2, "LIST") && args.len() == 3 {
        reply.array(rules.len());
        for (port, rule) in rules.iter() {
            reply.bulk(format!("{port} {rule}").as_bytes());
        }
    } else if is(2, "RESET") && args.len() == 3 {
        rules.clear();
        reply.ok();
    } else {
        let words: Vec<String> = (3..args.len()).map(word).collect();
        match (word(2).parse::<u16>(), words.join(" ").parse::<Rule>()) {
            (Ok(port), Ok(rule)) if port > 0 => {
                if rule.is_none() {
                    rules.remove(&port);
                } else {
                    rules.insert(port, rule);
                }
                reply.ok();
            }
            (Ok(1..), Err(why)) => reply.error(&format!("ERR {why}")),
            _ => reply.error("ERR a link is named by the port of the node it comes from"),
        }
    }
    out.extend_from_slice(reply.bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_set_listed_and_taken_away() {
        let (mut rules, mut out) = (Rules::new(), Vec::new());
        let mut input = b"DEBUG LINK 6380 cut\r\ndebug link 6381 delay 20\r\nDEBUG LINK LIST\r\nDEBUG LINK 6380 none\r\nDEBUG".to_vec();
        assert!(serve(&mut input, &mut rules, &mut out));
        assert_eq!(out, b"+OK\r\n+OK\r\n*2\r\n$8\r\n6380 cut\r\n$13\r\n6381 delay 20\r\n+OK\r\n");
        assert_eq!((input.as_slice(), rules.len()), (b"DEBUG".as_slice(), 1));
        out.clear();
        let mut input = b"DEBUG LINK 0 cut\r\nDEBUG LINK 1 cat\r\nGET k\r\nDEBUG LINK RESET\r\n".to_vec();
        assert!(serve(&mut input, &mut rules, &mut out));
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text.matches("-ERR").count(), 3, "{text}");
        assert!(rules.is_empty());
        assert!(!serve(&mut vec![b'x'; 5000], &mut rules, &mut Vec::new()), "a line without end is cut off");
    }
}

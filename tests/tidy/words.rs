//! What may not stand in a file.

use crate::none;
use crate::source::{Source, rust, sources};

/// Where bytes are made or parsed: the only files that may say the wire's old word for a replica, and why.
const OLD_WORD: [(&str, &str); 15] = [
    ("src/node/engine.rs", "reads configuration files that servers have rewritten"),
    ("src/node/observe.rs", "parses INFO"),
    ("src/node/sentinel.rs", "parses what Sentinels say"),
    ("src/prompt/options.rs", "one of redis-cli's options"),
    ("src/topology/file.rs", "points out the old spelling of a key"),
    ("src/topology/directives.rs", "names of directives"),
    ("server/src/command/table/server.rs", "the name of a command"),
    ("server/src/replication/survey.rs", "parses INFO"),
    ("server/src/node/clients.rs", "CLIENT KILL TYPE, CLIENT LIST"),
    ("server/src/node/config.rs", "names of directives"),
    ("server/src/node/config/", "names of directives and of classes of clients"),
    ("server/src/node/info.rs", "writes INFO"),
    ("server/src/node/info_replication.rs", "writes INFO"),
    ("server/src/node/memory.rs", "writes MEMORY STATS"),
    ("server/src/node/roles.rs", "writes ROLE"),
];

/// Where tests may pause, and why.
const PAUSES: [(&str, &str); 4] = [
    ("tests/rig/", "what waits for a condition looks again after a pause"),
    ("server/tests/peers/client.rs", "what waits for a condition looks again after a pause"),
    ("server/tests/peers/rogue.rs", "what waits for a condition looks again after a pause"),
    ("server/tests/peers/load.rs", "a writer whose server is down tries again after a pause"),
];

/// Texts that stand in no file of the project, and what to do instead. Joined here, so that this file passes too.
fn banned() -> Vec<(String, &'static str)> {
    let list = [
        (["FIX", "ME"], "finish it, or write down what it does not do"),
        (["XX", "X"], "finish it, or write down what it does not do"),
        (["to", "do!("], "write it"),
        (["unimplem", "ented!("], "write it"),
        (["#[al", "low("], "use #[expect(..., reason = \"...\")]"),
        (["#![al", "low("], "use #![expect(..., reason = \"...\")]"),
        (["#[ig", "nore"], "a test that does not run proves nothing: make it run, or delete it"),
        (["/wo", "rk/"], "no path of one machine"),
        (["/ho", "me/"], "no path of one machine"),
        (["/ro", "ot/"], "no path of one machine"),
        (["shared/de", "sign"], "the project stands alone"),
        (["shared/se", "ed"], "the project stands alone"),
        (["shared/be", "nch"], "the project stands alone"),
    ];
    list.into_iter().map(|(parts, instead)| (parts.concat(), instead)).collect()
}

fn standing(source: &Source, banned: &[(String, &str)]) -> Vec<String> {
    let lines = source.text.lines().enumerate();
    lines
        .flat_map(|(index, line)| banned.iter().map(move |entry| (index + 1, line, entry)))
        .filter(|(_, line, (text, _))| line.contains(text.as_str()))
        .map(|(line, _, (text, instead))| format!("{}:{line}: {text}: {instead}", source.path))
        .collect()
}

fn lines_with<'a>(source: &'a Source, test: impl Fn(&str) -> bool + 'a) -> impl Iterator<Item = usize> + 'a {
    source.code(true).filter(move |(_, code)| test(code)).map(|(line, _)| line)
}

/// The places in tests where time is waited away.
fn dozing(source: &Source) -> Vec<String> {
    if PAUSES.iter().any(|(place, _)| source.path.contains(place)) {
        return Vec::new();
    }
    let in_tests = source.path.contains("tests/") || source.name() == "tests.rs";
    let first = match source.text.lines().position(|line| line.starts_with("#[cfg(test)]")) {
        _ if in_tests => 0,
        Some(index) => index,
        None => return Vec::new(),
    };
    let call = ["sle", "ep("].concat();
    lines_with(source, move |code| code.contains(&call))
        .filter(|line| *line > first)
        .map(|line| {
            format!("{}:{line}: a test waits for a condition (`wait_until`), never for time", source.path)
        })
        .collect()
}

#[test]
fn banned_words_stand_in_no_file() {
    let endings = [".rs", ".md", ".toml", ".txt", "justfile", "run", ".gitignore"];
    let sources = sources(&["."], &endings);
    let banned = banned();
    let problems: Vec<String> = sources.iter().flat_map(|source| standing(source, &banned)).collect();
    none("words that stand nowhere", &problems);
}

#[test]
fn the_old_word_for_a_replica_stays_where_bytes_are() {
    let excused = |path: &str| OLD_WORD.iter().any(|(place, _)| path.starts_with(place));
    let says =
        |source: &Source| lines_with(source, |code| code.to_ascii_lowercase().contains("slave")).next();
    let sources = sources(&["src", "server/src"], &[".rs"]);
    let problems: Vec<String> = sources
        .iter()
        .filter(|source| !excused(&source.path))
        .filter_map(|source| Some(format!("{}:{}: say replica", source.path, says(source)?)))
        .collect();
    none("a replica is a replica", &problems);
    for (place, reason) in OLD_WORD {
        let used = sources.iter().any(|s| s.path.starts_with(place) && says(s).is_some());
        assert!(used, "{place} ({reason}) no longer says it: take it off the list");
    }
}

#[test]
fn tests_wait_for_conditions() {
    none("no test waits for time", &rust().iter().flat_map(dozing).collect::<Vec<_>>());
}

#[test]
fn comments_state() {
    let problems: Vec<String> = rust()
        .iter()
        .flat_map(|source| source.comments().map(move |(line, comment)| (source, line, comment)))
        .filter(|(_, _, comment)| comment.trim_end().ends_with('?'))
        .map(|(source, line, _)| format!("{}:{line}: a comment answers, it does not ask", source.path))
        .collect();
    none("comments state", &problems);
}

#[test]
fn only_the_doors_print() {
    let doors = ["src/main.rs", "src/commands/cli.rs", "server/src/main.rs"];
    let macros = ["println!(", "print!(", "dbg!("];
    let problems: Vec<String> = sources(&["src", "server/src"], &[".rs"])
        .iter()
        .filter(|source| !doors.contains(&source.path.as_str()))
        .flat_map(|source| {
            lines_with(source, |code| macros.iter().any(|name| code.contains(name)))
                .map(|line| format!("{}:{line}: give it to the console, or to the sink", source.path))
                .collect::<Vec<_>>()
        })
        .collect();
    none("only the doors print", &problems);
}

#[test]
fn the_laws_see_what_breaks_them() {
    let sample = |path: &str, text: &str| Source { path: path.into(), text: text.into() };
    let nap = ["std::thread::sle", "ep(pause);"].concat();
    assert_eq!(dozing(&sample("tests/a.rs", &nap)).len(), 1);
    assert_eq!(dozing(&sample("src/a.rs", &nap)).len(), 0);
    assert_eq!(dozing(&sample("src/a.rs", &format!("\n#[cfg(test)]\n{nap}"))).len(), 1);
    let bad = ["#[ig", "nore = \"later\"]"].concat();
    assert_eq!(standing(&sample("a.rs", &bad), &banned()).len(), 1);
}

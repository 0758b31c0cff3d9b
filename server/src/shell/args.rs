//! redis-server's command line.
//!
//! `[file] [--directive value …] [-]`: options become lines in the form of a configuration file and are read
//! after it, so each is checked and complained about in the same words.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

/// What was asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// Print the version and end.
    Version,
    /// Print how to use it and end.
    Help,
    /// A mode of redis-server that this server does not have: what to say.
    Refused(String),
    /// Run.
    Run(Sources),
}

/// Where the configuration comes from, in the order in which it is read.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Sources {
    /// A file.
    pub(super) file: Option<PathBuf>,
    /// Standard input.
    pub(super) stdin: bool,
    /// Lines made of the options.
    pub(super) options: Vec<u8>,
}

/// How to use it.
pub(super) const USAGE: &str = "\
Usage: rctl-server [/path/to/redis.conf] [options] [-]
       rctl-server - (read config from stdin)
       rctl-server -v or --version
       rctl-server -h or --help

Options are the directives of a configuration file, with two dashes in front.

Examples:
       rctl-server (run with the defaults: 127.0.0.1 and ::1, port 6379)
       rctl-server --port 6380 --dbfilename db2.rdb
       rctl-server --port 6380 --replicaof 127.0.0.1 6379
       rctl-server /etc/redis/6379.conf --loglevel verbose
       echo 'maxmemory 128mb' | rctl-server -
";

/// Reads the arguments, without the program's name.
pub(super) fn parse(args: &[OsString]) -> Asked {
    let args: Vec<&[u8]> = args.iter().map(|arg| arg.as_bytes()).collect();
    match args.first().copied() {
        Some(b"-v" | b"--version") => return Asked::Version,
        Some(b"-h" | b"--help") => return Asked::Help,
        Some(mode @ (b"--test-memory" | b"--check-system")) => {
            let mode = String::from_utf8_lossy(mode);
            return Asked::Refused(format!(
                "{mode} is not supported by this server: use redis-server {mode}"
            ));
        }
        _ => {}
    }
    let sentinel = |arg: &&[u8]| arg.eq_ignore_ascii_case(b"--sentinel");
    if args.iter().any(sentinel) {
        return Asked::Refused(
            "--sentinel is not supported by this server: use redis-sentinel, it can watch this server"
                .to_owned(),
        );
    }
    let mut sources = Sources::default();
    let mut rest = &args[..];
    if let Some((file, others)) = rest.split_first()
        && file.first() != Some(&b'-')
    {
        sources.file = Some(PathBuf::from(std::ffi::OsStr::from_bytes(file)));
        rest = others;
    }
    if let Some((&b"-", others)) = rest.split_last() {
        sources.stdin = true;
        rest = others;
    }
    sources.options = options(rest);
    Asked::Run(sources)
}

/// One line per option. What follows a name is a value, even if it starts with dashes.
fn options(args: &[&[u8]]) -> Vec<u8> {
    let mut text = Vec::new();
    let mut wants_value = false;
    for (index, arg) in args.iter().enumerate() {
        match arg.strip_prefix(b"--") {
            Some(name) if !wants_value => {
                if !text.is_empty() {
                    text.push(b'\n');
                }
                text.extend_from_slice(name);
                // `--port 6380` may come as one argument.
                wants_value = !name.trim_ascii().contains(&b' ');
                let next_is_option = args.get(index + 1).is_none_or(|next| next.starts_with(b"--"));
                if wants_value && next_is_option && name.eq_ignore_ascii_case(b"save") {
                    text.extend_from_slice(b" \"\"");
                    wants_value = false;
                }
            }
            _ => {
                if !text.is_empty() {
                    text.push(b' ');
                }
                quote(arg, &mut text);
                wants_value = false;
            }
        }
    }
    text
}

/// The argument as one quoted word, whatever bytes are in it.
fn quote(arg: &[u8], text: &mut Vec<u8>) {
    text.push(b'"');
    for &byte in arg {
        match byte {
            b'"' | b'\\' => text.extend_from_slice(&[b'\\', byte]),
            b' '..=b'~' => text.push(byte),
            _ => text.extend_from_slice(format!("\\x{byte:02x}").as_bytes()),
        }
    }
    text.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::Config;

    fn run(args: &[&str]) -> Sources {
        let args: Vec<OsString> = args.iter().map(OsString::from).collect();
        match parse(&args) {
            Asked::Run(sources) => sources,
            other => panic!("{other:?}"),
        }
    }

    fn lines(args: &[&str]) -> String {
        String::from_utf8(run(args).options).unwrap()
    }

    #[test]
    fn options_become_lines() {
        for (args, want) in [
            (&["--port", "6379", "--dbfilename", "db1.rdb"][..], "port \"6379\"\ndbfilename \"db1.rdb\""),
            (&["--save", "900", "1"], "save \"900\" \"1\""),
            (&["--save", ""], "save \"\""),
            (&["--save", "--port", "1"], "save \"\"\nport \"1\""),
            (&["--save"], "save \"\""),
            (&["--port 6380"], "port 6380"),
            (&["--requirepass", "--x"], "requirepass \"--x\""),
            (&["--port"], "port"),
            (&["--dir", "a\"\\\nport 1"], "dir \"a\\\"\\\\\\x0aport 1\""),
        ] {
            assert_eq!(lines(args), want);
        }
    }

    #[test]
    fn a_value_is_read_back_as_it_was_typed() {
        let typed = "ü \"x\" \\ \n --port 1";
        let text = lines(&["--requirepass", typed]);
        let config = Config::from_text(text.as_bytes(), &mut |_| Ok(Vec::new())).unwrap();
        assert_eq!(config.requirepass.0, typed);
        assert_eq!(config.port, 6379);
    }

    #[test]
    fn a_first_word_without_dashes_is_a_file_and_a_last_dash_is_stdin() {
        let sources = run(&["a.conf", "--port", "1", "-"]);
        assert_eq!(sources.file, Some(PathBuf::from("a.conf")));
        assert!(sources.stdin);
        assert_eq!(sources.options, b"port \"1\"");
        assert!(run(&["-"]).stdin);
        assert_eq!(run(&[]), Sources::default());
    }

    #[test]
    fn other_modes_are_refused_by_name() {
        for mode in ["--sentinel", "--test-memory", "--check-system"] {
            let Asked::Refused(text) = parse(&[mode.into()]) else { panic!("{mode}") };
            assert!(text.contains(mode));
        }
        assert_eq!(parse(&["-v".into()]), Asked::Version);
        assert_eq!(parse(&["--help".into()]), Asked::Help);
    }
}

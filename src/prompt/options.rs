//! What was typed after `rctl cli`: `redis-cli`'s own options, read as it reads them.
//!
//! A node may stand before or among the options (`rctl cli 6380 -n 1 get a`); where a host, port or URI is given
//! there is none. The first word that is neither is the command, and everything after it belongs to the command.

use std::time::Duration;

use super::format::{Delimiters, Form};

/// Everything the command line said.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// The node, as typed: a port, a name or `host:port`. `None` where the address came from options.
    pub node: Option<String>,
    /// Host, as given: the prompt shows it.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Unix socket, instead of host and port.
    pub socket: Option<String>,
    /// Database to select at each connection.
    pub db: i64,
    /// ACL user.
    pub user: Option<String>,
    /// Password; an option wins over the environment.
    pub password: Option<String>,
    /// Ask for the password on the terminal.
    pub askpass: bool,
    /// The form asked for; `None` is decided by whether stdout is a terminal.
    pub form: Option<Form>,
    /// Delimiters of the raw form.
    pub delimiters: Delimiters,
    /// Protocol asked for.
    pub protocol: Protocol,
    /// Show RESP3 pushes; `None` is decided by whether stdout is a terminal.
    pub show_pushes: Option<bool>,
    /// Times a one-shot command runs; negative is for ever.
    pub repeat: i64,
    /// Pause between repetitions and between lines of `--stat`.
    pub interval: Duration,
    /// Read the last argument, or the argument that equals a tag, from stdin.
    pub stdin: StdinArgument,
    /// Exit with 1 on an error reply.
    pub fail_on_error: bool,
    /// Print rolling figures of the server.
    pub stat: bool,
    /// Arguments are quoted strings to unquote.
    pub quoted_input: bool,
    /// The command of a one-shot call; empty for a session.
    pub command: Vec<Vec<u8>>,
    /// Lines for stderr, in order (the password warning).
    pub warnings: Vec<String>,
}

/// Which protocol the connection starts with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// The server's default.
    Plain,
    /// RESP3; a refusal is said and ends the attempt (`-3`).
    Resp3,
    /// RESP3 where the server has it, in silence (`--json`).
    Resp3IfPossible,
}

/// Which argument of the command comes from stdin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StdinArgument {
    /// None.
    No,
    /// One more at the end (`-x`).
    Last,
    /// The one that equals this tag (`-X tag`).
    Tagged(Vec<u8>),
}

impl Default for Options {
    fn default() -> Self {
        Self {
            node: None,
            host: "127.0.0.1".to_owned(),
            port: 6379,
            socket: None,
            db: 0,
            user: None,
            password: None,
            askpass: false,
            form: None,
            delimiters: Delimiters::default(),
            protocol: Protocol::Plain,
            show_pushes: None,
            repeat: 1,
            interval: Duration::ZERO,
            stdin: StdinArgument::No,
            fail_on_error: false,
            stat: false,
            quoted_input: false,
            command: Vec::new(),
            warnings: Vec::new(),
        }
    }
}

/// The outcome of reading the command line.
#[derive(Debug, Clone, PartialEq)]
pub enum Parsed {
    /// Go on with these.
    Run(Box<Options>),
    /// `--help`.
    Help,
    /// `--version`.
    Version,
}

const PASSWORD_WARNING: &str =
    "Warning: Using a password with '-a' or '-u' option on the command line interface may not be safe.";

/// Options of `redis-cli` that belong to other tools; they are refused with a word, not as a typing error.
const ELSEWHERE: [&str; 28] = [
    "--latency",
    "--latency-history",
    "--latency-dist",
    "--lru-test",
    "--replica",
    "--slave",
    "--rdb",
    "--functions-rdb",
    "--pipe",
    "--pipe-timeout",
    "--bigkeys",
    "--memkeys",
    "--memkeys-samples",
    "--hotkeys",
    "--scan",
    "--pattern",
    "--quoted-pattern",
    "--intrinsic-latency",
    "--eval",
    "--ldb",
    "--ldb-sync-mode",
    "--cluster",
    "-c",
    "--tls",
    "--cacert",
    "--cert",
    "--key",
    "--insecure",
];

/// Reads the words after `rctl cli`; `environment_password` is `REDISCLI_AUTH`.
///
/// # Errors
/// The one line that `redis-cli` would print before it exits with 1.
pub fn parse(words: &[Vec<u8>], environment_password: Option<String>) -> Result<Parsed, String> {
    let mut reader = Reader::new(words);
    while let Some(word) = words.get(reader.at) {
        match word.as_slice() {
            b"--help" => return Ok(Parsed::Help),
            b"-v" | b"--version" => return Ok(Parsed::Version),
            [b'-', ..] => reader.option(&String::from_utf8_lossy(word))?,
            _ if !reader.addressed => {
                reader.options.node = Some(String::from_utf8_lossy(word).into_owned());
                reader.addressed = true;
            }
            _ => break,
        }
        reader.at += 1;
    }
    let mut options = reader.options;
    options.command = words.get(reader.at..).unwrap_or_default().to_vec();
    if reader.resp2 && options.protocol == Protocol::Resp3 {
        return Err("Options -2 and -3 are mutually exclusive.".into());
    }
    if reader.resp2 {
        options.protocol = Protocol::Plain;
    }
    if options.password.is_some() && reader.warn_of_password {
        options.warnings.push(PASSWORD_WARNING.to_owned());
    }
    options.password = options.password.take().or(environment_password);
    Ok(Parsed::Run(Box::new(options)))
}

struct Reader<'a> {
    words: &'a [Vec<u8>],
    at: usize,
    options: Options,
    /// A node, host, port, URI or socket was given.
    addressed: bool,
    resp2: bool,
    warn_of_password: bool,
}

impl<'a> Reader<'a> {
    fn new(words: &'a [Vec<u8>]) -> Self {
        let options = Options::default();
        Self { words, at: 0, options, addressed: false, resp2: false, warn_of_password: true }
    }

    fn option(&mut self, name: &str) -> Result<(), String> {
        if self.flag(name) {
            return Ok(());
        }
        if ELSEWHERE.contains(&name) {
            return Err(format!("rctl cli has no {name}; redis-cli has"));
        }
        let unrecognized = || format!("Unrecognized option or bad number of args for: '{name}'");
        let value = self.words.get(self.at + 1).ok_or_else(unrecognized)?;
        if !self.with_value(name, value)? {
            return Err(unrecognized());
        }
        self.at += 1;
        Ok(())
    }

    fn flag(&mut self, name: &str) -> bool {
        let options = &mut self.options;
        match name {
            "-x" => options.stdin = StdinArgument::Last,
            "-e" => options.fail_on_error = true,
            "-2" => self.resp2 = true,
            "-3" => options.protocol = Protocol::Resp3,
            "--raw" => options.form = Some(Form::Raw),
            "--no-raw" => options.form = Some(Form::Terminal),
            "--csv" => options.form = Some(Form::Csv),
            "--json" | "--quoted-json" => {
                options.form = Some(if name == "--json" { Form::Json } else { Form::QuotedJson });
                if options.protocol == Protocol::Plain {
                    options.protocol = Protocol::Resp3IfPossible;
                }
            }
            "--quoted-input" => options.quoted_input = true,
            "--stat" => options.stat = true,
            "--askpass" => options.askpass = true,
            "--no-auth-warning" => self.warn_of_password = false,
            "--verbose" => {}
            _ => return false,
        }
        true
    }

    fn with_value(&mut self, name: &str, value: &[u8]) -> Result<bool, String> {
        let text = String::from_utf8_lossy(value).into_owned();
        let options = &mut self.options;
        match name {
            "-h" => {
                options.host = text;
                self.addressed = true;
            }
            "-p" => {
                options.port =
                    u16::try_from(leading_integer(&text)).map_err(|_| "Invalid server port.".to_owned())?;
                self.addressed = true;
            }
            "-s" => {
                options.socket = Some(text);
                self.addressed = true;
            }
            "-u" => {
                uri(&text, options)?;
                self.addressed = true;
            }
            "-n" => options.db = leading_integer(&text),
            "-r" => options.repeat = leading_integer(&text),
            "-i" => options.interval = seconds(&text),
            "-a" | "--pass" => options.password = Some(text),
            "--user" => options.user = Some(text),
            "-X" => options.stdin = StdinArgument::Tagged(value.to_vec()),
            "-d" => options.delimiters.element = value.to_vec(),
            "-D" => options.delimiters.reply = value.to_vec(),
            "--show-pushes" => match value.first() {
                Some(b'y' | b'Y') => options.show_pushes = Some(true),
                Some(b'n' | b'N') => options.show_pushes = Some(false),
                _ => options
                    .warnings
                    .push(format!("Unknown --show-pushes value '{text}' (valid: '[y]es', '[n]o')")),
            },
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// `redis://[user:]password@host:port/db`, every part optional.
fn uri(text: &str, options: &mut Options) -> Result<(), String> {
    let Some(rest) = text.strip_prefix("redis://") else {
        return Err(if text.starts_with("rediss://") {
            "rctl cli has no TLS; redis-cli has".to_owned()
        } else {
            "Invalid URI scheme".to_owned()
        });
    };
    let rest = match rest.split_once('@') {
        Some((userinfo, rest)) => {
            let (user, password) = match userinfo.split_once(':') {
                Some((user, password)) => (Some(user), password),
                None => (None, userinfo),
            };
            if let Some(user) = user.filter(|user| !user.is_empty()) {
                options.user = Some(percent_decoded(user)?);
            }
            options.password = Some(percent_decoded(password)?);
            rest
        }
        None => rest,
    };
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (host, port) = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, port)) => (host, port.strip_prefix(':')),
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    if !authority.is_empty() {
        host.clone_into(&mut options.host);
    }
    if let Some(port) = port {
        options.port = u16::try_from(leading_integer(port)).map_err(|_| "Invalid server port.".to_owned())?;
    }
    if !path.is_empty() {
        options.db = leading_integer(path);
    }
    Ok(())
}

fn percent_decoded(text: &str) -> Result<String, String> {
    let mut out = Vec::new();
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let (Some(high), Some(low)) = (bytes.next(), bytes.next()) else {
            return Err("Incomplete URI encoding".to_owned());
        };
        let digit = |byte: u8| (byte as char).to_digit(16);
        let (Some(high), Some(low)) = (digit(high), digit(low)) else {
            return Err("Illegal character in URI encoding".to_owned());
        };
        out.push(u8::try_from(high * 16 + low).unwrap_or(0));
    }
    Ok(String::from_utf8_lossy(&out).into_owned())
}

/// As C's `atoi`: the digits at the start, 0 when there are none. `redis-cli` reads its numbers so.
#[must_use]
pub fn leading_integer(text: &str) -> i64 {
    let text = text.trim_start();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let digits = digits.bytes().take_while(u8::is_ascii_digit);
    digits.fold(0i64, |n, digit| n.saturating_mul(10).saturating_add(sign * i64::from(digit - b'0')))
}

fn seconds(text: &str) -> Duration {
    let end = text.bytes().take_while(|b| b.is_ascii_digit() || *b == b'.').count();
    let number: f64 = text.get(..end).and_then(|digits| digits.parse().ok()).unwrap_or(0.0);
    Duration::try_from_secs_f64(number).unwrap_or(Duration::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Options, String> {
        let words: Vec<Vec<u8>> = line.split_whitespace().map(|word| word.as_bytes().to_vec()).collect();
        match parse(&words, None)? {
            Parsed::Run(options) => Ok(*options),
            other => Err(format!("{other:?}")),
        }
    }

    fn command(options: &Options) -> String {
        options.command.iter().map(|word| String::from_utf8_lossy(word)).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_node_comes_first_unless_the_address_came_from_options() {
        let options = read("6380 get -n").unwrap();
        assert_eq!((options.node.as_deref(), command(&options).as_str()), (Some("6380"), "get -n"));
        let options = read("-n 2 reader --csv get a").unwrap();
        assert_eq!(
            (options.node.as_deref(), options.db, command(&options).as_str()),
            (Some("reader"), 2, "get a")
        );
        let options = read("-p 6380 get a").unwrap();
        assert_eq!((options.node, options.port, options.host.as_str()), (None, 6380, "127.0.0.1"));
        let options = read("-h localhost ping").unwrap();
        assert_eq!((options.node.as_deref(), options.host.as_str()), (None, "localhost"));
    }

    #[test]
    fn complaints_are_worded_as_redis_cli_words_them() {
        assert_eq!(read("-zz").unwrap_err(), "Unrecognized option or bad number of args for: '-zz'");
        assert_eq!(read("-p").unwrap_err(), "Unrecognized option or bad number of args for: '-p'");
        assert_eq!(read("-p 99999 ping").unwrap_err(), "Invalid server port.");
        assert_eq!(read("-2 -3 6379").unwrap_err(), "Options -2 and -3 are mutually exclusive.");
        assert_eq!(read("-u http://a").unwrap_err(), "Invalid URI scheme");
        assert!(read("6379 --bigkeys").unwrap_err().contains("redis-cli has"));
    }

    #[test]
    fn a_uri_sets_every_part_it_names() {
        let options = read("-u redis://leon:s%40cret@[::1]:7000/3 ping").unwrap();
        assert_eq!((options.user.as_deref(), options.password.as_deref()), (Some("leon"), Some("s@cret")));
        assert_eq!((options.host.as_str(), options.port, options.db), ("::1", 7000, 3));
        assert_eq!(read("-u redis://only@h ping").unwrap().password.as_deref(), Some("only"));
    }

    #[test]
    fn json_asks_for_resp3_and_two_wins_over_it() {
        assert_eq!(read("6379 --json ping").unwrap().protocol, Protocol::Resp3IfPossible);
        assert_eq!(read("6379 -2 --json ping").unwrap().protocol, Protocol::Plain);
        assert_eq!(read("6379 --json -3 ping").unwrap().protocol, Protocol::Resp3);
    }

    #[test]
    fn a_password_on_the_command_line_is_warned_of_and_one_in_the_environment_is_not() {
        assert_eq!(read("6379 -a x ping").unwrap().warnings.len(), 1);
        assert!(read("6379 -a x --no-auth-warning ping").unwrap().warnings.is_empty());
        assert!(read("6379 --no-auth-warning -a x ping").unwrap().warnings.is_empty());
        let Parsed::Run(options) = parse(&[b"6379".to_vec()], Some("env".into())).unwrap() else { panic!() };
        assert_eq!((options.password.as_deref(), options.warnings.len()), (Some("env"), 0));
    }
}

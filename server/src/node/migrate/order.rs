//! What a MIGRATE asks for.

use crate::command::args::{Options, integer, is};
use crate::command::{Failure, error};
use crate::node::feeds::plain_text;
use crate::resp::Args;

/// Redis' time limit where none, or a senseless one, is given, in milliseconds.
const USUAL_MS: u64 = 1000;

/// What is asked for.
pub(super) struct Order<'a> {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) db: i64,
    pub(super) timeout_ms: u64,
    pub(super) copy: bool,
    pub(super) replace: bool,
    pub(super) auth: Option<(Option<&'a [u8]>, &'a [u8])>,
    pub(super) keys: Vec<&'a [u8]>,
}

impl<'a> Order<'a> {
    /// `MIGRATE host port key|"" db timeout [COPY] [REPLACE] [AUTH password | AUTH2 user password] [KEYS key ...]`
    pub(super) fn parse(args: Args<'a>) -> Result<Self, Failure> {
        let port = integer(args.get(2))?;
        let timeout = integer(args.get(5))?;
        let db = integer(args.get(4))?;
        let mut order = Self {
            host: plain_text(args.get(1)),
            port: u16::try_from(port).map_err(|_| Failure::fixed("ERR Invalid TCP port"))?,
            db,
            timeout_ms: u64::try_from(timeout).ok().filter(|&ms| ms > 0).unwrap_or(USUAL_MS),
            copy: false,
            replace: false,
            auth: None,
            keys: vec![args.get(3)],
        };
        let mut options = Options::from(args, 6);
        while let Some(word) = options.next() {
            if is(word, "COPY") {
                order.copy = true;
            } else if is(word, "REPLACE") {
                order.replace = true;
            } else if is(word, "AUTH") {
                order.auth = Some((None, options.value()?));
            } else if is(word, "AUTH2") {
                order.auth = Some((Some(options.value()?), options.value()?));
            } else if is(word, "KEYS") {
                if !args.get(3).is_empty() {
                    return Err(Failure::fixed(
                        "ERR When using MIGRATE KEYS option, the key argument must be set to the empty string",
                    ));
                }
                order.keys = options.by_ref().collect();
            } else {
                return Err(error::SYNTAX);
            }
        }
        Ok(order)
    }
}

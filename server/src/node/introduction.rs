//! What a peer says of itself before it asks to be fed: `REPLCONF option value …`.

use crate::command::{Failure, error};
use crate::replication::feed::Introduction;
use crate::resp::Args;
use crate::resp::number::parse_i64;

use super::feeds::plain_text;
use super::session::Session;
use super::{Node, Sink};

impl Node {
    /// `REPLCONF option value …` of a peer that is not a replica yet.
    pub(super) fn replconf(
        &mut self,
        session: &mut Session,
        args: Args<'_>,
        sink: &mut dyn Sink,
    ) -> Result<(), Failure> {
        if args.len().is_multiple_of(2) {
            return Err(error::SYNTAX);
        }
        let conn = session.conn;
        let intro = session.intro.get_or_insert_default();
        for at in (1..args.len()).step_by(2) {
            let value = args.get(at + 1);
            match args.get(at).to_ascii_lowercase().as_slice() {
                b"listening-port" => {
                    let port = parse_i64(value).and_then(|port| u16::try_from(port).ok());
                    intro.port = port.ok_or(error::NOT_AN_INTEGER)?;
                    if !sink.introduced(conn, intro.port) {
                        session.closing = true;
                        return Ok(());
                    }
                }
                b"ip-address" if value.len() <= 255 => {
                    intro.ip = (!value.is_empty()).then(|| plain_text(value));
                }
                b"ip-address" => {
                    return Err(Failure::fixed(
                        "ERR REPLCONF ip-address provided by replica instance is too long",
                    ));
                }
                b"capa" => {
                    intro.eof |= value.eq_ignore_ascii_case(b"eof");
                    intro.psync2 |= value.eq_ignore_ascii_case(b"psync2");
                }
                b"version" => intro.version = Introduction::parse_version(value),
                b"rdb-only" => {
                    intro.rdb_only = parse_i64(value).ok_or(error::NOT_AN_INTEGER)? != 0;
                }
                b"rdb-filter-only" => {
                    // The only filter there is lets functions through, and we hold none.
                    let words = value.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
                    for word in words {
                        if !word.eq_ignore_ascii_case(b"functions") {
                            let word = plain_text(word);
                            return Err(Failure::worded(format!(
                                "ERR Unsupported rdb-filter-only option: {word}"
                            )));
                        }
                    }
                    intro.without_keys = true;
                }
                // Acknowledgements of a connection that is no replica mean nothing; Redis stays silent too.
                b"ack" | b"fack" | b"getack" => return Ok(()),
                _ => {
                    return Err(Failure::worded(format!(
                        "ERR Unrecognized REPLCONF option: {}",
                        plain_text(args.get(at))
                    )));
                }
            }
        }
        session.reply.ok();
        Ok(())
    }
}

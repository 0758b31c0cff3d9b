//! How a snapshot is framed on the wire, as a replica reads it.
//!
//! Two forms, chosen by the master: `$<decimal>` and that many bytes, or `$EOF:<40 bytes>`, bytes, and the same
//! forty again. Bare newlines before the header only say that the master still prepares. No CRLF follows either
//! form.

use crate::resp::number::parse_u64;

/// Progress of one transfer.
#[derive(Debug)]
pub struct Transfer {
    /// Bytes of the snapshot in all; `None` when the end is a mark.
    pub total: Option<u64>,
    /// Bytes of the snapshot read so far.
    pub read: u64,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    /// The `$…` line is not complete.
    Header(Vec<u8>),
    /// Snapshot bytes.
    Body {
        mark: Option<[u8; 40]>,
        whole: bool,
        /// The last bytes read, at most as many as a mark has.
        last: Vec<u8>,
    },
    /// The mark at the end.
    Tail {
        mark: [u8; 40],
        seen: usize,
    },
    Finished,
}

/// What one call to [`Transfer::feed`] came to.
#[derive(Debug, PartialEq, Eq)]
pub enum Fed {
    /// All bytes were taken, there is more to come.
    More,
    /// The transfer is complete; this many of the bytes given belonged to it.
    Done(usize),
}

/// Takes snapshot bytes; answers how many once the snapshot is complete, or a sentence saying what is wrong.
pub type Decode<'a> = dyn FnMut(&[u8]) -> Result<Option<usize>, String> + 'a;

/// The longest header line: `$EOF:` and forty bytes, with room.
const HEADER_LIMIT: usize = 256;

impl Default for Transfer {
    fn default() -> Self {
        Self { total: None, read: 0, stage: Stage::Header(Vec::new()) }
    }
}

impl Transfer {
    /// Takes the next bytes off the link. Snapshot bytes go to `decode`, which answers how many of them it took
    /// once the snapshot is complete, `None` while it wants more.
    ///
    /// # Errors
    /// A sentence: the master gave up, broke the framing, or sent something that cannot be decoded.
    pub fn feed(&mut self, bytes: &[u8], decode: &mut Decode<'_>) -> Result<Fed, String> {
        let mut at = 0;
        loop {
            let rest = bytes.get(at..).unwrap_or_default();
            match &mut self.stage {
                Stage::Finished => return Ok(Fed::Done(at)),
                _ if rest.is_empty() => return Ok(Fed::More),
                Stage::Header(_) => at += self.header(rest)?,
                Stage::Body { .. } => at += self.body(rest, decode)?,
                Stage::Tail { mark, seen } => {
                    let want = mark.get(*seen..).unwrap_or_default();
                    let n = want.len().min(rest.len());
                    if rest.get(..n) != want.get(..n) {
                        return Err("the snapshot's end mark does not match the one announced".into());
                    }
                    *seen += n;
                    at += n;
                    if *seen == mark.len() {
                        self.stage = Stage::Finished;
                    }
                }
            }
        }
    }

    /// The header is still to come: the master prepares the snapshot.
    #[must_use]
    pub fn preparing(&self) -> bool {
        matches!(self.stage, Stage::Header(_))
    }

    fn header(&mut self, rest: &[u8]) -> Result<usize, String> {
        let Stage::Header(line) = &mut self.stage else { return Ok(0) };
        let end = memchr::memchr(b'\n', rest);
        let taken = end.map_or(rest.len(), |end| end + 1);
        line.extend_from_slice(rest.get(..taken).unwrap_or_default());
        if line.len() > HEADER_LIMIT {
            return Err("the snapshot's header line is too long".into());
        }
        if end.is_some() {
            let text = line.trim_ascii().to_vec();
            line.clear();
            match text.as_slice() {
                [] => {}
                [b'$', b'E', b'O', b'F', b':', mark @ ..] => {
                    let mark: [u8; 40] =
                        mark.try_into().map_err(|_| "the snapshot's mark is not forty bytes".to_owned())?;
                    self.stage = Stage::Body { mark: Some(mark), whole: false, last: Vec::new() };
                }
                [b'$', digits @ ..] => {
                    let total = parse_u64(digits).ok_or("the snapshot's length is not a number")?;
                    self.total = Some(total);
                    self.stage = Stage::Body { mark: None, whole: false, last: Vec::new() };
                }
                [b'-', text @ ..] => {
                    return Err(format!("the master gave up: {}", String::from_utf8_lossy(text)));
                }
                other => {
                    let shown = String::from_utf8_lossy(other.get(..other.len().min(60)).unwrap_or_default());
                    return Err(format!("expected a snapshot, got {shown:?}"));
                }
            }
        }
        Ok(taken)
    }

    fn body(&mut self, rest: &[u8], decode: &mut Decode<'_>) -> Result<usize, String> {
        let Stage::Body { mark, whole, last } = &mut self.stage else { return Ok(0) };
        let left = self.total.map(|total| usize::try_from(total - self.read).unwrap_or(usize::MAX));
        let taken = rest.len().min(left.unwrap_or(usize::MAX));
        let piece = rest.get(..taken).unwrap_or_default();
        // Bytes a length-framed snapshot carries behind its own end are skipped.
        let consumed = if *whole { None } else { decode(piece)? };
        *whole |= consumed.is_some();
        if let Some(mark) = *mark {
            let used = consumed.unwrap_or(taken);
            self.read += used as u64;
            if consumed.is_none() {
                // Nothing follows the mark before it is answered, so a damaged snapshot that wants more is found here
                // and not by a timeout.
                last.extend_from_slice(
                    piece.get(piece.len().saturating_sub(mark.len())..).unwrap_or_default(),
                );
                last.drain(..last.len().saturating_sub(mark.len()));
                if last.as_slice() == mark.as_slice() {
                    return Err("the snapshot ended before its own end".into());
                }
            }
            if consumed.is_some() {
                self.stage = Stage::Tail { mark, seen: 0 };
            }
            return Ok(used);
        }
        self.read += taken as u64;
        if self.total == Some(self.read) {
            if !*whole {
                return Err("the snapshot ended before its own end".into());
            }
            self.stage = Stage::Finished;
        }
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A snapshot here is `<`, any bytes, `>`.
    fn run(wire: &[u8], piece: usize) -> Result<(String, usize), String> {
        let (mut transfer, mut got, mut used) = (Transfer::default(), Vec::new(), 0);
        for bytes in wire.chunks(piece) {
            let fed = transfer.feed(bytes, &mut |body| {
                let end = body.iter().position(|&b| b == b'>').map(|at| at + 1);
                got.extend_from_slice(&body[..end.unwrap_or(body.len())]);
                Ok(end)
            })?;
            match fed {
                Fed::More => used += bytes.len(),
                Fed::Done(n) => return Ok((String::from_utf8(got).unwrap(), used + n)),
            }
        }
        Err("unfinished".into())
    }

    #[test]
    fn both_framings_are_read_at_any_split_and_what_follows_is_left() {
        let mark = "m".repeat(40);
        for (wire, len) in [
            (format!("\n\n$EOF:{mark}\r\n<abc>{mark}*1\r\n"), 2 + 47 + 5 + 40),
            ("\n$7\r\n<abc>xx*1\r\n".to_owned(), 1 + 4 + 7),
        ] {
            for piece in 1..=wire.len() {
                assert_eq!(run(wire.as_bytes(), piece), Ok(("<abc>".into(), len)), "pieces of {piece}");
            }
        }
    }

    #[test]
    fn a_broken_frame_is_named() {
        for (wire, want) in [
            ("-LOADING wait\r\n", "the master gave up: LOADING wait"),
            ("$EOF:short\r\n", "the snapshot's mark is not forty bytes"),
            ("$-1\r\n", "the snapshot's length is not a number"),
            ("$4\r\n<abc", "the snapshot ended before its own end"),
            (
                "$EOF:mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm\r\n<abcmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm",
                "the snapshot ended before its own end",
            ),
            ("+OK\r\n", "expected a snapshot, got \"+OK\""),
        ] {
            for piece in 1..=wire.len() {
                assert_eq!(run(wire.as_bytes(), piece), Err(want.into()));
            }
        }
        let long = "x".repeat(300);
        assert_eq!(run(long.as_bytes(), 10), Err("the snapshot's header line is too long".into()));
    }
}

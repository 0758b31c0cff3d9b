//! A reader of replies: what a client, the replica link and the tests need.

use super::number::parse_i64;

/// How deep replies may nest before they are refused.
pub const MAX_DEPTH: usize = 32;

/// The longest bulk string a reply may carry, in bytes (Redis' own `proto-max-bulk-len`).
pub const MAX_BULK: usize = 512 << 20;

/// One reply, as it came: nothing is normalised, so a client can print it faithfully.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `+OK`
    Simple(String),
    /// `-ERR text`, without the dash.
    Error(String),
    /// `:1`
    Int(i64),
    /// `$3`: any bytes.
    Bulk(Vec<u8>),
    /// `$-1` or `_`
    Null,
    /// `*-1`
    NullArray,
    /// `*2`
    Array(Vec<Value>),
    /// `%1`: pairs in the order sent.
    Map(Vec<(Value, Value)>),
    /// `~1`
    Set(Vec<Value>),
    /// `>2`: out of band.
    Push(Vec<Value>),
    /// `,1.5`: the text, because `inf` and digits are printed as sent.
    Double(String),
    /// `#t`
    Bool(bool),
    /// `=8\r\ntxt:text`: format and bytes.
    Verbatim(String, Vec<u8>),
    /// `(123…`
    BigNumber(String),
}

impl Value {
    /// The bytes of a bulk, simple or verbatim string.
    #[must_use]
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Bulk(bytes) | Self::Verbatim(_, bytes) => Some(bytes),
            Self::Simple(text) => Some(text.as_bytes()),
            _ => None,
        }
    }

    /// The text of a bulk, simple or verbatim string; bytes that are not UTF-8 are replaced.
    #[must_use]
    pub fn to_text(&self) -> Option<String> {
        self.as_bytes().map(|bytes| String::from_utf8_lossy(bytes).into_owned())
    }
}

/// Why bytes are not a reply; the stream cannot be used any further.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed(pub String);

/// Reads one reply from the start of `buf`: the value and its length in bytes, or `None` when more bytes are
/// needed.
///
/// # Errors
/// The bytes cannot be the start of a reply, nest deeper than [`MAX_DEPTH`] or announce more than [`MAX_BULK`].
pub fn decode(buf: &[u8]) -> Result<Option<(Value, usize)>, Malformed> {
    let mut cursor = Cursor { buf, at: 0 };
    Ok(cursor.value(0)?.map(|value| (value, cursor.at)))
}

struct Cursor<'a> {
    buf: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn line(&mut self) -> Option<&'a [u8]> {
        let rest = self.buf.get(self.at..)?;
        let end = memchr::memchr(b'\n', rest)?;
        self.at += end + 1;
        let line = rest.get(..end)?;
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    }

    fn value(&mut self, depth: usize) -> Result<Option<Value>, Malformed> {
        if depth > MAX_DEPTH {
            return Err(Malformed("replies nest too deep".into()));
        }
        let Some(line) = self.line() else { return Ok(None) };
        let Some((&kind, rest)) = line.split_first() else { return Err(Malformed("an empty line".into())) };
        let text = || String::from_utf8_lossy(rest).into_owned();
        Ok(Some(match kind {
            b'+' => Value::Simple(text()),
            b'-' => Value::Error(text()),
            b':' => Value::Int(integer(rest)?),
            b',' => Value::Double(text()),
            b'(' => Value::BigNumber(text()),
            b'#' => Value::Bool(rest == b"t"),
            b'_' => Value::Null,
            b'$' | b'=' | b'!' => return self.bulk(kind, rest),
            b'*' | b'~' | b'>' => {
                let n = integer(rest)?;
                if n < 0 {
                    return Ok(Some(Value::NullArray));
                }
                let Some(items) = self.items(n, depth)? else { return Ok(None) };
                match kind {
                    b'*' => Value::Array(items),
                    b'~' => Value::Set(items),
                    _ => Value::Push(items),
                }
            }
            b'%' | b'|' => {
                let n = integer(rest)?;
                let Some(flat) = self.items(n.saturating_mul(2), depth)? else { return Ok(None) };
                let mut flat = flat.into_iter();
                let pairs = std::iter::from_fn(|| Some((flat.next()?, flat.next()?))).collect();
                if kind == b'|' {
                    // Attributes precede the value they describe; nobody here reads them.
                    return self.value(depth + 1);
                }
                Value::Map(pairs)
            }
            other => return Err(Malformed(format!("unexpected reply type byte {:?}", other as char))),
        }))
    }

    fn items(&mut self, n: i64, depth: usize) -> Result<Option<Vec<Value>>, Malformed> {
        // Grown as values arrive, never ahead: the announced count is the peer's claim.
        let mut items = Vec::new();
        for _ in 0..n {
            match self.value(depth + 1)? {
                Some(value) => items.push(value),
                None => return Ok(None),
            }
        }
        Ok(Some(items))
    }

    fn bulk(&mut self, kind: u8, header: &[u8]) -> Result<Option<Value>, Malformed> {
        let n = integer(header)?;
        if n < 0 {
            return Ok(Some(Value::Null));
        }
        let len = usize::try_from(n).ok().filter(|&len| len <= MAX_BULK);
        let len = len.ok_or_else(|| Malformed(format!("a bulk of {n} bytes")))?;
        let Some(bytes) = self.buf.get(self.at..self.at + len) else { return Ok(None) };
        if self.buf.len() < self.at + len + 2 {
            return Ok(None);
        }
        self.at += len + 2;
        Ok(Some(match kind {
            b'$' => Value::Bulk(bytes.to_vec()),
            b'!' => Value::Error(String::from_utf8_lossy(bytes).into_owned()),
            _ => {
                let (format, text) = bytes.split_at_checked(4).unwrap_or((b"", bytes));
                let format = String::from_utf8_lossy(format.strip_suffix(b":").unwrap_or(format));
                Value::Verbatim(format.into_owned(), text.to_vec())
            }
        }))
    }
}

fn integer(text: &[u8]) -> Result<i64, Malformed> {
    parse_i64(text).ok_or_else(|| Malformed(format!("bad number {:?}", String::from_utf8_lossy(text))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_is_read_whole_or_not_at_all() {
        let bytes = b"*3\r\n$3\r\nabc\r\n:1\r\n%1\r\n+k\r\n,1.5\r\n";
        for cut in 0..bytes.len() {
            assert_eq!(decode(&bytes[..cut]), Ok(None), "cut at {cut}");
        }
        let want = Value::Array(vec![
            Value::Bulk(b"abc".to_vec()),
            Value::Int(1),
            Value::Map(vec![(Value::Simple("k".into()), Value::Double("1.5".into()))]),
        ]);
        assert_eq!(decode(bytes), Ok(Some((want, bytes.len()))));
    }

    #[test]
    fn a_claimed_size_allocates_nothing_and_depth_is_bounded() {
        assert_eq!(decode(b"*2147483647\r\n"), Ok(None));
        assert!(decode(b"$999999999999\r\n").is_err());
        assert!(decode("*1\r\n".repeat(100).as_bytes()).is_err());
    }
}

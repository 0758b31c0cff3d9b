//! A writer of replies, straight into the buffer that will be sent.

use super::double::Printed;

/// Writes RESP2 or RESP3 into an output buffer.
///
/// The same call gives the shape of the protocol the client speaks: a map is a flat array in RESP2, a null is
/// `$-1`, a double is a bulk string.
#[derive(Debug, Default)]
pub struct Reply {
    out: Vec<u8>,
    resp3: bool,
}

impl Reply {
    /// A writer that continues `out`, in RESP3 if `resp3`.
    #[must_use]
    pub fn new(out: Vec<u8>, resp3: bool) -> Self {
        Self { out, resp3 }
    }

    /// The buffer, with everything written so far.
    #[must_use]
    pub fn into_inner(self) -> Vec<u8> {
        self.out
    }

    /// Everything written so far.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.out
    }

    /// How many bytes are written so far; a mark for [`Reply::truncate`].
    #[must_use]
    pub fn len(&self) -> usize {
        self.out.len()
    }

    /// Nothing is written yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.out.is_empty()
    }

    /// Forgets everything; memory beyond `keep` bytes is given back.
    pub fn reuse(&mut self, keep: usize) {
        self.out.clear();
        if self.out.capacity() > keep {
            self.out = Vec::new();
        }
    }

    /// Takes back what was written after the mark `len`.
    pub fn truncate(&mut self, len: usize) {
        self.out.truncate(len);
    }

    /// Writes something in front of all that was written after the mark `at`: the head of an array whose length is known only
    /// at its end.
    pub fn before(&mut self, at: usize, write: impl FnOnce(&mut Self)) {
        let end = self.out.len();
        write(self);
        let written = self.out.len() - end;
        if let Some(moved) = self.out.get_mut(at..) {
            moved.rotate_right(written.min(moved.len()));
        }
    }

    /// Whether it speaks RESP3.
    #[must_use]
    pub fn resp3(&self) -> bool {
        self.resp3
    }

    /// Switches the protocol for what is written from here on (HELLO).
    pub fn set_resp3(&mut self, resp3: bool) {
        self.resp3 = resp3;
    }

    /// Bytes that are already a reply.
    pub fn raw(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    /// `+OK`.
    pub fn ok(&mut self) {
        self.out.extend_from_slice(b"+OK\r\n");
    }

    /// A simple string. CR and LF become spaces: a reply must stay one line (CVE-2025-67733).
    pub fn simple(&mut self, text: &str) {
        self.line(b'+', text.as_bytes());
    }

    /// An error line: code and text, without the leading `-`. CR and LF become spaces.
    pub fn error(&mut self, text: &str) {
        self.line(b'-', text.as_bytes());
    }

    /// An error line that may hold arbitrary bytes of a client.
    pub fn error_bytes(&mut self, text: &[u8]) {
        self.line(b'-', text);
    }

    fn line(&mut self, kind: u8, text: &[u8]) {
        self.out.push(kind);
        self.out.extend(text.iter().map(|&b| if b == b'\r' || b == b'\n' { b' ' } else { b }));
        self.out.extend_from_slice(b"\r\n");
    }

    fn header(&mut self, kind: u8, n: i64) {
        let mut buffer = itoa::Buffer::new();
        self.out.push(kind);
        self.out.extend_from_slice(buffer.format(n).as_bytes());
        self.out.extend_from_slice(b"\r\n");
    }

    fn size(&mut self, kind: u8, n: usize) {
        self.header(kind, i64::try_from(n).unwrap_or(i64::MAX));
    }

    /// An integer.
    pub fn int(&mut self, n: i64) {
        match n {
            0 => self.out.extend_from_slice(b":0\r\n"),
            1 => self.out.extend_from_slice(b":1\r\n"),
            _ => self.header(b':', n),
        }
    }

    /// A count or length as an integer.
    pub fn count(&mut self, n: usize) {
        self.size(b':', n);
    }

    /// A bulk string.
    pub fn bulk(&mut self, bytes: &[u8]) {
        self.out.reserve(bytes.len() + 16);
        self.size(b'$', bytes.len());
        self.out.extend_from_slice(bytes);
        self.out.extend_from_slice(b"\r\n");
    }

    /// An integer as a bulk string.
    pub fn bulk_int(&mut self, n: i64) {
        let mut buffer = itoa::Buffer::new();
        self.bulk(buffer.format(n).as_bytes());
    }

    /// A double: `,3.25`, or its text as a bulk string.
    pub fn double(&mut self, value: f64) {
        self.printed(&Printed::new(value));
    }

    /// A double as it was printed.
    pub fn printed(&mut self, text: &Printed) {
        if self.resp3 { self.line(b',', text.as_bytes()) } else { self.bulk(text.as_bytes()) }
    }

    /// The missing value: `$-1` or `_`.
    pub fn null(&mut self) {
        self.out.extend_from_slice(if self.resp3 { b"_\r\n" } else { b"$-1\r\n" });
    }

    /// The missing array: `*-1` or `_`.
    pub fn null_array(&mut self) {
        self.out.extend_from_slice(if self.resp3 { b"_\r\n" } else { b"*-1\r\n" });
    }

    /// Starts an array of `n` values.
    pub fn array(&mut self, n: usize) {
        self.size(b'*', n);
    }

    /// Starts a map of `n` pairs.
    pub fn map(&mut self, n: usize) {
        if self.resp3 { self.size(b'%', n) } else { self.size(b'*', n.saturating_mul(2)) }
    }

    /// Starts a set of `n` values.
    pub fn set(&mut self, n: usize) {
        self.size(if self.resp3 { b'~' } else { b'*' }, n);
    }

    /// Starts a push of `n` values (an array in RESP2).
    pub fn push(&mut self, n: usize) {
        self.size(if self.resp3 { b'>' } else { b'*' }, n);
    }

    /// A boolean: `#t` or `:1`.
    pub fn bool(&mut self, value: bool) {
        let bytes: &[u8] = match (self.resp3, value) {
            (true, true) => b"#t\r\n",
            (true, false) => b"#f\r\n",
            (false, true) => b":1\r\n",
            (false, false) => b":0\r\n",
        };
        self.out.extend_from_slice(bytes);
    }

    /// Text with a three-letter format (`txt`, `mkd`); a plain bulk string in RESP2.
    pub fn verbatim(&mut self, format: &str, text: &[u8]) {
        if self.resp3 {
            self.size(b'=', text.len() + 4);
            self.out.extend_from_slice(format.as_bytes());
            self.out.push(b':');
            self.out.extend_from_slice(text);
            self.out.extend_from_slice(b"\r\n");
        } else {
            self.bulk(text);
        }
    }
}

/// Appends one request (an array of bulk strings) to `out`.
pub fn encode_request<A: AsRef<[u8]>>(out: &mut Vec<u8>, args: &[A]) {
    encode_words(out, args.len(), |at| args.get(at).map_or(&[], AsRef::as_ref));
}

/// Appends one request of `count` words to `out`.
pub fn encode_words<'w>(out: &mut Vec<u8>, count: usize, word: impl Fn(usize) -> &'w [u8]) {
    let mut buffer = itoa::Buffer::new();
    out.push(b'*');
    out.extend_from_slice(buffer.format(count).as_bytes());
    out.extend_from_slice(b"\r\n");
    for at in 0..count {
        let word = word(at);
        out.push(b'$');
        out.extend_from_slice(buffer.format(word.len()).as_bytes());
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(word);
        out.extend_from_slice(b"\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(resp3: bool, write: impl Fn(&mut Reply)) -> String {
        let mut reply = Reply::new(Vec::new(), resp3);
        write(&mut reply);
        String::from_utf8(reply.into_inner()).unwrap()
    }

    #[test]
    fn shapes_follow_the_protocol_spoken() {
        assert_eq!(written(false, |r| r.map(2)), "*4\r\n");
        assert_eq!(written(true, |r| r.map(2)), "%2\r\n");
        assert_eq!(written(false, Reply::null), "$-1\r\n");
        assert_eq!(written(true, Reply::null), "_\r\n");
        assert_eq!(written(true, |r| r.verbatim("txt", b"a")), "=5\r\ntxt:a\r\n");
        assert_eq!(written(false, |r| r.verbatim("txt", b"a")), "$1\r\na\r\n");
    }

    #[test]
    fn a_head_can_be_written_last() {
        let list = written(false, |reply| {
            reply.int(7);
            let mark = reply.len();
            reply.bulk(b"ab");
            reply.bulk(b"c");
            reply.before(mark, |reply| reply.array(2));
        });
        assert_eq!(list, ":7\r\n*2\r\n$2\r\nab\r\n$1\r\nc\r\n");
    }

    #[test]
    fn a_line_stays_a_line_whatever_it_holds() {
        assert_eq!(written(false, |r| r.error("ERR a\r\n+OK")), "-ERR a  +OK\r\n");
    }
}

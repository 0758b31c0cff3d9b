//! Requests: bytes to flat lists of argument ranges, whatever way the bytes were split.
//!
//! The parser copies nothing. A [`Batch`] holds ranges into the caller's buffer for up to a few dozen complete
//! requests; [`Args`] is the view of one of them. A request that is not complete yet keeps its progress in the
//! [`Parser`], so that a million small arguments arriving in small pieces are still read once.

use super::number::parse_i64;
use super::words::{Unbalanced, Words};

/// What one peer may make us hold. The unit is bytes unless said otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Longest inline request, and longest `*…`/`$…` line.
    pub inline: usize,
    /// Most arguments in one request (count).
    pub args: usize,
    /// Longest single argument.
    pub bulk: usize,
    /// Worded as "unauthenticated" when exceeded.
    pub before_auth: bool,
}

impl Limits {
    /// Before authentication: as Redis 6.2 and later (CVE-2021-32675).
    pub const BEFORE_AUTH: Self = Self { inline: 64 << 10, args: 10, bulk: 16 << 10, before_auth: true };
    /// Redis' own limits: 512 MB per argument, a million arguments and more.
    pub const OPEN: Self =
        Self { inline: 64 << 10, args: i32::MAX as usize, bulk: 512 << 20, before_auth: false };
}

/// A breach of the protocol: answer with this text, then close.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProtocolError(pub String);

#[derive(Debug, Clone, Copy)]
struct Span {
    start: u32,
    len: u32,
}

#[derive(Debug, Clone, Copy)]
struct Request {
    first: u32,
    count: u32,
    raw_start: u32,
    raw_end: u32,
    inline: bool,
}

/// Complete requests of one turn, as ranges.
#[derive(Debug, Default)]
pub struct Batch {
    spans: Vec<Span>,
    requests: Vec<Request>,
    /// Unquoted arguments of inline requests: they are not ranges of the input.
    unquoted: Vec<u8>,
}

impl Batch {
    /// How many complete requests there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.requests.len()
    }

    /// No complete request.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.requests.is_empty()
    }

    /// Forgets everything, keeps the memory.
    pub fn clear(&mut self) {
        self.spans.clear();
        self.requests.clear();
        self.unquoted.clear();
        if self.unquoted.capacity() > 1 << 20 {
            self.unquoted = Vec::new();
        }
        if self.spans.capacity() > 1 << 16 {
            self.spans = Vec::new();
        }
    }

    /// The arguments of request `index`; `buf` is the buffer that was parsed. A request of no arguments (an
    /// empty line, `*0`) is there too: it keeps a replica's timer fresh.
    #[must_use]
    pub fn args<'a>(&'a self, buf: &'a [u8], index: usize) -> Args<'a> {
        let Some(request) = self.requests.get(index) else { return Args::default() };
        let first = request.first as usize;
        let spans = self.spans.get(first..first + request.count as usize).unwrap_or_default();
        let buf = if request.inline { &self.unquoted } else { buf };
        let raw = if request.inline {
            &[][..]
        } else {
            buf.get(request.raw_start as usize..request.raw_end as usize).unwrap_or_default()
        };
        Args { buf, spans, raw }
    }

    /// Where request `index` ends in the parsed buffer.
    #[must_use]
    pub fn end_of(&self, index: usize) -> usize {
        self.requests.get(index).map_or(0, |request| request.raw_end as usize)
    }
}

/// The arguments of one request, command name first.
#[derive(Debug, Clone, Copy, Default)]
pub struct Args<'a> {
    buf: &'a [u8],
    spans: &'a [Span],
    raw: &'a [u8],
}

impl<'a> Args<'a> {
    /// How many arguments, the command's name included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// An empty request.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// Argument `index` (0 is the command's name); empty when there is none, so that no count sent by a peer
    /// can reach a panic.
    #[must_use]
    #[inline]
    pub fn get(&self, index: usize) -> &'a [u8] {
        match self.spans.get(index) {
            Some(span) => {
                let start = span.start as usize;
                self.buf.get(start..start + span.len as usize).unwrap_or_default()
            }
            None => &[],
        }
    }

    /// The arguments from `index` on.
    pub fn iter_from(&self, index: usize) -> impl Iterator<Item = &'a [u8]> + Clone + use<'a> {
        let this = *self;
        (index..this.len()).map(move |i| this.get(i))
    }

    /// The arguments from `count` on, as a request of their own.
    #[must_use]
    pub fn skip(&self, count: usize) -> Self {
        Self { buf: self.buf, spans: self.spans.get(count..).unwrap_or_default(), raw: &[] }
    }

    /// The request exactly as sent, when it was sent as an array; empty for an inline request.
    #[must_use]
    pub fn raw(&self) -> &'a [u8] {
        self.raw
    }

    /// Owned copies of all arguments (for queued and parked commands).
    #[must_use]
    pub fn to_owned_args(&self) -> OwnedArgs {
        let mut out = OwnedArgs::default();
        for arg in self.iter_from(0) {
            out.push(arg);
        }
        out
    }
}

/// Arguments that outlive the input they came in.
#[derive(Debug, Clone, Default)]
pub struct OwnedArgs {
    bytes: Vec<u8>,
    spans: Vec<Span>,
}

impl OwnedArgs {
    /// From slices.
    pub fn from_slices<A: AsRef<[u8]>>(args: &[A]) -> Self {
        let mut out = Self::default();
        for arg in args {
            out.push(arg.as_ref());
        }
        out
    }

    /// Adds one argument. Arguments past 4 GiB in all are dropped; the parser's limits stay far below.
    pub fn push(&mut self, arg: &[u8]) {
        if let (Ok(start), Ok(len)) = (u32::try_from(self.bytes.len()), u32::try_from(arg.len())) {
            self.bytes.extend_from_slice(arg);
            self.spans.push(Span { start, len });
        }
    }

    /// The view that handlers take.
    #[must_use]
    pub fn args(&self) -> Args<'_> {
        Args { buf: &self.bytes, spans: &self.spans, raw: &[] }
    }

    /// Bytes held.
    #[must_use]
    pub fn size(&self) -> usize {
        self.bytes.len() + self.spans.len() * size_of::<Span>()
    }
}

/// Progress within a request that has not arrived whole.
#[derive(Debug, Default)]
pub struct Parser {
    /// Arguments still to come of a request whose `*n` line was read.
    missing: usize,
    /// Where to continue, counted from the start of that request.
    at: usize,
    spans: Vec<Span>,
}

impl Parser {
    /// Reads complete requests from `buf` into `batch`, at most `most` of them, and returns how many bytes they
    /// took. The caller keeps the rest and passes it again, with more behind it.
    ///
    /// # Errors
    /// The peer broke the protocol. Requests before the breach are in the batch and are to be served first.
    pub fn parse(
        &mut self,
        buf: &[u8],
        limits: &Limits,
        most: usize,
        batch: &mut Batch,
    ) -> Result<usize, ProtocolError> {
        let mut start = 0;
        while batch.len() < most {
            let Some(rest) = buf.get(start..).filter(|rest| !rest.is_empty()) else { break };
            let consumed = if self.missing == 0 && rest.first() != Some(&b'*') {
                inline(rest, start, limits, batch)?
            } else {
                self.array(rest, start, limits, batch)?
            };
            match consumed {
                Some(n) => start += n,
                None => break,
            }
        }
        Ok(start)
    }

    /// Whether a request is half read.
    #[must_use]
    pub fn in_request(&self) -> bool {
        self.missing > 0
    }

    /// One array request at the start of `rest`; `base` is where `rest` begins in the caller's buffer.
    fn array(
        &mut self,
        rest: &[u8],
        base: usize,
        limits: &Limits,
        batch: &mut Batch,
    ) -> Result<Option<usize>, ProtocolError> {
        if self.missing == 0 {
            let Some((line, next)) = line_at(rest, 1, limits, "too big mbulk count string")? else {
                return Ok(None);
            };
            let n = parse_i64(line).filter(|&n| n <= i64::from(i32::MAX));
            let Some(n) = n else { return Err(breach("invalid multibulk length")) };
            if n <= 0 {
                push_request(batch, base, next, &[], false);
                return Ok(Some(next));
            }
            let n = usize::try_from(n).unwrap_or(usize::MAX);
            if n > limits.args {
                return Err(breach(if limits.before_auth {
                    "unauthenticated multibulk length"
                } else {
                    "invalid multibulk length"
                }));
            }
            self.missing = n;
            self.at = next;
            self.spans.clear();
        }
        while self.missing > 0 {
            let Some((start, len)) = self.argument(rest, limits)? else { return Ok(None) };
            let (Ok(start), Ok(len)) = (u32::try_from(start), u32::try_from(len)) else {
                return Err(breach("too big request"));
            };
            self.spans.push(Span { start, len });
            self.missing -= 1;
        }
        let end = self.at;
        self.at = 0;
        push_request(batch, base, end, &self.spans, false);
        Ok(Some(end))
    }

    /// The next `$n` argument: start and length, with `self.at` moved past it.
    fn argument(&mut self, rest: &[u8], limits: &Limits) -> Result<Option<(usize, usize)>, ProtocolError> {
        match rest.get(self.at) {
            None => return Ok(None),
            Some(b'$') => {}
            Some(&other) => return Err(breach(&format!("expected '$', got '{}'", printable(other)))),
        }
        let Some((line, start)) = line_at(rest, self.at + 1, limits, "too big bulk count string")? else {
            return Ok(None);
        };
        let len = parse_i64(line).and_then(|n| usize::try_from(n).ok()).filter(|&n| n <= Limits::OPEN.bulk);
        let Some(len) = len else { return Err(breach("invalid bulk length")) };
        if len > limits.bulk {
            let what = if limits.before_auth { "unauthenticated bulk length" } else { "invalid bulk length" };
            return Err(breach(what));
        }
        let end = start + len;
        match rest.get(end..end + 2) {
            None => Ok(None),
            Some(b"\r\n") => {
                self.at = end + 2;
                Ok(Some((start, len)))
            }
            // Redis skips these two bytes unread. We may copy a request verbatim to replicas, so it has to be one.
            Some(_) => Err(breach("expected CRLF after a bulk string")),
        }
    }
}

fn breach(what: &str) -> ProtocolError {
    ProtocolError(format!("ERR Protocol error: {what}"))
}

fn printable(byte: u8) -> char {
    if byte.is_ascii_graphic() || byte == b' ' { byte as char } else { '?' }
}

/// The line that starts at `from`, without its CRLF, and where the next one starts.
#[inline]
fn line_at<'a>(
    buf: &'a [u8],
    from: usize,
    limits: &Limits,
    too_long: &str,
) -> Result<Option<(&'a [u8], usize)>, ProtocolError> {
    let Some(rest) = buf.get(from..) else { return Ok(None) };
    // Nearly every length is one to three digits: look there before a search is set up.
    let mut end = 0;
    while end < 4 && end < rest.len() && rest.get(end) != Some(&b'\r') {
        end += 1;
    }
    if rest.get(end) != Some(&b'\r') {
        match memchr::memchr(b'\r', rest) {
            Some(found) => end = found,
            None if rest.len() > limits.inline => return Err(breach(too_long)),
            None => return Ok(None),
        }
    }
    match rest.get(end + 1) {
        None => Ok(None),
        Some(b'\n') => Ok(Some((rest.get(..end).unwrap_or_default(), from + end + 2))),
        Some(_) => Err(breach("invalid multibulk length")),
    }
}

fn push_request(batch: &mut Batch, base: usize, len: usize, spans: &[Span], inline: bool) {
    let offset = if inline { 0 } else { narrow(base) };
    let first = narrow(batch.spans.len());
    batch.spans.extend(spans.iter().map(|s| Span { start: s.start.saturating_add(offset), len: s.len }));
    batch.requests.push(Request {
        first,
        count: narrow(spans.len()),
        raw_start: narrow(base),
        raw_end: narrow(base.saturating_add(len)),
        inline,
    });
}

/// Buffers stay far below 4 GiB: the shell stops reading at the query-buffer limit.
fn narrow(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// One inline request at the start of `rest`.
fn inline(
    rest: &[u8],
    base: usize,
    limits: &Limits,
    batch: &mut Batch,
) -> Result<Option<usize>, ProtocolError> {
    let Some(end) = memchr::memchr(b'\n', rest) else {
        return if rest.len() > limits.inline { Err(breach("too big inline request")) } else { Ok(None) };
    };
    if end > limits.inline {
        return Err(breach("too big inline request"));
    }
    let line = rest.get(..end).unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let mut spans = Vec::new();
    let mut scan = Words::new(line);
    loop {
        let start = batch.unquoted.len();
        match scan.word(&mut batch.unquoted) {
            Ok(true) => spans.push(Span { start: narrow(start), len: narrow(batch.unquoted.len() - start) }),
            Ok(false) => break,
            Err(Unbalanced) => return Err(breach("unbalanced quotes in request")),
        }
    }
    if spans.len() > limits.args {
        return Err(breach("unauthenticated multibulk length"));
    }
    push_request(batch, base, end + 1, &spans, true);
    Ok(Some(end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds `bytes` in pieces of `size` and returns every request read, as text.
    fn requests(bytes: &[u8], size: usize) -> Result<Vec<Vec<String>>, ProtocolError> {
        let (mut parser, mut pending, mut out) = (Parser::default(), Vec::new(), Vec::new());
        let mut batch = Batch::default();
        for piece in bytes.chunks(size) {
            pending.extend_from_slice(piece);
            loop {
                batch.clear();
                let used = parser.parse(&pending, &Limits::OPEN, 2, &mut batch)?;
                for i in 0..batch.len() {
                    let args = batch.args(&pending, i);
                    out.push(args.iter_from(0).map(|a| String::from_utf8_lossy(a).into_owned()).collect());
                }
                pending.drain(..used);
                if batch.is_empty() {
                    break;
                }
            }
        }
        Ok(out)
    }

    #[test]
    fn any_split_gives_the_same_requests() {
        let bytes = b"*2\r\n$3\r\nGET\r\n$1\r\na\r\nPING \"a\\x41\" 'b c'\r\n*0\r\n\r\n*1\r\n$4\r\nQUIT\r\n";
        let whole = requests(bytes, bytes.len()).unwrap();
        assert_eq!(whole.len(), 5);
        assert_eq!(whole[1], ["PING", "aA", "b c"]);
        for size in 1..bytes.len() {
            assert_eq!(requests(bytes, size).unwrap(), whole, "pieces of {size}");
        }
    }

    #[test]
    fn breaches_are_worded_as_redis_words_them() {
        for (bytes, want) in [
            (&b"*3\r\n$3\r\nSET\r\n$1\r\nx\r\nfooz\r\n"[..], "expected '$', got 'f'"),
            (b"*03\r\n", "invalid multibulk length"),
            (b"*3000000000\r\n", "invalid multibulk length"),
            (b"*1\r\n$+3\r\nGET\r\n", "invalid bulk length"),
            (b"*1\r\n$-1\r\n", "invalid bulk length"),
            (b"*1\r\n$536870913\r\n", "invalid bulk length"),
            (b"SET \"a\r\n", "unbalanced quotes in request"),
            (b"SET \"a\"b\r\n", "unbalanced quotes in request"),
        ] {
            let error = requests(bytes, bytes.len()).unwrap_err();
            assert_eq!(error.0, format!("ERR Protocol error: {want}"));
        }
        let long = vec![b'a'; (64 << 10) + 1];
        assert_eq!(requests(&long, 4096).unwrap_err().0, "ERR Protocol error: too big inline request");
        let long = [b"*".as_slice(), &vec![b'1'; 70 << 10]].concat();
        assert_eq!(requests(&long, 4096).unwrap_err().0, "ERR Protocol error: too big mbulk count string");
    }

    #[test]
    fn before_authentication_little_is_accepted() {
        let parse = |bytes: &[u8]| {
            Parser::default().parse(bytes, &Limits::BEFORE_AUTH, 1, &mut Batch::default()).unwrap_err().0
        };
        assert_eq!(parse(b"*11\r\n"), "ERR Protocol error: unauthenticated multibulk length");
        assert_eq!(parse(b"*1\r\n$16385\r\n"), "ERR Protocol error: unauthenticated bulk length");
    }
}

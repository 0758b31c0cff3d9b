//! A line of words with Redis' quoting, as inline requests and configuration files are written.

/// Quotes that do not close.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unbalanced;

/// Splits a line into words with Redis' quoting (`sdssplitargs`): `"a\x41\n"`, `'it\'s'`.
///
/// # Errors
/// A quote does not close, or is followed by something other than a space.
pub fn split_words(line: &[u8]) -> Result<Vec<Vec<u8>>, Unbalanced> {
    let mut scan = Words::new(line);
    let mut words = Vec::new();
    let mut word = Vec::new();
    while scan.word(&mut word)? {
        words.push(std::mem::take(&mut word));
    }
    Ok(words)
}

/// The words of one line, one after the other.
#[derive(Debug)]
pub struct Words<'a> {
    line: &'a [u8],
    at: usize,
}

impl<'a> Words<'a> {
    /// The words of `line`.
    #[must_use]
    pub fn new(line: &'a [u8]) -> Self {
        Self { line, at: 0 }
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.line.get(self.at).copied();
        self.at += usize::from(byte.is_some());
        byte
    }

    /// Appends the next word to `out`; false at the end of the line.
    ///
    /// # Errors
    /// As [`split_words`].
    pub fn word(&mut self, out: &mut Vec<u8>) -> Result<bool, Unbalanced> {
        while self.line.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
        if self.at >= self.line.len() {
            return Ok(false);
        }
        loop {
            match self.next() {
                None | Some(b' ' | b'\n' | b'\r' | b'\t' | 0) => return Ok(true),
                Some(b'"') => return self.double_quoted(out).map(|()| true),
                Some(b'\'') => return self.single_quoted(out).map(|()| true),
                Some(byte) => out.push(byte),
            }
        }
    }

    fn closed(&self) -> Result<(), Unbalanced> {
        match self.line.get(self.at) {
            Some(byte) if !byte.is_ascii_whitespace() => Err(Unbalanced),
            _ => Ok(()),
        }
    }

    fn double_quoted(&mut self, out: &mut Vec<u8>) -> Result<(), Unbalanced> {
        loop {
            match self.next() {
                None => return Err(Unbalanced),
                Some(b'"') => return self.closed(),
                Some(b'\\') => {
                    let escaped = self.next().ok_or(Unbalanced)?;
                    let hex = |i: usize| self.line.get(self.at + i).and_then(|&b| (b as char).to_digit(16));
                    match (escaped, hex(0), hex(1)) {
                        (b'x', Some(high), Some(low)) => {
                            out.push(u8::try_from(high * 16 + low).unwrap_or(0));
                            self.at += 2;
                        }
                        (b'n', ..) => out.push(b'\n'),
                        (b'r', ..) => out.push(b'\r'),
                        (b't', ..) => out.push(b'\t'),
                        (b'b', ..) => out.push(8),
                        (b'a', ..) => out.push(7),
                        (other, ..) => out.push(other),
                    }
                }
                Some(byte) => out.push(byte),
            }
        }
    }

    fn single_quoted(&mut self, out: &mut Vec<u8>) -> Result<(), Unbalanced> {
        loop {
            match self.next() {
                None => return Err(Unbalanced),
                Some(b'\'') => return self.closed(),
                Some(b'\\') if self.line.get(self.at) == Some(&b'\'') => {
                    self.at += 1;
                    out.push(b'\'');
                }
                Some(byte) => out.push(byte),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_undone_as_redis_undoes_them() {
        let words = |line: &str| {
            split_words(line.as_bytes()).map(|words| {
                words.iter().map(|w| String::from_utf8_lossy(w).into_owned()).collect::<Vec<_>>()
            })
        };
        assert_eq!(words(r#"set "a\x41\n" 'it\'s'  x"y z"#), Err(Unbalanced));
        assert_eq!(words(r#" set "a\x41\t" 'it\'s' "" "#).unwrap(), ["set", "aA\t", "it's", ""]);
        assert_eq!(words(r#""a"b"#), Err(Unbalanced));
        assert_eq!(words("").unwrap(), Vec::<String>::new());
    }
}

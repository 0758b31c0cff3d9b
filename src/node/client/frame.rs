//! Where a reply ends, in a buffer that grows.

use rctl_server::resp::number::parse_i64;
use rctl_server::resp::value::MAX_BULK;

/// Finds where the reply at the start of a growing buffer ends, looking at each byte once.
///
/// Decoding from the start at every read would be quadratic in the reply; this only counts values still owed.
#[derive(Debug)]
pub(crate) struct Frame {
    /// Where the next header line starts.
    at: usize,
    /// How far the search for its end has come.
    searched: usize,
    /// Values still to come.
    owed: u64,
}

impl Default for Frame {
    fn default() -> Self {
        Self { at: 0, searched: 0, owed: 1 }
    }
}

impl Frame {
    /// The reply's length, when all of it is there. What is no reply at all ends where that is seen: the decoder
    /// words the complaint.
    pub(crate) fn advance(&mut self, buf: &[u8]) -> Option<usize> {
        while self.owed > 0 {
            let unseen = buf.get(self.searched.max(self.at)..)?;
            let Some(newline) = unseen.iter().position(|&byte| byte == b'\n') else {
                self.searched = buf.len();
                return None;
            };
            let end = self.searched.max(self.at) + newline + 1;
            let line = buf.get(self.at..end - 1).unwrap_or_default();
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            let Some((kind, rest)) = line.split_first() else { return Some(end) };
            let count = || parse_i64(rest).and_then(|n| u64::try_from(n).ok());
            let mut next = end;
            let mut more = 0;
            match kind {
                b'$' | b'=' | b'!' if rest != b"-1" => {
                    let len = count().and_then(|n| usize::try_from(n).ok()).filter(|&len| len <= MAX_BULK);
                    let Some(len) = len else { return Some(end) };
                    next = end + len + 2;
                    if buf.len() < next {
                        return None;
                    }
                }
                b'*' | b'~' | b'>' => more = count().unwrap_or(0),
                b'%' => more = count().unwrap_or(0).saturating_mul(2),
                // An attribute and the value it describes are one value.
                b'|' => more = count().unwrap_or(0).saturating_mul(2).saturating_add(1),
                b'+' | b'-' | b':' | b',' | b'(' | b'#' | b'_' | b'$' | b'=' | b'!' => {}
                _ => return Some(end),
            }
            self.owed = (self.owed - 1).saturating_add(more);
            self.at = next;
        }
        Some(self.at)
    }
}

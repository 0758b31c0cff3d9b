//! The recent end of the stream, addressed by position, in chunks of one size.
//!
//! One backlog serves everybody: partial resync, live streaming and what a replica misses while it takes a
//! snapshot are cursors over it. Chunk number = (position − position of the first chunk) / chunk size, so finding
//! a byte needs no index. A chunk is freed when it lies before both the configured size and the slowest reader.

use std::collections::VecDeque;
use std::ops::Range;

/// Stream bytes from some position to the end.
#[derive(Debug)]
pub struct Backlog {
    chunks: VecDeque<Vec<u8>>,
    /// Position of the first byte of the first chunk.
    base: u64,
    /// Position behind the last byte.
    end: u64,
    /// How many bytes to keep when nobody needs more.
    size: u64,
    chunk: usize,
}

impl Backlog {
    /// An empty backlog at `position` that keeps `size` bytes.
    #[must_use]
    pub fn new(position: u64, size: u64) -> Self {
        let size = size.max(16 << 10);
        // Small against the backlog, so that one chunk more or less does not matter (redis#11666).
        let chunk = usize::try_from((size / 16).clamp(1 << 10, 64 << 10)).unwrap_or(64 << 10);
        Self { chunks: VecDeque::new(), base: position, end: position, size, chunk }
    }

    /// The positions kept: the first byte's, and the one behind the last.
    #[must_use]
    pub fn range(&self) -> Range<u64> {
        self.base..self.end
    }

    /// Position behind the last byte.
    #[must_use]
    #[inline]
    pub fn end(&self) -> u64 {
        self.end
    }

    /// How many bytes are kept when nobody needs more.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Changes how many bytes are kept; takes effect at the next [`Backlog::trim`].
    pub fn resize(&mut self, size: u64) {
        self.size = size.max(16 << 10);
    }

    /// Bytes of memory held.
    #[must_use]
    pub fn memory(&self) -> u64 {
        (self.chunks.len() * self.chunk) as u64
    }

    /// Adds bytes at the end.
    #[inline]
    pub fn append(&mut self, mut bytes: &[u8]) {
        self.end += bytes.len() as u64;
        while !bytes.is_empty() {
            let room = match self.chunks.back() {
                Some(last) => self.chunk - last.len(),
                None => 0,
            };
            if room == 0 {
                self.chunks.push_back(Vec::with_capacity(self.chunk));
                continue;
            }
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            if let Some(last) = self.chunks.back_mut() {
                last.extend_from_slice(now);
            }
            bytes = later;
        }
    }

    /// Frees whole chunks that lie before the kept size and before `needed`, the slowest reader's position.
    pub fn trim(&mut self, needed: u64) {
        let keep = self.end.saturating_sub(self.size).min(needed);
        while self.chunks.len() > 1 && self.base + self.chunk as u64 <= keep {
            self.chunks.pop_front();
            self.base += self.chunk as u64;
        }
    }

    /// The bytes from `position` to the end of its chunk; empty at the end, or for a position not kept.
    #[must_use]
    pub fn read(&self, position: u64) -> &[u8] {
        if position < self.base || position >= self.end {
            return &[];
        }
        let at = position - self.base;
        let size = self.chunk as u64;
        let index = usize::try_from(at / size).unwrap_or(usize::MAX);
        let within = usize::try_from(at % size).unwrap_or(usize::MAX);
        self.chunks.get(index).and_then(|chunk| chunk.get(within..)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(range: Range<u64>) -> Vec<u8> {
        range.map(|position| (position % 251) as u8).collect()
    }

    #[test]
    fn what_was_appended_is_read_back_at_its_position() {
        let mut log = Backlog::new(1000, 16 << 10);
        for at in (1000..90_000).step_by(700) {
            log.append(&bytes(at..at + 700));
            log.trim(u64::MAX);
        }
        let Range { start, end } = log.range();
        assert_eq!(end, 90_600);
        assert!(end - start >= 16 << 10, "the configured size is kept");
        assert!(end - start < (16 << 10) + 2 * 1024, "and little more");
        let mut at = start;
        while at < end {
            let piece = log.read(at);
            assert_eq!(piece, bytes(at..at + piece.len() as u64));
            at += piece.len() as u64;
        }
        assert_eq!(log.read(start - 1), b"");
        assert_eq!(log.read(end), b"");
    }

    #[test]
    fn a_slow_reader_keeps_what_it_needs() {
        let mut log = Backlog::new(0, 16 << 10);
        log.append(&vec![7; 200 << 10]);
        log.trim(5000);
        assert!(log.range().start <= 5000);
        assert!(!log.read(5000).is_empty());
        log.trim(u64::MAX);
        assert!(log.range().start > 5000);
    }
}

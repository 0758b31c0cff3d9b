//! How much a node of a list holds: `list-max-listpack-size`.

/// Redis' bound for a node whose size is given in elements, and for what is long among them, in bytes.
const SAFE: usize = 8192;

/// The longest a node may be filled: a number of bytes, or a number of elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fill {
    directive: i16,
    /// From which length on an element has a node for itself; 0 for what the size of nodes says.
    plain: u32,
}

impl Default for Fill {
    fn default() -> Self {
        Self { directive: -2, plain: 0 }
    }
}

impl Fill {
    /// From the directive's number: positive for elements, -1 to -5 for 4, 8, 16, 32 and 64 KiB. 0 is taken as 1, what is below
    /// -5 as -5.
    #[must_use]
    pub fn of(directive: i64) -> Self {
        let most = i64::from(i16::MAX);
        Self { directive: i16::try_from(directive.clamp(-5, most)).unwrap_or(1), plain: 0 }
    }

    /// The same with another bound for elements that have a node for themselves; 0 for the one of [`Fill::of`].
    #[must_use]
    pub fn plain_from(self, len: u32) -> Self {
        Self { plain: len, ..self }
    }

    /// The directive's number.
    #[must_use]
    pub fn directive(self) -> i16 {
        self.directive
    }

    /// The bound in bytes, if it is one.
    fn bytes(self) -> Option<usize> {
        (self.directive < 0).then(|| 2048 << self.directive.unsigned_abs())
    }

    /// The bound in elements; of no meaning beside one in bytes.
    fn count(self) -> usize {
        usize::from(self.directive.unsigned_abs()).max(1)
    }

    /// Whether a listpack of `bytes` bytes and `count` elements is more than a node.
    #[inline]
    pub(super) fn exceeded(self, bytes: usize, count: usize) -> bool {
        match self.bytes() {
            Some(most) => bytes > most,
            None => bytes > SAFE || count > self.count(),
        }
    }

    /// Whether an element of `len` bytes gets a node for itself.
    #[inline]
    pub(super) fn is_large(self, len: usize) -> bool {
        match usize::try_from(self.plain) {
            Ok(plain @ 1..) => len >= plain,
            _ => len > self.bytes().unwrap_or(SAFE),
        }
    }

    /// Whether one node of these measures is a small list; `shrinking` asks for half of it.
    pub(super) fn is_small(self, bytes: usize, count: usize, shrinking: bool) -> bool {
        let part = if shrinking { 2 } else { 1 };
        match self.bytes() {
            Some(most) => bytes <= most / part,
            None => count <= self.count() / part,
        }
    }

    /// The size from which on a node that grew by replacements is split.
    pub(super) fn heavy(self) -> usize {
        2 * self.bytes().unwrap_or(SAFE)
    }
}

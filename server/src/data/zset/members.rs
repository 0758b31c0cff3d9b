//! Texts of any length in one row: no allocation for each. What a page of a large sorted set keeps its members in.

use crate::data::packed;

/// A row of texts, found by their index.
#[derive(Debug, Clone, Default)]
pub(super) struct Members {
    count: usize,
    /// Where the texts but the first start.
    cuts: Cuts,
    arena: Vec<u8>,
}

impl Members {
    /// Texts.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// Bytes of all texts.
    pub(super) fn text_len(&self) -> usize {
        self.arena.len()
    }

    /// Bytes taken from the allocator.
    pub(super) fn memory(&self) -> usize {
        self.cuts.memory() + packed::memory(&self.arena)
    }

    /// A text; empty when there is none at the index.
    #[inline]
    pub(super) fn get(&self, at: usize) -> &[u8] {
        self.arena.get(self.start(at)..self.start(at + 1)).unwrap_or_default()
    }

    /// Puts a text before the one at an index, or behind the last.
    pub(super) fn insert(&mut self, at: usize, text: &[u8]) {
        let (start, old) = (self.start(at), self.arena.len());
        packed::make_room(&mut self.arena, text.len());
        self.arena.resize(old + text.len(), 0);
        self.arena.copy_within(start..old, start + text.len());
        self.arena[start..start + text.len()].copy_from_slice(text);
        if self.count > 0 {
            self.cuts.insert(at.saturating_sub(1), start);
            self.cuts.shift(at, text.len(), true);
        }
        self.count += 1;
    }

    /// Removes the texts of a range of indices.
    pub(super) fn remove(&mut self, range: std::ops::Range<usize>) {
        let (first, end) = (range.start, range.end.min(self.count));
        if first >= end {
            return;
        }
        let (from, to) = (self.start(first), self.start(end));
        self.arena.drain(from..to);
        packed::give_back(&mut self.arena);
        self.count -= end - first;
        // The cut of the first text that stays goes when it comes to stand first.
        let cuts = first.saturating_sub(1)..end - usize::from(first > 0);
        self.cuts.remove(cuts);
        self.cuts.shift(first.saturating_sub(1), to - from, false);
    }

    /// Keeps the texts before an index and gives the others.
    pub(super) fn split_off(&mut self, at: usize) -> Self {
        if at >= self.count {
            return Self::default();
        }
        let start = self.start(at);
        let mut other = Self { count: self.count - at, cuts: Cuts::default(), arena: Vec::new() };
        packed::make_room(&mut other.arena, self.arena.len() - start);
        other.arena.extend_from_slice(&self.arena[start..]);
        other.cuts.extend((at..self.cuts.len()).map(|index| self.cuts.get(index) - start));
        self.remove(at..self.count);
        other
    }

    /// Takes over the texts of another row.
    pub(super) fn append(&mut self, other: &Self) {
        if other.count == 0 {
            return;
        }
        let base = self.arena.len();
        packed::make_room(&mut self.arena, other.arena.len());
        self.arena.extend_from_slice(&other.arena);
        let first = (self.count > 0).then_some(base);
        self.cuts.extend(first.into_iter().chain((0..other.cuts.len()).map(|at| other.cuts.get(at) + base)));
        self.count += other.count;
    }

    /// Where the text at an index starts; the end for indices past the last.
    #[inline]
    fn start(&self, at: usize) -> usize {
        match at {
            0 => 0,
            at if at < self.count => self.cuts.get(at - 1),
            _ => self.arena.len(),
        }
    }
}

/// Offsets: two bytes each as long as they are small, which they are but beside a text of many KiB.
#[derive(Debug, Clone)]
enum Cuts {
    Narrow(Vec<u16>),
    Wide(Vec<usize>),
}

impl Default for Cuts {
    fn default() -> Self {
        Self::Narrow(Vec::new())
    }
}

impl Cuts {
    fn len(&self) -> usize {
        match self {
            Self::Narrow(cuts) => cuts.len(),
            Self::Wide(cuts) => cuts.len(),
        }
    }

    fn memory(&self) -> usize {
        match self {
            Self::Narrow(cuts) => packed::memory(cuts),
            Self::Wide(cuts) => packed::memory(cuts),
        }
    }

    #[inline]
    fn get(&self, at: usize) -> usize {
        match self {
            Self::Narrow(cuts) => cuts.get(at).map_or(0, |cut| usize::from(*cut)),
            Self::Wide(cuts) => cuts.get(at).copied().unwrap_or(0),
        }
    }

    fn insert(&mut self, at: usize, cut: usize) {
        if let Self::Narrow(cuts) = self
            && let Ok(cut) = u16::try_from(cut)
        {
            packed::make_room(cuts, 1);
            cuts.insert(at.min(cuts.len()), cut);
            return;
        }
        self.widen();
        if let Self::Wide(cuts) = self {
            cuts.insert(at.min(cuts.len()), cut);
        }
    }

    /// Moves the cuts from an index on by so many bytes, up or down.
    fn shift(&mut self, from: usize, by: usize, up: bool) {
        if let Self::Narrow(cuts) = self {
            let last = cuts.get(from..).and_then(<[u16]>::last).map_or(0, |cut| usize::from(*cut));
            let fits = !up || last + by <= usize::from(u16::MAX);
            if fits && let Ok(by) = u16::try_from(by) {
                for cut in cuts.iter_mut().skip(from) {
                    *cut = if up { *cut + by } else { *cut - by };
                }
                return;
            }
            if cuts.len() <= from {
                return;
            }
        }
        self.widen();
        if let Self::Wide(cuts) = self {
            for cut in cuts.iter_mut().skip(from) {
                *cut = if up { *cut + by } else { *cut - by };
            }
        }
    }

    fn remove(&mut self, range: std::ops::Range<usize>) {
        let range = range.start.min(self.len())..range.end.min(self.len());
        match self {
            Self::Narrow(cuts) => {
                cuts.drain(range);
                packed::give_back(cuts);
            }
            Self::Wide(cuts) => {
                cuts.drain(range);
                packed::give_back(cuts);
            }
        }
    }

    fn extend(&mut self, more: impl Iterator<Item = usize> + Clone) {
        if let Self::Narrow(cuts) = self {
            packed::make_room(cuts, more.clone().count());
        }
        for cut in more {
            self.insert(usize::MAX, cut);
        }
    }

    fn widen(&mut self) {
        if let Self::Narrow(cuts) = self {
            *self = Self::Wide(cuts.iter().map(|cut| usize::from(*cut)).collect());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Rng;

    fn pick(rng: &mut Rng, below: usize) -> usize {
        usize::try_from(rng.below(below as u64)).unwrap()
    }

    #[test]
    fn a_row_of_texts_is_a_vector_of_texts() {
        for seed in 0..200 {
            let mut rng = Rng::new(seed);
            let (mut row, mut model) = (Members::default(), Vec::<Vec<u8>>::new());
            for step in 0..120 {
                let len = if rng.below(40) == 0 { 70_000 } else { pick(&mut rng, 9) };
                let text = vec![u8::try_from(step).unwrap(); len];
                let at = pick(&mut rng, model.len() + 1);
                match rng.below(8) {
                    0 => {
                        let end = (at + pick(&mut rng, 5)).min(model.len());
                        row.remove(at..end);
                        model.drain(at..end);
                    }
                    1 => {
                        let (other, behind) = (row.split_off(at), model.split_off(at));
                        assert_eq!(other.len(), behind.len());
                        assert!((0..other.len()).all(|at| other.get(at) == behind[at]));
                        if rng.below(4) > 0 {
                            row.append(&other);
                            model.extend(behind);
                        }
                    }
                    _ => {
                        row.insert(at, &text);
                        model.insert(at, text);
                    }
                }
                assert_eq!(row.len(), model.len());
                assert!((0..row.len()).all(|at| row.get(at) == model[at]), "seed {seed} step {step}");
            }
        }
    }
}

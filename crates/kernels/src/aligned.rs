//! Numbers that begin at a cache line, so that no vector of them lies across two.

use std::ops::{Deref, DerefMut};

/// Numbers in a cache line.
const LINE: usize = 16;

/// A block of numbers of fixed length whose first one stands at the beginning of a cache line (64 bytes).
#[derive(Debug, Default)]
pub struct Aligned {
    /// A line more than is asked for.
    numbers: Vec<f32>,
    start: usize,
    len: usize,
}

impl Aligned {
    /// As many zeros.
    pub fn zeros(len: usize) -> Self {
        let numbers = vec![0.0; len + LINE];
        let start = numbers.as_ptr().align_offset(LINE * size_of::<f32>());
        // The standard allows an offset that cannot be told; no line is then better than another.
        let start = if start < LINE { start } else { 0 };
        Self { numbers, start, len }
    }
}

impl Deref for Aligned {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.numbers[self.start..self.start + self.len]
    }
}

impl DerefMut for Aligned {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.numbers[self.start..self.start + self.len]
    }
}

impl Clone for Aligned {
    fn clone(&self) -> Self {
        let mut copy = Self::zeros(self.len);
        copy.copy_from_slice(self);
        copy
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_and_their_copies_begin_at_a_line() {
        for len in [0, 1, 15, 16, 17, 100_000] {
            let mut block = Aligned::zeros(len);
            block.iter_mut().enumerate().for_each(|(i, v)| *v = i as f32);
            let copy = block.clone();
            assert_eq!((block.len(), &block[..]), (len, &copy[..]));
            for numbers in [&block, &copy] {
                assert_eq!(numbers.as_ptr() as usize % 64, 0);
            }
        }
    }
}

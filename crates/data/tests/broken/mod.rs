//! Breaks good samples in every way that a disk or an enemy might.

use rand_pcg::Pcg32;
use rand_pcg::rand_core::Rng;

/// Gives `read` the sample cut after each byte but the last.
pub fn every_truncation(sample: &[u8], mut read: impl FnMut(&[u8])) {
    for end in 0..sample.len() {
        read(&sample[..end]);
    }
}

/// Gives `read` 10,000 copies of the sample with one to four bytes changed, some also cut.
pub fn mutations(sample: &[u8], mut read: impl FnMut(&[u8])) {
    let mut random = Pcg32::new(sample.len() as u64, 7);
    for _ in 0..10_000 {
        let mut copy = sample.to_vec();
        for _ in 0..=random.next_u32() % 4 {
            let at = random.next_u32() as usize % copy.len();
            copy[at] = match random.next_u32() % 4 {
                0 => 0,
                1 => 0xff,
                2 => copy[at] ^ 1 << (random.next_u32() % 8),
                _ => random.next_u32() as u8,
            };
        }
        if random.next_u32().is_multiple_of(8) {
            copy.truncate(random.next_u32() as usize % copy.len());
        }
        read(&copy);
    }
}

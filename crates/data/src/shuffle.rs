//! The order in which an epoch sees its samples.

use rand_pcg::Pcg32;
use rand_pcg::rand_core::Rng;

/// A permutation of `indices` that depends only on `seed` and `epoch`: the same bits on every
/// platform, for any number of threads.
///
/// Fisher and Yates's shuffle, drawing from PCG-32 (O'Neill 2014) by Lemire's method (2019),
/// which is unbiased.
///
/// ```
/// let order = foveal_data::shuffle::epoch_order(&[0, 1, 2, 3, 4], 0, 1);
/// assert_eq!(order, foveal_data::shuffle::epoch_order(&[0, 1, 2, 3, 4], 0, 1));
/// ```
pub fn epoch_order(indices: &[u32], seed: u64, epoch: u64) -> Vec<u32> {
    let mut order = indices.to_vec();
    shuffle(&mut order, &mut generator(seed, epoch));
    order
}

/// As [`epoch_order`], but with equally many samples of each class. The order is as long as `indices`,
/// and classes take turns in it: samples of a small class come up several times, some of a large class
/// not at all. `labels` are those of the whole data set.
///
/// # Panics
/// When an index has no label.
///
/// ```
/// let order = foveal_data::shuffle::balanced_order(&[0, 1, 2, 3], &[0, 0, 0, 1], 0, 1);
/// assert_eq!(order.iter().filter(|&&i| i == 3).count(), 2);
/// ```
pub fn balanced_order(indices: &[u32], labels: &[u32], seed: u64, epoch: u64) -> Vec<u32> {
    let mut classes: std::collections::BTreeMap<u32, Vec<u32>> = std::collections::BTreeMap::new();
    for &index in indices {
        classes.entry(labels[index as usize]).or_default().push(index);
    }
    let mut generator = generator(seed, epoch);
    let mut classes: Vec<Vec<u32>> = classes.into_values().collect();
    let k = classes.len();
    let mut order = Vec::with_capacity(indices.len());
    for place in 0..indices.len() {
        // Another class begins in each epoch.
        let class = (place + epoch as usize) % k;
        let turn = place / k;
        let members = &mut classes[class];
        if turn.is_multiple_of(members.len()) {
            shuffle(members, &mut generator);
        }
        order.push(members[turn % members.len()]);
    }
    shuffle(&mut order, &mut generator);
    order
}

/// The generator of one (seed, epoch) pair. Both are scrambled first: neighbouring PCG streams
/// are correlated.
pub(crate) fn generator(seed: u64, stream: u64) -> Pcg32 {
    let stream = splitmix(stream);
    Pcg32::new(splitmix(seed ^ stream), stream)
}

pub(crate) fn shuffle(items: &mut [u32], generator: &mut Pcg32) {
    for last in (1..items.len()).rev() {
        // A position beyond u32 cannot occur: a data set holds at most u32::MAX samples.
        let bound = u32::try_from(last + 1).unwrap_or(u32::MAX);
        items.swap(last, below(generator, bound) as usize);
    }
}

/// A number below `bound`, each equally likely.
fn below(generator: &mut Pcg32, bound: u32) -> u32 {
    let mut product = u64::from(generator.next_u32()) * u64::from(bound);
    if (product as u32) < bound {
        let threshold = bound.wrapping_neg() % bound;
        while (product as u32) < threshold {
            product = u64::from(generator.next_u32()) * u64::from(bound);
        }
    }
    (product >> 32) as u32
}

/// SplitMix64 (Steele, Lea, Flood 2014): a bijection that spreads every input bit.
pub(crate) fn splitmix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

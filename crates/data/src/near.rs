//! Samples that stand in two parts of a data set, exactly or nearly.

use std::collections::HashMap;

use crate::{Dataset, Sample};

/// The hashes of near duplicates may differ in so many of their 64 bits. Then at least one of the four
/// 16-bit words is equal, by which candidates are found.
const BITS: u32 = 3;
/// The least correlation of the pixels of near duplicates.
const ALIKE: f64 = 0.99;
/// The most candidates that are compared for one sample; flat pictures share words with many.
const CANDIDATES: usize = 4096;

/// Pairs of samples, the first index within one range, the second within the other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shared {
    /// With exactly the same pixels.
    pub exact: Vec<[usize; 2]>,
    /// With almost the same pixels.
    pub near: Vec<[usize; 2]>,
}

/// The samples of `b` within `b_range` that also stand in `a` within `a_range`, each with the
/// first sample of `a` that it repeats.
///
/// Two pictures are near whose difference hashes (64 bits: in a 9 x 8 grey miniature, whether each
/// cell is brighter than its right neighbour) differ in at most 3 bits and whose pixels have a
/// correlation of at least 0.99: the same picture saved again, scaled, brighter or darker, but not
/// mirrored or cropped. A blank picture is near to no other. Two texts are near that differ only in
/// case, blanks and punctuation. Sets of different shapes share nothing. Of very many candidates for
/// one sample, the first 4096 are compared.
pub fn shared(
    a: &Dataset,
    a_range: std::ops::Range<usize>,
    b: &Dataset,
    b_range: std::ops::Range<usize>,
) -> Shared {
    let mut found = Shared::default();
    if a.shape() != b.shape() {
        return found;
    }
    if a.vocabulary().is_some() && b.vocabulary().is_some() {
        return shared_texts((a, a_range), (b, b_range));
    }
    let shape = a.shape();
    let hashes: Vec<u64> =
        a_range.clone().map(|i| difference_hash(&grey(&a.sample(i), shape), shape)).collect();
    let mut words: HashMap<(usize, u16), Vec<u32>> = HashMap::new();
    for (at, &hash) in hashes.iter().enumerate() {
        for word in 0..4 {
            words.entry((word, (hash >> (16 * word)) as u16)).or_default().push(at as u32);
        }
    }
    for i in b_range {
        let sample = b.sample(i);
        let pixels = grey(&sample, shape);
        let hash = difference_hash(&pixels, shape);
        let candidates = candidates(&words, &hashes, hash);
        let at = |c: u32| a_range.start + c as usize;
        if let Some(&c) = candidates.iter().find(|&&c| a.sample(at(c)) == sample) {
            found.exact.push([at(c), i]);
            continue;
        }
        let near = candidates
            .iter()
            .take(CANDIDATES)
            .find(|&&c| correlation(&grey(&a.sample(at(c)), shape), &pixels).is_some_and(|r| r >= ALIKE));
        if let Some(&c) = near {
            found.near.push([at(c), i]);
        }
    }
    found
}

/// Samples that are nearly an earlier one of the same set, as [`shared`] tells it, each with the first such; equal ones
/// are left out. Texts are told by their letters alone.
///
/// ```
/// use foveal_data::{Dataset, Samples, Targets};
///
/// let ramp = |k: u32| (0..90u32).map(move |i| (i * i * k % 211) as u8);
/// let pixels = ramp(7).chain(ramp(7).map(|v| v / 2 + 20)).chain(ramp(3)).collect();
/// let targets = Targets::Values { values: vec![0.0; 3], names: vec!["none".into()] };
/// let set = Dataset::new("three", [9, 10, 1], Samples::U8(pixels), targets)?;
/// assert_eq!(foveal_data::near::within(&set), [[0, 1]]);
/// # Ok::<(), foveal_data::Error>(())
/// ```
pub fn within(data: &Dataset) -> Vec<[usize; 2]> {
    let mut pairs = Vec::new();
    if data.vocabulary().is_some() {
        let mut known: HashMap<String, usize> = HashMap::new();
        for i in 0..data.len() {
            let own = letters(data.text(i).unwrap_or_default());
            match known.get(&own) {
                _ if own.is_empty() => {}
                Some(&first) if data.text(first) != data.text(i) => pairs.push([first, i]),
                Some(_) => {}
                None => {
                    known.insert(own, i);
                }
            }
        }
        return pairs;
    }
    let shape = data.shape();
    let mut hashes: Vec<u64> = Vec::with_capacity(data.len());
    let mut words: HashMap<(usize, u16), Vec<u32>> = HashMap::new();
    for i in 0..data.len() {
        let sample = data.sample(i);
        let pixels = grey(&sample, shape);
        let hash = difference_hash(&pixels, shape);
        let candidates = candidates(&words, &hashes, hash);
        let is_near = |&&c: &&u32| {
            let other = data.sample(c as usize);
            other != sample && correlation(&grey(&other, shape), &pixels).is_some_and(|r| r >= ALIKE)
        };
        pairs.extend(candidates.iter().take(CANDIDATES).find(is_near).map(|&c| [c as usize, i]));
        for word in 0..4 {
            words.entry((word, (hash >> (16 * word)) as u16)).or_default().push(i as u32);
        }
        hashes.push(hash);
    }
    pairs
}

/// The places of the hashes that differ from `hash` in few bits, found by the words that they share with it.
fn candidates(words: &HashMap<(usize, u16), Vec<u32>>, hashes: &[u64], hash: u64) -> Vec<u32> {
    let mut all: Vec<u32> = (0..4)
        .filter_map(|word| words.get(&(word, (hash >> (16 * word)) as u16)))
        .flatten()
        .copied()
        .filter(|&at| (hashes[at as usize] ^ hash).count_ones() <= BITS)
        .collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// A text without case, blanks and punctuation.
fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// [`shared`] for texts: two are near that differ only in case, blanks and punctuation.
fn shared_texts(
    (a, a_range): (&Dataset, std::ops::Range<usize>),
    (b, b_range): (&Dataset, std::ops::Range<usize>),
) -> Shared {
    let (mut whole, mut plain) = (HashMap::new(), HashMap::new());
    for i in a_range {
        let Some(text) = a.text(i) else { continue };
        whole.entry(text).or_insert(i);
        plain.entry(letters(text)).or_insert(i);
    }
    let mut found = Shared::default();
    for i in b_range {
        let Some(text) = b.text(i) else { continue };
        if let Some(&at) = whole.get(text) {
            found.exact.push([at, i]);
        } else if let Some(&at) = Some(letters(text)).filter(|l| !l.is_empty()).and_then(|l| plain.get(&l)) {
            found.near.push([at, i]);
        }
    }
    found
}

/// The mean of the channels.
fn grey(sample: &Sample<'_>, shape: [usize; 3]) -> Vec<f32> {
    let channels = shape[2];
    let mean = |sum: f32| sum / channels as f32;
    match sample {
        Sample::U8(v) => {
            v.chunks_exact(channels).map(|p| mean(p.iter().map(|&v| f32::from(v)).sum())).collect()
        }
        Sample::F32(v) => v.chunks_exact(channels).map(|p| mean(p.iter().sum())).collect(),
    }
}

/// In a 9 x 8 miniature: whether each cell is brighter than its right neighbour, 64 bits.
fn difference_hash(pixels: &[f32], shape: [usize; 3]) -> u64 {
    let small = crate::resample::resize(pixels, [shape[0], shape[1]], 1, [8, 9]);
    let mut hash = 0;
    for row in small.chunks_exact(9) {
        for pair in row.windows(2) {
            hash = hash << 1 | u64::from(pair[0] > pair[1]);
        }
    }
    hash
}

/// Pearson's correlation; `None` if one of the pictures is blank.
fn correlation(a: &[f32], b: &[f32]) -> Option<f64> {
    let mean = |v: &[f32]| v.iter().map(|&v| f64::from(v)).sum::<f64>() / v.len() as f64;
    let (ma, mb) = (mean(a), mean(b));
    let (mut aa, mut bb, mut ab) = (0.0, 0.0, 0.0);
    for (&x, &y) in a.iter().zip(b) {
        let (x, y) = (f64::from(x) - ma, f64::from(y) - mb);
        aa += x * x;
        bb += y * y;
        ab += x * y;
    }
    let product = aa * bb;
    (product > 0.0 && product.is_finite()).then(|| ab / product.sqrt())
}

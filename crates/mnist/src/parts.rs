//! The digits in parts, as the page fetches them.

use crate::digits::{
    IMAGE, TEST, TRAIN, TRAIN_FRAMES, TRAIN_PARTS, test_images, test_labels, train_labels, unpack,
};

const FEW: usize = 200;
const PART: usize = 10_000;

/// The names of the parts that the digits can be had in: `train-0` to `train-5` with 10,000 training digits each,
/// `test` with all test digits, `few` with the first 200 of them.
pub const PARTS: [&str; 8] =
    ["few", "test", "train-0", "train-1", "train-2", "train-3", "train-4", "train-5"];

/// A part of the digits as one run of bytes: the pixels, 784 bytes a digit, then the labels, a byte each.
///
/// ```
/// let few = foveal_mnist::part("few").unwrap();
/// assert_eq!(few.len(), 200 * 785);
/// assert_eq!(few[200 * 784], 7);
/// assert_eq!(foveal_mnist::part("train-6"), None);
/// ```
pub fn part(name: &str) -> Option<Vec<u8>> {
    if !PARTS.contains(&name) {
        return None;
    }
    let (mut pixels, labels, first, count) = match name.strip_prefix("train-") {
        Some(index) => {
            let first = index.parse::<usize>().ok()? * PART;
            let each = TRAIN / TRAIN_PARTS;
            let mut pixels = vec![0; each * IMAGE];
            unpack(TRAIN_FRAMES[first / each], &mut pixels);
            let labels = train_labels()[first..first + PART].to_vec();
            (pixels, labels, first % each, PART)
        }
        None => (test_images(), test_labels(), 0, if name == "few" { FEW } else { TEST }),
    };
    pixels.drain(..first * IMAGE);
    pixels.truncate(count * IMAGE);
    pixels.extend(&labels[..count]);
    pixels.shrink_to_fit();
    Some(pixels)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digits::train_images;

    #[test]
    fn the_parts_are_the_digits_in_their_order() {
        let all = |kind: &str, pixels: Vec<u8>, labels: Vec<u8>| {
            let parts: Vec<Vec<u8>> =
                PARTS.iter().filter(|n| n.starts_with(kind)).filter_map(|n| part(n)).collect();
            let cut = |p: &Vec<u8>| p.len() / (IMAGE + 1) * IMAGE;
            assert!(parts.iter().flat_map(|p| &p[..cut(p)]).eq(&pixels), "{kind}: pixels");
            assert!(parts.iter().flat_map(|p| &p[cut(p)..]).eq(&labels), "{kind}: labels");
        };
        all("train", train_images(2), train_labels());
        all("test", test_images(), test_labels());
        all("few", test_images()[..FEW * IMAGE].to_vec(), test_labels()[..FEW].to_vec());
    }
}

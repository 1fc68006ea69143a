//! The built-in frames, and the digits and labels that they hold.

/// Number of training images.
pub const TRAIN: usize = 60_000;
/// Number of test images.
pub const TEST: usize = 10_000;
/// Rows of an image.
pub const HEIGHT: usize = 28;
/// Columns of an image.
pub const WIDTH: usize = 28;
/// Number of classes: the digits 0 to 9.
pub const CLASSES: usize = 10;

/// Bytes of one image.
pub(crate) const IMAGE: usize = HEIGHT * WIDTH;

/// The training images, in frames of equal length.
pub(crate) const TRAIN_FRAMES: [&[u8]; 2] =
    [include_bytes!("../data/train-images-0.zst"), include_bytes!("../data/train-images-1.zst")];
const TRAIN_LABELS: &[u8] = include_bytes!("../data/train-labels.zst");
const TEST_IMAGES: &[u8] = include_bytes!("../data/test-images.zst");
const TEST_LABELS: &[u8] = include_bytes!("../data/test-labels.zst");

/// The number of frames of the training images: more threads than this do not help
/// [`train_images`].
pub const TRAIN_PARTS: usize = TRAIN_FRAMES.len();

/// The training images: [`TRAIN`] x [`HEIGHT`] x [`WIDTH`] raw pixels, 47,040,000 bytes.
///
/// Decodes on `threads` threads, of which at most [`TRAIN_PARTS`] are used; 0 counts as 1.
/// The bytes are the same for any number.
pub fn train_images(threads: usize) -> Vec<u8> {
    let mut pixels = vec![0; TRAIN * IMAGE];
    let part = pixels.len() / TRAIN_PARTS;
    let share = TRAIN_PARTS.div_ceil(threads.clamp(1, TRAIN_PARTS));
    std::thread::scope(|scope| {
        let mut shares = TRAIN_FRAMES.chunks(share).zip(pixels.chunks_mut(part * share));
        let own = shares.next();
        for (frames, out) in shares {
            scope.spawn(move || unpack_all(frames, out, part));
        }
        if let Some((frames, out)) = own {
            unpack_all(frames, out, part);
        }
    });
    pixels
}

/// The training labels: [`TRAIN`] bytes, each 0 to 9.
pub fn train_labels() -> Vec<u8> {
    let mut labels = vec![0; TRAIN];
    unpack(TRAIN_LABELS, &mut labels);
    labels
}

/// The test images: [`TEST`] x [`HEIGHT`] x [`WIDTH`] raw pixels, 7,840,000 bytes.
pub fn test_images() -> Vec<u8> {
    let mut pixels = vec![0; TEST * IMAGE];
    unpack(TEST_IMAGES, &mut pixels);
    pixels
}

/// The test labels: [`TEST`] bytes, each 0 to 9.
pub fn test_labels() -> Vec<u8> {
    let mut labels = vec![0; TEST];
    unpack(TEST_LABELS, &mut labels);
    labels
}

fn unpack_all(frames: &[&[u8]], out: &mut [u8], part: usize) {
    for (frame, out) in frames.iter().zip(out.chunks_mut(part)) {
        unpack(frame, out);
    }
}

/// Decodes one built-in frame. The frames are constants of this crate, and the tests hold the
/// SHA-256 of what each gives, so a failure here is a broken build and no input can cause it.
pub(crate) fn unpack(frame: &[u8], out: &mut [u8]) {
    let written = zstd::bulk::decompress_to_buffer(frame, out);
    assert!(
        matches!(written, Ok(n) if n == out.len()),
        "the built-in MNIST frames are damaged; run crates/mnist/pack.sh again"
    );
}

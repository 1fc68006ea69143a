//! `page_digits FOLDER`: the digits as the page takes them, compressed by gzip.
//!
//! `train-0.bin` to `train-5.bin` hold 10,000 training digits each, `test.bin` all test digits, `few.bin` the first
//! 200 of them: first the pixels, 784 bytes a digit, then the labels, a byte each.

use std::io::Write;
use std::path::Path;

const PART: usize = 10_000;
const FEW: usize = 200;
const IMAGE: usize = foveal_mnist::HEIGHT * foveal_mnist::WIDTH;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).ok_or("name the folder to write to")?;
    let folder = Path::new(&folder);
    std::fs::create_dir_all(folder)?;
    let write = |name: &str, pixels: &[u8], labels: &[u8]| -> std::io::Result<()> {
        let file = std::fs::File::create(folder.join(name))?;
        let mut gzip = flate2::write::GzEncoder::new(file, flate2::Compression::best());
        gzip.write_all(pixels)?;
        gzip.write_all(labels)?;
        gzip.finish()?.flush()
    };
    let (pixels, labels) = (foveal_mnist::train_images(2), foveal_mnist::train_labels());
    for (i, (pixels, labels)) in pixels.chunks(PART * IMAGE).zip(labels.chunks(PART)).enumerate() {
        write(&format!("train-{i}.bin"), pixels, labels)?;
    }
    let (pixels, labels) = (foveal_mnist::test_images(), foveal_mnist::test_labels());
    write("test.bin", &pixels, &labels)?;
    Ok(write("few.bin", &pixels[..FEW * IMAGE], &labels[..FEW])?)
}

//! MNIST as PNG files in class folders: `train/0` to `train/9`, `test/0` to `test/9`.
//!
//! `cargo run --release --example mnist_folders -- DIR` writes all 70,000;
//! `cargo run --release --example mnist_folders -- DIR imbalanced` writes a hundredth of the training images, of the
//! digit 0 a hundred times as many as of the digit 9, and the whole test part.

use image::{ExtendedColorType, save_buffer};
use std::path::Path;

/// Images of the digit 0 in the imbalanced set.
const MOST: f64 = 240.0;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let folder = arguments.first().ok_or("name a folder to write to")?;
    let imbalanced = arguments.get(1).is_some_and(|word| word == "imbalanced");
    // A digit's share falls from one to the next, to a hundredth in all.
    let wanted: Vec<usize> = (0..10)
        .map(|digit| {
            if imbalanced {
                (MOST * 100f64.powf(-f64::from(digit) / 9.0)).round() as usize
            } else {
                usize::MAX
            }
        })
        .collect();
    let train = (foveal_mnist::train_images(1), foveal_mnist::train_labels());
    let test = (foveal_mnist::test_images(), foveal_mnist::test_labels());
    write(&Path::new(folder).join("train"), &train.0, &train.1, &wanted)?;
    write(&Path::new(folder).join("test"), &test.0, &test.1, &[usize::MAX; 10])
}

fn write(
    folder: &Path,
    images: &[u8],
    labels: &[u8],
    wanted: &[usize],
) -> Result<(), Box<dyn std::error::Error>> {
    for digit in 0..10 {
        std::fs::create_dir_all(folder.join(digit.to_string()))?;
    }
    let (height, width) = (foveal_mnist::HEIGHT, foveal_mnist::WIDTH);
    let mut written = [0; 10];
    for (i, (image, &label)) in images.chunks_exact(height * width).zip(labels).enumerate() {
        let digit = usize::from(label);
        if written[digit] < wanted[digit] {
            let path = folder.join(label.to_string()).join(format!("{i:05}.png"));
            save_buffer(path, image, width as u32, height as u32, ExtendedColorType::L8)?;
            written[digit] += 1;
        }
    }
    println!("{}: {written:?}", folder.display());
    Ok(())
}

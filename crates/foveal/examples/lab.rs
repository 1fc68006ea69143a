//! The code of the lecture (docs/lab.md), step by step, with the numbers that must come out.
//!
//! ```sh
//! cargo run -p foveal --example lab
//! ```

use foveal::nn::init::Random;
use foveal::nn::ops::{conv2d, max_pool};
use foveal::nn::{Conv2dOptions, Padding, Pool2dOptions};
use ndarray::{Array4, array};

fn main() -> Result<(), foveal::nn::Error> {
    // [toy]
    let image = Array4::from_shape_fn((1, 3, 3, 1), |(_, h, w, _)| (3 * h + w + 1) as f32);
    // []
    assert_eq!(image[[0, 2, 1, 0]], 8.0);
    // [valid]
    let filter = Array4::ones((2, 2, 1, 1));
    let valid = conv2d(image.view(), filter.view(), None, &Conv2dOptions::default())?;
    // []
    assert_eq!(valid.into_raw_vec_and_offset().0, [12.0, 16.0, 24.0, 28.0]);
    // [same]
    let options = Conv2dOptions { padding: Padding::Same, ..Conv2dOptions::default() };
    let same = conv2d(image.view(), filter.view(), None, &options)?;
    // []
    assert_eq!(same.as_slice().unwrap(), [12.0, 16.0, 9.0, 24.0, 28.0, 15.0, 15.0, 17.0, 9.0]);
    // [three]
    let filters = Array4::from_shape_fn((2, 2, 1, 3), |(.., o)| [1.0, 10.0, -1.0][o]);
    let three = conv2d(image.view(), filters.view(), None, &options)?;
    // []
    assert_eq!([three[[0, 0, 0, 0]], three[[0, 0, 0, 1]], three[[0, 0, 0, 2]]], [12.0, 120.0, -12.0]);
    // [pool]
    let image = array![[[[4.0f32], [3.0]], [[2.0], [1.0]]]];
    let pool = Pool2dOptions { ksize: [2, 2], strides: [1, 1], padding: Padding::Valid };
    let largest = max_pool(image.view(), &pool)?;
    // []
    assert_eq!(largest.into_raw_vec_and_offset().0, [4.0]);
    // [pool-same]
    let pool = Pool2dOptions { ksize: [2, 2], strides: [1, 1], padding: Padding::Same };
    let same = max_pool(image.view(), &pool)?;
    // []
    assert_eq!(same, image);
    // [pool-negative]
    let negative = max_pool((-image).view(), &pool)?;
    // []
    assert_eq!(negative.into_raw_vec_and_offset().0, [-1.0; 4]);
    let seed = 0;
    // [digit]
    let images = foveal_mnist::train_images(1);
    let pixels = &images[5000 * 28 * 28..];
    let digit = Array4::from_shape_fn((1, 28, 28, 1), |(_, h, w, _)| f32::from(pixels[28 * h + w]));
    // []
    assert_eq!(foveal_mnist::train_labels()[5000], 7);
    // [digit-conv]
    let digit = digit / 255.0;
    let normal = Random::new(seed).normals(3 * 3 * 5, 0.01);
    let filters = Array4::from_shape_vec((3, 3, 1, 5), normal).expect("45 numbers");
    let options = Conv2dOptions { strides: [2, 2], padding: Padding::Same, ..Conv2dOptions::default() };
    let maps = conv2d(digit.view(), filters.view(), None, &options)?;
    // []
    assert_eq!(maps.shape(), [1, 14, 14, 5]);
    // [digit-pool]
    let pool = Pool2dOptions { ksize: [2, 2], strides: [2, 2], padding: Padding::Same };
    let small = max_pool(maps.view(), &pool)?;
    // []
    assert_eq!(small.shape(), [1, 7, 7, 5]);
    println!("every number is what the lecture says");
    Ok(())
}

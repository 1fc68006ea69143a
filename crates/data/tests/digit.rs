//! Digits of any size and colour, fitted as MNIST's were.

use foveal_data::Picture;
use foveal_data::picture::fit_digit;
use proptest::prelude::*;

/// A stroke from `from` to `to` (x, y), `pen` wide with a soft edge, `ink` on `paper`.
fn stroke(
    [height, width]: [usize; 2],
    from: [f32; 2],
    to: [f32; 2],
    pen: f32,
    [paper, ink]: [f32; 2],
) -> Picture {
    let (dx, dy) = (to[0] - from[0], to[1] - from[1]);
    let length = (dx * dx + dy * dy).max(1e-6);
    let pixel = |i: usize| {
        let (x, y) = ((i % width) as f32 - from[0], (i / width) as f32 - from[1]);
        let along = ((x * dx + y * dy) / length).clamp(0.0, 1.0);
        let distance = (x - along * dx).hypot(y - along * dy);
        let cover = (pen / 2.0 - distance + 0.5).clamp(0.0, 1.0);
        paper + (ink - paper) * cover
    };
    let pixels = (0..height * width).map(pixel).collect();
    Picture::new(height, width, 1, pixels).unwrap()
}

/// Height and width of the ink, and its centre of mass (row, column).
fn measure(digit: &[f32], size: usize) -> ([usize; 2], [f32; 2]) {
    let inked = |i: &usize| digit[*i] > 0.0;
    let rows: Vec<usize> = (0..size * size).filter(inked).map(|i| i / size).collect();
    let columns: Vec<usize> = (0..size * size).filter(inked).map(|i| i % size).collect();
    let extent = |v: &[usize]| v.iter().max().unwrap() - v.iter().min().unwrap() + 1;
    let mass: f32 = digit.iter().sum();
    let centre = |side: fn(usize, usize) -> usize| {
        let moment: f32 = digit.iter().enumerate().map(|(i, v)| v * side(i, size) as f32).sum();
        moment / mass
    };
    ([extent(&rows), extent(&columns)], [centre(|i, s| i / s), centre(|i, s| i % s)])
}

fn assert_like_mnist(picture: &Picture, size: usize) {
    let digit = fit_digit(picture, size);
    let ([height, width], [row, column]) = measure(&digit, size);
    let side = size * 20 / 28;
    assert!(height.max(width) <= side, "{height}x{width}");
    assert!(height.max(width) + 1 >= side, "{height}x{width}");
    let middle = size as f32 / 2.0;
    assert!((row - middle).abs() <= 1.0, "row {row}");
    assert!((column - middle).abs() <= 1.0, "column {column}");
    assert!(digit.iter().all(|v| (0.0..=255.0).contains(v)));
    assert!(digit.iter().any(|&v| v > 254.9));
    let again = Picture::new(size, size, 1, digit.clone()).unwrap();
    assert_eq!(fit_digit(&again, size), digit);
}

const DARK_ON_LIGHT: [f32; 2] = [235.0, 30.0];
const LIGHT_ON_DARK: [f32; 2] = [10.0, 250.0];

#[test]
fn both_polarities_are_read() {
    for colours in [DARK_ON_LIGHT, LIGHT_ON_DARK, [200.0, 120.0], [60.0, 110.0]] {
        let picture = stroke([100, 80], [20.0, 30.0], [50.0, 80.0], 6.0, colours);
        assert_like_mnist(&picture, 28);
    }
}

#[test]
fn off_centre_and_small_and_large_are_read() {
    for (size, from, to, pen) in [
        ([200, 300], [250.0, 20.0], [280.0, 60.0], 5.0),
        ([16, 16], [5.0, 4.0], [9.0, 11.0], 2.0),
        ([900, 700], [100.0, 100.0], [600.0, 800.0], 3.0),
        ([28, 28], [4.0, 4.0], [12.0, 8.0], 2.0),
    ] {
        assert_like_mnist(&stroke(size, from, to, pen, DARK_ON_LIGHT), 28);
    }
}

#[test]
fn other_sizes_scale_the_box() {
    let picture = stroke([100, 80], [20.0, 30.0], [50.0, 80.0], 6.0, DARK_ON_LIGHT);
    for size in [14, 32, 56, 64] {
        assert_like_mnist(&picture, size);
    }
}

#[test]
fn the_polarity_does_not_change_the_digit() {
    let dark = stroke([90, 60], [20.0, 20.0], [40.0, 70.0], 7.0, [255.0, 0.0]);
    let light = stroke([90, 60], [20.0, 20.0], [40.0, 70.0], 7.0, [0.0, 255.0]);
    let (dark, light) = (fit_digit(&dark, 28), fit_digit(&light, 28));
    assert!(dark.iter().zip(&light).all(|(a, b)| (a - b).abs() < 0.01));
}

#[test]
fn a_digit_that_fits_passes_through() {
    let picture = stroke([28, 28], [9.0, 5.0], [12.0, 20.0], 2.5, [0.0, 255.0]);
    assert_eq!(fit_digit(&picture, 28), picture.pixels());
}

#[test]
fn a_shadow_on_the_paper_is_not_ink() {
    let clean = stroke([80, 80], [30.0, 20.0], [45.0, 60.0], 6.0, [230.0, 20.0]);
    let shadow = |(i, v): (usize, &f32)| v * (1.0 - 0.1 * (i % 80) as f32 / 80.0);
    let shaded = clean.pixels().iter().enumerate().map(shadow).collect();
    let shaded = fit_digit(&Picture::new(80, 80, 1, shaded).unwrap(), 28);
    let difference: f32 = fit_digit(&clean, 28).iter().zip(&shaded).map(|(a, b)| (a - b).abs()).sum();
    assert!(difference / 784.0 < 8.0, "{difference}");
}

#[test]
fn blank_pictures_give_zeros() {
    for (height, width) in [(1, 1), (1, 9), (9, 1), (28, 28), (40, 30)] {
        for level in [0.0, 130.0, 255.0] {
            let pixels = vec![level; height * width];
            let picture = Picture::new(height, width, 1, pixels).unwrap();
            assert_eq!(fit_digit(&picture, 28), vec![0.0; 784], "{height}x{width}");
        }
    }
}

#[test]
fn extreme_aspects_are_read() {
    let line = |height, width, at: usize| {
        let mut pixels = vec![255.0; height * width];
        pixels[at] = 0.0;
        Picture::new(height, width, 1, pixels).unwrap()
    };
    assert_like_mnist(&line(1, 50, 7), 28);
    assert_like_mnist(&line(50, 1, 0), 28);
    assert_like_mnist(&line(3, 10_000, 15_000), 28);
    assert_like_mnist(&line(5_000, 2, 777), 28);
    let long = stroke([40, 4_000], [50.0, 20.0], [3_900.0, 20.0], 9.0, DARK_ON_LIGHT);
    assert_like_mnist(&long, 28);
}

#[test]
fn degenerate_sizes_do_not_panic() {
    let picture = stroke([40, 40], [9.0, 9.0], [30.0, 30.0], 5.0, DARK_ON_LIGHT);
    for size in 0..5 {
        assert_eq!(fit_digit(&picture, size).len(), size * size);
    }
}

proptest! {
    #[test]
    fn any_pixels_give_a_digit(
        height in 1usize..40,
        width in 1usize..40,
        seed in prop::collection::vec(0u8..=255, 1..50),
    ) {
        let pixels = (0..height * width).map(|i| f32::from(seed[i * i % seed.len()])).collect();
        let picture = Picture::new(height, width, 1, pixels).unwrap();
        let digit = fit_digit(&picture, 28);
        prop_assert_eq!(digit.len(), 784);
        prop_assert!(digit.iter().all(|v| (0.0..=255.0).contains(v)));
    }
}

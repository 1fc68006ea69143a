//! A data set for regression: pictures of an ellipse, and a table of its angle (degrees) and area (pixels).
//!
//! `cargo run --release --example ellipses -- DIR` writes `DIR/ellipses.csv` and its pictures. Then
//! `foveal train DIR/ellipses.csv` learns both numbers from the pictures. They are rendered, not photographed.

use image::{ImageBuffer, Luma};
use std::path::Path;

/// Height and width of a picture.
const SIDE: u32 = 32;
/// Pictures to learn from and to test with.
const COUNT: [u32; 2] = [4000, 1000];

/// The number `k` of Halton's sequence to `base`, 0 to 1: spreads the ellipses evenly.
fn halton(base: u32, mut k: u32) -> f64 {
    let (mut f, mut r) = (1.0, 0.0);
    while k > 0 {
        f /= f64::from(base);
        r += f * f64::from(k % base);
        k /= base;
    }
    r
}

/// An ellipse of this angle and area, not quite in the middle, over noise; the edge is smooth.
fn ellipse(i: u32, angle: f64, area: f64) -> ImageBuffer<Luma<u8>, Vec<u8>> {
    let middle = f64::from(SIDE) / 2.0;
    let (y0, x0) = (middle + 4.0 * (halton(7, i) - 0.5), middle + 4.0 * (halton(11, i) - 0.5));
    let ratio = 1.8 + halton(13, i);
    let short = (area / (std::f64::consts::PI * ratio)).sqrt();
    let (sin, cos) = angle.to_radians().sin_cos();
    let bright = 150.0 + 80.0 * halton(17, i);
    ImageBuffer::from_fn(SIDE, SIDE, |x, y| {
        let (dx, dy) = (f64::from(x) + 0.5 - x0, f64::from(y) + 0.5 - y0);
        // Along the long axis and across it; y runs down, angles up.
        let (along, across) = (dx * cos - dy * sin, dx * sin + dy * cos);
        let distance = ((along / (ratio * short)).powi(2) + (across / short).powi(2)).sqrt();
        let inside = ((1.0 - distance) * short + 0.5).clamp(0.0, 1.0);
        let mixed = (i * SIDE * SIDE + y * SIDE + x).wrapping_mul(2_654_435_761);
        let noise = f64::from((mixed ^ mixed >> 15).wrapping_mul(2_246_822_519) >> 24) / 255.0 * 24.0;
        Luma([(noise + inside * bright).min(255.0) as u8])
    })
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).ok_or("name a folder to write to")?;
    let folder = Path::new(&folder);
    let mut table = String::from("path,angle,area,split\n");
    for (part, count) in ["train", "test"].iter().zip(COUNT) {
        std::fs::create_dir_all(folder.join(part))?;
        for k in 0..count {
            let i = k + 1 + if *part == "test" { COUNT[0] } else { 0 };
            let (angle, area) = (-60.0 + 120.0 * halton(2, i), 60.0 + 180.0 * halton(3, i));
            let path = format!("{part}/{k:04}.png");
            ellipse(i, angle, area).save(folder.join(&path))?;
            table += &format!("{path},{angle:.3},{area:.3},{part}\n");
        }
    }
    std::fs::write(folder.join("ellipses.csv"), table)?;
    println!("{}: {} pictures to learn from, {} to test with", folder.display(), COUNT[0], COUNT[1]);
    Ok(())
}

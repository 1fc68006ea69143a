//! A generated data set of colour pictures: five shapes, each striped or checked, on backgrounds of any colour.
//!
//! `cargo run --release --example shapes -- DIR [SIDE [COUNT]]` writes COUNT pictures (by default 4000, and a quarter
//! as many to test with) of SIDE x SIDE pixels (by default 32; from 16 to 512) to class folders under `DIR/train` and
//! `DIR/test`. Then `foveal train DIR` learns the ten classes. Colours, place, size, angle, light and noise say nothing
//! of the class; a line and a small patch of either texture are there to mislead. They are rendered, not photographed:
//! models are compared on them, no more.

use image::{Rgb, RgbImage};
use std::path::Path;

const SHAPES: [&str; 5] = ["disc", "square", "triangle", "cross", "ring"];
const TEXTURES: [&str; 2] = ["striped", "checked"];

/// Numbers from 0 to 1 (SplitMix64).
struct Random(u64);

impl Random {
    fn unit(&mut self) -> f32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 40) as f32 / (1 << 24) as f32
    }

    fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }

    fn colour(&mut self) -> [f32; 3] {
        [(); 3].map(|()| self.between(20.0, 235.0))
    }
}

/// How far a point is outside a shape of size 1 (inside: below 0).
fn outside(shape: usize, x: f32, y: f32) -> f32 {
    let square = |w: f32, h: f32| (x.abs() - w).max(y.abs() - h);
    match SHAPES[shape] {
        "disc" => x.hypot(y) - 0.9,
        "square" => square(0.8, 0.8),
        "triangle" => (y - 0.55).max(0.866 * x.abs() - 0.5 * y - 0.55),
        "cross" => square(0.95, 0.32).min(square(0.32, 0.95)),
        _ => (x.hypot(y) - 0.68).abs() - 0.27,
    }
}

fn mix(a: [f32; 3], b: [f32; 3], share: f32) -> [f32; 3] {
    std::array::from_fn(|i| a[i] + (b[i] - a[i]) * share.clamp(0.0, 1.0))
}

/// What colour an object has at its own coordinates: two of them, striped or checked.
fn textured(texture: usize, colours: [[f32; 3]; 2], waves: f32, x: f32, y: f32) -> [f32; 3] {
    let wave = (waves * x).sin() * if TEXTURES[texture] == "checked" { (waves * y).sin() } else { 1.0 };
    mix(colours[0], colours[1], 0.5 + 2.0 * wave)
}

fn picture(side: u32, shape: usize, texture: usize, random: &mut Random) -> RgbImage {
    let size = side as f32;
    let background = [random.colour(), random.colour()];
    // Both colours of the object differ from each other, not always from the background.
    let mut colours = [random.colour(), random.colour()];
    while (0..3).map(|i| (colours[0][i] - colours[1][i]).abs()).sum::<f32>() < 120.0 {
        colours[1] = random.colour();
    }
    let radius = size * random.between(0.22, 0.36);
    let place = [(); 2].map(|()| random.between(radius, size - radius));
    let (sin, cos) = random.between(0.0, std::f32::consts::TAU).sin_cos();
    let waves = random.between(5.0, 8.0);
    let (light, line) = (random.between(0.6, 1.1), random.between(0.0, size));
    let patch = [(); 2].map(|()| random.between(0.0, size));
    let patch_texture = usize::from(random.unit() < 0.5);
    let noise = random.between(8.0, 40.0);
    let line_colour = random.colour();
    RgbImage::from_fn(side, side, |px, py| {
        let (x, y) = (px as f32 + 0.5, py as f32 + 0.5);
        let mut colour = mix(background[0], background[1], (x + y) / (2.0 * size));
        if (x - line + 0.3 * y).abs() < 0.02 * size {
            colour = line_colour;
        }
        if (x - patch[0]).hypot(y - patch[1]) < 0.08 * size {
            colour = textured(patch_texture, colours, waves * 4.0 / size, x, y);
        }
        let (dx, dy) = ((x - place[0]) / radius, (y - place[1]) / radius);
        let (u, v) = (dx * cos + dy * sin, dy * cos - dx * sin);
        let inside = 0.5 - outside(shape, u, v) * radius;
        if inside > 0.0 {
            colour = mix(colour, textured(texture, colours, waves, u, v), inside);
        }
        Rgb(colour.map(|c| (c * light + noise * (random.unit() - 0.5)).clamp(0.0, 255.0) as u8))
    })
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let folder = arguments.first().ok_or("name a folder to write to")?;
    let number = |i: usize, without: u32| match arguments.get(i) {
        None => Ok(without),
        Some(n) => n.parse::<u32>().map_err(|_| format!("SIDE and COUNT must be whole numbers, got {n}")),
    };
    let (side, count) = (number(1, 32)?, number(2, 4000)?);
    if !(16..=512).contains(&side) {
        return Err(format!("SIDE must be from 16 to 512, got {side}").into());
    }
    for (part, count, seed) in [("train", count, 1), ("test", count / 4, 2)] {
        let mut random = Random(seed << 32);
        for i in 0..count as usize {
            let class = i % (SHAPES.len() * TEXTURES.len());
            let (shape, texture) = (class / TEXTURES.len(), class % TEXTURES.len());
            let class = format!("{}-{}", TEXTURES[texture], SHAPES[shape]);
            let to = Path::new(folder).join(part).join(class);
            std::fs::create_dir_all(&to)?;
            picture(side, shape, texture, &mut random).save(to.join(format!("{i:05}.png")))?;
        }
        println!("{folder}/{part}: {count} pictures of {side} x {side} pixels, ten classes");
    }
    Ok(())
}

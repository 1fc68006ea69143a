//! A synthetic data set of CT: phantoms of a chest as DICOM slices, some with a lesion in a lung.
//!
//! `cargo run --release --example ct_phantoms -- DIR` writes `DIR/scans`, `DIR/lesion.csv` (is there a lesion in a
//! slice?) and `DIR/radius.csv` (the radius of its cut in millimetres, of slices with one). Then
//! `foveal train DIR/scans --labels DIR/lesion.csv --window lung` learns to tell them.
//!
//! Every number is made by a formula and every file says so (`SeriesDescription`): no patient was scanned, and what
//! is learnt here says nothing of patients.

mod dicom_file;

use dicom_file::{DicomFile, Plane};
use std::f64::consts::TAU;
use std::path::Path;

/// Patients, series of each, slices of a series.
const COUNT: [u32; 3] = [60, 2, 12];
/// Rows and columns.
const SIDE: u16 = 96;
/// Millimetres from slice to slice.
const STEP: f64 = 8.0;
/// The least radius of a cut, in millimetres.
const LEAST: f64 = 6.0;
const SYNTHETIC: &str = "Synthetic phantom, no patient";

/// A number from 0 to 1 that `k` and `what` make.
fn random(k: u32, what: u32) -> f64 {
    let mut x = u64::from(k) << 32 | u64::from(what);
    for factor in [0xbf58_476d_1ce4_e5b9u64, 0x94d0_49bb_1331_11eb] {
        x = (x ^ x >> 30).wrapping_mul(factor).wrapping_add(0x9e37_79b9_7f4a_7c15);
    }
    (x >> 11) as f64 / (1u64 << 53) as f64
}

/// A ball in a lung, in millimetres from the middle of the chest.
#[derive(Clone, Copy)]
struct Lesion {
    centre: [f64; 3],
    radius: f64,
}

impl Lesion {
    /// The radius of its cut at `z`; none where that is too small to be seen.
    fn cut(&self, z: f64) -> Option<f64> {
        let squared = self.radius.powi(2) - (z - self.centre[2]).powi(2);
        Some(squared.max(0.0).sqrt()).filter(|r| *r >= LEAST)
    }
}

/// A chest: its half-axes, its lesions, its vessels.
struct Chest {
    seed: u32,
    half: [f64; 2],
    lesions: Vec<Lesion>,
}

impl Chest {
    fn new(seed: u32) -> Self {
        let r = |what| random(seed, what);
        let half = [150.0 + 25.0 * r(1), 105.0 + 20.0 * r(2)];
        // One in the lower half and one in the upper, so that no slice cuts two; some have none.
        let lesion = |k: u32| {
            let side = if r(10 + k) < 0.5 { -1.0 } else { 1.0 };
            let (angle, far) = (TAU * r(20 + k), 18.0 * r(30 + k).sqrt());
            let z = (f64::from(k) - 0.5) * 6.0 * STEP + 6.0 * (r(40 + k) - 0.5);
            let centre = [side * 0.48 * half[0] + far * angle.cos(), 1.4 * far * angle.sin(), z];
            Lesion { centre, radius: 9.0 + 11.0 * r(50 + k) }
        };
        let lesions = (0..2).filter(|k| r(60 + k) < 0.8).map(lesion).collect();
        Self { seed, half, lesions }
    }

    /// Hounsfield units at a place, before noise.
    fn at(&self, [x, y, z]: [f64; 3]) -> f64 {
        let inside = |cx: f64, cy: f64, a: f64, b: f64| ((x - cx) / a).powi(2) + ((y - cy) / b).powi(2) < 1.0;
        let [a, b] = self.half;
        if !inside(0.0, 0.0, a, b) {
            return -1000.0;
        }
        if inside(0.0, 0.68 * b, 17.0, 17.0) {
            return 650.0;
        }
        let lung = [-1.0, 1.0].into_iter().any(|side| inside(side * 0.48 * a, 0.0, 0.33 * a, 0.68 * b));
        if !lung {
            return if inside(0.0, 0.0, a - 12.0, b - 12.0) { 45.0 } else { -90.0 };
        }
        for lesion in &self.lesions {
            let [cx, cy, _] = lesion.centre;
            if lesion.cut(z).is_some_and(|r| inside(cx, cy, r, r)) {
                return 30.0;
            }
        }
        // Vessels: thin, and in every slice.
        let vessel = (0..14).any(|k| {
            let r = |what: u32| random(self.seed, 100 * (k + 1) + what);
            let side = if k % 2 == 0 { -1.0 } else { 1.0 };
            let (cx, cy) = (side * (0.25 + 0.5 * r(1)) * a, 1.1 * (r(2) - 0.5) * b);
            inside(
                cx + 0.2 * z * (r(3) - 0.5),
                cy + 0.2 * z * (r(4) - 0.5),
                2.0 + 2.0 * r(5),
                2.0 + 2.0 * r(6),
            )
        });
        if vessel { 20.0 } else { -860.0 }
    }
}

/// A slice at `z`, sampled four times a pixel, with the noise of a scanner.
fn scan(chest: &Chest, series: u32, slice: u32, z: f64, spacing: [f64; 2], shift: [f64; 2]) -> Vec<i16> {
    let mut pixels = Vec::with_capacity(usize::from(SIDE).pow(2));
    for row in 0..SIDE {
        for column in 0..SIDE {
            let place =
                |i: u16, part: f64, spacing: f64| (f64::from(i) + part - f64::from(SIDE) / 2.0) * spacing;
            let corners = [0.25, 0.75].into_iter().flat_map(|down| [0.25, 0.75].map(|right| (down, right)));
            let sum: f64 = corners
                .map(|(down, right)| {
                    let x = place(column, right, spacing[1]) + shift[0];
                    chest.at([x, place(row, down, spacing[0]) + shift[1], z])
                })
                .sum();
            let at = u32::from(row) << 16 | u32::from(column);
            // Two even numbers make a triangle; its deviation is about 40 units.
            let key = chest.seed << 12 | series << 8 | slice;
            let noise = (random(at, 2 * key) + random(at, 2 * key + 1) - 1.0) * 100.0;
            pixels.push((sum / 4.0 + noise).round() as i16);
        }
    }
    pixels
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).ok_or("name a folder to write to")?;
    let folder = Path::new(&folder);
    let [patients, all_series, slices] = COUNT;
    let (mut lesions, mut radii) = (String::from("file,lesion\n"), String::from("file,radius\n"));
    for patient in 0..patients {
        let chest = Chest::new(patient + 1);
        for series in 0..all_series {
            let r = |what: u32| random(patient * all_series + series, 900 + what);
            let own = format!("p{patient:02}/s{series}");
            std::fs::create_dir_all(folder.join("scans").join(&own))?;
            // Every third series has pixels that are not square.
            let across = ((3.5 + 0.4 * r(1)) * 100.0).round() / 100.0;
            let spacing =
                [if (patient + series) % 3 == 0 { (across * 80.0).round() / 100.0 } else { across }, across];
            let first = |i: usize| (0.5 - f64::from(SIDE) / 2.0) * spacing[i];
            let shift = [16.0 * (r(2) - 0.5), 16.0 * (r(3) - 0.5)];
            for slice in 0..slices {
                let z = (f64::from(slice) - f64::from(slices - 1) / 2.0) * STEP;
                let plane = Plane {
                    patient: &format!("PHANTOM-{patient:02}"),
                    name: "Phantom^Synthetic",
                    series: &format!("2.25.4711{patient:02}{series}"),
                    instance: slices - slice,
                    position: [shift[0] + first(1), shift[1] + first(0), z],
                    spacing,
                    size: [SIDE, SIDE],
                };
                let mut file = DicomFile::slice(&plane, &scan(&chest, series, slice, z, spacing, shift));
                file.text((0x0008, 0x103E), b"LO", SYNTHETIC).text(
                    (0x0008, 0x0008),
                    b"CS",
                    "DERIVED\\SECONDARY",
                );
                file.text((0x0020, 0x0013), b"IS", &(slices - slice).to_string());
                let path = format!("{own}/{}", slices - slice);
                std::fs::write(folder.join("scans").join(&path), file.bytes())?;
                let cut = chest.lesions.iter().find_map(|lesion| lesion.cut(z));
                lesions += &format!("{path},{}\n", if cut.is_some() { "lesion" } else { "none" });
                if let Some(radius) = cut {
                    radii += &format!("{path},{radius:.2}\n");
                }
            }
        }
    }
    std::fs::write(folder.join("lesion.csv"), lesions)?;
    std::fs::write(folder.join("radius.csv"), &radii)?;
    let all = patients * all_series * slices;
    println!("{}: {all} synthetic slices, {} with a lesion", folder.display(), radii.lines().count() - 1);
    Ok(())
}

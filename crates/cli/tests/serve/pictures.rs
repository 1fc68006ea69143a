//! PNG files, whole and otherwise, and requests of the protocol.

use flate2::Compression;
use flate2::write::ZlibEncoder;
use serde_json::json;
use std::io::Write;

/// A grey picture, 8 bits.
pub fn png(height: u32, width: u32, pixel: impl Fn(u32, u32) -> u8) -> Vec<u8> {
    let row = |y| std::iter::once(0).chain((0..width).map(move |x| (y, x)).map(|(y, x)| pixel(y, x)));
    let raw: Vec<u8> = (0..height).flat_map(row).collect();
    file(height, width, &[], &deflate(&raw))
}

/// A picture of which only the header and some chunks matter.
pub fn file(height: u32, width: u32, before: &[(&[u8; 4], Vec<u8>)], data: &[u8]) -> Vec<u8> {
    let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 0, 0, 0, 0]].concat();
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    bytes.extend(chunk(b"IHDR", &header));
    before.iter().for_each(|(kind, content)| bytes.extend(chunk(kind, content)));
    bytes.extend(chunk(b"IDAT", data));
    bytes.extend(chunk(b"IEND", &[]));
    bytes
}

fn chunk(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let length = (content.len() as u32).to_be_bytes();
    let body = [&kind[..], content].concat();
    [&length[..], &body, &crc32fast::hash(&body).to_be_bytes()].concat()
}

pub fn deflate(raw: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::new(6));
    encoder.write_all(raw).unwrap();
    encoder.finish().unwrap()
}

/// So many zeros, packed.
pub fn bomb(megabytes: usize) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::new(9));
    (0..megabytes).for_each(|_| encoder.write_all(&vec![0; 1 << 20]).unwrap());
    encoder.finish().unwrap()
}

/// Picture `i` of a series: a stroke that turns.
pub fn digit(i: u32) -> Vec<u8> {
    let angle = i as f32 * 0.7;
    png(28, 28, |y, x| {
        let distance = (y as f32 - 14.0) * angle.cos() - (x as f32 - 14.0) * angle.sin();
        let along = (y as f32 - 14.0) * angle.sin() + (x as f32 - 14.0) * angle.cos();
        if along.abs() > 10.0 { 0 } else { (255.0 - 90.0 * distance.abs()).max(0.0) as u8 }
    })
}

/// `images` images of a series as numbers.
pub fn numbers(images: usize, size: usize, seed: u32) -> Vec<f32> {
    (0..images * size)
        .map(|i| {
            let mixed = (i as u32).wrapping_mul(2_654_435_761).wrapping_add(seed.wrapping_mul(40_503));
            ((mixed >> 9) % 25_500) as f32 / 100.0
        })
        .collect()
}

/// An inference request.
pub fn infer(shape: &[usize], data: &[f32]) -> Vec<u8> {
    let input = json!({"name": "image", "shape": shape, "datatype": "FP32", "data": data});
    serde_json::to_vec(&json!({ "inputs": [input] })).unwrap()
}

//! Measures a convolution: the public operators, or im2col and a matrix product.

use crate::case::Case;
use crate::im2col;
use crate::measure::{Answer, median, times};
use serde_json::json;
use std::hint::black_box;

/// GFLOP/s of `pass`, from the median of the calls.
pub fn run(via: &str, pass: &str, shape: &str, seconds: f64, kept: &mut Option<Case>) -> Answer {
    let case = match kept {
        Some(case) if case.shape == shape => case,
        _ => kept.insert(Case::new(shape)?),
    };
    let once = case.operator(pass)?;
    let median = if via == "conv" {
        median(times(seconds, || {
            black_box(case.operator(pass).expect("as before"));
        }))
    } else {
        let mut product = im2col::Product::new(case);
        close(product.run(case, pass), once.as_slice().expect("row-major"))?;
        median(times(seconds, || {
            black_box(product.run(case, pass));
        }))
    };
    Ok(json!({ "gflops": case.geometry.flops() as f64 / 1e9 / median }))
}

/// Refuses a product that is not the convolution.
fn close(a: &[f32], b: &[f32]) -> Result<(), String> {
    let top = b.iter().fold(0f32, |m, v| m.max(v.abs()));
    let worst = a.iter().zip(b).fold(0f32, |m, (x, y)| m.max((x - y).abs()));
    if worst <= 1e-4 * top { Ok(()) } else { Err(format!("im2col is off by {worst} of {top}")) }
}

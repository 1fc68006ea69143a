//! A setting as the text of a link: `conv2d;x=3x3x1:1,2,3,4,5,6,7,8,9;f=2x2x1:1*4;s=1x1;d=1x1;p=SAME`. Numbers are
//! written as short as they can be read back exactly; `1*4` is four times 1.

use super::limits;
use super::setting::{Operator, Pad, Setting};
use std::fmt::Write;

/// The text of a setting.
pub fn encode(s: &Setting) -> String {
    let [h, w, c] = s.input;
    let [kh, kw] = s.kernel;
    let mut text = format!(
        "{};x={h}x{w}x{c}:{};f={kh}x{kw}x{}:{};s={}x{};d={}x{};p=",
        s.operator.name(),
        numbers(&s.values),
        s.filters,
        numbers(&s.weights),
        s.strides[0],
        s.strides[1],
        s.dilations[0],
        s.dilations[1]
    );
    match s.padding {
        Pad::Valid => text += "VALID",
        Pad::Same => text += "SAME",
        Pad::Explicit => text += &s.explicit.map(|v| v.to_string()).join(","),
    }
    text
}

fn numbers(values: &[f32]) -> String {
    let mut text = String::new();
    for run in values.chunk_by(|a, b| a.to_bits() == b.to_bits()) {
        let comma = if text.is_empty() { "" } else { "," };
        // Writing to a String cannot fail.
        let _ = match run.len() {
            1 => write!(text, "{comma}{}", run[0]),
            n => write!(text, "{comma}{}*{n}", run[0]),
        };
    }
    text
}

/// The setting that a text describes.
///
/// # Errors
/// The part that cannot be read.
pub fn decode(text: &str) -> Result<Setting, String> {
    let mut parts = text.split(';');
    let operator = match parts.next() {
        Some("conv2d") => Operator::Conv2d,
        Some("max_pool") => Operator::MaxPool,
        Some("avg_pool") => Operator::AvgPool,
        other => return Err(format!("operator {other:?}")),
    };
    let mut field = |name: &str| {
        let part = parts.next().ok_or_else(|| format!("{name} is missing"))?;
        part.strip_prefix(name).and_then(|p| p.strip_prefix('=')).ok_or_else(|| part.to_owned())
    };
    let (input, values) = array::<3>(field("x")?)?;
    let (filter, weights) = array::<3>(field("f")?)?;
    let strides = extents::<2>(field("s")?, 'x')?;
    let dilations = extents::<2>(field("d")?, 'x')?;
    let (padding, explicit) = match field("p")? {
        "VALID" => (Pad::Valid, [0; 4]),
        "SAME" => (Pad::Same, [0; 4]),
        given => (Pad::Explicit, extents::<4>(given, ',')?),
    };
    let [kh, kw, filters] = filter;
    let kernel = [kh, kw];
    let setting =
        Setting { operator, input, values, kernel, filters, weights, strides, dilations, padding, explicit };
    match (setting.sound(), parts.next()) {
        (true, None) => Ok(setting),
        _ => Err("extents and numbers do not fit each other or the bench's limits".into()),
    }
}

fn extents<const N: usize>(text: &str, between: char) -> Result<[usize; N], String> {
    let found: Option<Vec<usize>> = text.split(between).take(N + 1).map(|t| t.parse().ok()).collect();
    found.and_then(|v| v.try_into().ok()).ok_or_else(|| text.to_owned())
}

/// Reads an array such as `3x3x1:1,2*8`, of no more numbers than the bench takes.
fn array<const N: usize>(text: &str) -> Result<([usize; N], Vec<f32>), String> {
    let (shape, numbers) = text.split_once(':').ok_or_else(|| text.to_owned())?;
    let most = (limits::EXTENT * limits::EXTENT * limits::CHANNELS)
        .max(limits::KERNEL * limits::KERNEL * limits::CHANNELS * limits::FILTERS);
    let mut values = Vec::new();
    for part in numbers.split(',') {
        let (number, times) = part.split_once('*').unwrap_or((part, "1"));
        let (value, times) = (number.parse::<f32>(), times.parse::<usize>());
        match (value, times) {
            (Ok(v), Ok(n)) if v.is_finite() && values.len() + n.min(most + 1) <= most => {
                values.extend(std::iter::repeat_n(v, n));
            }
            _ => return Err(part.to_owned()),
        }
    }
    Ok((extents(shape, 'x')?, values))
}

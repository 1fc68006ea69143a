//! Numbers and sizes as they are written on the command line.

use foveal::data::{Scale, Window};
use foveal::nn::Padding;
use serde::Serialize;

/// Height and width.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair(pub [i64; 2]);

impl std::fmt::Display for Pair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{},{}", self.0[0], self.0[1])
    }
}

/// A cell `[n, h, w, c]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Four(pub [i64; 4]);

/// A cell `[h, w, c]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Three(pub [i64; 3]);

fn numbers(text: &str) -> Result<Vec<i64>, String> {
    let one =
        |part: &str| part.trim().parse().map_err(|_| format!("`{}` is not a whole number", part.trim()));
    text.split(',').map(one).collect()
}

pub fn pair(text: &str) -> Result<Pair, String> {
    match numbers(text)?[..] {
        [both] => Ok(Pair([both, both])),
        [height, width] => Ok(Pair([height, width])),
        _ => Err("it must be one number or two: height,width".into()),
    }
}

pub fn four(text: &str) -> Result<Four, String> {
    match numbers(text)?[..] {
        [n, h, w, c] => Ok(Four([n, h, w, c])),
        _ => Err("it must be four numbers: image,row,column,channel".into()),
    }
}

pub fn three(text: &str) -> Result<Three, String> {
    match numbers(text)?[..] {
        [h, w, c] => Ok(Three([h, w, c])),
        _ => Err("it must be three numbers: row,column,channel".into()),
    }
}

/// Three numbers, each at least 1.
pub fn shape(text: &str) -> Result<Three, String> {
    match three(text).map_err(|_| "it must be three numbers: height,width,channels".to_owned())? {
        Three(all) if all.iter().all(|&v| v > 0) => Ok(Three(all)),
        _ => Err("height, width and channels must be at least 1".into()),
    }
}

pub fn window(text: &str) -> Result<Window, String> {
    if let Some(window) = Window::named(text) {
        return Ok(window);
    }
    let numbers: Option<Vec<f32>> = text.split(',').map(|part| part.trim().parse().ok()).collect();
    match numbers.as_deref() {
        Some(&[centre, width]) => Window::new(centre, width).map_err(|error| error.to_string()),
        _ => Err("it must be lung, bone, soft, brain or two numbers: centre,width".into()),
    }
}

pub fn scale(text: &str) -> Result<Scale, String> {
    let all = [Scale::Bytes, Scale::Unit, Scale::Signed, Scale::Words, Scale::Other];
    let found = all.into_iter().find(|scale| scale.name() == text);
    found.ok_or_else(|| format!("it must be one of {}", Scale::NAMES.join(", ")))
}

pub fn padding(text: &str) -> Result<Padding, String> {
    const WORDS: &str = "it must be SAME, VALID or four numbers: top,bottom,left,right";
    match text.to_ascii_uppercase().as_str() {
        "SAME" => Ok(Padding::Same),
        "VALID" => Ok(Padding::Valid),
        _ => match numbers(text).map_err(|_| WORDS.to_owned())?[..] {
            [top, bottom, left, right] => Ok(Padding::Explicit([top, bottom, left, right])),
            _ => Err(WORDS.into()),
        },
    }
}

pub fn positive(text: &str) -> Result<f32, String> {
    match text.parse::<f32>() {
        Ok(v) if v > 0.0 && v.is_finite() => Ok(v),
        _ => Err("it must be a number above 0".into()),
    }
}

/// Numbers with commas between them.
#[derive(Debug, Clone, PartialEq)]
pub struct Numbers(pub Vec<f32>);

pub fn decimals(text: &str) -> Result<Numbers, String> {
    let one = |part: &str| part.trim().parse::<f32>().ok().filter(|v| v.is_finite());
    let all: Option<Vec<f32>> = text.split(',').map(one).collect();
    all.map(Numbers).ok_or_else(|| "it must be numbers with commas between them".into())
}

/// Height and width of pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size(pub [usize; 2]);

pub fn size(text: &str) -> Result<Size, String> {
    let sides = pair(&text.replace('x', ","))?.0;
    match sides.map(usize::try_from) {
        [Ok(height), Ok(width)] if (1..=4096).contains(&height) && (1..=4096).contains(&width) => {
            Ok(Size([height, width]))
        }
        _ => Err("sides are from 1 to 4096".into()),
    }
}

/// How many samples are set aside.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Share {
    /// So many.
    Count(usize),
    /// This share of all, above 0 and below 1.
    Part(f64),
}

impl Share {
    /// The share of `n` samples.
    pub fn of(self, n: usize) -> f64 {
        match self {
            Share::Count(count) => count as f64 / n.max(1) as f64,
            Share::Part(part) => part,
        }
    }

    /// How many of `n` samples.
    pub fn count(self, n: usize) -> usize {
        match self {
            Share::Count(count) => count,
            Share::Part(part) => (part * n as f64).round() as usize,
        }
    }
}

impl std::fmt::Display for Share {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Share::Count(count) => write!(f, "{count}"),
            Share::Part(part) => write!(f, "{part}"),
        }
    }
}

pub fn share(text: &str) -> Result<Share, String> {
    const WORDS: &str = "it must be a number of samples, or a share of them such as 0.2 or 20%";
    if let Ok(count) = text.parse() {
        return Ok(Share::Count(count));
    }
    let (number, whole) = text.strip_suffix('%').map_or((text, 1.0), |number| (number.trim(), 100.0));
    match number.parse::<f64>() {
        Ok(0.0) => Ok(Share::Count(0)),
        Ok(part) if part > 0.0 && part < whole => Ok(Share::Part(part / whole)),
        _ => Err(WORDS.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_any_size_reach_the_geometry() {
        assert_eq!(pair("2"), Ok(Pair([2, 2])));
        assert_eq!(pair("0,-1"), Ok(Pair([0, -1])));
        assert_eq!(padding("4611686018427387904,0,0,0"), Ok(Padding::Explicit([1 << 62, 0, 0, 0])));
        assert_eq!(padding("same"), Ok(Padding::Same));
        assert_eq!(
            [share("50"), share("0.2"), share("20%")],
            [Ok(Share::Count(50)), Ok(Share::Part(0.2)), Ok(Share::Part(0.2)),]
        );
        assert!(["1.5", "-0.1", "100%", "nan", "a"].iter().all(|text| share(text).is_err()));
        assert!(pair("1,2,3").is_err() && four("1,2,3").is_err() && padding("FULL").is_err());
    }
}

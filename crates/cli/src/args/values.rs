//! Numbers and sizes as they are written on the command line.

use clap::builder::{PossibleValue, TypedValueParser};
use clap::error::ErrorKind;
use clap::{Arg, Command};
use foveal::data::{Scale, Window};
use foveal::nn::schedule::Schedule;
use foveal::nn::{Padding, builtin};
use serde::Serialize;
use std::ffi::OsStr;

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
        // TensorFlow writes image, height, width, channel.
        [1, height, width, 1] => Ok(Pair([height, width])),
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

/// A number from 0 to below 1.
pub fn fraction(text: &str) -> Result<f32, String> {
    match text.parse::<f32>() {
        Ok(v) if (0.0..1.0).contains(&v) => Ok(v),
        _ => Err("it must be a number from 0 to below 1".into()),
    }
}

/// A number from 0 on.
pub fn natural(text: &str) -> Result<f32, String> {
    match text.parse::<f32>() {
        Ok(v) if v >= 0.0 && v.is_finite() => Ok(v),
        _ => Err("it must be a number, 0 or above".into()),
    }
}

/// A schedule of the learning rate, as `constant`, `cosine:0.01`, `step:10:0.1`, `one-cycle:0.15`.
pub fn schedule(text: &str) -> Result<Schedule, String> {
    const WORDS: &str =
        "it must be constant, cosine[:FLOOR], step:EPOCHS:FACTOR or one-cycle[:WARMUP[:START[:END]]]";
    let mut parts = text.split(':');
    let name = parts.next().unwrap_or_default().to_ascii_lowercase().replace('_', "-");
    let numbers: Option<Vec<f32>> = parts.map(|part| part.parse().ok()).collect();
    let numbers = numbers.ok_or(WORDS)?;
    let or = |i: usize, default: f32| numbers.get(i).copied().unwrap_or(default);
    let found = match (name.as_str(), numbers.len()) {
        ("constant", 0) => Schedule::Constant,
        ("cosine", 0 | 1) => Schedule::Cosine { floor: or(0, 0.0) },
        ("step", 2) if numbers[0] >= 1.0 && numbers[0].fract() == 0.0 => {
            Schedule::Step { every: numbers[0] as usize, factor: numbers[1] }
        }
        ("one-cycle", 0..=3) => {
            Schedule::OneCycle { warmup: or(0, 0.15), start: or(1, 0.1), end: or(2, 0.0) }
        }
        _ => return Err(WORDS.into()),
    };
    found.check().map_err(|e| e.to_string())?;
    Ok(found)
}

/// A text of which some values are known by name; a shell completes them.
#[derive(Clone)]
pub struct Known(pub fn() -> Vec<&'static str>);

impl TypedValueParser for Known {
    type Value = String;

    fn parse_ref(&self, _: &Command, _: Option<&Arg>, value: &OsStr) -> Result<String, clap::Error> {
        let text = value.to_str().map(str::to_owned);
        text.ok_or_else(|| clap::Error::raw(ErrorKind::InvalidUtf8, "a name must be UTF-8\n"))
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new((self.0)().into_iter().map(PossibleValue::new)))
    }
}

/// The names of the built-in models.
pub fn models() -> Vec<&'static str> {
    let all = builtin::ALL.iter().chain(&builtin::SCALED).chain([&builtin::TEXT, &builtin::PRETRAINED]);
    all.map(|model| model.name).collect()
}

/// The names of the built-in data sets.
pub fn data_sets() -> Vec<&'static str> {
    vec!["mnist"]
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
    let sides = pair(&text.replace(['x', 'X', '\u{d7}'], ","))?.0;
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
        assert_eq!(pair("1,2,3,1"), Ok(Pair([2, 3])));
        assert!(pair("2,2,2,1").is_err());
        assert_eq!(size("32x24"), Ok(Size([32, 24])));
        assert_eq!(schedule("step:10:0.5"), Ok(Schedule::Step { every: 10, factor: 0.5 }));
        assert_eq!(schedule("Cosine"), Ok(Schedule::Cosine { floor: 0.0 }));
        assert!(
            schedule("cosine:2").is_err() && schedule("linear").is_err() && schedule("step:0:1").is_err()
        );
        assert_eq!(
            [share("50"), share("0.2"), share("20%")],
            [Ok(Share::Count(50)), Ok(Share::Part(0.2)), Ok(Share::Part(0.2)),]
        );
        assert!(["1.5", "-0.1", "100%", "nan", "a"].iter().all(|text| share(text).is_err()));
        assert!(pair("1,2,3").is_err() && four("1,2,3").is_err() && padding("FULL").is_err());
    }
}

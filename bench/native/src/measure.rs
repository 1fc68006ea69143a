//! How long calls take, and the words, numbers and answers of a measurement.

use serde_json::Value;
use std::time::Instant;

/// A measurement as JSON, or why there is none.
pub type Answer = Result<Value, String>;

/// A word of a request as a number.
pub fn number<T: std::str::FromStr>(word: &str) -> Result<T, String> {
    word.parse().map_err(|_| format!("`{word}` is not a number"))
}

/// Seconds of each call of `f`, for about `seconds` and at least three calls, after one that does not count.
pub fn times(seconds: f64, mut f: impl FnMut()) -> Vec<f64> {
    f();
    let start = Instant::now();
    let mut times = Vec::new();
    while times.len() < 3 || start.elapsed().as_secs_f64() < seconds {
        let call = Instant::now();
        f();
        times.push(call.elapsed().as_secs_f64());
    }
    times
}

/// The middle value; of an even count, the later of the middle two.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Numbers from -1 to 1, the same every time.
/// A word of a request as a number.
pub fn numbers(n: usize) -> Vec<f32> {
    (0..n).map(|i| ((i * 2_654_435_761 % 1000) as f32) / 500.0 - 1.0).collect()
}

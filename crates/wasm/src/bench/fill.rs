use super::limits;
use super::setting::Setting;
use foveal::nn::init::Random;
use serde::{Deserialize, Serialize};
use tsify::Tsify;

/// Numbers to fill the input or the filters with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Tsify)]
#[serde(rename_all = "snake_case")]
pub enum Pattern {
    /// The input: 1, 2, 3 and so on.
    InputCount,
    /// The input: whole numbers from -9 to 9 at random.
    InputRandom,
    /// The input: 0 everywhere.
    InputZeros,
    /// The input: dark on the left, light on the right.
    InputEdge,
    /// The filters: 1 everywhere.
    FilterOnes,
    /// The filters: whole numbers from -2 to 2 at random.
    FilterRandom,
    /// The filters: 1 in the middle, so that the input comes out again.
    FilterIdentity,
    /// The filters: -1 on the left, 1 on the right: upright edges.
    FilterUpright,
    /// The filters: -1 at the top, 1 at the bottom: level edges.
    FilterLevel,
}

/// A setting whose input or filters hold a pattern; `seed` is for those at random.
pub fn fill(setting: &Setting, pattern: Pattern, seed: u32) -> Setting {
    let mut s = setting.clone();
    if !s.sound() {
        return s;
    }
    let [_, width, channels] = s.input;
    let [kh, kw] = s.kernel;
    let each = channels * s.filters;
    let mut random = Random::new(u64::from(seed));
    let mut whole = |most: f64| ((random.uniform() as f64 * 2.0 - 1.0) * (most + 0.49)).round() as f32 + 0.0;
    let place = |i: usize| (i / each / kw, i / each % kw);
    let slope = |at: usize, extent: usize| (2 * at + 1).cmp(&extent) as i32 as f32;
    use Pattern as P;
    let input = |v: &mut Vec<f32>, f: &mut dyn FnMut(usize) -> f32| {
        v.iter_mut().enumerate().for_each(|(i, v)| *v = f(i))
    };
    match pattern {
        P::InputCount => input(&mut s.values, &mut |i| (i + 1) as f32),
        P::InputRandom => input(&mut s.values, &mut |_| whole(9.0)),
        P::InputZeros => input(&mut s.values, &mut |_| 0.0),
        P::InputEdge => {
            input(&mut s.values, &mut |i| if i / channels % width < width / 2 { 0.0 } else { 9.0 })
        }
        P::FilterOnes => input(&mut s.weights, &mut |_| 1.0),
        P::FilterRandom => input(&mut s.weights, &mut |_| whole(2.0)),
        P::FilterIdentity => {
            let middle = ((kh - 1) / 2, (kw - 1) / 2);
            input(&mut s.weights, &mut |i| f32::from(u8::from(place(i) == middle)));
        }
        P::FilterUpright => input(&mut s.weights, &mut |i| slope(place(i).1, kw)),
        P::FilterLevel => input(&mut s.weights, &mut |i| slope(place(i).0, kh)),
    }
    s
}

/// A setting with other extents, held within the limits: numbers that have a place keep it, new cells of the input
/// count on from the row's start, new cells of the filters are 1.
pub fn reshape(setting: &Setting, input: [usize; 3], kernel: [usize; 2], filters: usize) -> Setting {
    if !setting.sound() {
        return setting.clone();
    }
    let [h, w, c] = input;
    let [h, w] = [h, w].map(|v| v.clamp(1, limits::EXTENT));
    let c = c.clamp(1, limits::CHANNELS);
    let [kh, kw] = kernel.map(|v| v.clamp(1, limits::KERNEL));
    let filters = filters.clamp(1, limits::FILTERS);
    let values = moved(
        &setting.values,
        [setting.input[0], setting.input[1], setting.input[2], 1],
        [h, w, c, 1],
        |i, j| ((i * w + j) % 9 + 1) as f32,
    );
    let old = [setting.kernel[0], setting.kernel[1], setting.input[2], setting.filters];
    let weights = moved(&setting.weights, old, [kh, kw, c, filters], |_, _| 1.0);
    Setting { input: [h, w, c], values, kernel: [kh, kw], filters, weights, ..setting.clone() }
}

fn moved(from: &[f32], old: [usize; 4], new: [usize; 4], fresh: impl Fn(usize, usize) -> f32) -> Vec<f32> {
    let mut to = Vec::with_capacity(new.iter().product());
    for i in 0..new[0] {
        for j in 0..new[1] {
            for k in 0..new[2] {
                for l in 0..new[3] {
                    let kept = i < old[0] && j < old[1] && k < old[2] && l < old[3];
                    let at = ((i * old[1] + j) * old[2] + k) * old[3] + l;
                    to.push(if kept { from[at] } else { fresh(i, j) });
                }
            }
        }
    }
    to
}

//! Resizing with a triangle filter. When a picture is shrunk the filter is widened, so that no pixel is skipped.

/// Resizes `pixels` (height x width x channels) to `to` (height, width). The output stays within
/// the range of the input: each weight is positive and they sum to 1.
///
/// `pixels` must hold `from[0] * from[1] * channels` numbers. If a side is zero, the result is empty.
pub(crate) fn resize<T: Copy + Into<f32>>(
    pixels: &[T],
    from: [usize; 2],
    channels: usize,
    to: [usize; 2],
) -> Vec<f32> {
    if from.contains(&0) || to.contains(&0) || channels == 0 {
        return Vec::new();
    }
    if from == to {
        return pixels.iter().map(|&v| v.into()).collect();
    }
    // The height first: this pass reads memory in order, and a shrunk picture leaves the next pass less to do.
    let row = from[1] * channels;
    let vertical = taps(from[0], to[0]);
    let mut tall = vec![0.0; to[0] * row];
    for (out, tap) in tall.chunks_exact_mut(row).zip(&vertical) {
        for (line, &weight) in pixels[tap.first * row..].chunks_exact(row).zip(&tap.weights) {
            for (sum, &pixel) in out.iter_mut().zip(line) {
                *sum += weight * pixel.into();
            }
        }
    }
    let horizontal = taps(from[1], to[1]);
    let mut small = vec![0.0; to[0] * to[1] * channels];
    let lines = small.chunks_exact_mut(to[1] * channels);
    for (out, line) in lines.zip(tall.chunks_exact(row)) {
        for (out, tap) in out.chunks_exact_mut(channels).zip(&horizontal) {
            let inputs = line[tap.first * channels..].chunks_exact(channels);
            for (input, &weight) in inputs.zip(&tap.weights) {
                for (sum, &pixel) in out.iter_mut().zip(input) {
                    *sum += weight * pixel;
                }
            }
        }
    }
    small
}

/// The inputs of one output: those from `first` on, each with its weight.
struct Tap {
    first: usize,
    weights: Vec<f32>,
}

fn taps(from: usize, to: usize) -> Vec<Tap> {
    let scale = from as f64 / to as f64;
    let reach = scale.max(1.0);
    let tap = |out: usize| {
        let centre = (out as f64 + 0.5) * scale;
        let first = (centre - reach).floor().max(0.0) as usize;
        let end = ((centre + reach).ceil() as usize).min(from);
        let first = first.min(end.saturating_sub(1));
        let weight = |i: usize| (1.0 - ((i as f64 + 0.5 - centre) / reach).abs()).max(0.0);
        let sum: f64 = (first..end).map(weight).sum();
        let weights = (first..end).map(|i| (weight(i) / sum) as f32).collect();
        Tap { first, weights }
    };
    (0..to).map(tap).collect()
}

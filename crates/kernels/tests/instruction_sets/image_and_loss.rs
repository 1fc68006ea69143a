use crate::frames::{UNTOUCHED, assert_halo_untouched, frame, unpack};
use crate::{Worst, each};
use foveal_kernels::lanes::image::{Pixels, load};
use foveal_kernels::lanes::loss::{Labels, Regression, Sums, regression, softmax_cross_entropy};
use foveal_testkit::Random;
use foveal_testkit::reference::loss;
use ndarray::{Array2, Array4, Axis};

#[test]
fn loading() {
    each(|isa| {
        let mut random = Random::new(11);
        let mut worst = Worst::new(isa, "image load");
        for trial in 0..120 {
            let channels = random.pick(&[1, 1, 3]);
            let (h, w) = (random.int(1, 9), random.int(1, 9));
            let n = if trial % 2 == 0 { isa.lanes() } else { random.int(0, isa.lanes()) };
            let size = h * w * channels;
            let bytes: Vec<u8> = (0..n * size).map(|_| random.int(0, 255) as u8).collect();
            let numbers: Vec<f32> = (0..n * size).map(|_| random.normal() as f32).collect();
            let scale: Vec<f32> = (0..channels).map(|c| (c + 1) as f32 / 255.0).collect();
            let shift: Vec<f32> = (0..channels).map(|c| c as f32 - 0.5).collect();
            // Bytes, numbers, and both in one group.
            let kind = trial % 3;
            let is_bytes = |i: usize| kind == 0 || (kind == 2 && i.is_multiple_of(2));
            let images: Vec<Pixels> = (0..n)
                .map(|i| match is_bytes(i) {
                    true => Pixels::U8(&bytes[i * size..(i + 1) * size]),
                    false => Pixels::F32(&numbers[i * size..(i + 1) * size]),
                })
                .collect();
            let f = frame(&mut random, [channels, h, w], [0; 4]);
            let mut out = vec![UNTOUCHED; f.vectors() * isa.lanes()];
            load(isa, &images, &f, &scale, &shift, &mut out);
            assert_halo_untouched(isa, &f, &out);
            let want = Array4::from_shape_fn((isa.lanes(), h, w, channels), |(i, y, x, c)| {
                if i >= n {
                    return 0.0;
                }
                let at = i * size + (y * w + x) * channels + c;
                let raw = if is_bytes(i) { f64::from(bytes[at]) } else { f64::from(numbers[at]) };
                raw * f64::from(scale[c]) + f64::from(shift[c])
            });
            worst.check(&(trial, n, h, w, channels), &unpack(isa, &f, &out, isa.lanes()), &want);
        }
    });
}

#[test]
fn cross_entropy() {
    each(|isa| {
        let mut random = Random::new(12);
        let lanes = isa.lanes();
        let mut worst = ["cross-entropy", "cross-entropy gradient"].map(|what| Worst::new(isa, what));
        for trial in 0..120 {
            let (n, classes) = (random.int(1, lanes), random.int(1, 23));
            let smoothing = random.pick(&[0.0f32, 0.1, 0.3, 1.0]);
            let large = if trial % 4 == 0 { 30.0 } else { 2.0 };
            let logits: Array2<f32> = random.array((n, classes)).mapv(|v| (v * large) as f32);
            let labels: Vec<usize> = (0..n).map(|_| random.int(0, classes - 1)).collect();
            let class_weights: Vec<f64> = (0..classes).map(|_| random.int(1, 8) as f64 / 4.0).collect();
            let weights: Vec<f32> = labels.iter().map(|&l| class_weights[l] as f32).collect();
            let total: f32 = weights.iter().sum();
            // Every third batch is mixed: of a second class for a part of each image.
            let second: Vec<usize> = (0..n).map(|_| random.int(0, classes - 1)).collect();
            let mixed = trial % 3 == 0;
            let share: Vec<f32> =
                (0..n).map(|_| if mixed { 0.5 + random.int(0, 8) as f32 / 16.0 } else { 1.0 }).collect();
            let wide = logits.mapv(f64::from);
            let s = f64::from(smoothing);
            let (mut want, mut plain, mut gradient) = (0.0, 0.0, Array2::zeros((n, classes)));
            for i in 0..n {
                let row = wide.slice_axis(Axis(0), (i..i + 1).into()).to_owned();
                let parts = [(labels[i], f64::from(share[i])), (second[i], 1.0 - f64::from(share[i]))];
                for (label, part) in parts {
                    let part = part * f64::from(weights[i] / total);
                    want += part * loss::softmax_cross_entropy(&row, &[label], s, None);
                    plain += part * loss::softmax_cross_entropy(&row, &[label], 0.0, None);
                    let slope = loss::softmax_cross_entropy_gradient(&row, &[label], s, None);
                    gradient.row_mut(i).scaled_add(part, &slope.row(0));
                }
            }
            // Lanes without an image have weight 0, whatever stands there.
            let mut z = vec![3.0f32; classes * lanes];
            logits.indexed_iter().for_each(|((n, c), &v)| z[c * lanes + n] = v);
            let whole = |labels: &[usize]| -> Vec<u32> {
                (0..lanes).map(|l| labels.get(l).map_or(0, |&l| l as u32)).collect()
            };
            let (first, second) = (whole(&labels), whole(&second));
            let (mut all_weights, mut all_shares) = (weights.clone(), share);
            all_shares.resize(lanes, 1.0);
            all_weights.resize(lanes, 0.0);
            let mut d = vec![9.0; z.len()];
            let names = Labels { first: &first, second: &second, share: &all_shares };
            let sums = softmax_cross_entropy(isa, &z, names, &all_weights, smoothing, 1.0 / total, &mut d);
            let case = (n, classes, smoothing, large);
            let mean = |sum: f64| (sum / f64::from(total)) as f32;
            worst[0].check(&case, &[mean(sums.loss), mean(sums.plain)], &[want, plain]);
            let found = Array2::from_shape_fn((n, classes), |(n, c)| d[c * lanes + n]);
            worst[1].check(&case, &found, &gradient);
            assert!(d.chunks_exact(lanes).all(|v| v[n..].iter().all(|&v| v == 0.0)), "{case:?}");
            let first_largest = |n: usize| {
                let row = logits.row(n);
                (0..classes).fold(0, |best, c| if row[c] > row[best] { c } else { best })
            };
            let correct = labels.iter().enumerate().filter(|(n, l)| first_largest(*n) == **l).count();
            assert_eq!(sums.correct, correct, "{case:?}");
        }
    });
}

#[test]
fn a_bad_output_makes_the_loss_bad() {
    each(|isa| {
        for bad in [f32::NAN, f32::INFINITY] {
            let mut z = vec![0.0; 5 * isa.lanes()];
            z[2 * isa.lanes() + 1] = bad;
            let mut d = z.clone();
            let (zeros, weights) = (vec![0; isa.lanes()], vec![1.0; isa.lanes()]);
            let labels = Labels { first: &zeros, second: &zeros, share: &weights.clone() };
            let sums: Sums = softmax_cross_entropy(isa, &z, labels, &weights, 0.0, 1.0, &mut d);
            assert!(!sums.loss.is_finite(), "{} {bad}: {}", isa.name(), sums.loss);
            // Without an image it does not count.
            let mut weights = weights;
            weights[1] = 0.0;
            let sums: Sums = softmax_cross_entropy(isa, &z, labels, &weights, 0.0, 1.0, &mut d);
            assert!(sums.loss.is_finite(), "{}", isa.name());
        }
    });
}

#[test]
fn regressions() {
    each(|isa| {
        let mut random = Random::new(13);
        let lanes = isa.lanes();
        let mut worst = ["regression", "regression gradient"].map(|what| Worst::new(isa, what));
        for delta in [None, Some(0.5f32), Some(1.0)] {
            for values in [1, 3, 7] {
                let n = random.int(1, lanes);
                let (p, p64) = random.array_f32((n, values));
                let (t, t64) = random.array_f32((n, values));
                let mut y = vec![0.5; values * lanes];
                p.indexed_iter().for_each(|((n, v), &x)| y[v * lanes + n] = x);
                let mut targets = t.into_raw_vec_and_offset().0;
                targets.resize(lanes * values, 0.0);
                let weights: Vec<f32> = (0..lanes).map(|l| f32::from(u8::from(l < n))).collect();
                let kind = delta.map_or(Regression::MeanSquared, Regression::Huber);
                let mut d = vec![9.0; y.len()];
                let sums = regression(lanes, kind, &y, &targets, &weights, 1.0 / n as f32, &mut d);
                let (want, gradient) = match delta.map(f64::from) {
                    None => {
                        (loss::mean_squared_error(&p64, &t64), loss::mean_squared_error_gradient(&p64, &t64))
                    }
                    Some(d) => (loss::huber(&p64, &t64, d), loss::huber_gradient(&p64, &t64, d)),
                };
                worst[0].check(&(delta, values), &[(sums.loss / n as f64) as f32], &[want]);
                let found = Array2::from_shape_fn((n, values), |(n, v)| d[v * lanes + n]);
                worst[1].check(&(delta, values), &found, &gradient);
            }
        }
    });
}

//! Statistics and gradients with channels side by side, against 64 bits.

use crate::each;
use foveal_kernels::lanes::norm::Moments;
use foveal_kernels::nhwc::norm::{affine, backward_apply, backward_sums, channel_sums, moments};

fn numbers(n: usize, salt: usize) -> Vec<f32> {
    (0..n).map(|i| ((i * 2_654_435_761 + salt * 40_503) % 1009) as f32 / 500.0 - 1.0).collect()
}

#[test]
fn statistics_and_gradients_are_those_of_64_bits() {
    each(|isa| {
        for (channels, rows) in [(1, 1), (3, 130), (16, 64), (21, 65), (40, 257)] {
            let x: Vec<f32> = numbers(channels * rows, 1).iter().map(|v| 100.0 + v).collect();
            let dy = numbers(channels * rows, 2);
            let (mut found, mut sums) = (vec![Moments::default(); channels], vec![[0.0; 2]; channels]);
            moments(isa, channels, &x, &mut found);
            let mean: Vec<f32> = found.iter().map(|m| m.mean as f32).collect();
            backward_sums(isa, &x, &mean, &dy, &mut sums);
            let mut plain = vec![1.0; channels];
            channel_sums(isa, &dy, &mut plain);
            for c in 0..channels {
                let of =
                    |v: &[f32]| v[c..].iter().step_by(channels).map(|&v| f64::from(v)).collect::<Vec<_>>();
                let (x, dy) = (of(&x), of(&dy));
                let mean64 = x.iter().sum::<f64>() / rows as f64;
                let squares: f64 = x.iter().map(|x| (x - mean64).powi(2)).sum();
                assert_eq!(found[c].count, rows as f64);
                assert!((found[c].mean - mean64).abs() < 1e-4, "{isa:?} {channels} {rows}");
                assert!(
                    (found[c].squares - squares).abs() < 1e-3 * (1.0 + squares),
                    "{isa:?} {channels} {rows}"
                );
                let s1: f64 = dy.iter().sum();
                let s2: f64 = x.iter().zip(&dy).map(|(x, d)| d * (x - f64::from(mean[c]))).sum();
                assert!((sums[c][0] - s1).abs() < 1e-3 && (sums[c][1] - s2).abs() < 1e-3);
                assert!((f64::from(plain[c]) - 1.0 - s1).abs() < 1e-3);
            }
        }
    });
}

#[test]
fn rows_are_scaled_and_gradients_go_back() {
    each(|isa| {
        let (channels, rows) = (19, 5);
        let (x, dy) = (numbers(channels * rows, 1), numbers(channels * rows, 2));
        let (scale, shift, k) = (numbers(channels, 3), numbers(channels, 4), numbers(3 * channels, 5));
        let (mut y, mut dx) = (vec![0.0; x.len()], vec![0.5; x.len()]);
        affine(isa, &x, &scale, &shift, &mut y);
        backward_apply(isa, &dy, &x, &k, true, &mut dx);
        for i in 0..x.len() {
            let c = i % channels;
            assert!((y[i] - (x[i] * scale[c] + shift[c])).abs() < 1e-5);
            let d = k[c] * dy[i] + k[channels + c] * x[i] + k[2 * channels + c] + 0.5;
            assert!((dx[i] - d).abs() < 1e-5, "{isa:?}");
        }
    });
}

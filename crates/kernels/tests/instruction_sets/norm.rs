use crate::frames::{UNTOUCHED, assert_halo_untouched, frame, pack, unpack};
use crate::{Worst, each};
use foveal_kernels::lanes::norm::{self, Moments};
use foveal_testkit::Random;
use foveal_testkit::reference::batch_norm;
use ndarray::{Array1, Array4, Axis, concatenate};

/// A whole batch normalization by hand, group by group, as the engine does it.
#[test]
fn batch_normalization() {
    each(|isa| {
        let mut random = Random::new(9);
        let lanes = isa.lanes();
        let names = ["norm mean", "norm variance", "norm y", "norm d_x", "norm d_gamma", "norm d_beta"];
        let mut worst = names.map(|what| Worst::new(isa, what));
        for trial in 0..40 {
            let shape = [random.int(1, 6), random.int(1, 6), random.int(1, 5)];
            let groups = random.int(1, 3);
            let n = (groups - 1) * lanes + random.int(1, lanes);
            if n * shape[0] * shape[1] < 4 {
                continue;
            }
            let (h, w, c) = (shape[0], shape[1], shape[2]);
            // Far from zero, where the naive formula for the variance loses everything.
            let centre = if trial % 2 == 0 { 0.0 } else { 50.0 };
            let x: Array4<f32> = random.array((n, h, w, c)).mapv(|v| (v + centre) as f32);
            let x64 = x.mapv(f64::from);
            let (dy, dy64) = random.array_f32((n, h, w, c));
            let [gamma, beta]: [Array1<f64>; 2] = [0; 2].map(|_| random.array(c));
            let epsilon = 1e-3;
            let want = batch_norm::training(&x64, &gamma, &beta, epsilon);
            let (dx64, dgamma, dbeta) = batch_norm::training_backward(&dy64, &x64, &gamma, epsilon);

            let f = frame(&mut random, [c, h, w], [0; 4]);
            let to = frame(&mut random, [c, h, w], [0; 4]);
            let part = |a: &Array4<f32>, g: usize| {
                a.slice(ndarray::s![g * lanes..n.min((g + 1) * lanes), .., .., ..]).to_owned()
            };
            // Lanes without an image hold numbers that must not count.
            let xs: Vec<Vec<f32>> = (0..groups).map(|g| pack(isa, &f, &part(&x, g), UNTOUCHED)).collect();
            let dys: Vec<Vec<f32>> = (0..groups).map(|g| pack(isa, &to, &part(&dy, g), 0.0)).collect();
            let mask = |g: usize| -> Vec<f32> {
                (0..lanes).map(|l| f32::from(u8::from(g * lanes + l < n))).collect()
            };
            let mut all = vec![Moments::default(); c];
            for (g, x) in xs.iter().enumerate() {
                let mut own = vec![Moments::default(); c];
                norm::moments(isa, &f, x, &mask(g), &mut own);
                all.iter_mut().zip(own).for_each(|(a, b)| *a = a.combine(b));
            }
            let mean: Vec<f32> = all.iter().map(|m| m.mean as f32).collect();
            let variance: Vec<f32> = all.iter().map(|m| m.variance() as f32).collect();
            worst[0].check(&shape, &mean, &want.mean);
            worst[1].check(&shape, &variance, &want.variance);

            let r: Vec<f64> = all.iter().map(|m| 1.0 / (m.variance() + epsilon).sqrt()).collect();
            let scale: Vec<f32> = (0..c).map(|i| (gamma[i] * r[i]) as f32).collect();
            let shift: Vec<f32> = (0..c).map(|i| (beta[i] - all[i].mean * gamma[i] * r[i]) as f32).collect();
            let (mut ys, mut sums) = (Vec::new(), vec![[0.0; 2]; c]);
            for (g, x) in xs.iter().enumerate() {
                let mut y = vec![UNTOUCHED; to.vectors() * lanes];
                norm::affine(isa, &f, x, &scale, &shift, &to, &mut y);
                assert_halo_untouched(isa, &to, &y);
                ys.push(unpack(isa, &to, &y, part(&dy, g).dim().0));
                let mut own = vec![[0.0; 2]; c];
                norm::backward_sums(isa, &f, x, &mean, &to, &dys[g], &mut own);
                sums.iter_mut().zip(own).for_each(|(s, o)| *s = [s[0] + o[0], s[1] + o[1]]);
            }
            let join = |parts: &[Array4<f32>]| {
                concatenate(Axis(0), &parts.iter().map(|p| p.view()).collect::<Vec<_>>()).unwrap()
            };
            worst[2].check(&shape, &join(&ys), &want.y);
            // Sums of numbers of either sign: relative to the sum of their sizes.
            let size: f64 = dy64.iter().map(|v| v.abs()).sum();
            let with_size = |of: &dyn Fn(usize) -> f64| (0..c).map(of).chain([size]).collect::<Vec<_>>();
            let narrow = |v: Vec<f64>| v.into_iter().map(|v| v as f32).collect::<Vec<_>>();
            let d_gamma = narrow(with_size(&|i| sums[i][1] * r[i]));
            worst[4].check(&shape, &d_gamma, &with_size(&|i| dgamma[i]));
            let d_beta = narrow(with_size(&|i| sums[i][0]));
            worst[5].check(&shape, &d_beta, &with_size(&|i| dbeta[i]));

            let k: Vec<[f32; 3]> = (0..c)
                .map(|i| {
                    let a = gamma[i] * r[i];
                    let b = -a * r[i] * r[i] * sums[i][1] / all[i].count;
                    let d = -b * all[i].mean - a * sums[i][0] / all[i].count;
                    [a as f32, b as f32, d as f32]
                })
                .collect();
            let (before, before64) = random.array_f32((n, h, w, c));
            let mut dxs = Vec::new();
            for (g, x) in xs.iter().enumerate() {
                let mut dx = pack(isa, &f, &part(&before, g), UNTOUCHED);
                norm::backward_apply(isa, &to, &dys[g], &f, x, &k, &mask(g), &f, &mut dx);
                dxs.push(unpack(isa, &f, &dx, part(&dy, g).dim().0));
                let empty = (0..lanes).filter(|l| g * lanes + l >= n);
                empty.for_each(|l| assert!(dx.chunks_exact(lanes).all(|v| v[l] == UNTOUCHED)));
            }
            worst[3].check(&shape, &join(&dxs), &(dx64 + before64));
        }
    });
}

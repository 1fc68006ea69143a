use crate::{Worst, each};
use foveal_kernels::lanes::dense;
use foveal_testkit::Random;
use foveal_testkit::reference as r;
use ndarray::{Array1, Array2};

/// Images `[n, k]` as `k` vectors.
fn pack(lanes: usize, x: &Array2<f32>) -> Vec<f32> {
    let mut out = vec![0.0; x.ncols() * lanes];
    x.indexed_iter().for_each(|((n, k), &v)| out[k * lanes + n] = v);
    out
}

fn unpack(lanes: usize, x: &[f32], n: usize) -> Array2<f32> {
    Array2::from_shape_fn((n, x.len() / lanes), |(n, k)| x[k * lanes + n])
}

#[test]
fn dense_layers() {
    each(|isa| {
        let mut random = Random::new(8);
        let lanes = isa.lanes();
        let mut worst = ["dense forward", "dense backward_input", "dense backward_weights"]
            .map(|what| Worst::new(isa, what));
        let mut sizes: Vec<(usize, usize)> = (1..=70).map(|units| (units % 50 + 1, units)).collect();
        sizes.extend((1..=50).map(|inputs| (inputs, random.int(1, 70))));
        for (inputs, units) in sizes {
            let groups = random.int(1, 4);
            let count = (groups - 1) * lanes + random.int(1, lanes);
            let (w, w64) = random.array_f32((inputs, units));
            let (bias, bias64): (Array1<f32>, _) = random.array_f32(units);
            let (x, x64) = random.array_f32((count, inputs));
            let (dy, dy64) = random.array_f32((count, units));
            let with_bias = random.int(0, 1) == 1;
            let (dx64, dw64, _) = r::dense_backward(&dy64, &x64, &w64);
            let y64 = r::dense(&x64, &w64, with_bias.then_some(&bias64));
            let case = (inputs, units, count);
            let mut kept = Vec::new();
            for g in 0..groups {
                let (from, to) = (g * lanes, count.min((g + 1) * lanes));
                let part = |a: &Array2<f32>| a.slice(ndarray::s![from..to, ..]).to_owned();
                let (x, dy) = (pack(lanes, &part(&x)), pack(lanes, &part(&dy)));
                let mut y = vec![9.0; units * lanes];
                let b = with_bias.then(|| bias.as_slice().unwrap());
                dense::forward(isa, &x, w.as_slice().unwrap(), b, &mut y, units);
                worst[0].check(&case, &unpack(lanes, &y, to - from), y64.slice(ndarray::s![from..to, ..]));
                let mut dx = vec![9.0; inputs * lanes];
                dense::backward_input(isa, &dy, w.as_slice().unwrap(), &mut dx, units);
                worst[1].check(&case, &unpack(lanes, &dx, to - from), dx64.slice(ndarray::s![from..to, ..]));
                let mut rows = vec![0.0; lanes * dense::padded_units(isa, units)];
                dense::transpose(isa, &dy, units, &mut rows);
                kept.push((x, rows));
            }
            // Whole, and in rows as workers take them.
            let cut = random.int(0, inputs);
            let mut dw = vec![9.0; inputs * units];
            for (first, part) in [(0, 0..cut * units), (cut, cut * units..inputs * units)] {
                let group = |g: usize| (&kept[g].0[..], &kept[g].1[..]);
                dense::backward_weights(isa, groups, group, inputs, units, first, &mut dw[part]);
            }
            worst[2].check(&case, &dw, &dw64);
        }
    });
}

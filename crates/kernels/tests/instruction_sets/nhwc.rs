use crate::frames::{Case, padding, signed};
use crate::{Worst, each};
use foveal_kernels::nhwc::pool::Pool;
use foveal_kernels::team::Team;
use foveal_kernels::{Isa, Pool2dGeometry, Pool2dOptions, nhwc};
use foveal_testkit::reference as r;
use foveal_testkit::{Pad, Random};
use ndarray::Array1;

fn check(case: &Case, random: &mut Random, worst: &mut [Worst; 3]) {
    let isa = worst[0].isa;
    let g = case.geometry();
    let (s, d, p, groups) = (case.strides, case.dilations, case.pad, case.groups);
    let (x, x64) = random.array_f32(case.x);
    let (w, w64) = random.array_f32(case.w);
    let (bias, bias64): (Array1<f32>, _) = random.array_f32(case.w[3]);
    let (dy, dy64) = random.array_f32(g.output_shape());
    let [x, w, dy] = [&x, &w, &dy].map(|a| a.as_slice().unwrap());
    let with_bias = random.int(0, 1) == 1;
    let mut y = vec![9.0; dy.len()];
    nhwc::conv2d(isa, &g, x, w, with_bias.then(|| bias.as_slice().unwrap()), &mut y);
    let expected = r::conv2d(&x64, &w64, with_bias.then_some(&bias64), s, d, p, groups);
    worst[0].check(case, &y, &expected);
    let mut dx = vec![9.0; x.len()];
    nhwc::conv2d_backward_input(isa, &g, dy, w, &mut dx);
    worst[1].check(case, &dx, &r::conv2d_backward_input(&dy64, &w64, case.x, s, d, p, groups));
    let mut dw = vec![9.0; w.len()];
    nhwc::conv2d_backward_filter(isa, &g, x, dy, &mut dw);
    worst[2].check(case, &dw, &r::conv2d_backward_filter(&dy64, &x64, case.w, s, d, p, groups));
}

#[test]
fn convolution() {
    each(|isa| {
        let mut random = Random::new(1);
        let mut worst = ["nhwc conv2d", "nhwc conv2d_backward_input", "nhwc conv2d_backward_filter"]
            .map(|what| Worst::new(isa, what));
        for _ in 0..300 {
            let batch = random.int(0, 4);
            let case = Case::random(&mut random, batch);
            check(&case, &mut random, &mut worst);
        }
        // Enough positions that the filter's gradient is made in parts, filters large enough to be cut for it and
        // to be taken block by block, and depthwise ones wider than a vector.
        let plain =
            Case { x: [0; 4], w: [0; 4], strides: [1, 1], dilations: [1, 1], pad: Pad::Same, groups: 1 };
        for (x, w) in [
            ([3, 25, 23, 3], [3, 3, 3, 17]),
            ([1, 6, 5, 70], [3, 3, 70, 130]),
            ([130, 1, 1, 37], [1, 1, 37, 10]),
            ([1, 4, 5, 300], [3, 3, 300, 70]),
            ([5, 20, 20, 2], [5, 5, 2, 3]),
        ] {
            check(&Case { x, w, ..plain }, &mut random, &mut worst);
        }
        for (x, strides, dilations) in [
            ([3, 15, 14, 37], [1, 1], [1, 1]),
            ([1, 9, 10, 53], [2, 1], [1, 1]),
            ([2, 7, 9, 16], [1, 2], [2, 3]),
        ] {
            let case = Case { x, w: [3, 3, 1, x[3]], strides, dilations, groups: x[3], ..plain };
            check(&case, &mut random, &mut worst);
        }
    });
}

#[test]
fn pooling() {
    each(pooling_of);
}

fn pooling_of(isa: Isa) {
    let mut random = Random::new(2);
    let mut team = Team::new(3);
    let mut worst = ["nhwc max_pool", "nhwc avg_pool", "nhwc max_pool_backward", "nhwc avg_pool_backward"]
        .map(|what| Worst::new(isa, what));
    for _ in 0..300 {
        let shape = [random.int(0, 3), random.int(1, 11), random.int(1, 11), random.int(1, 90)];
        let (k, s) = ([random.int(1, 4), random.int(1, 4)], [random.int(1, 5), random.int(1, 5)]);
        let pad = crate::frames::random_pad(&mut random, k[0].min(k[1]) - 1);
        let options = Pool2dOptions { ksize: signed(k), strides: signed(s), padding: padding(pad) };
        let Ok(g) = Pool2dGeometry::new("pool", &shape, &options) else { continue };
        let (x, x64) = crate::frames::eighths(&mut random, shape);
        let (dy, dy64) = random.array_f32(g.output_shape());
        let case = (shape, k, s, pad);
        let (x, dy) = (x.as_slice().unwrap(), dy.as_slice().unwrap());
        let (mut y, mut dx) = (vec![9.0; dy.len()], vec![9.0; x.len()]);
        nhwc::pool::max_pool(isa, &g, x, &mut y);
        worst[0].check(&case, &y, &r::max_pool(&x64, k, s, pad));
        nhwc::pool::avg_pool(isa, &g, x, &mut y);
        worst[1].check(&case, &y, &r::avg_pool(&x64, k, s, pad));
        if g.batch == 1 {
            for (what, want) in
                [(Pool::Max, r::max_pool(&x64, k, s, pad)), (Pool::Mean, r::avg_pool(&x64, k, s, pad))]
            {
                y.fill(9.0);
                nhwc::pool::of_one_image(isa, what, &g, Some(&mut team), x, &mut y);
                worst[0].check(&case, &y, &want);
            }
        }
        nhwc::pool::max_pool_backward(&g, x, dy, &mut dx);
        worst[2].check(&case, &dx, &r::max_pool_backward(&dy64, &x64, k, s, pad));
        nhwc::pool::avg_pool_backward(&g, dy, &mut dx);
        worst[3].check(&case, &dx, &r::avg_pool_backward(&dy64, shape, k, s, pad));
    }
}

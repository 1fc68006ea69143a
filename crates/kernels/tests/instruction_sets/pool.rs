use crate::frames::{
    UNTOUCHED, assert_halo_untouched, eighths, frame, pack, padding, random_pad, signed, unpack,
};
use crate::{Worst, each};
use foveal_kernels::lanes::PoolWalk;
use foveal_kernels::{Pool2dGeometry, Pool2dOptions};
use foveal_testkit::Random;
use foveal_testkit::reference as r;

#[test]
fn pool_walk() {
    each(|isa| {
        let mut random = Random::new(6);
        let mut worst = ["lanes max", "lanes max_backward", "lanes average", "lanes average_backward"]
            .map(|what| Worst::new(isa, what));
        let mut ran = 0;
        while ran < 300 {
            let shape = [random.int(1, isa.lanes()), random.int(1, 11), random.int(1, 11), random.int(1, 5)];
            let (k, s) = ([random.int(1, 4), random.int(1, 4)], [random.int(1, 5), random.int(1, 5)]);
            let pad = random_pad(&mut random, k[0].min(k[1]) - 1);
            let options = Pool2dOptions { ksize: signed(k), strides: signed(s), padding: padding(pad) };
            let Ok(g) = Pool2dGeometry::new("pool", &shape, &options) else { continue };
            ran += 1;
            let case = (shape, k, s, pad);
            let [n, oh, ow, c] = g.output_shape();
            let input = frame(&mut random, [c, shape[1], shape[2]], [0; 4]);
            let output = frame(&mut random, [c, oh, ow], [0; 4]);
            let walk = PoolWalk::new(&g, &input, &output);
            let (x, x64) = eighths(&mut random, shape);
            let (dy, dy64) = random.array_f32([n, oh, ow, c]);
            let (before, before64) = random.array_f32(shape);
            let (x, dy) = (pack(isa, &input, &x, 0.0), pack(isa, &output, &dy, 0.0));
            let fresh = || vec![UNTOUCHED; output.vectors() * isa.lanes()];
            let (mut y, mut at) = (fresh(), vec![9.0; c * oh * ow * isa.lanes()]);
            walk.max(isa, &x, &mut y, &mut at);
            assert_halo_untouched(isa, &output, &y);
            worst[0].check(&case, &unpack(isa, &output, &y, n), &r::max_pool(&x64, k, s, pad));
            let mut dx = pack(isa, &input, &before, UNTOUCHED);
            walk.max_backward(isa, &at, &dy, &mut dx);
            assert_halo_untouched(isa, &input, &dx);
            let expected = r::max_pool_backward(&dy64, &x64, k, s, pad) + &before64;
            worst[1].check(&case, &unpack(isa, &input, &dx, n), &expected);
            let mut y = fresh();
            walk.average(isa, &x, &mut y);
            assert_halo_untouched(isa, &output, &y);
            worst[2].check(&case, &unpack(isa, &output, &y, n), &r::avg_pool(&x64, k, s, pad));
            let mut dx = pack(isa, &input, &before, UNTOUCHED);
            walk.average_backward(isa, &dy, &mut dx);
            let expected = r::avg_pool_backward(&dy64, shape, k, s, pad) + &before64;
            worst[3].check(&case, &unpack(isa, &input, &dx, n), &expected);
        }
    });
}

#[test]
fn not_a_number_spreads_and_infinities_count() {
    each(|isa| {
        let mut random = Random::new(7);
        let mut worst = Worst::new(isa, "lanes max with NaN");
        let shape = [isa.lanes(), 7, 9, 2];
        let options =
            Pool2dOptions { ksize: [3, 2], strides: [2, 1], padding: padding(foveal_testkit::Pad::Same) };
        let g = Pool2dGeometry::new("pool", &shape, &options).unwrap();
        let [n, oh, ow, c] = g.output_shape();
        let (mut x, _) = eighths(&mut random, shape);
        x.mapv_inplace(|v| match random.int(0, 9) {
            0 => f32::NAN,
            1 => f32::INFINITY,
            2 | 3 => f32::NEG_INFINITY,
            _ => v,
        });
        let x64 = x.mapv(f64::from);
        let (input, output) =
            (frame(&mut random, [c, 7, 9], [0; 4]), frame(&mut random, [c, oh, ow], [0; 4]));
        let walk = PoolWalk::new(&g, &input, &output);
        let mut y = vec![0.0; output.vectors() * isa.lanes()];
        let mut at = vec![0.0; c * oh * ow * isa.lanes()];
        walk.max(isa, &pack(isa, &input, &x, 0.0), &mut y, &mut at);
        worst.check(
            &shape,
            &unpack(isa, &output, &y, n),
            &r::max_pool(&x64, [3, 2], [2, 1], foveal_testkit::Pad::Same),
        );
        let (dy, dy64) = random.array_f32([n, oh, ow, c]);
        let mut dx = vec![0.0; input.vectors() * isa.lanes()];
        walk.max_backward(isa, &at, &pack(isa, &output, &dy, 0.0), &mut dx);
        let expected = r::max_pool_backward(&dy64, &x64, [3, 2], [2, 1], foveal_testkit::Pad::Same);
        worst.check(&shape, &unpack(isa, &input, &dx, n), &expected);
    });
}

/// A window so large that its cells cannot be numbered in f32, as SAME allows.
#[test]
fn a_window_far_larger_than_the_image() {
    each(|isa| {
        let mut random = Random::new(14);
        let mut worst = Worst::new(isa, "lanes max with a large window");
        let shape = [isa.lanes(), 4, 5, 2];
        let options = Pool2dOptions {
            ksize: [9, 40_000_001],
            strides: [1, 1],
            padding: padding(foveal_testkit::Pad::Same),
        };
        let g = Pool2dGeometry::new("pool", &shape, &options).unwrap();
        let f = frame(&mut random, [2, 4, 5], [0; 4]);
        let walk = PoolWalk::new(&g, &f, &f);
        let (x, x64) = eighths(&mut random, shape);
        let (dy, dy64) = random.array_f32(shape);
        let (mut y, mut at) = (vec![0.0; f.vectors() * isa.lanes()], vec![0.0; 40 * isa.lanes()]);
        walk.max(isa, &pack(isa, &f, &x, 0.0), &mut y, &mut at);
        let mut dx = vec![0.0; f.vectors() * isa.lanes()];
        walk.max_backward(isa, &at, &pack(isa, &f, &dy, 0.0), &mut dx);
        // Every window sees the whole image.
        let same = ([9, 11], [1, 1], foveal_testkit::Pad::Same);
        worst.check(&shape, &unpack(isa, &f, &y, isa.lanes()), &r::max_pool(&x64, same.0, same.1, same.2));
        let expected = r::max_pool_backward(&dy64, &x64, same.0, same.1, same.2);
        worst.check(&shape, &unpack(isa, &f, &dx, isa.lanes()), &expected);
    });
}

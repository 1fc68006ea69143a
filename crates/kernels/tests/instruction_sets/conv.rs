use crate::frames::{Case, UNTOUCHED, assert_halo_untouched, frame, pack, unpack, wide};
use crate::{Worst, each};
use foveal_kernels::lanes::{Correlation, Finish, Frame};
use foveal_testkit::Random;
use foveal_testkit::reference::{self as r, activation::Activation::Relu};
use ndarray::{Array1, Array4};

fn forward(case: &Case, random: &mut Random, worst: &mut Worst) {
    let isa = worst.isa;
    let (g, n) = (case.of_one(), case.x[0]);
    let [_, oh, ow, o] = g.output_shape();
    let input = frame(random, [case.x[3], case.x[1], case.x[2]], Frame::halo_for(&g.h, &g.w));
    let output = frame(random, [o, oh, ow], [0; 4]);
    let (x, x64) = random.array_f32(case.x);
    let (w, w64) = random.array_f32(case.w);
    let (bias, bias64): (Array1<f32>, _) = random.array_f32(o);
    let with_bias = random.int(0, 1) == 1;
    let expected = r::conv2d(
        &x64,
        &w64,
        with_bias.then_some(&bias64),
        case.strides,
        case.dilations,
        case.pad,
        case.groups,
    );
    let walk = Correlation::forward(&g, &input, &output);
    let x = pack(isa, &input, &x, 0.0);
    let (before, before64) = random.array_f32(expected.dim());
    for finish in [Finish::Store, Finish::Relu, Finish::Accumulate] {
        let mut y = pack(isa, &output, &before, UNTOUCHED);
        let bias = with_bias.then(|| bias.as_slice().unwrap());
        walk.run(isa, &x, w.as_slice().unwrap(), bias, &mut y, finish);
        let expected: Array4<f64> = match finish {
            Finish::Store => expected.clone(),
            Finish::Relu => Relu.forward(&expected),
            Finish::Accumulate => &expected + &before64,
        };
        assert_halo_untouched(isa, &output, &y);
        worst.check(&(case, finish), &unpack(isa, &output, &y, n), &expected);
    }
}

fn backward_input(case: &Case, random: &mut Random, worst: &mut Worst) {
    let isa = worst.isa;
    let (g, n) = (case.of_one(), case.x[0]);
    let [_, oh, ow, o] = g.output_shape();
    let d_output = frame(random, [o, oh, ow], Correlation::backward_halo(&g));
    let d_input = frame(random, [case.x[3], case.x[1], case.x[2]], [0; 4]);
    let (dy, dy64) = random.array_f32([n, oh, ow, o]);
    let (w, w64) = random.array_f32(case.w);
    let (before, before64) = random.array_f32(case.x);
    let expected =
        r::conv2d_backward_input(&dy64, &w64, case.x, case.strides, case.dilations, case.pad, case.groups);
    let walks = Correlation::backward_input(&g, &d_output, &d_input);
    let dy = pack(isa, &d_output, &dy, 0.0);
    for finish in [Finish::Store, Finish::Accumulate] {
        let mut dx = pack(isa, &d_input, &before, UNTOUCHED);
        walks.iter().for_each(|walk| walk.run(isa, &dy, w.as_slice().unwrap(), None, &mut dx, finish));
        let expected = if finish == Finish::Store { expected.clone() } else { &expected + &before64 };
        assert_halo_untouched(isa, &d_input, &dx);
        worst.check(&(case, finish), &unpack(isa, &d_input, &dx, n), &expected);
    }
}

fn backward_weights(case: &Case, random: &mut Random, worst: &mut Worst) {
    let isa = worst.isa;
    let (g, n) = (case.of_one(), case.x[0]);
    let [_, oh, ow, o] = g.output_shape();
    let input = frame(random, [case.x[3], case.x[1], case.x[2]], Frame::halo_for(&g.h, &g.w));
    let output = frame(random, [o, oh, ow], [0; 4]);
    let gradient = frame(random, [o, oh, ow], [0; 4]);
    let (x, x64) = random.array_f32(case.x);
    let (dy, dy64) = random.array_f32([n, oh, ow, o]);
    let (before, before64) = random.array_f32(case.w);
    let (x, dy) = (pack(isa, &input, &x, 0.0), pack(isa, &gradient, &dy, 0.0));
    let mut dw = before.clone().into_raw_vec_and_offset().0;
    Correlation::forward(&g, &input, &output).backward_weights(isa, &x, &dy, &gradient, &mut dw);
    let expected =
        r::conv2d_backward_filter(&dy64, &x64, case.w, case.strides, case.dilations, case.pad, case.groups);
    worst.check(case, &dw, &(expected + before64));
}

#[test]
fn correlation() {
    each(|isa| {
        let mut random = Random::new(3);
        let mut worst = ["lanes forward", "lanes backward_input", "lanes backward_weights"]
            .map(|what| Worst::new(isa, what));
        for _ in 0..250 {
            let n = random.int(1, isa.lanes());
            let case = Case::random(&mut random, n);
            forward(&case, &mut random, &mut worst[0]);
            backward_input(&case, &mut random, &mut worst[1]);
            backward_weights(&case, &mut random, &mut worst[2]);
        }
    });
}

#[test]
fn packing_is_its_own_inverse() {
    each(|isa| {
        let mut random = Random::new(4);
        let f = frame(&mut random, [3, 4, 5], [1, 2, 0, 3]);
        let (x, x64) = random.array_f32([isa.lanes(), 4, 5, 3]);
        let packed = pack(isa, &f, &x, UNTOUCHED);
        assert_halo_untouched(isa, &f, &packed);
        assert_eq!(wide(&unpack(isa, &f, &packed, isa.lanes())), x64);
    });
}

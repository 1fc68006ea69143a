use crate::frames::{Case, UNTOUCHED, assert_halo_untouched, frame, pack, unpack};
use crate::{Worst, each};
use foveal_kernels::Isa;
use foveal_kernels::lanes::{Convolution, Finish, Frame, Winograd, WinogradFilter};
use foveal_testkit::reference::{self as r, activation::Activation::Relu};
use foveal_testkit::{Pad, Random};
use ndarray::{Array1, Array4};

/// A convolution that has Winograd's form, of any extents: mostly few channels, sometimes more than a block's.
fn case(random: &mut Random, n: usize) -> Case {
    let most = random.pick(&[4, 4, 20, 40]);
    let [c, o] = [0; 2].map(|_| random.int(1, most));
    let pad = match random.int(0, 3) {
        0 => Pad::Valid,
        1 => Pad::Explicit([0; 4].map(|_| random.int(0, 2))),
        2 => Pad::Explicit([random.int(0, 2), random.int(0, 5), random.int(0, 2), random.int(0, 5)]),
        _ => Pad::Same,
    };
    let least = if matches!(pad, Pad::Same) { 1 } else { 3 };
    let x = [n, random.int(least, 11), random.int(least, 11), c];
    Case { x, w: [3, 3, c, o], strides: [1, 1], dilations: [1, 1], pad, groups: 1 }
}

fn plane(case: &Case) -> [usize; 3] {
    [case.x[3], case.x[1], case.x[2]]
}

fn scratch(isa: Isa, numbers: usize) -> Vec<f32> {
    assert!(numbers >= isa.lanes());
    vec![f32::NAN; numbers]
}

fn forward(case: &Case, random: &mut Random, worst: &mut Worst) {
    let isa = worst.isa;
    let (g, n) = (case.of_one(), case.x[0]);
    let [_, oh, ow, o] = g.output_shape();
    let input = frame(random, plane(case), Winograd::halos(&g)[0]);
    let output = frame(random, [o, oh, ow], [0; 4]);
    let (x, x64) = random.array_f32(case.x);
    let (w, w64) = random.array_f32(case.w);
    let (bias, bias64): (Array1<f32>, _) = random.array_f32(o);
    let with_bias = random.int(0, 1) == 1;
    let bias64 = with_bias.then_some(&bias64);
    let expected = r::conv2d(&x64, &w64, bias64, case.strides, case.dilations, case.pad, 1);
    let walk = Winograd::forward(&g, &input, &output);
    let mut scratch = scratch(isa, walk.scratch(isa));
    let x = pack(isa, &input, &x, 0.0);
    let (before, before64) = random.array_f32(expected.dim());
    for finish in [Finish::Store, Finish::Relu, Finish::Accumulate] {
        let mut y = pack(isa, &output, &before, UNTOUCHED);
        let bias = with_bias.then(|| bias.as_slice().unwrap());
        walk.run(isa, &x, w.as_slice().unwrap(), bias, &mut y, finish, &mut scratch);
        let expected: Array4<f64> = match finish {
            Finish::Store => expected.clone(),
            Finish::Relu => Relu.forward(&expected),
            Finish::Accumulate => &expected + &before64,
        };
        assert_halo_untouched(isa, &output, &y);
        worst.check(&(case, finish), &unpack(isa, &output, &y, n), &expected);
    }
}

fn backward(case: &Case, random: &mut Random, worst: &mut [Worst; 3]) {
    let isa = worst[0].isa;
    let (g, n) = (case.of_one(), case.x[0]);
    let [_, oh, ow, o] = g.output_shape();
    let [halo, gradient] = Winograd::halos(&g);
    let input = frame(random, plane(case), halo);
    let d_output = frame(random, [o, oh, ow], gradient);
    let d_input = frame(random, plane(case), [0; 4]);
    let (x, x64) = random.array_f32(case.x);
    let (dy, dy64) = random.array_f32([n, oh, ow, o]);
    let (w, w64) = random.array_f32(case.w);
    let (before, before64) = random.array_f32(case.x);
    let (first, first64) = random.array_f32(case.w);
    let (x, dy) = (pack(isa, &input, &x, 0.0), pack(isa, &d_output, &dy, 0.0));
    let (s, d) = (case.strides, case.dilations);

    let walk = Winograd::backward_input(&g, &d_output, &d_input);
    let expected = r::conv2d_backward_input(&dy64, &w64, case.x, s, d, case.pad, 1);
    let mut dx = pack(isa, &d_input, &before, UNTOUCHED);
    let mut own = scratch(isa, walk.scratch(isa));
    walk.run(isa, &dy, w.as_slice().unwrap(), None, &mut dx, Finish::Accumulate, &mut own);
    assert_halo_untouched(isa, &d_input, &dx);
    worst[1].check(case, &unpack(isa, &d_input, &dx, n), &(&expected + &before64));

    let plan = WinogradFilter::new(&g, &input, &d_output);
    let expected = r::conv2d_backward_filter(&dy64, &x64, case.w, s, d, case.pad, 1) + first64;
    let mut own = scratch(isa, plan.scratch(isa));
    let mut dw = first.into_raw_vec_and_offset().0;
    plan.run(isa, &x, &dy, &mut dw, &mut own);
    worst[2].check(case, &dw, &expected);
}

#[test]
fn winograd() {
    each(|isa| {
        let mut random = Random::new(23);
        let mut worst =
            ["winograd forward", "winograd backward_input", "winograd d_filter"].map(|w| Worst::new(isa, w));
        for _ in 0..200 {
            let n = random.int(1, isa.lanes());
            let case = case(&mut random, n);
            forward(&case, &mut random, &mut worst[0]);
            backward(&case, &mut random, &mut worst);
        }
        // Many channels and tiles, whose sums are long.
        let same = Case { pad: Pad::Same, ..case(&mut random, 1) };
        for [size, c, o] in [[28, 64, 64], [7, 256, 96], [40, 16, 24]] {
            let case = Case { x: [2, size, size, c], w: [3, 3, c, o], ..same };
            forward(&case, &mut random, &mut worst[0]);
            backward(&case, &mut random, &mut worst);
        }
    });
}

/// The plan that chooses a way gives the same answers as the way chosen.
#[test]
fn plans_choose_winograd_for_many_channels_and_full_tiles() {
    let chosen = |x: [usize; 3], o: usize| {
        let case = Case {
            x: [1, x[0], x[1], x[2]],
            w: [3, 3, x[2], o],
            strides: [1, 1],
            dilations: [1, 1],
            pad: Pad::Same,
            groups: 1,
        };
        let g = case.of_one();
        let [halo, gradient] = Convolution::halos(&g);
        let input = Frame { halo, ..Frame::plain(x[2], x[0], x[1]) };
        let output = Frame::plain(o, x[0], x[1]);
        let d_output = Frame { halo: gradient, ..output };
        Convolution::new(Isa::best(), &g, &input, &output, &d_output, Some(&input)).name()
    };
    assert_eq!(chosen([14, 14, 32], 64), "lanes::winograd");
    assert_eq!(chosen([14, 14, 1], 64), "lanes::conv");
    assert_eq!(chosen([14, 14, 64], 2), "lanes::conv");
    assert_eq!(chosen([1, 9, 64], 64), "lanes::conv");
}

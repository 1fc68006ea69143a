use crate::frames::{UNTOUCHED, assert_halo_untouched, frame, pack, padding, random_pad, signed, unpack};
use crate::{Worst, each};
use foveal_kernels::lanes::{ConvTranspose, Finish, Frame};
use foveal_kernels::nhwc::{self, Layout, PreparedTranspose};
use foveal_kernels::team::Team;
use foveal_kernels::{Conv2dGeometry, Conv2dTransposeGeometry, Conv2dTransposeOptions, Isa};
use foveal_testkit::reference as r;
use foveal_testkit::reference::activation::Activation::Relu;
use foveal_testkit::{Pad, Random};
use ndarray::{Array1, Array4, s};

/// A transposed convolution that fits.
#[derive(Clone, Copy, Debug)]
struct Case {
    x: [usize; 4],
    w: [usize; 4],
    op: r::ConvTranspose,
}

/// Input channels, output channels in each group, and groups.
fn channels(r: &mut Random) -> [usize; 3] {
    match r.int(0, 5) {
        0 => [r.int(1, 20), 1, 1],
        1 => {
            let c = r.int(1, 9);
            // Depthwise, and several outputs for each channel.
            [c, r.int(1, 3), c]
        }
        2 => {
            let g = r.int(2, 3);
            [g * r.int(1, 7), r.int(1, 11), g]
        }
        3 => [r.int(12, 27), r.int(1, 40), 1],
        _ => [r.int(1, 19), r.int(1, 9), 1],
    }
}

impl Case {
    fn random(r: &mut Random, batch: usize) -> Case {
        loop {
            let [c, depth, groups] = channels(r);
            let strides = [r.int(1, 3), r.int(1, 3)].map(|s| if r.int(0, 6) == 0 { s + 4 } else { s });
            let op = r::ConvTranspose {
                strides,
                dilations: if r.int(0, 1) == 0 { [1, 1] } else { [r.int(1, 3), r.int(1, 3)] },
                padding: random_pad(r, 3),
                output_padding: if r.int(0, 1) == 0 { [0, 0] } else { [r.int(0, 2), r.int(0, 2)] },
                groups,
            };
            let k = if r.int(0, 4) == 0 { strides } else { [r.int(1, 5), r.int(1, 5)] };
            let case = Case { x: [batch, r.int(1, 8), r.int(1, 8), c], w: [k[0], k[1], depth, c], op };
            if op.output_shape(case.x, case.w).is_some() {
                return case;
            }
        }
    }

    fn geometry(&self) -> Conv2dTransposeGeometry {
        let options = Conv2dTransposeOptions {
            strides: signed(self.op.strides),
            dilations: signed(self.op.dilations),
            padding: padding(self.op.padding),
            output_padding: signed(self.op.output_padding),
            groups: self.op.groups as i64,
        };
        let g = Conv2dTransposeGeometry::new("conv2d_transpose", &self.x, &self.w, &options);
        let g = g.unwrap_or_else(|e| panic!("{self:?}: {e}"));
        assert_eq!(Some(g.output_shape()), self.op.output_shape(self.x, self.w), "{self:?}");
        assert_eq!((g.input_shape(), g.filter_shape()), (self.x, self.w));
        g
    }

    /// The same for one image, as the kernels on lanes take it.
    fn of_one(&self) -> Conv2dTransposeGeometry {
        Conv2dTransposeGeometry { convolution: Conv2dGeometry { batch: 1, ..self.geometry().convolution } }
    }
}

fn on_lanes(case: &Case, random: &mut Random, worst: &mut [Worst; 3]) {
    let (isa, g, n) = (worst[0].isa, case.of_one(), case.x[0]);
    let [_, oh, ow, o] = g.output_shape();
    let planes = [case.x[3], case.x[1], case.x[2]];
    let x_frame = frame(random, planes, ConvTranspose::input_halo(&g));
    let y_frame = frame(random, [o, oh, ow], [0; 4]);
    let dy_frame = frame(random, [o, oh, ow], ConvTranspose::gradient_halo(&g));
    let dx_frame = frame(random, planes, [0; 4]);
    let walks = ConvTranspose::new(&g, &x_frame, &y_frame).gradients(&dy_frame, &dx_frame);

    let (x, x64) = random.array_f32(case.x);
    let (w, w64) = random.array_f32(case.w);
    let (bias, bias64): (Array1<f32>, _) = random.array_f32(o);
    let with_bias = random.int(0, 1) == 1;
    let expected = case.op.forward(&x64, &w64, with_bias.then_some(&bias64));
    let (x, w) = (pack(isa, &x_frame, &x, 0.0), w.as_slice().unwrap());
    let mut y = pack(isa, &y_frame, &Array4::from_elem(expected.dim(), 9.0), UNTOUCHED);
    walks.forward(isa, &x, w, with_bias.then(|| bias.as_slice().unwrap()), &mut y);
    assert_halo_untouched(isa, &y_frame, &y);
    worst[0].check(case, &unpack(isa, &y_frame, &y, n), &expected);

    let (dy, dy64) = random.array_f32(expected.dim());
    let dy = pack(isa, &dy_frame, &dy, 0.0);
    let expected = case.op.backward_input(&dy64, &w64, case.x);
    let (before, before64) = random.array_f32(case.x);
    for finish in [Finish::Store, Finish::Accumulate] {
        let mut dx = pack(isa, &dx_frame, &before, UNTOUCHED);
        walks.backward_input(isa, &dy, w, &mut dx, finish);
        let expected = if finish == Finish::Store { expected.clone() } else { &expected + &before64 };
        assert_halo_untouched(isa, &dx_frame, &dx);
        worst[1].check(&(case, finish), &unpack(isa, &dx_frame, &dx, n), &expected);
    }

    let (before, before64) = random.array_f32(case.w);
    let mut dw = before.into_raw_vec_and_offset().0;
    walks.backward_filter(isa, &x, &dy, &mut dw);
    worst[2].check(case, &dw, &(case.op.backward_filter(&dy64, &x64, case.w) + before64));
}

#[test]
fn lanes() {
    each(|isa| {
        let mut random = Random::new(31);
        let mut worst = ["lanes conv_transpose", "lanes conv_transpose input", "lanes conv_transpose filter"]
            .map(|what| Worst::new(isa, what));
        for _ in 0..250 {
            let n = random.int(1, isa.lanes());
            let case = Case::random(&mut random, n);
            on_lanes(&case, &mut random, &mut worst);
        }
    });
}

#[test]
fn cells_that_no_tap_reaches_hold_the_bias() {
    let op = r::ConvTranspose {
        strides: [4, 3],
        dilations: [1, 1],
        padding: Pad::Valid,
        output_padding: [0, 0],
        groups: 1,
    };
    let case = Case { x: [1, 3, 2, 2], w: [1, 2, 3, 2], op };
    let g = case.geometry();
    assert_eq!(g.output_shape(), [1, 12, 6, 3]);
    let bias = [0.5, -2.0, 8.0];
    let check = |isa: Isa, y: &Array4<f32>| {
        for ((_, h, w, c), &v) in y.indexed_iter() {
            let reached = h % 4 == 0 && w % 3 < 2;
            assert_eq!(v, bias[c] + if reached { 2.0 } else { 0.0 }, "{} at {h}, {w}", isa.name());
        }
    };
    each(|isa| {
        let from = Frame { halo: ConvTranspose::input_halo(&g), ..Frame::plain(2, 3, 2) };
        let to = Frame::plain(3, 12, 6);
        let x = Array4::from_elem(case.x, 1.0);
        let mut y = vec![9.0; to.vectors() * isa.lanes()];
        let walks = ConvTranspose::new(&g, &from, &to);
        walks.forward(isa, &pack(isa, &from, &x, 0.0), &[1.0; 12], Some(&bias), &mut y);
        check(isa, &unpack(isa, &to, &y, 1));
        let mut y = Array4::from_elem((1, 12, 6, 3), 9.0);
        let out = y.as_slice_mut().unwrap();
        nhwc::conv2d_transpose(isa, &g, x.as_slice().unwrap(), &[1.0; 12], Some(&bias), out);
        check(isa, &y);
    });
}

fn side_by_side(case: &Case, random: &mut Random, worst: &mut [Worst; 3]) {
    let (isa, g) = (worst[0].isa, case.geometry());
    let (x, x64) = random.array_f32(case.x);
    let (w, w64) = random.array_f32(case.w);
    let (dy, dy64) = random.array_f32(g.output_shape());
    let (bias, bias64): (Array1<f32>, _) = random.array_f32(dy64.dim().3);
    let with_bias = random.int(0, 1) == 1;
    let [x, w, dy] = [&x, &w, &dy].map(|a| a.as_slice().unwrap());
    let mut y = vec![9.0; dy.len()];
    nhwc::conv2d_transpose(isa, &g, x, w, with_bias.then(|| bias.as_slice().unwrap()), &mut y);
    worst[0].check(case, &y, &case.op.forward(&x64, &w64, with_bias.then_some(&bias64)));
    let mut dx = vec![9.0; x.len()];
    nhwc::conv2d(isa, &g.convolution, dy, w, None, &mut dx);
    worst[1].check(case, &dx, &case.op.backward_input(&dy64, &w64, case.x));
    let mut dw = vec![9.0; w.len()];
    nhwc::conv2d_backward_filter(isa, &g.convolution, dy, x, &mut dw);
    worst[2].check(case, &dw, &case.op.backward_filter(&dy64, &x64, case.w));
}

/// Cases whose filters are large enough to be cut, or few channels that are made side by side.
fn chosen() -> Vec<Case> {
    let op = |strides, groups| r::ConvTranspose {
        strides,
        dilations: [1, 1],
        padding: Pad::Same,
        output_padding: [0, 0],
        groups,
    };
    let case = |x, w, op| Case { x, w, op };
    vec![
        case([1, 6, 5, 130], [3, 3, 70, 130], op([2, 2], 1)),
        case([3, 12, 11, 17], [2, 2, 3, 17], op([2, 2], 1)),
        case([2, 20, 21, 9], [4, 4, 1, 9], op([2, 2], 1)),
        case([2, 20, 21, 9], [5, 5, 2, 9], op([1, 1], 1)),
        case([1, 5, 4, 21], [8, 8, 21, 21], op([4, 4], 1)),
        case([2, 9, 8, 37], [4, 4, 1, 37], op([2, 2], 37)),
        case([1, 8, 9, 40], [3, 2, 24, 40], op([3, 1], 2)),
    ]
}

#[test]
fn channels_side_by_side() {
    each(|isa| {
        let mut random = Random::new(32);
        let mut worst =
            ["nhwc conv2d_transpose", "nhwc conv2d_transpose input", "nhwc conv2d_transpose filter"]
                .map(|what| Worst::new(isa, what));
        for _ in 0..250 {
            let batch = random.int(0, 4);
            let case = Case::random(&mut random, batch);
            side_by_side(&case, &mut random, &mut worst);
        }
        chosen().iter().for_each(|case| side_by_side(case, &mut random, &mut worst));
    });
}

/// An image of this shape with a random halo.
fn layout(random: &mut Random, [_, h, w, c]: [usize; 4]) -> Layout {
    let most = random.int(0, 3);
    Layout { shape: [h, w, c], halo: [0; 4].map(|_: usize| random.int(0, most)) }
}

/// The whole plane of a layout, `rest` around the image.
fn lay_out(layout: &Layout, image: &Array4<f32>, rest: f32) -> Array4<f32> {
    let ([h, w, c], [t, b, l, r]) = (layout.shape, layout.halo);
    let mut plane = Array4::from_elem((1, t + h + b, l + w + r, c), rest);
    plane.slice_mut(s![.., t..t + h, l..l + w, ..]).assign(image);
    plane
}

fn prepared(case: &Case, random: &mut Random, team: Option<&mut Team>, worst: &mut Worst) {
    let (isa, g) = (worst.isa, case.geometry());
    let (from, to) = (layout(random, g.input_shape()), layout(random, g.output_shape()));
    let relu = random.int(0, 1) == 1;
    let mut prepared = PreparedTranspose::new(isa, &g, relu, from, to);
    let mut team = team;
    // Loaded twice: nothing of the first time may be left, its bias neither.
    for with_bias in [true, random.int(0, 1) == 1] {
        let (x, x64) = random.array_f32(case.x);
        let (w, w64) = random.array_f32(case.w);
        let (bias, bias64): (Array1<f32>, _) = random.array_f32(to.shape[2]);
        prepared.load(w.as_slice().unwrap(), with_bias.then(|| bias.as_slice().unwrap()));
        let x = lay_out(&from, &x, 0.0);
        let blank = lay_out(&to, &Array4::zeros(g.output_shape()), UNTOUCHED);
        let mut y = blank.clone();
        prepared.run(team.as_deref_mut(), x.as_slice().unwrap(), y.as_slice_mut().unwrap());
        let mut expected = case.op.forward(&x64, &w64, with_bias.then_some(&bias64));
        if relu {
            expected = Relu.forward(&expected);
        }
        for (ours, blank) in y.iter().zip(&blank).filter(|(_, blank)| **blank == UNTOUCHED) {
            assert_eq!(ours, blank, "{}: a halo was written: {case:?}", isa.name());
        }
        let ([h, w, _], [t, _, l, _]) = (to.shape, to.halo);
        worst.check(case, y.slice(s![.., t..t + h, l..l + w, ..]), &expected);
    }
}

#[test]
fn prepared_for_one_image() {
    each(|isa| {
        let mut random = Random::new(33);
        let mut worst = Worst::new(isa, "nhwc prepared conv2d_transpose");
        for _ in 0..250 {
            let case = Case::random(&mut random, 1);
            prepared(&case, &mut random, None, &mut worst);
        }
        let mut team = Team::new(3);
        for case in chosen() {
            let case = Case { x: [1, case.x[1], case.x[2], case.x[3]], ..case };
            prepared(&case, &mut random, None, &mut worst);
            prepared(&case, &mut random, Some(&mut team), &mut worst);
        }
        // Large enough to be shared.
        let op = r::ConvTranspose { padding: Pad::Explicit([1, 0, 2, 1]), ..chosen()[0].op };
        let large = Case { x: [1, 33, 29, 40], w: [4, 4, 24, 40], op };
        assert!(large.geometry().flops() > 8 << 20);
        prepared(&large, &mut random, Some(&mut team), &mut worst);
    });
}

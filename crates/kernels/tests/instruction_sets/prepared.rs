use crate::frames::{Case, UNTOUCHED};
use crate::{Worst, each};
use foveal_kernels::lanes::elementwise::Activation;
use foveal_kernels::nhwc::{After, Layout, Prepared};
use foveal_kernels::team::Team;
use foveal_kernels::{Isa, Padding, Pool2dGeometry, Pool2dOptions};
use foveal_testkit::reference as r;
use foveal_testkit::reference::activation::Activation as Reference;
use foveal_testkit::{Pad, Random};
use ndarray::{Array1, Array4};

/// The images that lie in `numbers`, and whether all else there is `rest`.
fn unpack(layout: &Layout, numbers: &[f32], rest: f32) -> Array4<f32> {
    let [h, w, c] = layout.shape;
    let at = |h: usize, w: usize, c: usize| layout.origin() + h * layout.row() + w * layout.shape[2] + c;
    let image = Array4::from_shape_fn((1, h, w, c), |(_, h, w, c)| numbers[at(h, w, c)]);
    let inside: std::collections::HashSet<usize> =
        image.indexed_iter().map(|((_, h, w, c), _)| at(h, w, c)).collect();
    assert!((0..numbers.len()).all(|i| inside.contains(&i) || numbers[i] == rest), "a halo was written");
    image
}

fn pack(layout: &Layout, image: &Array4<f32>, rest: f32) -> Vec<f32> {
    let mut numbers = vec![rest; layout.numbers()];
    for ((_, h, w, c), &v) in image.indexed_iter() {
        numbers[layout.origin() + h * layout.row() + w * layout.shape[2] + c] = v;
    }
    numbers
}

/// The 2x2 pooling of maps of this shape, if all its windows are full.
fn pooling(shape: [usize; 4]) -> Option<Pool2dGeometry> {
    let options = Pool2dOptions { ksize: [2, 2], strides: [2, 2], padding: Padding::Valid };
    Pool2dGeometry::new("pool", &shape, &options).ok()
}

/// What follows, at random, and its function in f64.
fn after(random: &mut Random, case: &Case) -> (After, Option<Reference>) {
    let g = case.geometry();
    let functions = [
        (None, None),
        (Some(Activation::Relu), Some(Reference::Relu)),
        (Some(Activation::Clip(-4.0, 8.0)), Some(Reference::Clip { min: -4.0, max: 8.0 })),
        (Some(Activation::Silu), Some(Reference::Silu)),
        (Some(Activation::Softplus), Some(Reference::Softplus)),
    ];
    let pool = pooling(g.output_shape()).filter(|pool| Prepared::pools(&g, pool) && random.int(0, 2) == 0);
    let (activation, reference) = functions[random.int(0, if pool.is_some() { 2 } else { 4 })];
    (After { add: pool.is_none() && random.int(0, 1) == 0, activation, pool }, reference)
}

fn check(isa: Isa, case: &Case, random: &mut Random, worst: &mut Worst) {
    let g = case.geometry();
    let (x, x64) = random.array_f32(case.x);
    let (w, w64) = random.array_f32(case.w);
    let (bias, bias64): (Array1<f32>, _) = random.array_f32(case.w[3]);
    let (plus, plus64) = random.array_f32(g.output_shape());
    let (after, reference) = after(random, case);
    let with_bias = random.int(0, 1) == 1;
    let mut want = r::conv2d(
        &x64,
        &w64,
        with_bias.then_some(&bias64),
        case.strides,
        case.dilations,
        case.pad,
        case.groups,
    );
    if after.add {
        want += &plus64;
    }
    if let Some(f) = reference {
        want = f.forward(&want);
    }
    if after.pool.is_some() {
        want = r::max_pool(&want, [2, 2], [2, 2], Pad::Valid);
    }
    let halo = if random.int(0, 1) == 0 { [0; 4] } else { Prepared::halo(&g) };
    let from = Layout { shape: [case.x[1], case.x[2], case.x[3]], halo };
    let shape = [want.dim().1, want.dim().2, want.dim().3];
    let to = match after.add {
        true => Layout::plain(shape),
        false => Layout { shape, halo: [0; 4].map(|_: usize| random.int(0, 2)) },
    };
    let mut prepared = Prepared::new(isa, &g, &after, from, to);
    prepared.load(w.as_slice().unwrap(), with_bias.then(|| bias.as_slice().unwrap()));
    let x = pack(&from, &x, 0.0);
    let plus = after.add.then(|| pack(&to, &plus, 0.0));
    let mut first: Option<Vec<f32>> = None;
    for threads in [1, 2, 3] {
        let mut team = Team::new(threads);
        let mut scratch = vec![f32::NAN; threads * prepared.scratch()];
        let mut y = vec![UNTOUCHED; to.numbers()];
        prepared.run(Some(&mut team), &x, plus.as_deref(), &mut scratch, &mut y);
        worst.check(&(case, after, prepared.kernel()), &unpack(&to, &y, UNTOUCHED), &want);
        let first = first.get_or_insert_with(|| y.clone());
        assert!(y.iter().zip(first).all(|(a, b)| a.to_bits() == b.to_bits()), "{threads} threads: {case:?}");
    }
}

#[test]
fn convolution_of_one_image_and_what_follows() {
    each(|isa| {
        let mut random = Random::new(7);
        let mut worst = Worst::new(isa, "prepared");
        for _ in 0..300 {
            let case = Case::random(&mut random, 1);
            check(isa, &case, &mut random, &mut worst);
        }
        // Depthwise ones wider than a vector, some shared by a team.
        let plain =
            Case { x: [0; 4], w: [0; 4], strides: [1, 1], dilations: [1, 1], pad: Pad::Same, groups: 1 };
        for (x, k, strides) in [
            ([1, 15, 14, 37], [3, 3], [1, 1]),
            ([1, 9, 10, 53], [5, 3], [2, 1]),
            ([1, 130, 95, 48], [3, 3], [1, 2]),
        ] {
            let case = Case { x, w: [k[0], k[1], 1, x[3]], strides, groups: x[3], ..plain };
            check(isa, &case, &mut random, &mut worst);
        }
    });
}

#[test]
fn winograd_of_one_image() {
    each(|isa| {
        let mut random = Random::new(8);
        let mut worst = Worst::new(isa, "nhwc winograd");
        let cases = [
            // Few tiles, many: a part takes filters or tiles. Odd sizes, channels that fill no vector.
            ([1, 16, 16, 64], 64),
            ([1, 17, 15, 67], 73),
            ([1, 31, 29, 64], 102),
            ([1, 38, 67, 96], 65),
        ];
        for pad in [Pad::Same, Pad::Valid, Pad::Explicit([2, 1, 0, 2])] {
            for (x, filters) in cases {
                let w = [3, 3, x[3], filters];
                let case = Case { x, w, strides: [1, 1], dilations: [1, 1], pad, groups: 1 };
                let blank = Layout::plain([x[1], x[2], x[3]]);
                let [_, h, w, o] = case.geometry().output_shape();
                let to = Layout::plain([h, w, o]);
                let prepared = Prepared::new(isa, &case.geometry(), &After::default(), blank, to);
                assert_eq!(prepared.kernel(), "nhwc::winograd", "{case:?}");
                check(isa, &case, &mut random, &mut worst);
            }
        }
    });
}

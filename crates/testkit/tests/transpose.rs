//! Transposed convolution against central differences, against the convolution that it transposes, and against
//! TensorFlow's and PyTorch's answers.

use foveal_testkit::fixtures::{self, TransposeCase};
use foveal_testkit::reference::{self as r, ConvTranspose};
use foveal_testkit::{Pad, Random, gradcheck, worst_relative};
use ndarray::{Array1, Array4, ArrayD, Dimension};

fn as_dim<D: Dimension>(a: &ArrayD<f64>) -> ndarray::Array<f64, D> {
    a.clone().into_dimensionality().expect("the dimensions")
}

fn four(a: &Array4<f64>) -> [usize; 4] {
    let (n, h, w, c) = a.dim();
    [n, h, w, c]
}

/// A random one that fits, with the shapes of its input and filter.
fn random_case(random: &mut Random) -> (ConvTranspose, [usize; 4], [usize; 4]) {
    loop {
        let groups = random.int(1, 3);
        let op = ConvTranspose {
            strides: [random.int(1, 4), random.int(1, 4)],
            dilations: [random.int(1, 3), random.int(1, 3)],
            padding: match random.int(0, 2) {
                0 => Pad::Valid,
                1 => Pad::Same,
                _ => Pad::Explicit([0; 4].map(|_: usize| random.int(0, 3))),
            },
            output_padding: if random.int(0, 1) == 0 { [0, 0] } else { [random.int(0, 2), random.int(0, 2)] },
            groups,
        };
        let channels = groups * random.int(1, 2);
        let x = [random.int(1, 2), random.int(1, 4), random.int(1, 4), channels];
        let w = [random.int(1, 3), random.int(1, 3), random.int(1, 2), channels];
        if op.output_shape(x, w).is_some() {
            return (op, x, w);
        }
    }
}

#[test]
fn gradients() {
    let mut random = Random::new(21);
    let (mut skips, mut added, mut grouped) = (0, 0, 0);
    for seed in 0..80 {
        let (op, x, w) = random_case(&mut random);
        skips += usize::from(op.strides[0] > w[0] || op.strides[1] > w[1]);
        added += usize::from(op.output_padding != [0, 0]);
        grouped += usize::from(op.groups > 1);
        let inputs = [
            random.array(x).into_dyn(),
            random.array(w).into_dyn(),
            random.array(w[2] * op.groups).into_dyn(),
        ];
        gradcheck(
            &inputs,
            seed,
            1e-3,
            1e-9,
            |i| {
                let bias: Array1<f64> = as_dim(&i[2]);
                op.forward(&as_dim(&i[0]), &as_dim(&i[1]), Some(&bias)).into_dyn()
            },
            |i, d_y| {
                let (d_y, x, w) = (as_dim(d_y), as_dim(&i[0]), as_dim(&i[1]));
                vec![
                    op.backward_input(&d_y, &w, four(&x)).into_dyn(),
                    op.backward_filter(&d_y, &x, four(&w)).into_dyn(),
                    r::conv2d_backward_bias(&d_y).into_dyn(),
                ]
            },
        )
        .unwrap_or_else(|e| panic!("{op:?} of {x:?} and {w:?}: {e}"));
    }
    assert!(skips > 20 && added > 8 && grouped > 20, "{skips} {added} {grouped}");
}

/// It is the input gradient of the convolution with its options, wherever that convolution exists.
#[test]
fn transposes_a_convolution() {
    let mut random = Random::new(22);
    let mut done = 0;
    for _ in 0..400 {
        let (op, x, w) = random_case(&mut random);
        let to = op.output_shape(x, w).expect("fits");
        // A convolution makes more of rows that are added a whole stride at a time.
        if (0..2).any(|a| op.output_padding[a] >= op.strides[a]) {
            continue;
        }
        let (x, w) = (random.array(x), random.array(w));
        let theirs = r::conv2d_backward_input(&x, &w, to, op.strides, op.dilations, op.padding, op.groups);
        let ours = op.forward(&x, &w, None);
        assert!((&ours - &theirs).iter().all(|e| e.abs() < 1e-12), "{op:?}");
        done += 1;
    }
    assert!(done > 200, "{done}");
}

#[test]
fn answers_of_tensorflow_and_pytorch() {
    let cases = fixtures::transpose();
    let mut worst = 0.0f64;
    for c in &cases {
        let [x, w, d_y] = [&c.x, &c.w, &c.d_y].map(|a| a.mapv(f64::from));
        let bias = c.bias.mapv(f64::from);
        for (what, ours, theirs) in [
            ("y", c.op.forward(&x, &w, Some(&bias)).into_dyn(), c.y.view().into_dyn()),
            ("d_x", c.op.backward_input(&d_y, &w, four(&x)).into_dyn(), c.d_x.view().into_dyn()),
            ("d_w", c.op.backward_filter(&d_y, &x, four(&w)).into_dyn(), c.d_w.view().into_dyn()),
            ("d_bias", r::conv2d_backward_bias(&d_y).into_dyn(), c.d_bias.view().into_dyn()),
        ] {
            assert_eq!(ours.shape(), theirs.shape(), "{} {what}", c.name);
            let theirs: Vec<f32> = theirs.iter().copied().collect();
            let error = worst_relative(&theirs, &ours.into_iter().collect::<Vec<f64>>());
            assert!(error <= 1e-5, "{} {what}: {error:e}", c.name);
            worst = worst.max(error);
        }
    }
    println!("{} transposed convolutions, worst {worst:.1e}", cases.len());
    let count = |what: &str, least: usize, f: &dyn Fn(&TransposeCase) -> bool| {
        let count = cases.iter().filter(|c| f(c)).count();
        assert!(count >= least, "{count} cases with {what}");
    };
    count("TensorFlow", 40, &|c| c.name.starts_with("tensorflow"));
    count("PyTorch", 40, &|c| c.name.starts_with("torch"));
    count("Keras", 15, &|c| c.route == "keras");
    count("an empty batch", 2, &|c| c.x.dim().0 == 0);
    count("groups", 20, &|c| c.op.groups > 1);
    count("SAME", 12, &|c| c.op.padding == Pad::Same);
    count("VALID", 12, &|c| c.op.padding == Pad::Valid);
    count(
        "unequal cells cut off",
        5,
        &|c| matches!(c.op.padding, Pad::Explicit([t, b, l, r]) if t != b || l != r),
    );
    count("output padding", 20, &|c| c.op.output_padding != [0, 0]);
    count("output padding beyond the stride", 3, &|c| {
        (0..2).any(|a| c.op.output_padding[a] >= c.op.strides[a])
    });
    count("dilation with stride", 15, &|c| c.op.dilations != [1, 1] && c.op.strides != [1, 1]);
    count("a stride beyond the filter", 20, &|c| {
        c.op.strides[0] > c.w.dim().0 || c.op.strides[1] > c.w.dim().1
    });
}

//! Every backward reference against central differences in f64.

use foveal_testkit::reference::activation::{Activation, softmax, softmax_backward};
use foveal_testkit::reference::{self as r, batch_norm, loss};
use foveal_testkit::{Pad, Random, geometry::output_extent, gradcheck};
use ndarray::{Array1, Array2, Array4, ArrayD, Dimension, arr0};

const TOLERANCE: f64 = 1e-7;

fn as_dim<D: Dimension>(a: &ArrayD<f64>) -> ndarray::Array<f64, D> {
    a.clone().into_dimensionality().expect("the dimensions")
}

fn four(a: &Array4<f64>) -> [usize; 4] {
    let (n, h, w, c) = a.dim();
    [n, h, w, c]
}

fn padding(random: &mut Random, most: [usize; 4]) -> Pad {
    match random.int(0, 2) {
        0 => Pad::Valid,
        1 => Pad::Same,
        _ => Pad::Explicit(most.map(|m| random.int(0, m))),
    }
}

fn fits(image: [usize; 2], k: [usize; 2], s: [usize; 2], d: [usize; 2], pad: Pad) -> bool {
    (0..2).all(|a| {
        let [n, k, s, d] = [image[a], k[a], s[a], d[a]].map(|v| v as i128);
        output_extent(n, k, s, d, pad.axis(a)).is_some()
    })
}

#[test]
fn conv2d() {
    let mut random = Random::new(11);
    let (mut done, mut worst) = (0, 0.0f64);
    let (mut depthwise, mut strided_and_dilated) = (0, 0);
    while done < 60 {
        let image = [random.int(1, 6), random.int(1, 6)];
        let k = [random.int(1, 3), random.int(1, 3)];
        let s = [random.int(1, 3), random.int(1, 3)];
        let d = [random.int(1, 3), random.int(1, 3)];
        let pad = padding(&mut random, [3; 4]);
        if !fits(image, k, s, d, pad) {
            continue;
        }
        let groups = random.int(1, 3);
        let (depth, per_group) = (random.int(1, 2), random.int(1, 2));
        depthwise += usize::from(groups > 1 && depth == 1);
        strided_and_dilated += usize::from(s != [1, 1] && d != [1, 1]);
        let batch = random.int(1, 2);
        let x = random.array((batch, image[0], image[1], depth * groups));
        let w = random.array((k[0], k[1], depth, per_group * groups));
        let bias = random.array(per_group * groups);
        let error = gradcheck(
            &[x.into_dyn(), w.into_dyn(), bias.into_dyn()],
            done,
            1e-3,
            1e-9,
            |i| {
                let bias: Array1<f64> = as_dim(&i[2]);
                r::conv2d(&as_dim(&i[0]), &as_dim(&i[1]), Some(&bias), s, d, pad, groups).into_dyn()
            },
            |i, d_y| {
                let (d_y, x, w) = (as_dim(d_y), as_dim(&i[0]), as_dim(&i[1]));
                let (xs, ws) = (four(&x), four(&w));
                vec![
                    r::conv2d_backward_input(&d_y, &w, xs, s, d, pad, groups).into_dyn(),
                    r::conv2d_backward_filter(&d_y, &x, ws, s, d, pad, groups).into_dyn(),
                    r::conv2d_backward_bias(&d_y).into_dyn(),
                ]
            },
        );
        let what = format!("image {image:?} k {k:?} s {s:?} d {d:?} {pad:?} groups {groups}");
        worst = worst.max(error.unwrap_or_else(|e| panic!("{what}: {e}")));
        done += 1;
    }
    assert!(depthwise > 5 && strided_and_dilated > 20);
    println!("conv2d: worst {worst:.1e} of {done}");
}

#[test]
fn pooling() {
    let mut random = Random::new(12);
    let mut done = 0;
    while done < 60 {
        let image = [random.int(1, 6), random.int(1, 6)];
        let k = [random.int(1, 4), random.int(1, 4)];
        let s = [random.int(1, 3), random.int(1, 3)];
        let pad = padding(&mut random, [k[0] - 1, k[0] - 1, k[1] - 1, k[1] - 1]);
        if !fits(image, k, s, [1, 1], pad) {
            continue;
        }
        let (batch, channels) = (random.int(1, 2), random.int(1, 3));
        let x = random.distinct((batch, image[0], image[1], channels), 0.01);
        let x = [x.into_dyn()];
        let max = gradcheck(
            &x,
            done,
            1e-3,
            1e-9,
            |i| r::max_pool(&as_dim(&i[0]), k, s, pad).into_dyn(),
            |i, d_y| vec![r::max_pool_backward(&as_dim(d_y), &as_dim(&i[0]), k, s, pad).into_dyn()],
        );
        let avg = gradcheck(
            &x,
            done,
            1e-3,
            1e-9,
            |i| r::avg_pool(&as_dim(&i[0]), k, s, pad).into_dyn(),
            |i, d_y| {
                let shape = four(&as_dim(&i[0]));
                vec![r::avg_pool_backward(&as_dim(d_y), shape, k, s, pad).into_dyn()]
            },
        );
        for (name, result) in [("max", max), ("avg", avg)] {
            result.unwrap_or_else(|e| panic!("{name} {image:?} k {k:?} s {s:?} {pad:?}: {e}"));
        }
        done += 1;
    }
}

#[test]
fn global_average_pool() {
    let x = Random::new(13).array((2, 3, 5, 4)).into_dyn();
    gradcheck(
        &[x],
        1,
        1e-3,
        1e-9,
        |i| r::global_average_pool(&as_dim(&i[0])).into_dyn(),
        |i, d_y| {
            let shape = four(&as_dim(&i[0]));
            vec![r::global_average_pool_backward(&as_dim(d_y), shape).into_dyn()]
        },
    )
    .unwrap();
}

#[test]
fn dense() {
    let mut random = Random::new(14);
    let inputs =
        [random.array((3, 5)).into_dyn(), random.array((5, 4)).into_dyn(), random.array(4).into_dyn()];
    gradcheck(
        &inputs,
        1,
        1e-3,
        1e-9,
        |i| {
            let bias: Array1<f64> = as_dim(&i[2]);
            r::dense(&as_dim(&i[0]), &as_dim(&i[1]), Some(&bias)).into_dyn()
        },
        |i, d_y| {
            let (d_x, d_w, d_b) = r::dense_backward(&as_dim(d_y), &as_dim(&i[0]), &as_dim(&i[1]));
            vec![d_x.into_dyn(), d_w.into_dyn(), d_b.into_dyn()]
        },
    )
    .unwrap();
}

#[test]
fn activations() {
    let mut random = Random::new(15);
    // From -4.2 to 4.2, clear of zero and of other corners.
    let x = random.distinct((6, 14), 0.05).into_dyn();
    for activation in [
        Activation::Relu,
        Activation::LeakyRelu { alpha: 0.2 },
        Activation::Clip { min: -0.27, max: 1.03 },
        Activation::Sigmoid,
        Activation::Tanh,
        Activation::Gelu,
        Activation::GeluTanh,
        Activation::Silu,
        Activation::HardSwish,
        Activation::HardSigmoid { alpha: 0.31, beta: 0.45 },
        Activation::Elu { alpha: 1.3 },
        Activation::Selu { alpha: 1.673, gamma: 1.051 },
        Activation::Celu { alpha: 0.7 },
        Activation::Softplus,
        Activation::Mish,
    ] {
        gradcheck(
            std::slice::from_ref(&x),
            2,
            1e-5,
            TOLERANCE,
            |i| activation.forward(&i[0]),
            |i, d_y| vec![activation.backward(d_y, &i[0])],
        )
        .unwrap_or_else(|e| panic!("{activation:?}: {e}"));
    }
    gradcheck(
        &[random.array((3, 2, 5)).into_dyn()],
        3,
        1e-5,
        TOLERANCE,
        |i| softmax(&i[0]),
        |i, d_y| vec![softmax_backward(d_y, &i[0])],
    )
    .unwrap();
}

#[test]
fn batch_normalisation() {
    let mut random = Random::new(16);
    for (shape, epsilon) in [([3, 2, 4, 3], 1e-3), ([4, 1, 1, 2], 1e-5), ([1, 3, 3, 1], 0.1)] {
        let channels = shape[3];
        let inputs = [
            (random.array(shape) * 3.0 + 1.0).into_dyn(),
            random.array(channels).into_dyn(),
            random.array(channels).into_dyn(),
        ];
        gradcheck(
            &inputs,
            4,
            1e-5,
            TOLERANCE,
            |i| batch_norm::training(&i[0], &as_dim(&i[1]), &as_dim(&i[2]), epsilon).y,
            |i, d_y| {
                let (d_x, d_gamma, d_beta) =
                    batch_norm::training_backward(d_y, &i[0], &as_dim(&i[1]), epsilon);
                vec![d_x, d_gamma.into_dyn(), d_beta.into_dyn()]
            },
        )
        .unwrap();
    }
}

/// Losses give numbers: their gradient times a random upstream factor.
fn check_loss(
    x: Array2<f64>,
    value: impl Fn(&Array2<f64>) -> f64,
    gradient: impl Fn(&Array2<f64>) -> Array2<f64>,
) {
    gradcheck(
        &[x.into_dyn()],
        5,
        1e-5,
        TOLERANCE,
        |i| arr0(value(&as_dim(&i[0]))).into_dyn(),
        |i, d_y| vec![gradient(&as_dim(&i[0])).into_dyn() * d_y[[]]],
    )
    .unwrap();
}

#[test]
fn embedding() {
    let mut random = Random::new(18);
    for seed in 0..10 {
        let (rows, size) = (random.int(1, 6), random.int(1, 4));
        let ids = Array4::from_shape_simple_fn((2, 1, 5, 1), || random.int(0, rows - 1) as f64);
        let table = random.array((rows, size));
        gradcheck(
            &[table.into_dyn()],
            seed,
            1e-3,
            1e-9,
            |i| r::embedding(&ids, &as_dim(&i[0])).into_dyn(),
            |_, d_y| vec![r::embedding_backward(&as_dim(d_y), &ids, rows).into_dyn()],
        )
        .unwrap();
    }
}

#[test]
fn losses() {
    let mut random = Random::new(17);
    let weights = [0.5, 2.0, 1.0, 0.1, 3.0];
    for (smoothing, weights) in
        [(0.0, None), (0.1, None), (0.0, Some(&weights[..])), (0.2, Some(&weights[..]))]
    {
        let labels: Vec<usize> = (0..6).map(|_| random.int(0, 4)).collect();
        check_loss(
            random.array((6, 5)) * 2.0,
            |z| loss::softmax_cross_entropy(z, &labels, smoothing, weights),
            |z| loss::softmax_cross_entropy_gradient(z, &labels, smoothing, weights),
        );
    }
    let target = random.array((4, 3));
    check_loss(
        random.array((4, 3)),
        |p| loss::mean_squared_error(p, &target),
        |p| loss::mean_squared_error_gradient(p, &target),
    );
    for delta in [0.3, 1.0] {
        check_loss(
            random.array((4, 3)) * 2.0,
            |p| loss::huber(p, &target, delta),
            |p| loss::huber_gradient(p, &target, delta),
        );
    }
}

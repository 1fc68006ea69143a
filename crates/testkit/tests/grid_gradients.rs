//! The backward references of operations on the grid against central differences in f64.

use foveal_testkit::reference::binary::{Binary, binary, binary_backward};
use foveal_testkit::reference::image_norm::{
    Response, image_norm, image_norm_backward, l2_normalize, l2_normalize_backward,
};
use foveal_testkit::reference::log_softmax::{log_softmax, log_softmax_backward};
use foveal_testkit::reference::rearrange::{self, Fill, rearrange_backward};
use foveal_testkit::reference::reduce::{Reduction, reduce, reduce_backward};
use foveal_testkit::reference::resize::{Resizing, resize, resize_backward};
use foveal_testkit::reference::scale::{prelu, prelu_backward, scale, scale_backward};
use foveal_testkit::{Random, gradcheck};
use ndarray::{Array1, Array4, ArrayD, Dimension};

fn as_dim<D: Dimension>(a: &ArrayD<f64>) -> ndarray::Array<f64, D> {
    a.clone().into_dimensionality().expect("the dimensions")
}

fn four(a: &Array4<f64>) -> [usize; 4] {
    let (n, h, w, c) = a.dim();
    [n, h, w, c]
}

/// A random small shape.
fn shape(random: &mut Random) -> [usize; 4] {
    [random.int(1, 2), random.int(1, 4), random.int(1, 4), random.int(1, 5)]
}

fn check_one(
    x: Array4<f64>,
    what: &dyn std::fmt::Debug,
    forward: impl Fn(&Array4<f64>) -> Array4<f64>,
    backward: impl Fn(&Array4<f64>, &Array4<f64>) -> Array4<f64>,
) {
    let at = four(&x);
    gradcheck(
        &[x.into_dyn()],
        7,
        1e-5,
        1e-7,
        |i| forward(&as_dim(&i[0])).into_dyn(),
        |i, d_y| vec![backward(&as_dim(d_y), &as_dim(&i[0])).into_dyn()],
    )
    .unwrap_or_else(|e| panic!("{what:?} of {at:?}: {e}"));
}

#[test]
fn rearrangements() {
    let mut random = Random::new(31);
    for _ in 0..30 {
        let (x, block) = (shape(&mut random), random.int(1, 3));
        let blocks = [x[0], x[1] * block, x[2] * block, x[3]];
        let deep = [x[0], x[1], x[2], x[3] * block * block];
        let cells = [0; 3].map(|_: usize| [random.int(0, 5), random.int(0, 5)]);
        let fill = random.pick(&[Fill::Constant(-1.0), Fill::Reflect, Fill::Edge, Fill::Wrap]);
        let order = random.pick(&[[0, 2, 1], [1, 2, 0], [2, 0, 1], [2, 1, 0]]);
        let first = random.int(0, 1) == 1;
        let last = [x[1] - 1, x[2] - 1, x[3] - 1];
        let size = last.map(|i| i / 2 + 1);
        let shuffled = [x[0], x[1], x[2], x[3] * block];
        type Forward = Box<dyn Fn(&Array4<f64>) -> Array4<f64>>;
        let all: [([usize; 4], &str, Forward); 6] = [
            (x, "pad", Box::new(move |x| rearrange::pad(x, cells, fill))),
            (x, "slice", Box::new(move |x| rearrange::slice(x, last, size, [-2; 3]))),
            (x, "transpose", Box::new(move |x| rearrange::transpose(x, order))),
            (shuffled, "channel_shuffle", Box::new(move |x| rearrange::channel_shuffle(x, block))),
            (deep, "depth_to_space", Box::new(move |x| rearrange::depth_to_space(x, block, first))),
            (blocks, "space_to_depth", Box::new(move |x| rearrange::space_to_depth(x, block, first))),
        ];
        for (shape, what, forward) in all {
            // What is made up is a constant: differences must not see it.
            check_one(random.array(shape), &(what, fill), &*forward, |d_y, x| {
                rearrange_backward(d_y, four(x), &*forward)
            });
        }
        let (deep, first) = (random.array(deep), random.int(0, 1) == 1);
        let there = rearrange::depth_to_space(&deep, block, first);
        assert_eq!(rearrange::space_to_depth(&there, block, first), deep);
    }
}

#[test]
fn resizing() {
    let mut random = Random::new(32);
    for _ in 0..200 {
        let x = shape(&mut random);
        let how = Resizing {
            size: [random.int(1, 7), random.int(1, 7)],
            scales: (random.int(0, 2) == 0).then(|| [0, 1].map(|_| random.int(4, 30) as f32 / 10.0)),
            coordinates: random.pick(&[
                "half_pixel",
                "pytorch_half_pixel",
                "align_corners",
                "asymmetric",
                "tf_half_pixel_for_nn",
            ]),
            mode: random.pick(&[
                "linear",
                "linear",
                "floor",
                "ceil",
                "round_prefer_floor",
                "round_prefer_ceil",
            ]),
        };
        let x = random.array(x);
        // Weights of a cell add up to one.
        let ones = resize(&Array4::ones(x.dim()), &how);
        assert!(ones.iter().all(|v| (v - 1.0).abs() < 1e-12), "{how:?}");
        check_one(x, &how, |x| resize(x, &how), |d_y, x| resize_backward(d_y, four(x), &how));
    }
}

#[test]
fn two_inputs() {
    let mut random = Random::new(33);
    for _ in 0..60 {
        let f =
            random.pick(&[Binary::Add, Binary::Subtract, Binary::Multiply, Binary::Maximum, Binary::Minimum]);
        let (mut a, mut b) = ([0; 4], [0; 4]);
        for axis in 0..4 {
            let n = random.int(1, 4);
            (a[axis], b[axis]) = random.pick(&[(n, n), (n, n), (1, n), (n, 1)]);
        }
        // No two are near each other, in one array or across.
        let all = random.distinct(a.iter().product::<usize>() + b.iter().product::<usize>(), 0.01);
        let (first, second) = all.as_slice().unwrap().split_at(a.iter().product());
        let [a, b] = [(a, first), (b, second)].map(|(s, v)| Array4::from_shape_vec(s, v.to_vec()).unwrap());
        gradcheck(
            &[a.into_dyn(), b.into_dyn()],
            3,
            1e-5,
            1e-7,
            |i| binary(f, &as_dim(&i[0]), &as_dim(&i[1])).into_dyn(),
            |i, d_y| {
                binary_backward(f, &as_dim(d_y), &as_dim(&i[0]), &as_dim(&i[1])).map(|d| d.into_dyn()).into()
            },
        )
        .unwrap_or_else(|e| panic!("{f:?}: {e}"));
    }
}

#[test]
fn normalizations() {
    let mut random = Random::new(34);
    for _ in 0..30 {
        let mut x = shape(&mut random);
        let groups = random.pick(&[None, Some(1), Some(2), Some(3)]);
        x[3] *= groups.unwrap_or(1);
        let epsilon = random.pick(&[1e-3, 0.1]);
        let inputs = [
            (random.array(x) * 2.0 + 1.0).into_dyn(),
            random.array(x[3]).into_dyn(),
            random.array(x[3]).into_dyn(),
        ];
        gradcheck(
            &inputs,
            4,
            1e-5,
            // One number by itself is all epsilon's: steep.
            1e-6,
            |i| image_norm(&as_dim(&i[0]), &as_dim(&i[1]), &as_dim(&i[2]), groups, epsilon).into_dyn(),
            |i, d_y| {
                let (d_x, d_gamma, d_beta) =
                    image_norm_backward(&as_dim(d_y), &as_dim(&i[0]), &as_dim(&i[1]), groups, epsilon);
                vec![d_x.into_dyn(), d_gamma.into_dyn(), d_beta.into_dyn()]
            },
        )
        .unwrap_or_else(|e| panic!("{groups:?} of {x:?}: {e}"));
        let x = random.array(x);
        // A norm far from the limit, on either side.
        for epsilon in [1e-3, 50.0] {
            let x = x.mapv(|v| v + 0.1 * v.signum());
            check_one(x, &"l2", |x| l2_normalize(x, epsilon), |d, x| l2_normalize_backward(d, x, epsilon));
        }
        let response = Response {
            size: random.int(1, 6),
            alpha: random.pick(&[1e-2, 1.0]),
            beta: random.pick(&[0.5, 0.75, 1.3]),
            bias: random.pick(&[0.5, 2.0]),
        };
        check_one(x, &response, |x| response.forward(x), |d_y, x| response.backward(d_y, x));
    }
}

#[test]
fn reductions() {
    let mut random = Random::new(35);
    for over in (0..8).map(|i| [i & 1 == 1, i & 2 == 2, i & 4 == 4]) {
        for how in [Reduction::Mean, Reduction::Sum, Reduction::Max] {
            let shape = shape(&mut random);
            let x = random.distinct(shape, 0.01);
            check_one(x, &(how, over), |x| reduce(how, x, over), |d_y, x| reduce_backward(how, d_y, x, over));
        }
    }
}

#[test]
fn log_softmax_scale_and_prelu() {
    let mut random = Random::new(36);
    for round in 0..20 {
        let x = shape(&mut random);
        check_one(random.array(x), &"log_softmax", log_softmax, log_softmax_backward);
        let k = random.array(if round % 3 == 0 { 1 } else { x[3] }).into_dyn();
        let inputs = [random.distinct(x, 0.01).into_dyn(), k];
        type Forward = fn(&Array4<f64>, &Array1<f64>) -> Array4<f64>;
        type Backward = fn(&Array4<f64>, &Array4<f64>, &Array1<f64>) -> (Array4<f64>, Array1<f64>);
        let both: [(Forward, Backward); 2] = [(scale, scale_backward), (prelu, prelu_backward)];
        for (forward, backward) in both {
            gradcheck(
                &inputs,
                5,
                1e-5,
                1e-7,
                |i| forward(&as_dim(&i[0]), &as_dim(&i[1])).into_dyn(),
                |i, d_y| {
                    let (d_x, d_k) = backward(&as_dim(d_y), &as_dim(&i[0]), &as_dim(&i[1]));
                    vec![d_x.into_dyn(), d_k.into_dyn()]
                },
            )
            .unwrap();
        }
    }
}

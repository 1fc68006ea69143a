//! Ring 1 for operations on grids: every operation on every instruction set that this CPU has, in both layouts,
//! against the naive references. What surrounds the inputs' inside cells is not a number, and so is the scratch.

mod check;
mod images;
mod references;
mod special;

use check::{Case, Values, check_all};
use foveal_kernels::grid::{
    Binary, Coordinates, DepthOrder, Method, NearestRound, Op, PadMode, Rearrangement, Reduction, Resize,
};
use foveal_testkit::Random;

/// A random shape; now and then with many columns or channels, so that whole vectors and their rests come up.
fn shape(r: &mut Random) -> [usize; 3] {
    let most = r.pick(&[[5, 6, 6], [5, 6, 6], [3, 40, 3], [3, 3, 90]]);
    most.map(|n| r.int(1, n))
}

fn rearrange(how: Rearrangement, x: [usize; 3]) -> Case {
    Case::new(Op::Rearrange { how, fill: -2.5 }, x)
}

#[test]
fn slices() {
    check_all(1, 60, |r| {
        let x = shape(r);
        let (mut begin, mut size, mut step) = ([0; 3], [1; 3], [1i64; 3]);
        for a in 0..3 {
            let (first, last) = (r.int(0, x[a] - 1), r.int(0, x[a] - 1));
            let pace = r.int(1, 3);
            begin[a] = first;
            step[a] = if last < first { -(pace as i64) } else { pace as i64 };
            size[a] = first.abs_diff(last) / pace + 1;
        }
        rearrange(Rearrangement::Slice { begin, size, step }, x)
    });
}

#[test]
fn padding() {
    check_all(2, 80, |r| {
        let mode = r.pick(&[PadMode::Constant, PadMode::Reflect, PadMode::Edge, PadMode::Wrap]);
        let most = r.pick(&[2, 9]);
        let cells =
            [0; 3].map(|_: usize| if r.int(0, 2) == 0 { [0, 0] } else { [r.int(0, most), r.int(0, most)] });
        rearrange(Rearrangement::Pad { cells, mode }, shape(r))
    });
}

#[test]
fn blocks_shuffles_and_transposes() {
    check_all(3, 40, |r| {
        let ([h, w, c], block) = (shape(r), r.int(1, 3));
        let order = r.pick(&[DepthOrder::BlockFirst, DepthOrder::ChannelFirst]);
        match r.int(0, 3) {
            0 => rearrange(Rearrangement::DepthToSpace { block, order }, [h, w, c * block * block]),
            1 => rearrange(Rearrangement::SpaceToDepth { block, order }, [h * block, w * block, c]),
            2 => rearrange(Rearrangement::ChannelShuffle { groups: block }, [h, w, c * block]),
            _ => {
                let order = r.pick(&[[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]]);
                rearrange(Rearrangement::Transpose { order }, [h, w, c])
            }
        }
    });
}

#[test]
fn resizing() {
    check_all(4, 120, |r| {
        let round = r.pick(&[
            NearestRound::Floor,
            NearestRound::Ceil,
            NearestRound::RoundPreferFloor,
            NearestRound::RoundPreferCeil,
        ]);
        let resize = Resize {
            size: [r.int(1, 9), r.int(1, 9)],
            scales: (r.int(0, 2) == 0).then(|| [0, 1].map(|_| r.int(4, 30) as f32 / 10.0)),
            method: if r.int(0, 1) == 0 { Method::Linear } else { Method::Nearest(round) },
            coordinates: r.pick(&[
                Coordinates::HalfPixel,
                Coordinates::PytorchHalfPixel,
                Coordinates::AlignCorners,
                Coordinates::Asymmetric,
                Coordinates::TfHalfPixelForNn,
            ]),
        };
        Case::new(Op::Resize(resize), shape(r))
    });
}

#[test]
fn two_inputs() {
    check_all(5, 120, |r| {
        let f = r.pick(&[Binary::Add, Binary::Subtract, Binary::Multiply, Binary::Maximum, Binary::Minimum]);
        let (mut a, mut b) = (shape(r), [0; 3]);
        for axis in 0..3 {
            (a[axis], b[axis]) =
                r.pick(&[(a[axis], a[axis]), (a[axis], a[axis]), (1, a[axis]), (a[axis], 1)]);
        }
        let values = if r.int(0, 1) == 0 { Values::Normal } else { Values::Ties };
        Case { op: Op::Binary(f), shapes: vec![a, b], values, one: false }
    });
}

#[test]
fn normalizations() {
    check_all(6, 80, |r| {
        let [h, w, c] = shape(r);
        let groups = r.int(1, 4);
        let values = r.pick(&[Values::Normal, Values::Shifted]);
        let (op, c) = match r.int(0, 4) {
            0 => (Op::GroupNorm { groups, epsilon: 1e-3 }, c * groups),
            1 => (Op::GroupNorm { groups: c, epsilon: 1e-2 }, c),
            2 | 3 => (Op::LayerNorm { epsilon: 1e-3 }, c),
            // One number by itself has no gradient but rounding, the larger the nearer it is to 0.
            _ => (Op::L2Normalize { epsilon: r.pick(&[1e-6, 3.0]) }, c.max(2)),
        };
        Case { values, ..Case::new(op, [h, w, c]) }
    });
}

#[test]
fn local_response_normalization() {
    check_all(7, 60, |r| {
        let op = Op::LocalResponseNorm {
            size: r.int(1, 7),
            alpha: r.pick(&[1e-4, 0.5, 2.0]),
            beta: r.pick(&[0.5, 0.75, 1.0, 1.7]),
            bias: r.pick(&[0.5, 1.0, 2.0]),
        };
        Case::new(op, shape(r))
    });
}

#[test]
fn softmax() {
    check_all(8, 60, |r| {
        let op = if r.int(0, 1) == 0 { Op::Softmax } else { Op::LogSoftmax };
        Case { values: r.pick(&[Values::Normal, Values::Shifted]), ..Case::new(op, shape(r)) }
    });
}

#[test]
fn reductions() {
    check_all(9, 120, |r| {
        let how = r.pick(&[Reduction::Mean, Reduction::Sum, Reduction::Max]);
        let over = [0; 3].map(|_: usize| r.int(0, 1) == 1);
        Case { values: Values::Ties, ..Case::new(Op::Reduce { how, over }, shape(r)) }
    });
}

#[test]
fn scale_and_prelu() {
    check_all(10, 60, |r| {
        let op = if r.int(0, 1) == 0 { Op::Scale } else { Op::Prelu };
        Case { values: Values::Ties, one: r.int(0, 3) == 0, ..Case::new(op, shape(r)) }
    });
}

/// Several tiles, and sums of several stretches.
#[test]
fn large_images() {
    let x = [9, 40, 60];
    let linear =
        Resize { size: [5, 90], scales: None, method: Method::Linear, coordinates: Coordinates::HalfPixel };
    let two = |f, b| Case { shapes: vec![x, b], ..Case::new(Op::Binary(f), x) };
    let reduce = |how, over| Case::new(Op::Reduce { how, over }, x);
    let cases = [
        Case::new(Op::GroupNorm { groups: 2, epsilon: 1e-5 }, [30, 40, 2]),
        Case { values: Values::Shifted, ..Case::new(Op::LayerNorm { epsilon: 1e-5 }, x) },
        Case::new(Op::LocalResponseNorm { size: 5, alpha: 0.1, beta: 0.75, bias: 1.0 }, x),
        Case::new(Op::L2Normalize { epsilon: 1e-6 }, x),
        Case::new(Op::Softmax, x),
        Case::new(Op::LogSoftmax, x),
        Case::new(Op::Softmax, [1, 1, 20_000]),
        two(Binary::Multiply, [1, 1, 60]),
        two(Binary::Maximum, [9, 40, 1]),
        two(Binary::Add, [1, 40, 60]),
        reduce(Reduction::Mean, [true, true, false]),
        reduce(Reduction::Mean, [true; 3]),
        reduce(Reduction::Max, [true, true, false]),
        Case::new(Op::Scale, x),
        Case::new(Op::Prelu, x),
        Case::new(Op::Resize(linear), x),
    ];
    let mut next = cases.iter().cycle();
    check_all(11, cases.len(), |_| next.next().expect("a cycle").clone());
}

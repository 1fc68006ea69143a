//! Ring 6: the one shape function against an oracle in 128 bits, for numbers that fit and numbers that do not.

use foveal_kernels::geometry::{MAX_ARRAY_BYTES, MAX_STRIDE_CELLS};
use foveal_kernels::{
    Axis, Conv2dGeometry, Conv2dOptions, Conv2dTransposeGeometry, Conv2dTransposeOptions, Padding,
    Pool2dGeometry, Pool2dOptions,
};
use foveal_testkit::geometry::{AxisPad, output_extent, transposed_extent};
use proptest::prelude::*;

/// The oracle's idea of a padding.
fn oracle(padding: Padding, axis: usize) -> AxisPad {
    match padding {
        Padding::Valid => AxisPad::Valid,
        Padding::Same => AxisPad::Same,
        Padding::Explicit(p) => AxisPad::Explicit(p[2 * axis].into(), p[2 * axis + 1].into()),
    }
}

/// Whether an array of this shape (an empty batch as one image) is within the limit.
fn fits(shape: &[i128]) -> bool {
    let bytes = shape.iter().try_fold(4i128, |a, &v| a.checked_mul(v.max(1)));
    bytes.is_some_and(|b| b <= MAX_ARRAY_BYTES.into())
}

/// `(output, before, after)` of both axes, if everything is in range.
fn expected(
    input: [usize; 2],
    kernel: [i64; 2],
    strides: [i64; 2],
    dilations: [i64; 2],
    padding: Padding,
) -> Option<[(i128, i128, i128); 2]> {
    let limit = i128::from(MAX_ARRAY_BYTES);
    let axis = |a: usize| {
        let (n, k) = (input[a] as i128, i128::from(kernel[a]));
        let (s, d) = (i128::from(strides[a]), i128::from(dilations[a]));
        let (out, before, after) = output_extent(n, k, s, d, oracle(padding, a))?;
        let reach = (k - 1) * d + 1;
        [out, before, after, reach, s, d].iter().all(|&v| v <= limit).then_some((out, before, after))
    };
    Some([axis(0)?, axis(1)?])
}

fn agree(axis: &Axis, (out, before, after): (i128, i128, i128)) -> Result<(), TestCaseError> {
    prop_assert_eq!((axis.output as i128, axis.before as i128, axis.after as i128), (out, before, after));
    // Every output's window meets the padded image, and `source` stays inside it.
    for o in [0, axis.output / 2, axis.output - 1] {
        for k in [0, axis.kernel / 2, axis.kernel - 1] {
            let at = (o as i128) * axis.stride as i128 + (k as i128) * axis.dilation as i128 - before;
            let inside = (0..axis.input as i128).contains(&at);
            prop_assert_eq!(axis.source(o, k).map(|v| v as i128), inside.then_some(at));
        }
    }
    Ok(())
}

fn extent() -> impl Strategy<Value = usize> {
    prop_oneof![8 => 1usize..40, 1 => 0usize..3, 1 => any::<usize>(), 1 => 1usize..1 << 33]
}

fn option() -> impl Strategy<Value = i64> {
    prop_oneof![10 => 1i64..6, 1 => -2i64..2, 1 => any::<i64>(), 1 => 1i64..1 << 33]
}

fn pad_cell() -> impl Strategy<Value = i64> {
    prop_oneof![10 => 0i64..6, 1 => -2i64..2, 1 => any::<i64>(), 1 => 1i64..1 << 33]
}

fn padding() -> impl Strategy<Value = Padding> {
    prop_oneof![
        Just(Padding::Valid),
        Just(Padding::Same),
        [pad_cell(), pad_cell(), pad_cell(), pad_cell()].prop_map(Padding::Explicit),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn convolution(
        batch in prop_oneof![4 => 0usize..9, 1 => any::<usize>()],
        image in [extent(), extent()],
        kernel in [prop_oneof![6 => 1usize..6, 1 => extent()], prop_oneof![6 => 1usize..6, 1 => extent()]],
        depth in prop_oneof![9 => 1usize..6, 1 => extent()],
        groups in prop_oneof![6 => Just(1i64), 3 => 1i64..4, 1 => option()],
        filters in prop_oneof![6 => 1usize..5, 1 => extent()],
        mismatch in prop_oneof![9 => Just(0usize), 1 => 0usize..3],
        strides in [option(), option()],
        dilations in [option(), option()],
        padding in padding(),
    ) {
        let channels = depth.saturating_mul(usize::try_from(groups).unwrap_or(1)).saturating_add(mismatch);
        let (x, w) = ([batch, image[0], image[1], channels], [kernel[0], kernel[1], depth, filters]);
        let options = Conv2dOptions { strides, dilations, padding, groups };
        let found = Conv2dGeometry::new("conv2d", &x, &w, &options);
        let wide = |s: [usize; 4]| s.map(|v| v as i128);
        let divides = groups > 0
            && channels as i128 == depth as i128 * i128::from(groups)
            && (filters as i128) % i128::from(groups) == 0;
        let sizes = x[1..].iter().chain(&w).all(|&v| v > 0) && fits(&wide(x)) && fits(&wide(w));
        let want = (divides && sizes)
            .then(|| expected(image, kernel.map(|k| k as i64), strides, dilations, padding))
            .flatten()
            .filter(|[h, w]| fits(&[batch as i128, h.0, w.0, filters as i128]));
        match (found, want) {
            (Ok(g), Some(want)) => {
                agree(&g.h, want[0])?;
                agree(&g.w, want[1])?;
                prop_assert_eq!((g.input_shape(), g.filter_shape()), (x, w));
                let _ = g.flops();
            }
            (Err(e), None) => {
                let message = e.to_string();
                prop_assert!(message.starts_with("conv2d: "), "{}", message);
                prop_assert!(message.contains(&format!("{x:?}")) && message.contains(&format!("{w:?}")), "{}", message);
            }
            (found, want) => prop_assert!(false, "{:?} {:?} {:?}: {:?} where {:?}", x, w, options, found, want),
        }
    }

    #[test]
    fn transposed_convolution(
        batch in prop_oneof![4 => 0usize..9, 1 => any::<usize>()],
        image in [extent(), extent()],
        kernel in [prop_oneof![6 => 1usize..6, 1 => extent()], prop_oneof![6 => 1usize..6, 1 => extent()]],
        depth in prop_oneof![9 => 1usize..6, 1 => extent()],
        groups in prop_oneof![6 => Just(1i64), 3 => 1i64..4, 1 => option()],
        per_group in prop_oneof![6 => 1usize..5, 1 => extent()],
        mismatch in [prop_oneof![9 => Just(0usize), 1 => 0usize..3], prop_oneof![9 => Just(0usize), 1 => 0usize..3]],
        strides in [option(), option()],
        dilations in [option(), option()],
        output_padding in [prop_oneof![3 => Just(0i64), 1 => pad_cell()], prop_oneof![3 => Just(0i64), 1 => pad_cell()]],
        padding in padding(),
    ) {
        let channels = per_group.saturating_mul(usize::try_from(groups).unwrap_or(1)).saturating_add(mismatch[0]);
        let x = [batch, image[0], image[1], channels];
        let w = [kernel[0], kernel[1], depth, channels.saturating_add(mismatch[1])];
        let options = Conv2dTransposeOptions { strides, dilations, padding, output_padding, groups };
        let found = Conv2dTransposeGeometry::new("conv2d_transpose", &x, &w, &options);
        let wide = |s: [usize; 4]| s.map(|v| v as i128);
        let limit = i128::from(MAX_ARRAY_BYTES);
        let axis = |a: usize| {
            let numbers = [strides[a], dilations[a], output_padding[a]].map(i128::from);
            let (n, k) = (image[a] as i128, kernel[a] as i128);
            let (out, before, after) = transposed_extent(n, k, numbers, oracle(padding, a))?;
            let reach = (k - 1) * numbers[1] + 1;
            [out, before, after, reach, numbers[0], numbers[1]]
                .iter()
                .all(|&v| v <= limit)
                .then_some((out, before, after))
        };
        let divides = groups > 0 && x[3] == w[3] && x[3] as i128 % i128::from(groups) == 0;
        let sizes = x[1..].iter().chain(&w).all(|&v| v > 0) && fits(&wide(x)) && fits(&wide(w));
        let filters = depth as i128 * i128::from(groups);
        let want = (divides && sizes)
            .then(|| Some([axis(0)?, axis(1)?]))
            .flatten()
            .filter(|[h, w]| fits(&[batch as i128, h.0, w.0, filters]))
            .filter(|[h, w]| {
                h.0.min(strides[0].into()) * w.0.min(strides[1].into()) <= MAX_STRIDE_CELLS as i128
            });
        match (found, want) {
            (Ok(g), Some([h, v])) => {
                prop_assert_eq!((g.input_shape(), g.filter_shape()), (x, w));
                prop_assert_eq!(g.output_shape().map(|v| v as i128), [batch as i128, h.0, v.0, filters]);
                let c = g.convolution;
                prop_assert_eq!([c.h.before, c.h.after, c.w.before, c.w.after].map(|v| v as i128), [h.1, h.2, v.1, v.2]);
                let _ = g.flops();
            }
            (Err(e), None) => {
                let message = e.to_string();
                prop_assert!(message.starts_with("conv2d_transpose: "), "{}", message);
                prop_assert!(message.contains(&format!("{x:?}")) && message.contains(&format!("{w:?}")), "{}", message);
            }
            (found, want) => prop_assert!(false, "{:?} {:?} {:?}: {:?} where {:?}", x, w, options, found, want),
        }
    }

    #[test]
    fn pooling(
        batch in prop_oneof![4 => 0usize..9, 1 => any::<usize>()],
        image in [extent(), extent()],
        channels in prop_oneof![6 => 1usize..6, 1 => extent()],
        ksize in [option(), option()],
        strides in [option(), option()],
        padding in padding(),
    ) {
        let x = [batch, image[0], image[1], channels];
        let options = Pool2dOptions { ksize, strides, padding };
        let found = Pool2dGeometry::new("max_pool", &x, &options);
        // A window wholly in the padding would have no value.
        let narrow = match padding {
            Padding::Explicit([t, b, l, r]) => t < ksize[0] && b < ksize[0] && l < ksize[1] && r < ksize[1],
            _ => true,
        };
        let sizes = x[1..].iter().all(|&v| v > 0) && fits(&x.map(|v| v as i128));
        let want = (narrow && sizes)
            .then(|| expected(image, ksize, strides, [1, 1], padding))
            .flatten()
            .filter(|[h, w]| fits(&[batch as i128, h.0, w.0, channels as i128]));
        match (found, want) {
            (Ok(g), Some(want)) => {
                agree(&g.h, want[0])?;
                agree(&g.w, want[1])?;
            }
            (Err(e), None) => {
                let message = e.to_string();
                prop_assert!(message.starts_with("max_pool: ") && message.contains(&format!("{x:?}")), "{}", message);
            }
            (found, want) => prop_assert!(false, "{:?} {:?}: {:?} where {:?}", x, options, found, want),
        }
    }
}

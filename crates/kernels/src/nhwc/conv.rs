//! The forward pass and the input gradient: the same gathering product over different walks.

use super::depthwise;
use super::gather::{Packed, Places, gather};
use super::walk::{Plane, Tap, Walk};
use crate::dispatch::Isa;
use crate::geometry::{Axis, Conv2dGeometry, Conv2dTransposeGeometry};
use rayon::prelude::*;

/// `y = conv2d(x, filter) + bias`: `x` `[n, h, w, c]`, `filter` `[kh, kw, c / groups, o]`, `y` `[n, oh, ow, o]`.
///
/// # Panics
/// When a slice's length is not its shape's product.
pub fn conv2d(isa: Isa, g: &Conv2dGeometry, x: &[f32], filter: &[f32], bias: Option<&[f32]>, y: &mut [f32]) {
    assert_eq!(x.len(), product(g.input_shape()));
    assert_eq!(filter.len(), product(g.filter_shape()));
    assert_eq!(y.len(), product(g.output_shape()));
    assert!(bias.is_none_or(|b| b.len() == g.out_channels));
    if y.is_empty() {
        return;
    }
    let walk = forward(g);
    if depthwise::fits(g) {
        return depthwise::gather(isa, &walk, x, filter, bias, y);
    }
    let packed = Packed::new(isa, &walk, filter, &forward_places(g), bias);
    gather(isa, walk, x, &packed, y);
}

/// The walk of the forward pass.
pub(super) fn forward(g: &Conv2dGeometry) -> Walk {
    let taps = (0..g.h.kernel * g.w.kernel).map(|t| {
        let (i, j) = (t / g.w.kernel, t % g.w.kernel);
        Tap {
            dh: (i * g.h.dilation) as isize - g.h.before as isize,
            dw: (j * g.w.dilation) as isize - g.w.before as isize,
            filter: t,
        }
    });
    Walk {
        taps: taps.collect(),
        from: Plane { height: g.h.input, width: g.w.input, channels: g.in_channels },
        to: Plane { height: g.h.output, width: g.w.output, channels: g.out_channels },
        rows: g.h.output,
        cols: g.w.output,
        from_step: [g.h.stride, g.w.stride],
        to_first: [0, 0],
        to_step: [1, 1],
        batch: g.batch,
        groups: g.groups,
        sum: g.in_channels / g.groups,
        make: g.out_channels / g.groups,
        run: 1,
    }
}

/// Where the forward pass finds its filter.
pub(super) fn forward_places(
    g: &Conv2dGeometry,
) -> Places<impl Fn(&Tap, usize, usize) -> Option<usize> + Sync + use<>> {
    let (sum, make, all) = (g.in_channels / g.groups, g.out_channels / g.groups, g.out_channels);
    Places {
        first: move |t: &Tap, group: usize, o: usize| Some(t.filter * sum * all + group * make + o),
        step: all,
    }
}

/// The gradient of the input: `dx` is overwritten.
///
/// # Panics
/// When a slice's length is not its shape's product.
pub fn conv2d_backward_input(isa: Isa, g: &Conv2dGeometry, dy: &[f32], filter: &[f32], dx: &mut [f32]) {
    input_gradient(isa, g, dy, filter, None, dx);
}

/// `y = conv2d_transpose(x, filter) + bias`: `x` `[n, h, w, c]`, `filter` `[kh, kw, o / groups, c]`, `y`
/// `[n, oh, ow, o]`. Its gradients are [`conv2d`] of the output's gradient, and [`super::conv2d_backward_filter`] of
/// the output's gradient and `x`, both with `g.convolution`.
///
/// # Panics
/// When a slice's length is not its shape's product.
pub fn conv2d_transpose(
    isa: Isa,
    g: &Conv2dTransposeGeometry,
    x: &[f32],
    filter: &[f32],
    bias: Option<&[f32]>,
    y: &mut [f32],
) {
    input_gradient(isa, &g.convolution, x, filter, bias, y);
}

/// The gradient of the input, and a bias for each of its channels.
fn input_gradient(
    isa: Isa,
    g: &Conv2dGeometry,
    dy: &[f32],
    filter: &[f32],
    bias: Option<&[f32]>,
    dx: &mut [f32],
) {
    assert_eq!(dx.len(), product(g.input_shape()));
    assert_eq!(filter.len(), product(g.filter_shape()));
    assert_eq!(dy.len(), product(g.output_shape()));
    assert!(bias.is_none_or(|b| b.len() == g.in_channels));
    if dx.is_empty() {
        return;
    }
    if let Some(period) = together(isa, g) {
        return backward_together(isa, g, period, dy, filter, bias, dx);
    }
    for walk in backward(g) {
        if depthwise::fits(g) {
            depthwise::gather(isa, &walk, dy, filter, bias, dx);
            continue;
        }
        let packed = Packed::new(isa, &walk, filter, &backward_places(g), bias);
        gather(isa, walk, dy, &packed, dx);
    }
}

/// The walks of the input gradient: one for each residue of the strides.
pub(super) fn backward(g: &Conv2dGeometry) -> impl Iterator<Item = Walk> + use<'_> {
    let (rows, cols) = (g.h.stride.min(g.h.input), g.w.stride.min(g.w.input));
    (0..rows).flat_map(move |ph| (0..cols).map(move |pw| residue(g, ph, pw)))
}

fn residue(g: &Conv2dGeometry, ph: usize, pw: usize) -> Walk {
    let mut taps = Vec::new();
    for (i, dh) in g.h.residue(ph).into_iter().rev() {
        for &(j, dw) in g.w.residue(pw).iter().rev() {
            taps.push(Tap { dh, dw, filter: i * g.w.kernel + j });
        }
    }
    Walk {
        taps,
        from: Plane { height: g.h.output, width: g.w.output, channels: g.out_channels },
        to: Plane { height: g.h.input, width: g.w.input, channels: g.in_channels },
        rows: (g.h.input - ph).div_ceil(g.h.stride),
        cols: (g.w.input - pw).div_ceil(g.w.stride),
        from_step: [1, 1],
        to_first: [ph, pw],
        to_step: [g.h.stride, g.w.stride],
        batch: g.batch,
        groups: g.groups,
        sum: g.out_channels / g.groups,
        make: g.in_channels / g.groups,
        run: 1,
    }
}

/// Where the input gradient finds its filter.
pub(super) fn backward_places(
    g: &Conv2dGeometry,
) -> Places<impl Fn(&Tap, usize, usize) -> Option<usize> + Sync + use<>> {
    let (make, sum, all) = (g.in_channels / g.groups, g.out_channels / g.groups, g.out_channels);
    Places {
        first: move |t: &Tap, group: usize, c: usize| Some((t.filter * make + c) * all + group * sum),
        step: 1,
    }
}

/// Rows and columns that are made side by side, if that pays: see [`backward_together`].
fn together(isa: Isa, g: &Conv2dGeometry) -> Option<[usize; 2]> {
    let (c, [sh, sw]) = (g.in_channels, [g.h.stride, g.w.stride]);
    let residues = sh.saturating_mul(sw);
    if g.groups > 1 || g.h.dilation > 1 || g.w.dilation > 1 || 2 * c >= isa.lanes() {
        return None;
    }
    if residues == 1 {
        // Neighbours in a row, as many as fill a vector.
        let side = (isa.lanes() / c).min(8);
        return (g.w.input >= side).then_some([1, side]);
    }
    (residues <= 2 * isa.lanes() / c).then_some([sh, sw])
}

/// The gradient of an input of few channels: one position alone would leave most of a vector empty, so the
/// positions of a cell of `period` (a multiple of the strides) stand side by side as channels, and are dealt
/// out to their places after.
fn backward_together(
    isa: Isa,
    g: &Conv2dGeometry,
    period: [usize; 2],
    dy: &[f32],
    filter: &[f32],
    bias: Option<&[f32]>,
    dx: &mut [f32],
) {
    let (ci, [sh, sw]) = (g.in_channels, period);
    // Output rows (columns) that any position of a cell reads, relative to its own index.
    let span = |a: &Axis, period: usize| {
        let (stride, before) = (a.stride as isize, a.before as isize);
        let low = (before - (a.kernel as isize - 1)).div_euclid(stride);
        let high = (period as isize - 1 + before).div_euclid(stride);
        low..=high
    };
    let mut taps = Vec::new();
    for dh in span(&g.h, sh) {
        taps.extend(span(&g.w, sw).map(|dw| Tap { dh, dw, filter: 0 }));
    }
    let (rows, cols) = (g.h.input.div_ceil(sh), g.w.input.div_ceil(sw));
    let make = sh * sw * ci;
    let walk = Walk {
        taps,
        from: Plane { height: g.h.output, width: g.w.output, channels: g.out_channels },
        to: Plane { height: rows, width: cols, channels: make },
        rows,
        cols,
        from_step: [sh / g.h.stride, sw / g.w.stride],
        to_first: [0, 0],
        to_step: [1, 1],
        batch: g.batch,
        groups: 1,
        sum: g.out_channels,
        make,
        run: 1,
    };
    // The kernel cell through which position `p` of a cell reads output `d`, if there is one.
    let cell = |a: &Axis, p: usize, d: isize| {
        let far = (p + a.before) as isize - d * a.stride as isize;
        usize::try_from(far).ok().filter(|k| *k < a.kernel)
    };
    let places = Places {
        first: |t: &Tap, _: usize, o: usize| {
            let (ph, pw, channel) = (o / (sw * ci), o / ci % sw, o % ci);
            let (kh, kw) = (cell(&g.h, ph, t.dh)?, cell(&g.w, pw, t.dw)?);
            Some(((kh * g.w.kernel + kw) * ci + channel) * g.out_channels)
        },
        step: 1,
    };
    let bias = bias.map(|b| b.repeat(sh * sw));
    let packed = Packed::new(isa, &walk, filter, &places, bias.as_deref());
    let mut side = vec![0f32; g.batch * rows * cols * make];
    gather(isa, walk, dy, &packed, &mut side);
    let deal = |(row, dx): (usize, &mut [f32])| {
        let (n, h) = (row / g.h.input, row % g.h.input);
        let from = &side[((n * rows + h / sh) * cols) * make..][..cols * make];
        for (from, dx) in from.chunks_exact(make).zip(dx.chunks_mut(sw * ci)) {
            dx.copy_from_slice(&from[h % sh * sw * ci..][..dx.len()]);
        }
    };
    dx.par_chunks_mut(g.w.input * ci).enumerate().with_min_len(64).for_each(deal);
}

pub(super) fn product(shape: [usize; 4]) -> usize {
    shape.iter().product()
}

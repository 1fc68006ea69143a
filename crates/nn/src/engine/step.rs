//! One group through the steps, forward and backward.

use super::batch::{Group, GroupState, NormState, Worker};
use super::plan::{Input, Plan, Step, StepKind};
use foveal_kernels::lanes::elementwise::{add_assign, dropout_mask, multiply, plane_sums, rows};
use foveal_kernels::lanes::{Finish, Frame, dense, norm};
use std::ops::Range;

/// Whether a pass is part of training.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Forward {
    Training,
    Inference,
}

/// A group at work: the plan, the memory it runs in, the parameters.
pub(super) struct Scene<'a> {
    pub plan: &'a Plan,
    pub arena: &'a mut [f32],
    bytes: &'a mut [u8],
    pub scratch: &'a mut [f32],
    pub group: &'a mut GroupState,
    values: &'a [f32],
    pub norms: &'a [NormState],
    pub seed: Option<u64>,
}

/// Disjoint parts of the arena.
pub(super) fn split<'a, const N: usize>(
    arena: &'a mut [f32],
    parts: [&Range<usize>; N],
) -> [&'a mut [f32]; N] {
    arena.get_disjoint_mut(parts.map(Range::clone)).expect("the plan gives each value a place of its own")
}

impl<'a> Scene<'a> {
    pub fn new(
        plan: &'a Plan,
        worker: &'a mut Worker,
        group: &'a mut Group,
        values: &'a [f32],
        norms: &'a [NormState],
    ) -> Self {
        let memory = if plan.staged() { &mut group.memory } else { &mut worker.memory };
        Self {
            plan,
            arena: &mut memory.numbers,
            bytes: &mut memory.bytes,
            scratch: &mut worker.scratch,
            group: &mut group.state,
            values,
            norms,
            seed: None,
        }
    }

    /// Runs `steps` in order.
    pub fn forward(&mut self, steps: Range<usize>, mode: Forward) {
        let plan = self.plan;
        for step in &plan.steps[steps] {
            self.forward_step(step, mode);
        }
    }

    /// Runs the gradients of `steps` in reverse order.
    pub fn backward(&mut self, steps: Range<usize>) {
        let plan = self.plan;
        // Where nothing before a step is trained, its output has no gradient.
        for step in plan.steps[steps].iter().rev().filter(|step| !plan.values[step.y].d.is_empty()) {
            self.backward_step(step);
        }
    }

    fn param(&self, index: usize) -> &'a [f32] {
        &self.values[self.plan.offsets[index]..]
    }

    fn forward_step(&mut self, step: &Step, mode: Forward) {
        let (plan, isa) = (self.plan, self.plan.isa);
        let (xi, yi) = (step.inputs[0].value, step.y);
        let (xv, yv) = (&plan.values[xi], &plan.values[yi]);
        match &step.kind {
            StepKind::ActivationInPlace(f) => {
                for row in rows(&yv.frame, isa.lanes()) {
                    f.forward_in_place(isa, &mut self.arena[yv.at.clone()][row]);
                }
            }
            // An engine that trains also predicts, and then nothing is dropped.
            StepKind::Dropout { .. } if mode == Forward::Inference => {
                if xi != yi {
                    let [x, y] = split(self.arena, [&xv.at, &yv.at]);
                    move_rows(&xv.frame, x, &yv.frame, y, isa.lanes(), |x, y| y.copy_from_slice(x));
                }
            }
            StepKind::Dropout { rate, mask, salt } => {
                let seed = self.seed.unwrap_or(0) ^ salt.wrapping_mul(0x9e37_79b9_7f4a_7c15);
                dropout_mask(isa, seed, *rate, &mut self.arena[mask.clone()]);
                self.masked(xi == yi, [&xv.at, &yv.at], mask, [&xv.frame, &yv.frame]);
            }
            StepKind::Concat => self.concat(step),
            StepKind::Add => {
                for (k, input) in step.inputs.iter().enumerate() {
                    let from = &plan.values[input.value];
                    let [x, y] = split(self.arena, [&from.at, &yv.at]);
                    move_rows(&from.frame, x, &yv.frame, y, isa.lanes(), |x, y| {
                        if k == 0 { y.copy_from_slice(x) } else { add_assign(isa, x, y) }
                    });
                }
            }
            StepKind::Conv { forward, filter, bias, .. } => {
                let bias = bias.map(|b| self.param(b));
                let filter = self.param(*filter);
                let [x, y] = split(self.arena, [&xv.at, &yv.at]);
                forward.run(isa, x, filter, bias, y, Finish::Store);
            }
            StepKind::ConvPool { plan: fused, filter, bias, places, .. } => {
                let bias = bias.map(|b| self.param(b));
                let filter = self.param(*filter);
                let [x, y] = split(self.arena, [&xv.at, &yv.at]);
                let places = &mut self.bytes[places.clone()];
                fused.forward(isa, x, filter, bias, y, places, self.scratch);
            }
            StepKind::Dense { index, bias } => {
                let layer = &plan.dense[*index];
                let bias = bias.map(|b| self.param(b));
                let weights = self.param(layer.weights);
                let [x, y] = split(self.arena, [&xv.at, &yv.at]);
                let kept = &mut self.group.saved[layer.x.clone()];
                let plain = Frame { halo: [0; 4], ..xv.frame };
                move_rows(&xv.frame, x, &plain, kept, isa.lanes(), |x, y| y.copy_from_slice(x));
                let out = out_rows(&yv.frame, isa.lanes());
                if yv.frame.halo == [0; 4] {
                    dense::forward(isa, kept, weights, bias, &mut y[out], layer.units);
                } else {
                    let flat = &mut self.scratch[..layer.units * isa.lanes()];
                    dense::forward(isa, kept, weights, bias, flat, layer.units);
                    let plain = Frame { halo: [0; 4], ..yv.frame };
                    move_rows(&plain, flat, &yv.frame, y, isa.lanes(), |x, y| y.copy_from_slice(x));
                }
            }
            StepKind::Embedding { index } => {
                let layer = &plan.embeddings[*index];
                let table = self.param(layer.table);
                let [x, y] = split(self.arena, [&xv.at, &yv.at]);
                layer.lookup.forward(x, table, y);
            }
            StepKind::MaxPool { walks, places } => {
                let [x, y, at] = split(self.arena, [&xv.at, &yv.at, places]);
                walks[0].max(isa, x, y, at);
            }
            StepKind::AvgPool { walks } => {
                let [x, y] = split(self.arena, [&xv.at, &yv.at]);
                walks[0].average(isa, x, y);
            }
            StepKind::Norm { index } | StepKind::FrozenNorm { index } => {
                let n = &self.norms[*index];
                let [x, y] = split(self.arena, [&xv.at, &yv.at]);
                norm::affine(isa, &xv.frame, x, &n.scale, &n.shift, &yv.frame, y);
            }
            StepKind::Flatten => {
                let [x, y] = split(self.arena, [&xv.at, &yv.at]);
                permute(&xv.frame, &yv.frame, isa.lanes(), |i, o, l| {
                    y[o..o + l].copy_from_slice(&x[i..i + l])
                });
            }
            StepKind::Softmax => {
                let [x, y] = split(self.arena, [&xv.at, &yv.at]);
                softmax(&xv.frame, x, &yv.frame, y, isa.lanes());
            }
            StepKind::Activation(f) => {
                let [x, y] = split(self.arena, [&xv.at, &yv.at]);
                move_rows(&xv.frame, x, &yv.frame, y, isa.lanes(), |x, y| f.forward(isa, x, y));
            }
        }
    }

    /// `to = from * mask`, row by row; the mask has no halo.
    fn masked(
        &mut self,
        in_place: bool,
        [from, to]: [&Range<usize>; 2],
        mask: &Range<usize>,
        frames: [&Frame; 2],
    ) {
        let isa = self.plan.isa;
        let plain = Frame { halo: [0; 4], ..*frames[0] };
        let by_row = Frame { halo: [0, 0, 0, 0], ..plain };
        if in_place {
            let [x, m] = split(self.arena, [to, mask]);
            move_rows(&by_row, m, frames[1], x, isa.lanes(), |m, x| {
                x.iter_mut().zip(m).for_each(|(x, m)| *x *= m);
            });
            return;
        }
        let [x, y, m] = split(self.arena, [from, to, mask]);
        let lanes = isa.lanes();
        let width = plain.width * lanes;
        for (i, m) in m.chunks_exact(width).enumerate() {
            let at = |f: &Frame| {
                let (c, h) = (i / f.height, i % f.height);
                let start = (c * f.plane() + f.origin() + h * f.row()) * lanes;
                start..start + width
            };
            multiply(isa, &x[at(frames[0])], m, &mut y[at(frames[1])]);
        }
    }

    fn concat(&mut self, step: &Step) {
        let (plan, lanes) = (self.plan, self.plan.isa.lanes());
        let to = &plan.values[step.y];
        let mut first = 0;
        for input in &step.inputs {
            let from = &plan.values[input.value];
            let part = Frame { channels: from.frame.channels, ..to.frame };
            let [x, y] = split(self.arena, [&from.at, &to.at]);
            let y = &mut y[first * to.frame.plane() * lanes..];
            move_rows(&from.frame, x, &part, y, lanes, |x, y| y.copy_from_slice(x));
            first += from.frame.channels;
        }
    }

    fn backward_step(&mut self, step: &Step) {
        let (plan, isa) = (self.plan, self.plan.isa);
        let input = step.inputs[0];
        let (xv, yv) = (&plan.values[input.value], &plan.values[step.y]);
        match &step.kind {
            // A normalization's gradient needs the whole batch: the stages see to it.
            StepKind::Norm { .. } => {}
            StepKind::FrozenNorm { index } => self.through_norm(*index),
            StepKind::ActivationInPlace(f) => {
                let [y, d] = split(self.arena, [&yv.at, &yv.d]);
                move_rows(&yv.frame, y, &yv.gradient, d, isa.lanes(), |y, d| f.backward_in_place(isa, y, d));
            }
            StepKind::Dropout { mask, .. } => {
                let in_place = input.value == step.y;
                if in_place || input.gradient == Some(false) {
                    self.masked(in_place, [&yv.d, &xv.d], mask, [&yv.gradient, &xv.gradient]);
                } else if input.gradient.is_some() {
                    let [dy, m] = split(self.arena, [&yv.d, mask]);
                    let plain = Frame { halo: [0; 4], ..yv.gradient };
                    let kept = &mut self.scratch[..m.len()];
                    move_rows(&yv.gradient, dy, &plain, kept, isa.lanes(), |a, b| b.copy_from_slice(a));
                    kept.iter_mut().zip(&*m).for_each(|(k, m)| *k *= m);
                    let dx = &mut self.arena[xv.d.clone()];
                    move_rows(&plain, kept, &xv.gradient, dx, isa.lanes(), |a, b| add_assign(isa, a, b));
                }
            }
            StepKind::Conv { forward, backward, filter, bias } => {
                let weights = self.param(*filter);
                self.conv_gradients(forward, *filter, *bias, input.value, step.y);
                if let Some(accumulate) = input.gradient {
                    let finish = if accumulate { Finish::Accumulate } else { Finish::Store };
                    let [dy, dx] = split(self.arena, [&yv.d, &xv.d]);
                    backward.iter().for_each(|walk| walk.run(isa, dy, weights, None, dx, finish));
                }
            }
            StepKind::ConvPool { .. } => self.conv_pool_gradients(step),
            StepKind::Dense { index, bias } => self.dense_gradients(*index, *bias, input, step.y),
            // A frozen table has no gradient.
            StepKind::Embedding { .. } if yv.d.is_empty() => {}
            StepKind::Embedding { index } => {
                let layer = &plan.embeddings[*index];
                let (x, dy) = (&self.arena[xv.at.clone()], &self.arena[yv.d.clone()]);
                let [ids, kept] = split(&mut self.group.saved, [&layer.ids, &layer.dy]);
                layer.lookup.keep(x, dy, &yv.gradient, ids, kept);
            }
            StepKind::MaxPool { walks, places } => {
                let Some(accumulate) = input.gradient else { return };
                let [at, dy, dx] = split(self.arena, [places, &yv.d, &xv.d]);
                if !accumulate {
                    dx.fill(0.0);
                }
                walks[1].max_backward(isa, at, dy, dx);
            }
            StepKind::AvgPool { walks } => {
                let Some(accumulate) = input.gradient else { return };
                let [dy, dx] = split(self.arena, [&yv.d, &xv.d]);
                if !accumulate {
                    dx.fill(0.0);
                }
                walks[1].average_backward(isa, dy, dx);
            }
            StepKind::Flatten => {
                let Some(accumulate) = input.gradient else { return };
                let [dy, dx] = split(self.arena, [&yv.d, &xv.d]);
                permute(&xv.gradient, &yv.gradient, isa.lanes(), |i, o, l| {
                    if accumulate {
                        add_assign(isa, &dy[o..o + l], &mut dx[i..i + l]);
                    } else {
                        dx[i..i + l].copy_from_slice(&dy[o..o + l]);
                    }
                });
            }
            StepKind::Softmax => {
                let Some(accumulate) = input.gradient else { return };
                let [y, dy, dx] = split(self.arena, [&yv.at, &yv.d, &xv.d]);
                softmax_backward(&yv.frame, y, &yv.gradient, dy, &xv.gradient, dx, isa.lanes(), accumulate);
            }
            StepKind::Activation(f) => {
                let Some(accumulate) = input.gradient else { return };
                let [x, y, dy, dx] = split(self.arena, [&xv.at, &yv.at, &yv.d, &xv.d]);
                let frames = [&xv.frame, &yv.frame, &yv.gradient, &xv.gradient];
                for [xr, yr, dyr, dxr] in row_sets(frames, isa.lanes()) {
                    if accumulate {
                        let kept = &mut self.scratch[..xr.len()];
                        f.backward(isa, &x[xr], &y[yr], &dy[dyr], kept);
                        add_assign(isa, kept, &mut dx[dxr]);
                    } else {
                        f.backward(isa, &x[xr], &y[yr], &dy[dyr], &mut dx[dxr]);
                    }
                }
            }
            StepKind::Add => {
                for input in &step.inputs {
                    let Some(accumulate) = input.gradient else { continue };
                    let to = &plan.values[input.value];
                    let [dy, dx] = split(self.arena, [&yv.d, &to.d]);
                    move_rows(&yv.gradient, dy, &to.gradient, dx, isa.lanes(), |a, b| {
                        if accumulate { add_assign(isa, a, b) } else { b.copy_from_slice(a) }
                    });
                }
            }
            StepKind::Concat => {
                let mut first = 0;
                for input in &step.inputs {
                    let to = &plan.values[input.value];
                    let offset = first * yv.gradient.plane() * isa.lanes();
                    first += to.frame.channels;
                    let Some(accumulate) = input.gradient else { continue };
                    let part = Frame { channels: to.frame.channels, ..yv.gradient };
                    let [dy, dx] = split(self.arena, [&yv.d, &to.d]);
                    move_rows(&part, &dy[offset..], &to.gradient, dx, isa.lanes(), |a, b| {
                        if accumulate { add_assign(isa, a, b) } else { b.copy_from_slice(a) }
                    });
                }
            }
        }
    }

    fn conv_gradients(
        &mut self,
        forward: &foveal_kernels::lanes::Correlation,
        filter: usize,
        bias: Option<usize>,
        x: usize,
        y: usize,
    ) {
        let (plan, isa) = (self.plan, self.plan.isa);
        let (xv, yv) = (&plan.values[x], &plan.values[y]);
        if !plan.trained[filter] && bias.is_none_or(|b| !plan.trained[b]) {
            return;
        }
        let (x, dy) = (&self.arena[xv.at.clone()], &self.arena[yv.d.clone()]);
        if let Some(at) = bias.and_then(|b| plan.gradients[b]) {
            plane_sums(isa, &yv.gradient, dy, &mut self.group.gradients[at..][..yv.gradient.channels]);
        }
        let at = plan.gradients[filter].expect("filters are trained");
        forward.backward_weights(isa, x, dy, &yv.gradient, &mut self.group.gradients[at..]);
    }

    fn conv_pool_gradients(&mut self, step: &Step) {
        let (plan, isa) = (self.plan, self.plan.isa);
        let StepKind::ConvPool { plan: fused, filter, bias, places, expanded } = &step.kind else { return };
        let input = step.inputs[0];
        let (xv, yv) = (&plan.values[input.value], &plan.values[step.y]);
        let weights = self.param(*filter);
        let filter_at = plan.gradients[*filter].expect("filters are trained");
        let bias_at = bias.and_then(|b| plan.gradients[b]);
        let channels = yv.frame.channels;
        // The bias's gradient follows the filter's: one split gives both.
        let (d_filter, d_rest) = self.group.gradients[filter_at..]
            .split_at_mut(bias_at.map_or(self.plan.gradient_numbers - filter_at, |b| b - filter_at));
        let d_bias = bias_at.map(|_| &mut d_rest[..channels]);
        let places = &self.bytes[places.clone()];
        if let Some(accumulate) = input.gradient {
            let [x, dy, e, dx] = split(self.arena, [&xv.at, &yv.d, expanded, &xv.d]);
            let d_input = Some((dx, accumulate));
            fused.backward(isa, x, weights, &yv.gradient, dy, places, e, d_filter, d_bias, d_input);
        } else {
            let [x, dy, e] = split(self.arena, [&xv.at, &yv.d, expanded]);
            fused.backward(isa, x, weights, &yv.gradient, dy, places, e, d_filter, d_bias, None);
        }
    }

    fn dense_gradients(&mut self, index: usize, bias: Option<usize>, input: Input, y: usize) {
        let (plan, isa) = (self.plan, self.plan.isa);
        let lanes = isa.lanes();
        let layer = &plan.dense[index];
        let (xv, yv) = (&plan.values[input.value], &plan.values[y]);
        let weights = self.param(layer.weights);
        let dy = &self.arena[yv.d.clone()];
        if let Some(at) = bias.and_then(|b| plan.gradients[b]) {
            plane_sums(isa, &yv.gradient, dy, &mut self.group.gradients[at..][..layer.units]);
        }
        dense::transpose(isa, dy, layer.units, &mut self.group.saved[layer.dy.clone()]);
        let Some(accumulate) = input.gradient else { return };
        if accumulate || xv.gradient.halo != [0; 4] {
            let kept = &mut self.scratch[..layer.inputs * lanes];
            dense::backward_input(isa, dy, weights, kept, layer.units);
            let plain = Frame { halo: [0; 4], ..xv.gradient };
            let dx = &mut self.arena[xv.d.clone()];
            move_rows(&plain, kept, &xv.gradient, dx, lanes, |a, b| {
                if accumulate { add_assign(isa, a, b) } else { b.copy_from_slice(a) }
            });
        } else {
            let [dy, dx] = split(self.arena, [&yv.d, &xv.d]);
            dense::backward_input(isa, dy, weights, dx, layer.units);
        }
    }
}

/// The numbers of a frame without a halo.
fn out_rows(frame: &Frame, lanes: usize) -> Range<usize> {
    0..frame.vectors() * lanes
}

/// The rows of several frames of one extent, side by side; whole frames where none has a halo.
fn row_sets<const N: usize>(frames: [&Frame; N], lanes: usize) -> impl Iterator<Item = [Range<usize>; N]> {
    let frames = frames.map(|f| *f);
    let first = frames[0];
    let plain = frames.iter().all(|f| f.halo == [0; 4]);
    let count = if plain { 1 } else { first.channels * first.height };
    let width = if plain { first.vectors() } else { first.width } * lanes;
    (0..count).map(move |i| {
        frames.map(|f| {
            let start = (i / f.height * f.plane() + f.origin() + i % f.height * f.row()) * lanes;
            start..start + width
        })
    })
}

/// Calls `f` with each row of `from` and its place in `to`, frames of one extent.
pub(super) fn move_rows(
    from: &Frame,
    x: &[f32],
    to: &Frame,
    y: &mut [f32],
    lanes: usize,
    f: impl Fn(&[f32], &mut [f32]),
) {
    for [i, o] in row_sets([from, to], lanes) {
        f(&x[i], &mut y[o]);
    }
}

/// Calls `f` with the place of each vector of an image and its place in the flat row: height, width, channel.
fn permute(image: &Frame, flat: &Frame, lanes: usize, mut f: impl FnMut(usize, usize, usize)) {
    let start = flat.origin();
    for c in 0..image.channels {
        for h in 0..image.height {
            for w in 0..image.width {
                let i = c * image.plane() + image.origin() + h * image.row() + w;
                // A flat frame has one vector a plane.
                let o = ((h * image.width + w) * image.channels + c) * flat.plane() + start;
                f(i * lanes, o * lanes, lanes);
            }
        }
    }
}

/// Softmax over the channels, position by position.
fn softmax(from: &Frame, x: &[f32], to: &Frame, y: &mut [f32], lanes: usize) {
    each_cell(from, to, lanes, |c, i, o| {
        let top = (0..c).fold(f32::NEG_INFINITY, |a, k| a.max(x[i(k)]));
        let total: f32 = (0..c)
            .map(|k| {
                y[o(k)] = (x[i(k)] - top).exp();
                y[o(k)]
            })
            .sum();
        (0..c).for_each(|k| y[o(k)] /= total);
    });
}

#[allow(clippy::too_many_arguments)]
fn softmax_backward(
    frame: &Frame,
    y: &[f32],
    from: &Frame,
    dy: &[f32],
    to: &Frame,
    dx: &mut [f32],
    lanes: usize,
    accumulate: bool,
) {
    let place = |f: &Frame, h: usize, w: usize, l: usize, k: usize| {
        (k * f.plane() + f.origin() + h * f.row() + w) * lanes + l
    };
    for (h, w) in (0..frame.height).flat_map(|h| (0..frame.width).map(move |w| (h, w))) {
        for l in 0..lanes {
            let n = frame.channels;
            let dot: f32 = (0..n).map(|k| y[place(frame, h, w, l, k)] * dy[place(from, h, w, l, k)]).sum();
            for k in 0..n {
                let d = y[place(frame, h, w, l, k)] * (dy[place(from, h, w, l, k)] - dot);
                let dx = &mut dx[place(to, h, w, l, k)];
                *dx = if accumulate { *dx + d } else { d };
            }
        }
    }
}

/// Calls `f` for each position and lane with the number of channels and the places of channel `k` in both frames.
fn each_cell(
    from: &Frame,
    to: &Frame,
    lanes: usize,
    mut f: impl FnMut(usize, &dyn Fn(usize) -> usize, &dyn Fn(usize) -> usize),
) {
    for (h, w) in (0..from.height).flat_map(|h| (0..from.width).map(move |w| (h, w))) {
        for l in 0..lanes {
            let place = |g: &Frame, k: usize| (k * g.plane() + g.origin() + h * g.row() + w) * lanes + l;
            f(from.channels, &|k| place(from, k), &|k| place(to, k));
        }
    }
}

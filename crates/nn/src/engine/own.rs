//! Layers of a program's own between the stages of a training step: each sees the whole batch at once.

use super::core::Engine;
use super::group::Group;
use super::plan::Plan;
use crate::steps::{Own, StepKind, Wires, put_images, take_images};

/// The own layer that `stage`, which is not the first, begins with.
fn own(plan: &Plan, stage: usize) -> Option<(&Own, &Wires)> {
    let step = &plan.steps[plan.stages[stage].start];
    match &step.kind {
        StepKind::Own(own) => Some((own, &step.wires)),
        _ => None,
    }
}

/// A value of all groups, or its gradient, image by image.
fn gather(plan: &Plan, groups: &mut [Group], value: usize, slope: bool) -> Vec<f32> {
    let value = &plan.places.values[value];
    let (frame, at) = if slope { (&value.gradient, &value.d) } else { (&value.frame, &value.at) };
    let mut rows = Vec::new();
    for group in groups {
        let count = group.kept.count;
        take_images(frame, plan.images(), &group.arena()[at.clone()], count, &mut rows);
    }
    rows
}

impl Engine {
    /// Runs the own layer that `stage` begins with, forward.
    pub(super) fn own_forward(&mut self, stage: usize, groups: usize) {
        let Self { plan, groups: all, values, .. } = self;
        let (plan, groups) = (&*plan, &mut all[..groups]);
        let Some((own, wires)) = own(plan, stage) else { return };
        let count = groups.iter().map(|g| g.kept.count).sum();
        let inputs: Vec<Vec<f32>> =
            wires.inputs.iter().map(|i| gather(plan, groups, i.value, false)).collect();
        let y = own.output(&plan.places, values, &inputs, count);
        let (value, each) = (&plan.places.values[wires.y], y.len() / count.max(1));
        let mut rest = &y[..];
        for group in groups {
            let (rows, others) = rest.split_at(each * group.kept.count);
            put_images(&value.frame, plan.images(), &mut group.arena()[value.at.clone()], rows, false);
            rest = others;
        }
    }

    /// Runs the own layer that `stage` begins with, backward.
    pub(super) fn own_backward(&mut self, stage: usize, groups: usize) {
        let Self { plan, groups: all, values, .. } = self;
        let (plan, groups) = (&*plan, &mut all[..groups]);
        let Some((own, wires)) = own(plan, stage) else { return };
        if plan.places.values[wires.y].d.is_empty() {
            return;
        }
        let count = groups.iter().map(|g| g.kept.count).sum();
        let inputs: Vec<Vec<f32>> =
            wires.inputs.iter().map(|i| gather(plan, groups, i.value, false)).collect();
        let ends = [false, true].map(|slope| gather(plan, groups, wires.y, slope));
        let Some([slopes, params]) = own.slopes(&plan.places, values, [&inputs, &ends], count) else {
            // The loss is no number then, and nothing is learnt from this batch.
            return groups[0].judged.sums.loss = f64::NAN;
        };
        for (input, slope) in wires.inputs.iter().zip(&slopes) {
            let Some(add) = input.gradient else { continue };
            let value = &plan.places.values[input.value];
            let (each, mut rest) = (slope.len() / count.max(1), &slope[..]);
            for group in groups.iter_mut() {
                let (rows, others) = rest.split_at(each * group.kept.count);
                put_images(&value.gradient, plan.images(), &mut group.arena()[value.d.clone()], rows, add);
                rest = others;
            }
        }
        for (param, slope) in own.params().zip(&params) {
            if let Some(at) = plan.places.gradients[param.index] {
                let sums = &mut groups[0].kept.gradients[at..at + param.count];
                sums.iter_mut().zip(slope).for_each(|(sum, v)| *sum += v);
            }
        }
    }
}

//! Statistics of batch normalizations: the whole batch's while training, the moving ones at inference.

use super::core::Engine;
use foveal_kernels::lanes::norm::Moments;

impl Engine {
    /// Lets the normalizations use the moving statistics, as at inference.
    pub(super) fn moving_statistics(&mut self) {
        (0..self.plan.places.norms.len()).for_each(|i| self.take_moving(i));
    }

    /// Lets the normalizations that are frozen use the moving statistics, also in the backward pass.
    pub(super) fn frozen_statistics(&mut self) {
        for i in 0..self.plan.places.norms.len() {
            if !self.plan.places.trained[self.plan.places.norms[i].params[0]] {
                self.take_moving(i);
                let state = &mut self.norms[i];
                state.backward.iter_mut().zip(&state.scale).for_each(|(b, &scale)| *b = [scale, 0.0, 0.0]);
            }
        }
    }

    fn take_moving(&mut self, i: usize) {
        let norm = &self.plan.places.norms[i];
        let p = |k: usize| &self.values[self.plan.places.offsets[norm.params[k]]..][..norm.channels];
        for c in 0..norm.channels {
            let (mean, variance) = (f64::from(p(2)[c]), f64::from(p(3)[c]));
            self.norms[i].set(c, mean, variance, norm.epsilon, p(0)[c], p(1)[c]);
        }
    }

    /// The batch's statistics for the normalization after `stage`, in the groups' order; moving statistics
    /// follow them.
    pub(super) fn combine_moments(&mut self, stage: usize, groups: usize) {
        let Some((step, _)) = self.plan.norm(stage + 1) else { return self.own_forward(stage + 1, groups) };
        let index = step.index;
        let norm = self.plan.places.norms[index];
        let state = &mut self.norms[index];
        for c in 0..norm.channels {
            let all = self.groups[..groups].iter().map(|g| g.kept.moments[c]);
            let all = all.fold(Moments::default(), Moments::combine);
            let at = norm.params.map(|p| self.plan.places.offsets[p] + c);
            let variance = all.variance();
            state.count = all.count;
            state.set(c, all.mean, variance, norm.epsilon, self.values[at[0]], self.values[at[1]]);
            let keep = norm.momentum;
            self.values[at[2]] = keep * self.values[at[2]] + (1.0 - keep) * all.mean as f32;
            self.values[at[3]] = keep * self.values[at[3]] + (1.0 - keep) * variance as f32;
        }
    }

    /// The whole batch's gradient of the normalization after `stage`: with `s1 = sum of dy`,
    /// `s2 = sum of dy (x - mean)` and `r = 1 / sqrt(variance + epsilon)`,
    /// `dx = gamma r (dy - s1 / n - (x - mean) r^2 s2 / n)`.
    pub(super) fn combine_sums(&mut self, stage: usize, groups: usize) {
        let Some((step, _)) = self.plan.norm(stage + 1) else { return self.own_backward(stage + 1, groups) };
        let index = step.index;
        let norm = self.plan.places.norms[index];
        let [gamma, beta] = [0, 1].map(|k| self.plan.places.gradients[norm.params[k]].expect("trainable"));
        let state = &mut self.norms[index];
        for c in 0..norm.channels {
            let sums = self.groups[..groups].iter().map(|g| g.kept.norm_sums[c]);
            let [s1, s2] = sums.fold([0.0, 0.0], |a, b| [a[0] + b[0], a[1] + b[1]]);
            let (n, r) = (state.count, state.inverse[c]);
            let a = f64::from(state.scale[c]);
            let b = -a * r * r * s2 / n;
            let d = -b * f64::from(state.mean[c]) - a * s1 / n;
            state.backward[c] = [a as f32, b as f32, d as f32];
            self.groups[0].kept.gradients[gamma + c] += (s2 * r) as f32;
            self.groups[0].kept.gradients[beta + c] += s1 as f32;
        }
    }
}

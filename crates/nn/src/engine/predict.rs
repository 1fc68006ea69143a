//! Predictions: images side by side, or one at a time.

use super::core::Engine;
use super::group::load;
use super::single::{self, Image};
use super::singly::{IMAGES, Singly};
use crate::steps::{Forward, Step};
use foveal_kernels::lanes::image::Pixels;

impl Engine {
    /// The outputs of `count` images as at inference, `[count][outputs]`, before any softmax that the loss
    /// would have taken over; `pixels(i)` gives image `i`.
    ///
    /// # Panics
    /// When an image does not fit the model.
    pub fn predict<'a>(&mut self, count: usize, pixels: impl Fn(usize) -> Pixels<'a> + Sync) -> Vec<f32> {
        let mut outputs = vec![0.0; count * self.plan.outputs()];
        self.predict_into(count, pixels, &mut outputs);
        outputs
    }

    /// [`Engine::predict`] into a slice.
    ///
    /// A few images (up to a quarter of a vector's lanes), or any number if the model's channels fill vectors well,
    /// go through the net one at a time with channels side by side; others with images side by side. The two ways
    /// differ in the last bits.
    ///
    /// # Panics
    /// When an image does not fit the model or `outputs` has not `count` rows.
    pub fn predict_into<'a>(
        &mut self,
        count: usize,
        pixels: impl Fn(usize) -> Pixels<'a> + Sync,
        outputs: &mut [f32],
    ) {
        let lanes = self.plan.images();
        let width = self.plan.outputs();
        assert_eq!(outputs.len(), count * width, "a row for each image");
        if single::one_at_a_time(count, self.options.isa, self.wide) {
            return self.predict_singly(pixels, outputs);
        }
        self.side_by_side();
        self.load_filters();
        self.moving_statistics();
        let chunk = self.groups.len() * lanes;
        for (b, out) in outputs.chunks_mut((chunk * width).max(1)).enumerate() {
            let count = out.len() / width;
            let groups = count.div_ceil(lanes);
            let Self { plan, options, team, workers, norms, values, .. } = self;
            team.for_each(workers, &mut self.groups[..groups], |worker, g, group| {
                let first = b * chunk + g * lanes;
                group.kept.count = lanes.min(count - g * lanes);
                let (mut scene, judged) = group.scene(plan, worker, values, norms, None);
                load(&mut scene, options, |l| pixels(first + l));
                Step::forward(&plan.steps, &mut scene, Forward::Inference);
                judged.rows(&scene, plan.output);
            });
            for (g, group) in self.groups[..groups].iter().enumerate() {
                let rows = &group.judged.outputs[..group.kept.count * width];
                out[g * lanes * width..][..rows.len()].copy_from_slice(rows);
            }
        }
    }

    /// Whether [`Engine::predict`] takes `count` images through the net one at a time.
    pub fn one_at_a_time(&self, count: usize) -> bool {
        single::one_at_a_time(count, self.options.isa, self.wide)
    }

    /// [`Engine::predict`] of each image alone, to the same bits: for images that have nothing to do with each
    /// other and whose outputs must not depend on how many there are.
    ///
    /// # Panics
    /// When an image does not fit the model.
    pub fn predict_each<'a>(
        &mut self,
        count: usize,
        pixels: impl Fn(usize) -> Pixels<'a> + Sync,
    ) -> Vec<f32> {
        let width = self.plan.outputs();
        let mut outputs = vec![0.0; count * width];
        if count >= IMAGES * self.team.threads() {
            self.predict_singly(pixels, &mut outputs);
        } else {
            // Too few to go round: the team shares each image's large layers.
            for (i, out) in outputs.chunks_exact_mut(width).enumerate() {
                self.predict_singly(|_| pixels(i), out);
            }
        }
        outputs
    }

    fn predict_singly<'a>(&mut self, pixels: impl Fn(usize) -> Pixels<'a> + Sync, outputs: &mut [f32]) {
        let Self { model, options, plan, values, team, single, .. } = self;
        let single = single.get_or_insert_with(|| Singly::new(model, options, team));
        let Singly { net, buffers, bounds } = single;
        let param = |p: usize| &values[plan.places.offsets[p]..][..model.params()[p].values.len()];
        if net.stale {
            net.load(param);
        }
        let image = |pixels| Image { pixels, scale: &options.scale, shift: &options.shift };
        let width = plan.outputs();
        if outputs.len() == width {
            return net.run(Some(team), &mut buffers[0], image(pixels(0)), param, outputs, |_| {});
        }
        bounds.clear();
        let images = IMAGES.min((outputs.len() / width).div_ceil(team.threads()));
        bounds.extend((0..outputs.len()).step_by(images * width));
        bounds.push(outputs.len());
        let net = &*net;
        team.for_each_part(buffers, bounds, [outputs], |buffers, part, [outputs]| {
            for (i, out) in outputs.chunks_exact_mut(width).enumerate() {
                net.run(None, buffers, image(pixels(part * images + i)), param, out, |_| {});
            }
        });
    }
}

use crate::examples::{is_large, predict};
use crate::{Error, Preprocess};
use foveal_nn::Model;
use foveal_nn::engine::{Engine, Pixels};

/// A model that is compiled once and asked often. Its answers have the bits of [`crate::predict()`].
pub struct Predictor {
    engine: Engine,
    each: bool,
}

impl Predictor {
    /// Compiles `model` for samples that `preprocess` prepares.
    ///
    /// # Errors
    /// When the model's output is not flat or the preprocessing is for another number of channels.
    pub fn new(model: &Model, preprocess: &Preprocess, threads: usize) -> Result<Self, Error> {
        let engine = Engine::new(model, preprocess.predicting(256, threads))?;
        let each = is_large(engine.plan().group_bytes());
        Ok(Self { engine, each })
    }

    /// The outputs of `count` samples, `[sample][output]`; `pixels(i)` gives the raw numbers of sample `i`.
    ///
    /// # Panics
    /// When a sample does not fit the model.
    pub fn predict<'a>(&mut self, count: usize, pixels: impl Fn(usize) -> Pixels<'a> + Sync) -> Vec<f32> {
        predict(&mut self.engine, self.each, count, pixels)
    }

    /// [`Predictor::predict`] of each sample alone: what is said of it does not depend on the others, to the last bit.
    ///
    /// # Panics
    /// When a sample does not fit the model.
    pub fn predict_each<'a>(
        &mut self,
        count: usize,
        pixels: impl Fn(usize) -> Pixels<'a> + Sync,
    ) -> Vec<f32> {
        self.engine.predict_each(count, pixels)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PictureFit;
    use foveal_data::{Dataset, Samples, Targets};
    use foveal_nn::builtin;

    #[test]
    fn many_questions_have_the_answers_of_one() {
        let model = Model::new(&builtin::spec("lab-11-1").unwrap(), 5).unwrap();
        let preprocess = Preprocess::unit(1, PictureFit::Digit);
        let pixels: Vec<u8> = (0..40 * 784).map(|i| (i * 31 % 251) as u8).collect();
        let targets = Targets::Values { values: vec![0.0; 40], names: vec!["none".into()] };
        let data = Dataset::new("digits", [28, 28, 1], Samples::U8(pixels.clone()), targets).unwrap();
        let mut predictor = Predictor::new(&model, &preprocess, 2).unwrap();
        let image = |i: usize| Pixels::U8(&pixels[i * 784..(i + 1) * 784]);
        let want = crate::predict(&model, &preprocess, &data, None, 1).unwrap();
        for _ in 0..2 {
            assert_eq!(predictor.predict(40, image), want);
        }
        let alone = predictor.predict_each(40, image);
        assert_eq!(predictor.predict_each(3, image), alone[..30]);
        assert_ne!(alone, vec![0.0; 400]);
    }
}

use crate::Error;
use crate::pool::Pool;
use foveal_nn::Model;
use foveal_nn::engine::{Engine, Pixels};
use foveal_nn::ndarray::{Array2, ArrayView4};

/// Samples whose maps take more memory than this side by side go one at a time.
const MOST: usize = 128 << 20;

/// A model that is compiled once and asked often, from any number of threads. It owns what it needs: the model, what
/// is done to raw numbers, the names of the classes.
///
/// A classifier answers with probabilities, a regression with values. A sample is a row of numbers in the order
/// height, width, channel: pixels (`u8`, 0 to 255) or `f32` on the same scale, as the model's training data were.
pub struct Predictor {
    pool: Pool,
    classes: Vec<String>,
    /// What is added to values; nothing where it is empty.
    origin: Vec<f64>,
    size: usize,
    outputs: usize,
    /// The outputs are logits of classes.
    softmax: bool,
    /// Rows of the embedding that the model begins with.
    vocabulary: Option<usize>,
    each: bool,
}

/// A class and how likely it is.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Answer<'a> {
    /// The class's name.
    pub class: &'a str,
    /// Its place among the outputs.
    pub index: usize,
    /// Its probability.
    pub probability: f32,
}

impl Predictor {
    pub(crate) fn over(pool: Pool, classes: Vec<String>, origin: Vec<f64>) -> Result<Self, Error> {
        let model = pool.model();
        let large = pool.with(|engine| engine.plan().group_bytes() > MOST)?;
        Ok(Self {
            size: model.input_shape().iter().product(),
            outputs: model.outputs(),
            softmax: !classes.is_empty() && !model.ends_in_softmax() && !model.ends_in_sigmoid(),
            vocabulary: model.vocabulary(),
            each: large,
            classes,
            origin,
            pool,
        })
    }

    /// The model.
    pub fn model(&self) -> &Model {
        self.pool.model()
    }

    /// The names of the classes; empty for a regression.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// Answers for one sample: probabilities of the classes, or values.
    ///
    /// # Errors
    /// [`Error::Sample`] when the sample has another number of numbers than the model takes, [`Error::Token`] when a
    /// model of texts is given what is no token, [`Error::Digits`] when answers are no 32-bit floats.
    ///
    /// ```
    /// let model = foveal_nn::Sequential::new([1, 2, 1]).flatten().dense(3).build(0)?;
    /// let predictor = foveal_infer::Predictor::builder(&model).pixels().build()?;
    /// let bytes = predictor.predict(&[0u8, 255][..])?;
    /// assert_eq!(bytes, predictor.predict(&[0.0f32, 255.0][..])?);   // the same raw numbers
    /// assert!(predictor.predict(&[0u8][..]).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn predict<'a>(&self, sample: impl Into<Pixels<'a>>) -> Result<Vec<f32>, Error> {
        let mut answer = vec![0.0; self.outputs];
        self.predict_into(sample, &mut answer)?;
        Ok(answer)
    }

    /// [`Predictor::predict`] into a slice of [`Model::outputs`] numbers: nothing is allocated.
    ///
    /// # Errors
    /// As [`Predictor::predict`]; [`Error::Outputs`] for a slice of another length.
    pub fn predict_into<'a>(&self, sample: impl Into<Pixels<'a>>, answer: &mut [f32]) -> Result<(), Error> {
        let sample = sample.into();
        if length(sample) != self.size {
            return Err(self.wrong(sample));
        }
        if answer.len() != self.outputs {
            return Err(Error::Outputs { wanted: self.outputs, found: answer.len() });
        }
        self.check_digits()?;
        self.ask(sample, answer)
    }

    /// Answers for one sample with all digits that they have: probabilities, or values of any magnitude.
    ///
    /// # Errors
    /// As [`Predictor::predict`], but for [`Error::Digits`].
    pub fn values<'a>(&self, sample: impl Into<Pixels<'a>>) -> Result<Vec<f64>, Error> {
        let sample = sample.into();
        if length(sample) != self.size {
            return Err(self.wrong(sample));
        }
        let mut answer = vec![0.0; self.outputs];
        self.ask(sample, &mut answer)?;
        let added = self.origin.iter().copied().chain(std::iter::repeat(0.0));
        Ok(answer.iter().zip(added).map(|(&v, origin)| f64::from(v) + origin).collect())
    }

    fn ask(&self, sample: Pixels<'_>, answer: &mut [f32]) -> Result<(), Error> {
        self.check_tokens(sample)?;
        self.pool.with(|engine| engine.predict_into(1, |_| sample, answer))?;
        self.finish(answer);
        Ok(())
    }

    /// The likeliest class of a sample; of equals the first.
    ///
    /// # Errors
    /// As [`Predictor::predict`]; [`Error::NoClasses`] for a model without classes.
    ///
    /// ```
    /// let model = foveal_nn::Sequential::new([1, 1, 2]).flatten().build(0)?;
    /// let predictor = foveal_infer::Predictor::builder(&model).classes(["left", "right"]).build()?;
    /// let answer = predictor.classify(&[0.5f32, 2.5][..])?;
    /// assert_eq!((answer.class, answer.index), ("right", 1));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn classify<'a>(&self, sample: impl Into<Pixels<'a>>) -> Result<Answer<'_>, Error> {
        if self.classes.is_empty() {
            return Err(Error::NoClasses);
        }
        let all = self.predict(sample)?;
        let index = (1..all.len()).fold(0, |best, i| if all[i] > all[best] { i } else { best });
        Ok(Answer { class: &self.classes[index], index, probability: all[index] })
    }

    /// Answers for any number of samples that stand one after the other, a row for each.
    ///
    /// # Errors
    /// [`Error::Sample`] when the numbers are not whole samples, the others as [`Predictor::predict`].
    ///
    /// ```
    /// use foveal_infer::Predictor;
    ///
    /// let model = foveal_nn::Sequential::new([1, 2, 1]).flatten().dense(3).build(0)?;
    /// let predictor = Predictor::builder(&model).build()?;
    /// let three: Vec<f32> = vec![0.0, 0.1, 0.2, 0.3, 0.4, 0.5];
    /// assert_eq!(predictor.predict_batch(&three)?.dim(), (3, 3));
    /// assert!(predictor.predict_batch(&three[..3]).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn predict_batch<'a>(&self, samples: impl Into<Pixels<'a>>) -> Result<Array2<f32>, Error> {
        let samples = samples.into();
        let all = length(samples);
        if !all.is_multiple_of(self.size) {
            return Err(self.wrong(samples));
        }
        self.check_digits()?;
        self.check_tokens(samples)?;
        let count = all / self.size;
        let part = |i: usize| i * self.size..(i + 1) * self.size;
        let mut rows = self.outputs(count, |i| match samples {
            Pixels::U8(all) => Pixels::U8(&all[part(i)]),
            Pixels::F32(all) => Pixels::F32(&all[part(i)]),
        });
        rows.chunks_exact_mut(self.outputs).for_each(|row| self.finish(row));
        Ok(Array2::from_shape_vec((count, self.outputs), rows).expect("a row for each sample"))
    }

    /// Answers for an array of samples, `[n, height, width, channels]`, a row for each.
    ///
    /// # Errors
    /// [`Error::Model`] when the array has another shape than the model takes, [`Error::Token`] as
    /// [`Predictor::predict`].
    pub fn predict_array(&self, samples: ArrayView4<f32>) -> Result<Array2<f32>, Error> {
        let wanted = self.model().input_shape();
        if samples.shape()[1..] != wanted {
            return Err(foveal_nn::Error::Inputs { wanted, found: samples.shape().to_vec() }.into());
        }
        let rows = samples.as_standard_layout();
        self.predict_batch(rows.as_slice().unwrap_or_default())
    }

    /// The outputs of `count` samples as they come from the last layer, `[sample][output]`; `pixels(i)` gives sample
    /// `i`, whose numbers are not checked here.
    ///
    /// # Panics
    /// When a sample does not fit the model.
    pub fn outputs<'a>(&self, count: usize, pixels: impl Fn(usize) -> Pixels<'a> + Sync) -> Vec<f32> {
        let each = self.each;
        let ask = |engine: &mut Engine| match each {
            true => engine.predict_each(count, pixels),
            false => engine.predict(count, pixels),
        };
        self.pool.with(ask).expect("an engine of this model has been made before")
    }

    /// [`Predictor::outputs`] of each sample alone: what is said of it does not depend on the others, to the last bit.
    ///
    /// # Panics
    /// When a sample does not fit the model.
    pub fn outputs_each<'a>(&self, count: usize, pixels: impl Fn(usize) -> Pixels<'a> + Sync) -> Vec<f32> {
        let asked = self.pool.with(|engine| engine.predict_each(count, pixels));
        asked.expect("an engine of this model has been made before")
    }

    fn finish(&self, row: &mut [f32]) {
        if self.softmax {
            softmax(row);
        }
    }

    fn wrong(&self, samples: Pixels<'_>) -> Error {
        Error::Sample { wanted: self.model().input_shape(), found: length(samples) }
    }

    fn check_digits(&self) -> Result<(), Error> {
        if self.origin.is_empty() { Ok(()) } else { Err(Error::Digits) }
    }

    /// An engine would take the nearest row of the table.
    fn check_tokens(&self, samples: Pixels<'_>) -> Result<(), Error> {
        let Some(rows) = self.vocabulary else { return Ok(()) };
        let token = |v: f32| v >= 0.0 && v.fract() == 0.0 && (v as usize) < rows;
        let bad = match samples {
            Pixels::U8(all) => all.iter().map(|&v| f32::from(v)).find(|&v| !token(v)),
            Pixels::F32(all) => all.iter().copied().find(|&v| !token(v)),
        };
        bad.map_or(Ok(()), |value| Err(Error::Token { value, last: rows.saturating_sub(1) }))
    }
}

impl Clone for Predictor {
    /// A predictor of its own, with engines of its own.
    fn clone(&self) -> Self {
        let pool = Pool::new(self.model(), self.pool.options().clone());
        let pool = pool.expect("an engine of this model has been made before");
        Self { pool, classes: self.classes.clone(), origin: self.origin.clone(), ..*self }
    }
}

impl std::fmt::Debug for Predictor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut told = f.debug_struct("Predictor");
        told.field("input", &self.model().input_shape()).field("outputs", &self.outputs);
        told.field("classes", &self.classes).finish_non_exhaustive()
    }
}

fn length(samples: Pixels<'_>) -> usize {
    match samples {
        Pixels::U8(all) => all.len(),
        Pixels::F32(all) => all.len(),
    }
}

fn softmax(row: &mut [f32]) {
    let top = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    row.iter_mut().for_each(|v| *v = (*v - top).exp());
    let total: f32 = row.iter().sum();
    row.iter_mut().for_each(|v| *v /= total);
}

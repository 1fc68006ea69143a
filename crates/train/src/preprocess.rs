use crate::Error as TrainError;
use crate::examples::indices_fit;
use foveal_data::picture::Fit;
use foveal_data::text::Vocabulary;
use foveal_data::{Dataset, Error, Picture, Scale, Window};
use foveal_nn::Isa;
use foveal_nn::engine::Options;
use foveal_nn::optim::Optimizer;
use serde::{Deserialize, Serialize};

/// How a picture of another size is fitted to the input of a model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PictureFit {
    /// The way MNIST was made: grey, bright ink on black, centred by mass.
    Digit,
    /// Resized to height and width, whatever its aspect ratio.
    #[default]
    Resize,
    /// Resized until it fits, with black on both sides.
    Pad,
    /// Resized until it fills the input, what is too much on both sides cut off.
    Crop,
}

/// What is done to raw samples before the first layer; part of every saved model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Preprocess {
    /// For each channel, what a raw value (0 to 255 for pictures, unless `pixels` says otherwise) is multiplied by.
    pub scale: Vec<f32>,
    /// For each channel, what is then added.
    pub shift: Vec<f32>,
    /// How a picture of another size is fitted.
    pub fit: PictureFit,
    /// What black and white are among raw values; pictures are put on this scale.
    #[serde(default, skip_serializing_if = "is_bytes")]
    pub pixels: Scale,
    /// For CT: centre and width of the window by which Hounsfield units become raw values, 0 to 255.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<[f32; 2]>,
    /// For texts: the vocabulary by which tokens become numbers, which are not scaled. `None` for pictures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<Vocabulary>,
    /// For a regression of values that differ little beside their size (times of day since 1970, say): what is added to
    /// each output, in `f64`, since the model's own numbers have some seven digits. Empty for all others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub origin: Vec<f64>,
    /// What was told about the training data when they were read, line by line in English and in Korean.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub told: Vec<[String; 2]>,
}

fn is_bytes(scale: &Scale) -> bool {
    *scale == Scale::Bytes
}

impl Preprocess {
    /// For pictures: scales pixels from 0..=255 to 0..=1.
    pub fn unit(channels: usize, fit: PictureFit) -> Self {
        Self {
            scale: vec![1.0 / 255.0; channels],
            shift: vec![0.0; channels],
            fit,
            pixels: Scale::Bytes,
            window: None,
            text: None,
            origin: Vec::new(),
            told: Vec::new(),
        }
    }

    /// The values that a model's outputs for one or more samples stand for, `[sample][value]`.
    ///
    /// ```
    /// use foveal_train::{PictureFit, Preprocess};
    ///
    /// let preprocess = Preprocess { origin: vec![1e9], ..Preprocess::unit(1, PictureFit::Resize) };
    /// assert_eq!(preprocess.values(&[3.0, 4.5]), [1e9 + 3.0, 1e9 + 4.5]);
    /// ```
    pub fn values(&self, outputs: &[f32]) -> Vec<f64> {
        let origin = |i: usize| if self.origin.is_empty() { 0.0 } else { self.origin[i % self.origin.len()] };
        outputs.iter().enumerate().map(|(i, &v)| f64::from(v) + origin(i)).collect()
    }

    /// For numbers that go in as they are.
    pub fn numbers(channels: usize) -> Self {
        Self { scale: vec![1.0; channels], ..Self::unit(channels, PictureFit::Resize) }
    }

    /// For texts.
    pub fn text(vocabulary: Vocabulary) -> Self {
        Self { text: Some(vocabulary), ..Self::numbers(1) }
    }

    /// Raw values on `pixels` become 0 (black) to 1 (white); those on [`Scale::Other`] go in as they are.
    pub fn on(pixels: Scale, channels: usize, fit: PictureFit) -> Self {
        let [scale, shift] = pixels.to_unit().unwrap_or([1.0, 0.0]);
        Self {
            scale: vec![scale; channels],
            shift: vec![shift; channels],
            pixels,
            ..Self::unit(channels, fit)
        }
    }

    /// The same, but with each channel at a mean of 0 and a deviation of 1 over the samples at `indices`: where pictures
    /// have little contrast or numbers an unusual range, a net learns nothing otherwise.
    ///
    /// # Errors
    /// When a stored sample cannot be read any more.
    ///
    /// ```
    /// use foveal_data::{Dataset, Samples, Targets};
    /// use foveal_train::{PictureFit, Preprocess};
    ///
    /// let targets = Targets::Values { values: vec![0.0, 1.0], names: vec!["x".into()] };
    /// let data = Dataset::new("dim", [1, 1, 1], Samples::U8(vec![120, 130]), targets)?;
    /// let preprocess = Preprocess::unit(1, PictureFit::Resize).standardized(&data, &[0, 1])?;
    /// assert_eq!(preprocess.apply(&[120.0, 125.0, 130.0]), [-1.0, 0.0, 1.0]);
    /// # Ok::<(), foveal_train::Error>(())
    /// ```
    pub fn standardized(self, data: &Dataset, indices: &[u32]) -> Result<Self, TrainError> {
        Ok(self.with_moments(&Moments::of(data, indices)?))
    }

    /// The same, by moments that are known.
    pub fn with_moments(mut self, moments: &Moments) -> Self {
        let whole = moments.overall();
        self.scale.resize(moments.mean.len(), 1.0);
        self.shift.resize(moments.mean.len(), 0.0);
        for (c, (&mean, &deviation)) in moments.mean.iter().zip(&moments.deviation).enumerate() {
            // A channel that is the same everywhere says nothing, whatever its scale.
            let deviation = [deviation, whole].into_iter().find(|d| *d > 0.0).unwrap_or(1.0);
            self.scale[c] = (1.0 / deviation) as f32;
            self.shift[c] = (-mean / deviation) as f32;
        }
        self
    }

    /// For CT: the window by which Hounsfield units become raw values.
    pub fn window(&self) -> Option<Window> {
        self.window.and_then(|[centre, width]| Window::new(centre, width).ok())
    }

    /// A picture as the raw samples of a model with inputs of `shape` (height, width, channels): the one way that
    /// training, evaluation, prediction, the server and the page go, see [`raw`](foveal_data::picture::raw).
    ///
    /// # Errors
    /// When the picture cannot have that many channels, and when the model's numbers are no pixels.
    pub fn picture(&self, picture: &Picture, shape: [usize; 3]) -> Result<Vec<f32>, Error> {
        let fit = match self.fit {
            PictureFit::Digit if shape[0] == shape[1] && shape[2] == 1 => {
                let digit = foveal_data::picture::fit_digit(picture, shape[0]);
                let digit = Picture::new(shape[0], shape[1], 1, digit)?;
                return foveal_data::picture::raw(&digit, shape, Fit::Stretch, self.pixels);
            }
            PictureFit::Digit | PictureFit::Resize => Fit::Stretch,
            PictureFit::Pad => Fit::Pad,
            PictureFit::Crop => Fit::Crop,
        };
        foveal_data::picture::raw(picture, shape, fit, self.pixels)
    }

    /// Raw samples as the first layer sees them.
    pub fn apply(&self, raw: &[f32]) -> Vec<f32> {
        let of = |all: &[f32], i: usize, or: f32| all.get(i % all.len().max(1)).copied().unwrap_or(or);
        let each = |(i, v): (usize, &f32)| v * of(&self.scale, i, 1.0) + of(&self.shift, i, 0.0);
        raw.iter().enumerate().map(each).collect()
    }

    /// Sample `i` of a data set as the first layer sees it, row-major.
    pub fn sample(&self, data: &Dataset, i: usize) -> Vec<f32> {
        self.apply(&data.sample(i).numbers())
    }

    /// Options of an engine that predicts, on the best instruction set.
    pub(crate) fn predicting(&self, batch_size: usize, threads: usize) -> Options {
        self.options(Options {
            batch_size,
            threads,
            loss: None,
            optimizer: Optimizer::default(),
            seed: 0,
            scale: Vec::new(),
            shift: Vec::new(),
            isa: Isa::best(),
        })
    }

    pub(crate) fn options(&self, options: Options) -> Options {
        Options { scale: self.scale.clone(), shift: self.shift.clone(), ..options }
    }
}

/// Mean and standard deviation of each channel's raw values; values that are not finite do not count.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Moments {
    /// The means.
    pub mean: Vec<f64>,
    /// The deviations, of the population.
    pub deviation: Vec<f64>,
}

impl Moments {
    /// Over the samples at `indices`, whatever their number.
    ///
    /// # Errors
    /// When an index is not below the number of samples, and when a stored sample cannot be read any more.
    pub fn of(data: &Dataset, indices: &[u32]) -> Result<Self, TrainError> {
        indices_fit(data, indices)?;
        let channels = data.shape()[2];
        let mut counts = vec![0u64; channels];
        let mut mean = vec![0.0; channels];
        let mut squares = vec![0.0; channels];
        // The first value of a channel is taken off, so that squares of large numbers do not swallow their differences.
        let mut first = vec![None; channels];
        for &i in indices {
            let numbers = data.sample(i as usize).numbers();
            for (at, &v) in numbers.iter().enumerate().filter(|(_, v)| v.is_finite()) {
                let c = at % channels;
                let v = f64::from(v) - *first[c].get_or_insert(f64::from(v));
                counts[c] += 1;
                mean[c] += v;
                squares[c] += v * v;
            }
        }
        if let Some(fault) = data.fault() {
            return Err(fault.into());
        }
        let mut deviation = vec![0.0; channels];
        for c in 0..channels {
            let n = counts[c].max(1) as f64;
            mean[c] /= n;
            deviation[c] = (squares[c] / n - mean[c] * mean[c]).max(0.0).sqrt();
            mean[c] += first[c].unwrap_or(0.0);
        }
        Ok(Self { mean, deviation })
    }

    /// The deviation within the channels, taken together.
    pub fn overall(&self) -> f64 {
        let n = self.deviation.len().max(1) as f64;
        (self.deviation.iter().map(|d| d * d).sum::<f64>() / n).sqrt()
    }
}

use foveal_data::text::Vocabulary;
use foveal_data::{Dataset, Error, Picture, Window};
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
    /// Resized.
    #[default]
    Resize,
}

/// What is done to raw samples before the first layer; part of every saved model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Preprocess {
    /// For each channel, what a raw value (0 to 255 for pictures) is multiplied by.
    pub scale: Vec<f32>,
    /// For each channel, what is then added.
    pub shift: Vec<f32>,
    /// How a picture of another size is fitted.
    pub fit: PictureFit,
    /// For CT: centre and width of the window by which Hounsfield units become raw values, 0 to 255.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<[f32; 2]>,
    /// For texts: the vocabulary by which tokens become numbers, which are not scaled. `None` for pictures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<Vocabulary>,
}

impl Preprocess {
    /// For pictures: scales pixels from 0..=255 to 0..=1.
    pub fn unit(channels: usize, fit: PictureFit) -> Self {
        Self { scale: vec![1.0 / 255.0; channels], shift: vec![0.0; channels], fit, window: None, text: None }
    }

    /// For numbers that go in as they are.
    pub fn numbers(channels: usize) -> Self {
        Self { scale: vec![1.0; channels], ..Self::unit(channels, PictureFit::Resize) }
    }

    /// For texts.
    pub fn text(vocabulary: Vocabulary) -> Self {
        Self {
            scale: vec![1.0],
            shift: vec![0.0],
            fit: PictureFit::Resize,
            window: None,
            text: Some(vocabulary),
        }
    }

    /// For CT: the window by which Hounsfield units become raw values.
    pub fn window(&self) -> Option<Window> {
        self.window.and_then(|[centre, width]| Window::new(centre, width).ok())
    }

    /// A picture as the raw samples of a model with inputs of `shape` (height, width, channels).
    ///
    /// # Errors
    /// When the picture cannot have that many channels.
    pub fn picture(&self, picture: &Picture, shape: [usize; 3]) -> Result<Vec<f32>, Error> {
        match self.fit {
            PictureFit::Digit if shape[0] == shape[1] && shape[2] == 1 => {
                Ok(foveal_data::picture::fit_digit(picture, shape[0]))
            }
            _ => foveal_data::picture::fit(picture, shape),
        }
    }

    /// Raw samples as the first layer sees them.
    pub fn apply(&self, raw: &[f32]) -> Vec<f32> {
        let channels = self.scale.len();
        raw.iter().enumerate().map(|(i, v)| v * self.scale[i % channels] + self.shift[i % channels]).collect()
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

use foveal_data::text::Vocabulary;
use foveal_data::{Dataset, Error, Picture, Window};
use foveal_nn::engine::Options;
use serde::{Deserialize, Serialize};

/// How a picture of another size becomes an input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fit {
    /// As MNIST was made: grey, bright on dark, centred by mass.
    Digit,
    /// Resized.
    #[default]
    Resize,
}

/// What happens to raw samples before the first layer; part of every saved model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Preprocess {
    /// For each channel, what a raw value (0 to 255 for pictures) is multiplied by.
    pub scale: Vec<f32>,
    /// For each channel, what is then added.
    pub shift: Vec<f32>,
    /// How a picture of another size is fitted.
    pub fit: Fit,
    /// Of CT: centre and width of the window through which Hounsfield units became raw values, 0 to 255.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<[f32; 2]>,
    /// What text is made of: the numbers that go in are those of its tokens, as they are. None for pictures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<Vocabulary>,
}

impl Preprocess {
    /// Pixels from 0..=255 to 0..=1.
    pub fn unit(channels: usize, fit: Fit) -> Self {
        Self { scale: vec![1.0 / 255.0; channels], shift: vec![0.0; channels], fit, window: None, text: None }
    }

    /// Texts by a vocabulary.
    pub fn text(vocabulary: Vocabulary) -> Self {
        Self { scale: vec![1.0], shift: vec![0.0], fit: Fit::Resize, window: None, text: Some(vocabulary) }
    }

    /// Of CT: the window through which Hounsfield units become raw values.
    pub fn window(&self) -> Option<Window> {
        self.window.and_then(|[centre, width]| Window::new(centre, width).ok())
    }

    /// A picture as the raw samples of a model with inputs of `shape` (height, width, channels).
    ///
    /// # Errors
    /// When the picture cannot have that many channels.
    pub fn picture(&self, picture: &Picture, shape: [usize; 3]) -> Result<Vec<f32>, Error> {
        match self.fit {
            Fit::Digit if shape[0] == shape[1] && shape[2] == 1 => {
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

    pub(crate) fn options(&self, options: Options) -> Options {
        Options { scale: self.scale.clone(), shift: self.shift.clone(), ..options }
    }
}

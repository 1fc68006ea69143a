//! The network view: a model, a picture, and every number between the picture and the answer.

mod cell;
mod describe;

pub use cell::{After, Made, PointCell, PointSource, SumText, WindowCell, made};
pub use describe::{Description, Layer, LayerWindow, Parameter, describe};

use foveal::data::{Picture, picture};
use foveal::train::{SavedModel, probabilities};
use foveal::view::inside::grad_cam;
use ndarray::{Array3, Array4, Axis};
use serde::{Deserialize, Serialize};
use tsify::{Ts, Tsify};
use wasm_bindgen::prelude::{JsError, wasm_bindgen};

/// The largest networks that the page takes.
pub mod limits {
    /// Numbers in all layers' outputs for one picture.
    pub const NUMBERS: u64 = 8 << 20;
    /// Operations for one picture.
    pub const OPERATIONS: u64 = 4_000_000_000;
    /// Bytes of a file, model or picture.
    pub const BYTES: usize = 256 << 20;
}

/// Why a file is not opened as a model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Tsify)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum Unopened {
    /// It is not a `.safetensors` file.
    Foreign,
    /// It is a `.safetensors` file, but not a whole model of foveal.
    Broken {
        /// What the library says.
        text: String,
    },
    /// It reads texts, and the page shows pictures.
    Text,
    /// The network is too large for the page.
    Large {
        /// Numbers in all layers' outputs.
        numbers: u64,
        /// Operations for one picture.
        operations: u64,
    },
}

/// Whether a model is open.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Tsify)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Opened {
    /// A model was opened.
    Opened {
        /// Its description.
        description: Description,
    },
    /// The file was refused; the model that was open before stays open.
    Refused {
        /// Why.
        refusal: Unopened,
    },
}

/// What a model says to a picture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Tsify)]
pub struct Verdict {
    /// The probability of each class; of a regression, its values.
    pub likely: Vec<f64>,
    /// The likeliest class.
    pub best: usize,
    /// Of a model that gives several labels, those that the picture has.
    pub labels: Vec<usize>,
}

/// Whether a picture was seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Tsify)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Looked {
    /// The model has seen it.
    Seen {
        /// What the model says to it.
        answer: Verdict,
    },
    /// It cannot be used.
    Refused {
        /// What the library says.
        text: String,
    },
}

/// Where the model saw a class.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Tsify)]
pub struct Cam {
    /// The class.
    pub class: usize,
    /// The value whose maps were weighed: 0 is the input, `i + 1` layer `i`.
    pub value: usize,
    /// The heat in the input's height and width, row by row, from 0 up.
    pub heat: Vec<f32>,
    /// The largest heat.
    pub most: f32,
}

/// A value for JavaScript, or an exception there.
type Thrown<T> = Result<T, JsError>;

/// A picture that the model has seen, and the output of every layer.
struct Seen {
    raw: Vec<f32>,
    input: Array3<f32>,
    values: Vec<Array4<f32>>,
}

/// A model that is open, and the picture that it looks at.
#[wasm_bindgen]
#[derive(Default)]
pub struct Network {
    saved: Option<SavedModel>,
    seen: Option<Seen>,
}

/// The library's side, tested on the host.
impl Network {
    /// Opens a model file; a file that is refused leaves everything as it was.
    pub fn open_bytes(&mut self, bytes: &[u8], name: &str) -> Result<Description, Unopened> {
        if !looks_like_safetensors(bytes) || bytes.len() > limits::BYTES {
            return Err(Unopened::Foreign);
        }
        let broken = |e: foveal::train::Error| Unopened::Broken { text: e.to_string() };
        let saved = SavedModel::from_bytes(bytes, name).map_err(broken)?;
        if saved.preprocess.text.is_some() {
            return Err(Unopened::Text);
        }
        let cells = |shape: [usize; 3]| shape.iter().fold(1u64, |n, &v| n.saturating_mul(v as u64));
        let nodes = saved.model.nodes();
        let numbers =
            nodes.iter().fold(cells(saved.model.input_shape()), |n, l| n.saturating_add(cells(l.shape)));
        let operations = nodes.iter().fold(0u64, |n, l| n.saturating_add(l.flops));
        if numbers > limits::NUMBERS || operations > limits::OPERATIONS {
            return Err(Unopened::Large { numbers, operations });
        }
        let description = describe(&saved);
        (self.saved, self.seen) = (Some(saved), None);
        Ok(description)
    }

    /// Looks at a picture as `foveal predict` does.
    pub fn look(&mut self, picture: &Picture) -> Result<Verdict, String> {
        let saved = self.saved.as_ref().ok_or("no model is open")?;
        let [h, w, c] = saved.model.input_shape();
        let raw = saved.preprocess.picture(picture, [h, w, c]).map_err(|e| e.to_string())?;
        let input =
            Array3::from_shape_vec((h, w, c), saved.preprocess.apply(&raw)).map_err(|e| e.to_string())?;
        let values = saved.model.activations(input.view().insert_axis(Axis(0))).map_err(|e| e.to_string())?;
        let outputs: Vec<f32> = values.last().map(|v| v.iter().copied().collect()).unwrap_or_default();
        let (likely, labels) = match saved.classes.is_empty() {
            true => (saved.preprocess.values(&outputs), Vec::new()),
            false => {
                let likely = probabilities(&saved.model, &outputs);
                let labels = if saved.is_multi_label() { saved.labels_of(&likely) } else { Vec::new() };
                (likely.into_iter().map(f64::from).collect(), labels)
            }
        };
        let best = (1..likely.len()).fold(0, |best, i| if likely[i] > likely[best] { i } else { best });
        self.seen = Some(Seen { raw, input, values });
        Ok(Verdict { likely, best, labels })
    }

    /// Everything about cell `at` of value `v`, if there is such a cell and a picture was seen.
    pub fn made(&self, v: usize, at: [usize; 3]) -> Result<Made, String> {
        let (Some(saved), Some(seen)) = (&self.saved, &self.seen) else {
            return Err("no picture was seen".into());
        };
        made(saved, &seen.raw, &seen.input, &seen.values, v, at).map_err(|e| e.to_string())
    }

    /// Where the model saw `class`, or the likeliest one, in the maps of value `v`, or its last ones.
    pub fn cam(&self, class: Option<usize>, v: Option<usize>) -> Result<Cam, String> {
        let (Some(saved), Some(seen)) = (&self.saved, &self.seen) else {
            return Err("no picture was seen".into());
        };
        let model = &saved.model;
        let layer = v.filter(|&v| v <= model.nodes().len()).map(|v| model.value_name(v));
        let cam = grad_cam(model, seen.input.view(), class, layer).map_err(|e| e.to_string())?;
        let most = cam.heat.iter().copied().fold(0.0, f32::max);
        let value = model.value_named(&cam.layer).unwrap_or(0);
        Ok(Cam { class: cam.class, value, heat: cam.heat.iter().copied().collect(), most })
    }

    /// The output of value `v` for the picture, by row, column, channel.
    pub fn numbers(&self, v: usize) -> Option<Vec<f32>> {
        Some(self.seen.as_ref()?.values.get(v)?.iter().copied().collect())
    }
}

/// The first eight bytes are the length of a JSON object that follows.
fn looks_like_safetensors(bytes: &[u8]) -> bool {
    let Some((length, rest)) = bytes.split_first_chunk::<8>() else { return false };
    u64::from_le_bytes(*length) < 100_000_000 && rest.first() == Some(&b'{')
}

/// Pixels as bytes, with 1 (grey), 3 or 4 (the last is opacity, over white) numbers each.
fn pixels(bytes: &[u8], height: usize, width: usize, channels: usize) -> Result<Picture, String> {
    let exact = |c: usize| height.checked_mul(width).and_then(|n| n.checked_mul(c)) == Some(bytes.len());
    if !exact(channels) || !matches!(channels, 1 | 3 | 4) {
        return Err(format!("{} bytes are not a picture of {height}x{width}x{channels}", bytes.len()));
    }
    let kept = channels.min(3);
    let numbers = bytes.chunks_exact(channels).flat_map(|pixel| {
        let opacity = if channels == 4 { f32::from(pixel[3]) / 255.0 } else { 1.0 };
        pixel[..kept]
            .iter()
            .map(move |&v| (f32::from(v) * opacity + 255.0 * (1.0 - opacity)).clamp(0.0, 255.0))
    });
    Picture::new(height, width, kept, numbers.collect()).map_err(|e| e.to_string())
}

fn looked(answer: Result<Verdict, String>) -> Thrown<Ts<Looked>> {
    Ok(match answer {
        Ok(answer) => Looked::Seen { answer },
        Err(text) => Looked::Refused { text },
    }
    .into_ts()?)
}

#[wasm_bindgen]
impl Network {
    /// Nothing is open yet.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Self {
        Self::default()
    }

    /// Opens a model file, in place of the one that was open.
    pub fn open(&mut self, bytes: &[u8], name: &str) -> Thrown<Ts<Opened>> {
        Ok(match self.open_bytes(bytes, name) {
            Ok(description) => Opened::Opened { description },
            Err(refusal) => Opened::Refused { refusal },
        }
        .into_ts()?)
    }

    /// Looks at pixels: bytes by row, column and channel; 1 channel is grey, 3 are colours, 4 have opacity.
    #[wasm_bindgen(js_name = lookAt)]
    pub fn look_at(
        &mut self,
        bytes: &[u8],
        height: usize,
        width: usize,
        channels: usize,
    ) -> Thrown<Ts<Looked>> {
        looked(pixels(bytes, height, width, channels).and_then(|p| self.look(&p)))
    }

    /// Looks at a picture file.
    #[wasm_bindgen(js_name = lookInto)]
    pub fn look_into(&mut self, bytes: &[u8], name: &str) -> Thrown<Ts<Looked>> {
        looked(picture::decode(bytes, name).map_err(|e| e.to_string()).and_then(|p| self.look(&p)))
    }

    /// The picture as raw samples of the model's input, 0 to 255, by row, column, channel; empty before it looked.
    pub fn raw(&self) -> Vec<f32> {
        self.seen.as_ref().map(|s| s.raw.clone()).unwrap_or_default()
    }

    /// The output of value `v` (0 is the input, `i + 1` layer `i`) by row, column, channel; empty where there is none.
    pub fn value(&self, v: usize) -> Vec<f32> {
        self.numbers(v).unwrap_or_default()
    }

    /// The numbers of parameter `index`; empty where there is none.
    pub fn parameter(&self, index: usize) -> Vec<f32> {
        let found = self.saved.as_ref().and_then(|s| s.model.params().get(index));
        found.map(|p| p.values.clone()).unwrap_or_default()
    }

    /// The arithmetic of a cell of value `v`; nothing where there is no such cell.
    pub fn cell(&self, v: usize, row: usize, column: usize, channel: usize) -> Thrown<Option<Ts<Made>>> {
        Ok(self.made(v, [row, column, channel]).ok().map(|m| m.into_ts()).transpose()?)
    }

    /// Grad-CAM of a class (the likeliest without) in the maps of a value (the last maps without); nothing where
    /// there are no maps.
    #[wasm_bindgen(js_name = gradCam)]
    pub fn grad_cam(&self, class: Option<usize>, v: Option<usize>) -> Thrown<Option<Ts<Cam>>> {
        Ok(self.cam(class, v).ok().map(|c| c.into_ts()).transpose()?)
    }
}

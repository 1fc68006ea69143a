//! `POST /predict`: one picture, slice, text or array in, the model's prediction out.

use crate::body;
use crate::failure::Failure;
use crate::large;
use crate::model::{ModelInput, ServedModel};
use crate::options::Limits;
use crate::protocol::finite;
use crate::slice;
use axum::http::StatusCode;
use foveal::data::{npy, picture};
use serde::Serialize;

/// The longest text, in bytes; its tokens take some fifty times as much memory.
const LONGEST_TEXT: usize = 1 << 20;

/// Reads one sample: a picture, a DICOM slice or a text, whichever the model was trained on, or a `.npy` array.
pub fn read(body: &[u8], model: &ServedModel, limits: &Limits) -> Result<ModelInput, Failure> {
    let saved = model.saved();
    if body.is_empty() {
        return Err(Failure::bad(format!("there is no body; send {}", model.takes())));
    }
    let shape = saved.model.input_shape();
    let pixels = if body.starts_with(b"\x93NUMPY") {
        array(body, shape)?
    } else if saved.model.vocabulary().is_some() {
        text(body, model)?
    } else if let Some(slice) = slice::read(body, model, limits) {
        slice?
    } else {
        picture(body, model, limits)?
    };
    if let Some(bad) = pixels.iter().find(|v| !v.is_finite()) {
        return Err(Failure::bad(format!("the array holds {bad}, which is not a finite number")));
    }
    model.check(&pixels)?;
    Ok(ModelInput { images: 1, pixels })
}

fn picture(body: &[u8], model: &ServedModel, limits: &Limits) -> Result<Vec<f32>, Failure> {
    let saved = model.saved();
    if saved.preprocess.window.is_some() {
        return Err(model.unwanted("not a DICOM slice"));
    }
    // What cannot be measured is treated as large; decoding it says what is wrong with it.
    let pixels = picture::size(body, body::NAME).map_or(usize::MAX, |[h, w]| h.saturating_mul(w));
    let _turn = large::turn(pixels);
    let picture = picture::decode_within(body, body::NAME, limits.pixels).map_err(Failure::unreadable)?;
    saved.preprocess.picture(&picture, saved.model.input_shape()).map_err(Failure::unreadable)
}

fn text(body: &[u8], model: &ServedModel) -> Result<Vec<f32>, Failure> {
    let saved = model.saved();
    let Some(vocabulary) = &saved.preprocess.text else {
        return Err(Failure::bad("the model has no vocabulary; send a .npy array of the numbers of tokens"));
    };
    if body.len() > LONGEST_TEXT {
        let message = format!("the text is longer than {LONGEST_TEXT} bytes; send less");
        return Err(Failure::new(StatusCode::PAYLOAD_TOO_LARGE, message));
    }
    let Ok(text) = std::str::from_utf8(body) else { return Err(model.unwanted("not text in UTF-8")) };
    if text.trim().is_empty() {
        return Err(Failure::bad("the text is empty; send one with words"));
    }
    let [h, w, _] = saved.model.input_shape();
    Ok(vocabulary.encode(text.trim(), h * w).0)
}

fn array(body: &[u8], shape: [usize; 3]) -> Result<Vec<f32>, Failure> {
    let array = npy::read_npy(body, body::NAME).map_err(Failure::unreadable)?;
    let [h, w, c] = shape;
    let fits = match *array.shape() {
        [ah, aw] => [ah, aw, 1] == shape,
        [ah, aw, ac] => [ah, aw, ac] == shape,
        [1, ah, aw, ac] => [ah, aw, ac] == shape,
        _ => false,
    };
    if !fits {
        let got = array.shape();
        return Err(Failure::bad(format!(
            "the array has shape {got:?}, the model takes one of [{h}, {w}, {c}]"
        )));
    }
    Ok(array.iter().copied().collect())
}

#[derive(Serialize)]
#[serde(untagged)]
enum Answer<'a> {
    Class { model: &'a str, class: &'a str, index: usize, probabilities: &'a [f32] },
    Labels { model: &'a str, labels: Vec<&'a str>, indices: Vec<usize>, probabilities: &'a [f32] },
    Values { model: &'a str, values: &'a [f32] },
    Large { model: &'a str, values: Vec<f64> },
}

/// The answer, as JSON: the class, or the labels, and all probabilities, or the values of a regression.
pub fn write(model: &ServedModel, data: &[f32]) -> Result<Vec<u8>, Failure> {
    finite(data)?;
    let (classes, name) = (&model.saved().classes, model.name());
    if model.saved().is_multi_label() {
        let indices = model.saved().labels_of(data);
        let labels = indices.iter().map(|&c| classes[c].as_str()).collect();
        let answer = Answer::Labels { model: name, labels, indices, probabilities: data };
        return serde_json::to_vec(&answer).map_err(|_| Failure::internal());
    }
    // Among equals the first wins, as in `foveal predict`.
    let index = (1..data.len()).fold(0, |best, i| if data[i] > data[best] { i } else { best });
    let answer = match classes.get(index) {
        Some(class) => Answer::Class { model: name, class, index, probabilities: data },
        None if model.saved().preprocess.origin.is_empty() => Answer::Values { model: name, values: data },
        None => Answer::Large { model: name, values: model.saved().preprocess.values(data) },
    };
    serde_json::to_vec(&answer).map_err(|_| Failure::internal())
}

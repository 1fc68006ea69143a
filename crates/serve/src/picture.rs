//! `POST /predict`: one picture, slice, text or array in, what the model makes of it out.

use crate::failure::Failure;
use crate::model::{Ask, ServedModel};
use crate::options::Limits;
use crate::protocol::finite;
use crate::slice;
use axum::http::StatusCode;
use foveal::data::{Error, npy, picture};
use foveal::train::SavedModel;
use serde::Serialize;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What errors call the body.
pub const BODY: &str = "the body";
/// Pictures of more pixels than this are decoded one after the other: each may take some hundred megabytes while
/// it is.
pub const LARGE: usize = 1 << 20;
/// The longest text, in bytes; its tokens take some fifty times as much.
const LONGEST_TEXT: usize = 1 << 20;

static LARGE_ONES: Mutex<()> = Mutex::new(());

/// Reads what the model is for: a picture, a DICOM slice or a text; or one sample as `.npy`.
pub fn read(body: &[u8], model: &ServedModel, limits: &Limits) -> Result<Ask, Failure> {
    let saved = model.saved();
    if body.is_empty() {
        return Err(Failure::bad(format!("there is no body; send {}", wanted(saved))));
    }
    let shape = saved.model.input_shape();
    let pixels = if body.starts_with(b"\x93NUMPY") {
        array(body, shape)?
    } else if saved.model.vocabulary().is_some() {
        text(body, saved)?
    } else if let Some(slice) = slice::read(body, saved, limits) {
        slice?
    } else {
        picture(body, saved, limits)?
    };
    if let Some(bad) = pixels.iter().find(|v| !v.is_finite()) {
        return Err(Failure::bad(format!("the array holds {bad}, which is not a finite number")));
    }
    model.check(&pixels)?;
    Ok(Ask { images: 1, pixels })
}

/// What is to be sent to a model.
fn wanted(saved: &SavedModel) -> &'static str {
    if saved.model.vocabulary().is_some() {
        "a text in UTF-8, or a .npy array of the numbers of its tokens"
    } else if saved.preprocess.window.is_some() {
        "a DICOM slice, or a .npy array of what the model's window shows (0 to 255)"
    } else {
        "a picture or a .npy array"
    }
}

/// A body of another kind than the model is for.
pub fn unwanted(what: &str, saved: &SavedModel) -> Failure {
    let message = format!("the body is {what}; send {}", wanted(saved));
    Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message)
}

/// Holds the others back while something large is decoded.
pub fn alone(large: bool) -> Option<MutexGuard<'static, ()>> {
    large.then(|| LARGE_ONES.lock().unwrap_or_else(PoisonError::into_inner))
}

fn picture(body: &[u8], saved: &SavedModel, limits: &Limits) -> Result<Vec<f32>, Failure> {
    if saved.preprocess.window.is_some() {
        return Err(unwanted("no DICOM slice", saved));
    }
    let small = picture::size(body, BODY).is_ok_and(|[h, w]| h.saturating_mul(w) <= LARGE);
    let _alone = alone(!small);
    let picture = picture::decode_within(body, BODY, limits.pixels).map_err(refused)?;
    saved.preprocess.picture(&picture, saved.model.input_shape()).map_err(refused)
}

fn text(body: &[u8], saved: &SavedModel) -> Result<Vec<f32>, Failure> {
    let Some(vocabulary) = &saved.preprocess.text else {
        return Err(Failure::bad("the model has no vocabulary; send a .npy array of the numbers of tokens"));
    };
    if body.len() > LONGEST_TEXT {
        let message = format!("the text is longer than {LONGEST_TEXT} bytes; send less");
        return Err(Failure::new(StatusCode::PAYLOAD_TOO_LARGE, message));
    }
    let Ok(text) = std::str::from_utf8(body) else { return Err(unwanted("no text in UTF-8", saved)) };
    if text.trim().is_empty() {
        return Err(Failure::bad("the text is empty; send one with words"));
    }
    let [h, w, _] = saved.model.input_shape();
    Ok(vocabulary.encode(text.trim(), h * w).0)
}

fn array(body: &[u8], shape: [usize; 3]) -> Result<Vec<f32>, Failure> {
    let array = npy::read_npy(body, BODY).map_err(refused)?;
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

pub fn refused(error: Error) -> Failure {
    let status = match error {
        Error::Magic { .. } | Error::Unsupported { .. } => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Error::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        _ => StatusCode::BAD_REQUEST,
    };
    let message: String = error.to_string().chars().filter(|c| !c.is_control()).take(400).collect();
    Failure::new(status, message)
}

#[derive(Serialize)]
#[serde(untagged)]
enum Answer<'a> {
    Class { model: &'a str, class: &'a str, index: usize, probabilities: &'a [f32] },
    Values { model: &'a str, values: &'a [f32] },
}

/// The answer to a picture.
pub fn write(model: &ServedModel, data: &[f32]) -> Result<Vec<u8>, Failure> {
    finite(data)?;
    let (classes, name) = (&model.saved().classes, model.name());
    // The first of the most likely, as the program has it.
    let index = (1..data.len()).fold(0, |best, i| if data[i] > data[best] { i } else { best });
    let answer = match classes.get(index) {
        Some(class) => Answer::Class { model: name, class, index, probabilities: data },
        None => Answer::Values { model: name, values: data },
    };
    serde_json::to_vec(&answer).map_err(|_| Failure::internal())
}

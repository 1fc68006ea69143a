//! `POST /predict`: one picture or array in, what the model makes of it out.

use crate::failure::Failure;
use crate::model::{Ask, ServedModel};
use crate::options::Limits;
use crate::protocol::finite;
use axum::http::StatusCode;
use foveal::data::{Error, npy, picture};
use serde::Serialize;
use std::sync::{Mutex, PoisonError};

/// What errors call the body.
const BODY: &str = "the body";
/// Pictures of more pixels than this are decoded one after the other: each may take some hundred megabytes while
/// it is.
const LARGE: usize = 1 << 20;

static LARGE_ONES: Mutex<()> = Mutex::new(());

/// Reads a picture or one sample as `.npy`.
pub fn read(body: &[u8], model: &ServedModel, limits: &Limits) -> Result<Ask, Failure> {
    if body.is_empty() {
        return Err(Failure::bad("there is no body; send a picture or a .npy array"));
    }
    let shape = model.saved().model.input_shape();
    let pixels = if body.starts_with(b"\x93NUMPY") {
        array(body, shape)?
    } else {
        let small = picture::size(body, BODY).is_ok_and(|[h, w]| h.saturating_mul(w) <= LARGE);
        let _alone = (!small).then(|| LARGE_ONES.lock().unwrap_or_else(PoisonError::into_inner));
        let picture = picture::decode_within(body, BODY, limits.pixels).map_err(refused)?;
        model.saved().preprocess.picture(&picture, shape).map_err(refused)?
    };
    if let Some(bad) = pixels.iter().find(|v| !v.is_finite()) {
        return Err(Failure::bad(format!("the array holds {bad}, which is not a finite number")));
    }
    Ok(Ask { images: 1, pixels })
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

fn refused(error: Error) -> Failure {
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

//! A DICOM slice of CT as the body of a request.

#[cfg(feature = "dicom")]
use crate::body;
use crate::failure::Failure;
#[cfg(feature = "dicom")]
use crate::large;
use crate::model::ServedModel;
use crate::options::Limits;
#[cfg(feature = "dicom")]
use axum::http::StatusCode;
#[cfg(feature = "dicom")]
use foveal::data::dicom;

/// The slice that `body` is, as `foveal predict` reads it; `None` if it is something else.
#[cfg(feature = "dicom")]
pub fn read(body: &[u8], model: &ServedModel, limits: &Limits) -> Option<Result<Vec<f32>, Failure>> {
    dicom::is_dicom(body).then(|| sample(body, model, limits))
}

/// Without the feature `dicom` no slice is read.
#[cfg(not(feature = "dicom"))]
pub fn read(_: &[u8], _: &ServedModel, _: &Limits) -> Option<Result<Vec<f32>, Failure>> {
    None
}

#[cfg(feature = "dicom")]
fn sample(body: &[u8], model: &ServedModel, limits: &Limits) -> Result<Vec<f32>, Failure> {
    let saved = model.saved();
    let Some(window) = saved.preprocess.window() else { return Err(model.unwanted("a DICOM slice")) };
    let [rows, columns] = dicom::header(body, body::NAME).map_err(Failure::unreadable)?.size();
    let pixels = rows.saturating_mul(columns);
    if pixels as u64 > limits.pixels {
        let message = format!(
            "the slice has {rows} rows and {columns} columns, more than {} pixels; send a smaller one, or raise \
             --max-pixels",
            limits.pixels
        );
        return Err(Failure::new(StatusCode::PAYLOAD_TOO_LARGE, message));
    }
    let _turn = large::turn(pixels);
    let slice = dicom::read(body, body::NAME).map_err(Failure::unreadable)?;
    slice.raw(saved.model.input_shape(), &window).map_err(Failure::unreadable)
}

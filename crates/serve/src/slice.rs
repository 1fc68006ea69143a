//! A DICOM slice of CT as the body of a request.

use crate::failure::Failure;
use crate::options::Limits;
#[cfg(feature = "dicom")]
use crate::picture::{BODY, LARGE, alone, refused, unwanted};
#[cfg(feature = "dicom")]
use axum::http::StatusCode;
#[cfg(feature = "dicom")]
use foveal::data::dicom;
use foveal::train::SavedModel;

/// The slice that `body` is, as `foveal predict` reads it; `None` if it is none.
#[cfg(feature = "dicom")]
pub fn read(body: &[u8], saved: &SavedModel, limits: &Limits) -> Option<Result<Vec<f32>, Failure>> {
    dicom::is_dicom(body).then(|| sample(body, saved, limits))
}

/// Without the feature `dicom` nothing is a slice.
#[cfg(not(feature = "dicom"))]
pub fn read(_: &[u8], _: &SavedModel, _: &Limits) -> Option<Result<Vec<f32>, Failure>> {
    None
}

#[cfg(feature = "dicom")]
fn sample(body: &[u8], saved: &SavedModel, limits: &Limits) -> Result<Vec<f32>, Failure> {
    let Some(window) = saved.preprocess.window() else { return Err(unwanted("a DICOM slice", saved)) };
    let [rows, columns] = dicom::header(body, BODY).map_err(refused)?.size();
    let pixels = rows.saturating_mul(columns);
    if pixels as u64 > limits.pixels {
        let message = format!(
            "the slice has {rows} rows and {columns} columns, more than {} pixels; send a smaller one, or raise \
             --max-pixels",
            limits.pixels
        );
        return Err(Failure::new(StatusCode::PAYLOAD_TOO_LARGE, message));
    }
    let _alone = alone(pixels > LARGE);
    let slice = dicom::read(body, BODY).map_err(refused)?;
    slice.raw(saved.model.input_shape(), &window).map_err(refused)
}

//! A request's body, read within limits of bytes and time.

use crate::failure::Failure;
use crate::options::Limits;
use axum::body::Body;
use axum::http::{HeaderMap, StatusCode, header};
use http_body_util::BodyExt;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

/// What is read and thrown away of a body that is too long, so that its sender comes to read the answer: so many
/// times the limit.
const WASTED: usize = 4;

/// Bytes that a permit stands for.
const UNIT: usize = 1024;

/// A whole body, and its share of the memory for all bodies.
pub struct Whole {
    pub bytes: Vec<u8>,
    _share: Option<OwnedSemaphorePermit>,
}

/// The memory for all bodies.
#[derive(Clone)]
pub struct Room(Arc<Semaphore>);

impl Room {
    pub fn new(limits: &Limits) -> Self {
        Self(Arc::new(Semaphore::new(limits.bodies.div_ceil(UNIT).min(Semaphore::MAX_PERMITS))))
    }
}

/// Reads the whole body.
pub async fn read(body: Body, headers: &HeaderMap, limits: &Limits, room: &Room) -> Result<Whole, Failure> {
    refuse_encodings(headers)?;
    let until = Instant::now() + limits.reading;
    let read = timeout_at(until, collect(body, headers, limits, room)).await;
    read.unwrap_or_else(|_| {
        let seconds = limits.reading.as_secs_f64();
        let message = format!("the body did not come within {seconds} s; send it faster or send less");
        Err(Failure { close: true, ..Failure::new(StatusCode::REQUEST_TIMEOUT, message) })
    })
}

fn refuse_encodings(headers: &HeaderMap) -> Result<(), Failure> {
    match headers.get(header::CONTENT_ENCODING) {
        Some(encoding) if encoding != "identity" => Err(Failure::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "compressed bodies are not read; send it without Content-Encoding",
        )),
        _ => Ok(()),
    }
}

async fn collect(
    mut body: Body,
    headers: &HeaderMap,
    limits: &Limits,
    room: &Room,
) -> Result<Whole, Failure> {
    let declared = headers.get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse::<u64>().ok());
    let most = limits.body;
    if let Some(length) = declared.filter(|&n| n > most as u64) {
        if length <= (most * WASTED) as u64 {
            waste(body, most * WASTED).await;
        }
        return Err(too_long(most));
    }
    let mut bytes = Vec::new();
    let mut share: Option<OwnedSemaphorePermit> = None;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Failure { close: true, ..Failure::bad("the body is cut off") })?;
        let Ok(data) = frame.into_data() else { continue };
        if data.len() > most - bytes.len() {
            waste(body, most * WASTED).await;
            return Err(too_long(most));
        }
        let held = share.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let units = (bytes.len() + data.len()).div_ceil(UNIT);
        let more = u32::try_from(units.saturating_sub(held)).unwrap_or(u32::MAX);
        if more > 0 {
            let Ok(permit) = Arc::clone(&room.0).try_acquire_many_owned(more) else {
                return Err(Failure { close: true, ..Failure::busy("too many bodies are being read") });
            };
            match &mut share {
                Some(share) => share.merge(permit),
                None => share = Some(permit),
            }
        }
        bytes.extend_from_slice(&data);
    }
    Ok(Whole { bytes, _share: share })
}

fn too_long(most: usize) -> Failure {
    let message = format!("the body is longer than {most} bytes; send less, or raise --max-body");
    Failure { close: true, ..Failure::new(StatusCode::PAYLOAD_TOO_LARGE, message) }
}

/// Reads on for nothing, at most `most` bytes.
async fn waste(mut body: Body, most: usize) {
    let mut left = most;
    while let Some(Ok(frame)) = body.frame().await {
        let length = frame.data_ref().map_or(0, bytes::Bytes::len);
        match left.checked_sub(length) {
            Some(rest) => left = rest,
            None => return,
        }
    }
}

//! A request's body, read within limits of bytes and time.

use crate::failure::Failure;
use crate::options::Limits;
use axum::body::Body;
use axum::http::{HeaderMap, StatusCode, header};
use http_body_util::BodyExt;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

/// What errors call the body.
pub const NAME: &str = "the body";
/// Of a body that is too long, so many times the limit is read and thrown away: most clients read the answer only
/// when they have sent everything.
const WASTED: usize = 4;

/// The bytes that one permit of the semaphore stands for.
const UNIT: usize = 1024;

/// A body that has been read, and its share of the memory for all bodies.
pub struct HeldBody {
    pub bytes: Vec<u8>,
    _share: Option<OwnedSemaphorePermit>,
}

/// The memory that all bodies share, so that many long bodies cannot fill the machine's.
#[derive(Clone)]
pub struct BodyMemory(Arc<Semaphore>);

impl BodyMemory {
    pub fn new(limits: &Limits) -> Self {
        Self(Arc::new(Semaphore::new(limits.bodies.div_ceil(UNIT).min(Semaphore::MAX_PERMITS))))
    }
}

/// Reads the whole body, within the limits.
pub async fn read(
    body: Body,
    headers: &HeaderMap,
    limits: &Limits,
    memory: &BodyMemory,
) -> Result<HeldBody, Failure> {
    refuse_encodings(headers)?;
    let until = Instant::now() + limits.reading;
    let read = timeout_at(until, collect(body, headers, limits, memory)).await;
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
    memory: &BodyMemory,
) -> Result<HeldBody, Failure> {
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
            let Ok(permit) = Arc::clone(&memory.0).try_acquire_many_owned(more) else {
                return Err(Failure { close: true, ..Failure::busy("too many bodies are being read") });
            };
            match &mut share {
                Some(share) => share.merge(permit),
                None => share = Some(permit),
            }
        }
        bytes.extend_from_slice(&data);
    }
    Ok(HeldBody { bytes, _share: share })
}

fn too_long(most: usize) -> Failure {
    let message = format!("the body is longer than {most} bytes; send less, or raise --max-body");
    Failure { close: true, ..Failure::new(StatusCode::PAYLOAD_TOO_LARGE, message) }
}

/// Reads at most `most` bytes and throws them away.
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

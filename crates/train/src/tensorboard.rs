//! TensorBoard event files: framed records of a small protocol buffer.
//!
//! A record is its length, a masked CRC-32C of the length, the bytes, a masked CRC-32C of the bytes
//! (tensorflow/core/lib/io/record_writer.h). The bytes are an `Event` message
//! (tensorboard/compat/proto/event.proto): 1 `wall_time`, 2 `step`, 3 `file_version`, 5 `summary`; a summary's
//! field 1 is a `Value`: 1 `tag`, 2 `simple_value`.
//!
//! ```
//! use foveal_train::tensorboard::{scalars, version};
//! let mut file = version(0.0);
//! file.extend(scalars(1.5, 100, &[("loss/train".into(), 0.25)]));
//! assert!(file.windows(10).any(|w| w == b"loss/train"));
//! ```

use crate::Event;
use std::borrow::Cow;

/// A tag and its value.
pub type Scalar = (Cow<'static, str>, f64);

/// The first record of an event file, written at `seconds` since 1970.
pub fn version(seconds: f64) -> Vec<u8> {
    let mut event = Vec::new();
    double(&mut event, 1, seconds);
    bytes(&mut event, 3, b"brain.Event:2");
    record(&event)
}

/// The record of `values` after `step` steps, written at `seconds` since 1970.
pub fn scalars(seconds: f64, step: u64, values: &[Scalar]) -> Vec<u8> {
    let mut summary = Vec::new();
    for (tag, value) in values {
        let mut one = Vec::new();
        bytes(&mut one, 1, tag.as_bytes());
        key(&mut one, 2, 5);
        one.extend((*value as f32).to_le_bytes());
        bytes(&mut summary, 1, &one);
    }
    let mut event = Vec::new();
    double(&mut event, 1, seconds);
    key(&mut event, 2, 0);
    varint(&mut event, step);
    bytes(&mut event, 5, &summary);
    record(&event)
}

/// The numbers of an event, and how many steps are done by then; `None` for events without numbers.
///
/// Steps give `step/...`, epochs `loss/train`, `loss/validation`, `accuracy/train`, `accuracy/validation`,
/// `learning_rate` and `images_per_second`. `batches` is the number of steps in an epoch.
pub fn values(event: &Event, batches: usize) -> Option<(u64, Vec<Scalar>)> {
    let mut values: Vec<Scalar> = Vec::new();
    let mut add = |tag: &'static str, value: Option<f64>| {
        values.extend(value.map(|value| (Cow::Borrowed(tag), value)));
    };
    let step = match event {
        Event::Batch { epoch, batch, batches, step_loss, step_accuracy, lr, .. } => {
            add("step/loss", Some(*step_loss));
            add("step/accuracy", *step_accuracy);
            add("step/learning_rate", Some(f64::from(*lr)));
            (epoch - 1) * batches + batch
        }
        Event::Epoch(e) => {
            add("loss/train", Some(e.train_loss));
            add("loss/validation", e.validation_loss);
            add("accuracy/train", e.train_accuracy);
            add("accuracy/validation", e.validation_accuracy);
            add("learning_rate", Some(f64::from(e.lr)));
            add("images_per_second", Some(e.images_per_second));
            e.epoch * batches
        }
        _ => return None,
    };
    Some((step as u64, values))
}

fn record(bytes: &[u8]) -> Vec<u8> {
    let length = (bytes.len() as u64).to_le_bytes();
    let mut record = Vec::with_capacity(bytes.len() + 16);
    record.extend(length);
    record.extend(masked(&length).to_le_bytes());
    record.extend(bytes);
    record.extend(masked(bytes).to_le_bytes());
    record
}

fn masked(bytes: &[u8]) -> u32 {
    crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8)
}

/// CRC-32C (Castagnoli), bit by bit reflected.
fn crc32c(bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = {
        let mut table = [0; 256];
        let mut i = 0;
        while i < 256 {
            let (mut crc, mut bit) = (i as u32, 0);
            while bit < 8 {
                crc = if crc & 1 == 1 { (crc >> 1) ^ 0x82f6_3b78 } else { crc >> 1 };
                bit += 1;
            }
            table[i] = crc;
            i += 1;
        }
        table
    };
    !bytes.iter().fold(!0, |crc, &b| (crc >> 8) ^ TABLE[((crc ^ u32::from(b)) & 0xff) as usize])
}

fn key(out: &mut Vec<u8>, field: u64, wire: u64) {
    varint(out, field << 3 | wire);
}

fn varint(out: &mut Vec<u8>, mut v: u64) {
    while v >= 0x80 {
        out.push(v as u8 | 0x80);
        v >>= 7;
    }
    out.push(v as u8);
}

fn double(out: &mut Vec<u8>, field: u64, v: f64) {
    key(out, field, 1);
    out.extend(v.to_le_bytes());
}

fn bytes(out: &mut Vec<u8>, field: u64, v: &[u8]) {
    key(out, field, 2);
    varint(out, v.len() as u64);
    out.extend(v);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_those_of_rfc_3720() {
        assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa);
        assert_eq!(crc32c(&[0xff; 32]), 0x62a8_ab43);
        assert_eq!(crc32c(&(0..32).collect::<Vec<u8>>()), 0x46dd_794e);
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
    }

    #[test]
    fn a_record_is_framed_and_its_step_is_a_varint() {
        let one = scalars(0.0, 300, &[("a".into(), 1.0)]);
        let length = u64::from_le_bytes(one[..8].try_into().unwrap()) as usize;
        assert_eq!(one.len(), length + 16);
        let body = &one[12..12 + length];
        assert_eq!(
            body,
            [9, 0, 0, 0, 0, 0, 0, 0, 0, 16, 0xac, 2, 42, 10, 10, 8, 10, 1, b'a', 21, 0, 0, 128, 63]
        );
        assert_eq!(one[12 + length..], masked(body).to_le_bytes());
    }
}

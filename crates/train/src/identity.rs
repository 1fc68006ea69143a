//! The identity of a run (its data, its model and its recipe), by which two runs can be told apart.

use crate::{Error, Preprocess, Recipe};
use crc32fast::Hasher;
use foveal_data::{Dataset, Samples, Split, Targets};
use foveal_nn::Model;
use serde::Serialize;
use serde_json::{Map, Value, json};

/// So many differences are named; more would not help.
const NAMED: usize = 3;
/// The key of checksums: they say that something differs, but not what.
const CONTENTS: &str = "contents";

/// The identity of a run. Runs of equal identity end in equal weights.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Identity(Value);

impl Identity {
    /// The identity of a run that begins with `model`. Reads all the data once.
    pub fn new(
        model: &Model,
        data: &Dataset,
        split: &Split,
        preprocess: &Preprocess,
        recipe: &Recipe,
    ) -> Result<Self, Error> {
        let (kind, names) = match data.targets() {
            Targets::Classes { names, .. } => ("classes", names),
            Targets::Values { names, .. } => ("values", names),
            Targets::Labels { names, .. } => ("labels", names),
        };
        Ok(Self(json!({
            "model": { "spec": plain(model.spec())?, CONTENTS: parameters(model) },
            "data": {
                "samples": data.len(),
                "shape": data.shape(),
                kind: names,
                "validation": split.validation.len(),
                CONTENTS: contents(data, split),
            },
            "preprocess": plain(preprocess)?,
            "recipe": plain(recipe)?,
        })))
    }

    /// From its text.
    pub fn parse(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map(Self).map_err(|e| format!("its run: {e}"))
    }

    /// Its text.
    pub fn text(&self) -> String {
        self.0.to_string()
    }

    /// The first things that are different in `now`; none where all is the same.
    pub fn differences(&self, now: &Self) -> Vec<String> {
        let mut found = Vec::new();
        compare("", &self.0, &now.0, &mut found);
        found.truncate(NAMED);
        found
    }
}

/// A value, written as JSON and read again: then it equals the same value read from a checkpoint, bit for bit.
fn plain(value: &impl Serialize) -> Result<Value, Error> {
    let text = serde_json::to_string(value).and_then(|text| serde_json::from_str(&text));
    text.map_err(|e| Error::Unwritable { what: "recipe", problem: e.to_string() })
}

fn compare(path: &str, then: &Value, now: &Value, found: &mut Vec<String>) {
    let inside = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    match (then, now) {
        _ if then == now => {}
        (Value::Object(a), Value::Object(b)) if a.get("kind") != b.get("kind") => {
            let kind = |all: &Map<String, Value>| all.get("kind").map_or_else(|| "nothing".into(), short);
            found.push(format!("{path} was {} and is {}", kind(a), kind(b)));
        }
        (Value::Object(a), Value::Object(b)) => {
            let keys = a.keys().chain(b.keys().filter(|k| !a.contains_key(*k)));
            for key in keys {
                let none = &Value::Null;
                let (a, b) = (a.get(key).unwrap_or(none), b.get(key).unwrap_or(none));
                if key == CONTENTS && a != b {
                    // If shapes or counts differ, they explain it better.
                    if found.is_empty() {
                        found.push(format!("the {path} has other numbers"));
                    }
                } else {
                    compare(&inside(key), a, b, found);
                }
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (i, (a, b)) in a.iter().zip(b).enumerate() {
                compare(&format!("{path}[{i}]"), a, b, found);
            }
        }
        _ => found.push(format!("{path} was {} and is {}", short(then), short(now))),
    }
}

/// A short text for a value.
fn short(value: &Value) -> String {
    match value {
        Value::Null => "absent".into(),
        Value::Array(all) if all.len() > 4 => format!("a list of {}", all.len()),
        Value::Object(_) => "something else".into(),
        other => other.to_string(),
    }
}

/// Checksum of the parameters that the run begins with.
fn parameters(model: &Model) -> u32 {
    let mut sum = Hasher::new();
    for param in model.params() {
        sum.update(param.name.as_bytes());
        sum.update(&[u8::from(param.trainable)]);
        floats(&mut sum, &param.values);
    }
    sum.finalize()
}

/// Checksum of the pixels, the targets, and which sample is in which part.
fn contents(data: &Dataset, split: &Split) -> u32 {
    let mut sum = Hasher::new();
    match data.samples() {
        Samples::U8(pixels) => sum.update(&each(pixels, data.shape().iter().product()).to_le_bytes()),
        Samples::F32(pixels) => floats(&mut sum, pixels),
        Samples::Stored(stored) => sum.update(&stored.checksum().to_le_bytes()),
    }
    match data.targets() {
        Targets::Classes { labels, .. } => integers(&mut sum, labels),
        Targets::Values { values, .. } | Targets::Labels { values, .. } => {
            values.iter().for_each(|v| sum.update(&v.to_le_bytes()));
        }
    }
    integers(&mut sum, &split.train);
    integers(&mut sum, &split.validation);
    sum.finalize()
}

/// The checksum over the checksums of samples, as stored samples have it: a run may go on with samples in memory or
/// stored ones.
fn each(pixels: &[u8], size: usize) -> u32 {
    let mut sum = Hasher::new();
    pixels.chunks(size.max(1)).for_each(|sample| sum.update(&crc32fast::hash(sample).to_le_bytes()));
    sum.finalize()
}

fn floats(sum: &mut Hasher, numbers: &[f32]) {
    little_endian(sum, numbers, |v| v.to_le_bytes());
}

fn integers(sum: &mut Hasher, numbers: &[u32]) {
    little_endian(sum, numbers, |v| v.to_le_bytes());
}

fn little_endian<T: Copy>(sum: &mut Hasher, numbers: &[T], bytes: impl Fn(T) -> [u8; 4]) {
    let mut buffer = [0; 4096];
    for chunk in numbers.chunks(1024) {
        for (place, &v) in buffer.chunks_exact_mut(4).zip(chunk) {
            place.copy_from_slice(&bytes(v));
        }
        sum.update(&buffer[..4 * chunk.len()]);
    }
}

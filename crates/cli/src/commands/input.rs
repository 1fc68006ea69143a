//! INPUT on the command line: a picture, a DICOM slice, an array, a built-in sample.

use crate::{files, source};
use anyhow::{Result, anyhow, bail};
use foveal::data::{Window, dicom, npy, picture};
use foveal::train::SavedModel;
use ndarray::Array3;
use std::path::Path;

/// The raw samples that an input holds, each with its name.
pub fn read(input: &str, saved: &SavedModel, threads: usize) -> Result<Vec<(String, Vec<f32>)>> {
    let samples = any(input, saved, threads)?;
    for (name, sample) in &samples {
        if let Some(bad) = sample.iter().find(|v| !v.is_finite()) {
            bail!("{name}: holds {bad}, which is not a finite number; clean the array first");
        }
    }
    Ok(samples)
}

/// The one sample that an input holds, as the first layer sees it, `[h, w, c]`, with its name.
pub fn one(input: &str, saved: &SavedModel, threads: usize) -> Result<(String, Array3<f32>)> {
    let mut samples = read(input, saved, threads)?;
    if samples.len() != 1 {
        bail!("{input}: holds {} samples; give an array of one, such as [h, w, c]", samples.len());
    }
    let (name, raw) = samples.remove(0);
    let [h, w, c] = saved.model.input_shape();
    Ok((name, Array3::from_shape_vec((h, w, c), saved.preprocess.apply(&raw))?))
}

fn any(input: &str, saved: &SavedModel, threads: usize) -> Result<Vec<(String, Vec<f32>)>> {
    if let Some(sample) = built_in(input, threads)? {
        let shape = saved.model.input_shape();
        if shape.iter().product::<usize>() != sample.len() {
            bail!("{input}: a sample of [28, 28, 1] does not fit the model's input {shape:?}");
        }
        return Ok(vec![(input.to_owned(), sample)]);
    }
    let path = Path::new(input);
    let bytes = files::read(path)?;
    if bytes.starts_with(b"\x93NUMPY") || path.extension().is_some_and(|e| e == "npy") {
        return array(input, &bytes, saved.model.input_shape());
    }
    if dicom::is_dicom(&bytes) {
        return Ok(vec![(input.to_owned(), slice(input, &bytes, saved)?)]);
    }
    let picture = picture::decode(&bytes, input)?;
    let sample = saved.preprocess.picture(&picture, saved.model.input_shape())?;
    Ok(vec![(input.to_owned(), sample)])
}

/// The window that a model saw CT through.
pub fn window(saved: &SavedModel, input: &str) -> Result<Window> {
    let window = saved.preprocess.window();
    window.ok_or_else(|| anyhow!("{input}: is CT, and the model was trained on other data, without a window"))
}

/// A DICOM slice as the model saw those that it learnt from.
fn slice(input: &str, bytes: &[u8], saved: &SavedModel) -> Result<Vec<f32>> {
    let window = window(saved, input)?;
    let [h, w, c] = saved.model.input_shape();
    let sample = dicom::read(bytes, input)?.sample([h, w], &window)?;
    // As bytes, as in training.
    Ok(sample.iter().flat_map(|v| std::iter::repeat_n(v.round(), c)).collect())
}

/// `mnist:test:7`, `mnist:train:0`
fn built_in(input: &str, threads: usize) -> Result<Option<Vec<f32>>> {
    let Some(rest) = input.strip_prefix("mnist:") else { return Ok(None) };
    let (part, index) = rest.split_once(':').unwrap_or((rest, ""));
    let data = match part {
        "test" => source::test_digits()?,
        "train" => source::training_digits(threads)?,
        _ => bail!("{input}: name a built-in sample as mnist:test:N or mnist:train:N"),
    };
    let n = data.len();
    let index = index.parse().ok().filter(|&i: &usize| i < n);
    let index = index.ok_or_else(|| anyhow!("{input}: N must be a whole number from 0 to {}", n - 1))?;
    Ok(Some(data.sample(index).numbers()))
}

/// One sample, or a batch of them.
fn array(input: &str, bytes: &[u8], shape: [usize; 3]) -> Result<Vec<(String, Vec<f32>)>> {
    let array = npy::read_npy(bytes, input)?;
    let [h, w, c] = shape;
    let size = h * w * c;
    let batch = match *array.shape() {
        [ah, aw] if (ah, aw, 1) == (h, w, c) => None,
        [ah, aw, ac] if [ah, aw, ac] == shape => None,
        [n, ah, aw] if (ah, aw, 1) == (h, w, c) => Some(n),
        [n, ah, aw, ac] if [ah, aw, ac] == shape => Some(n),
        _ => bail!(
            "{input}: has shape {:?}, the model takes [{h}, {w}, {c}] or [n, {h}, {w}, {c}]",
            array.shape()
        ),
    };
    let numbers: Vec<f32> = array.iter().copied().collect();
    Ok(match batch {
        None => vec![(input.to_owned(), numbers)],
        Some(_) => {
            let rows = numbers.chunks_exact(size).enumerate();
            rows.map(|(i, row)| (format!("{input}[{i}]"), row.to_vec())).collect()
        }
    })
}

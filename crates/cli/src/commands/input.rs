//! INPUT on the command line: a picture, a DICOM slice, an array, a built-in sample, a text.

use crate::files::{self, What};
use crate::source::{self, Kind};
use anyhow::{Context as _, Result, anyhow, bail};
use foveal::data::{Picture, Scale, npy, picture};
use foveal::train::SavedModel;
use ndarray::{Array3, IxDyn};
use std::io::Read as _;
use std::path::Path;

/// The most bytes of texts that are read at once.
const MAX_TEXTS: u64 = 64 << 20;
/// How the names of built-in samples begin.
const BUILT_IN: &str = "mnist:";
/// The shape of a built-in sample.
const DIGIT: [usize; 3] = [28, 28, 1];

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

/// A text as the first layer of a model of texts sees it, `[h, w, c]`.
pub fn of_text(text: &str, saved: &SavedModel) -> Result<Array3<f32>> {
    let [h, w, c] = saved.model.input_shape();
    let ids = saved.preprocess.text.as_ref().map(|vocabulary| vocabulary.encode(text, h * w).0);
    let ids = ids.ok_or_else(|| anyhow!("the model has no vocabulary"))?;
    Ok(Array3::from_shape_vec((h, w, c), ids)?)
}

/// The texts that an input holds, each with its name, for a model of texts: lines of stdin (`-`) or of a `.txt`
/// file, or the input itself.
pub fn texts(input: &str) -> Result<Vec<(String, String)>> {
    let path = Path::new(input);
    if input != "-" && !is_text_file(path) {
        // The path of a picture is not a text about it.
        if path.exists() || input.starts_with(BUILT_IN) {
            let kind = Kind::Texts;
            bail!("{input}: is not a text, and the model is for {kind}; give it {}", kind.input());
        }
        let text = input.trim();
        if text.is_empty() {
            bail!("the text is empty; give one with words");
        }
        return Ok(vec![(text.to_owned(), text.to_owned())]);
    }
    let (name, bytes) = match input {
        "-" => {
            let mut bytes = Vec::new();
            std::io::stdin()
                .lock()
                .take(MAX_TEXTS + 1)
                .read_to_end(&mut bytes)
                .context("cannot read stdin")?;
            ("stdin", bytes)
        }
        file => (file, files::read(path, What::Texts)?),
    };
    if bytes.len() as u64 > MAX_TEXTS {
        bail!("{name}: holds more than {MAX_TEXTS} bytes; divide it");
    }
    let whole = String::from_utf8(bytes).map_err(|e| {
        let line = e.as_bytes()[..e.utf8_error().valid_up_to()].iter().filter(|&&b| b == b'\n').count() + 1;
        anyhow!("{name}: line {line} is not UTF-8; save it as UTF-8")
    })?;
    let lines = whole.trim_start_matches('\u{feff}').lines().enumerate();
    let lines = lines.map(|(i, line)| (format!("{name}:{}", i + 1), line.trim().to_owned()));
    let texts: Vec<(String, String)> = lines.filter(|(_, line)| !line.is_empty()).collect();
    if texts.is_empty() {
        bail!("{name}: holds no text; write one on each line");
    }
    Ok(texts)
}

fn is_text_file(path: &Path) -> bool {
    path.extension().is_some_and(|e| e.eq_ignore_ascii_case("txt"))
}

fn any(input: &str, saved: &SavedModel, threads: usize) -> Result<Vec<(String, Vec<f32>)>> {
    if let Some(rows) = saved.model.vocabulary() {
        return tokens(input, saved, rows);
    }
    if let Some(sample) = built_in(input, threads)? {
        Kind::Pictures.refuse_unless(saved, input, "a picture")?;
        let shape = saved.model.input_shape();
        if shape != DIGIT {
            bail!("{input}: a sample of {DIGIT:?} does not fit the model's input {shape:?}");
        }
        // The digit as the picture that it is: the model may have learnt from numbers on another scale.
        let picture = Picture::new(shape[0], shape[1], 1, sample)?;
        return Ok(vec![(input.to_owned(), saved.preprocess.picture(&picture, shape)?)]);
    }
    let path = Path::new(input);
    if input.contains(char::is_whitespace) && !path.exists() {
        let kind = Kind::of(saved);
        bail!("{input}: there is no such file, and the model is for {kind}; give it {}", kind.input());
    }
    let is_array = path.extension().is_some_and(|e| e == "npy") || What::Array.begins(&files::head(path)?);
    let bytes = files::read(path, if is_array { What::Array } else { What::Picture })?;
    if is_array {
        let samples = array(input, &bytes, saved.model.input_shape())?;
        return samples.into_iter().map(|one| on_scale(one, saved)).collect();
    }
    if source::is_dicom(&bytes) {
        Kind::Ct.refuse_unless(saved, input, "a DICOM slice")?;
        return Ok(vec![(input.to_owned(), slice(input, &bytes, saved)?)]);
    }
    Kind::Pictures.refuse_unless(saved, input, "not a DICOM slice")?;
    let picture = picture::decode(&bytes, input)?;
    let sample = saved.preprocess.picture(&picture, saved.model.input_shape())?;
    Ok(vec![(input.to_owned(), sample)])
}

/// Refuses numbers that are pixels on another scale than those that the model learnt from.
fn on_scale((name, numbers): (String, Vec<f32>), saved: &SavedModel) -> Result<(String, Vec<f32>)> {
    let wanted = saved.preprocess.pixels;
    // A model that takes numbers as they are, such as an imported one, has not said what scale it is for.
    let scaled = saved.preprocess.scale.iter().any(|&k| k != 1.0);
    let high = numbers.iter().copied().filter(|v| v.is_finite()).fold(0.0, f32::max);
    let most = match wanted {
        Scale::Unit | Scale::Signed => 2.0,
        Scale::Bytes if scaled && saved.preprocess.window.is_none() => 255.0,
        _ => f32::INFINITY,
    };
    if high > most && numbers.iter().all(|v| *v >= 0.0) {
        bail!(
            "{name}: its numbers go up to {high}, and the model learnt from scale {} (up to {}); put them on that scale",
            wanted.name(),
            if wanted == Scale::Bytes { 255 } else { 1 }
        );
    }
    Ok((name, numbers))
}

/// A DICOM slice, seen through the window that the model was trained with.
#[cfg(feature = "dicom")]
fn slice(input: &str, bytes: &[u8], saved: &SavedModel) -> Result<Vec<f32>> {
    use foveal::data::{Window, dicom};
    let window = saved.preprocess.window().unwrap_or(Window::SOFT);
    Ok(dicom::read(bytes, input)?.raw(saved.model.input_shape(), &window)?)
}

/// Refuses a DICOM slice.
#[cfg(not(feature = "dicom"))]
fn slice(input: &str, _: &[u8], _: &SavedModel) -> Result<Vec<f32>> {
    Err(crate::built_in::lacking(&format!("{input}: a DICOM slice"), "dicom"))
}

/// Texts as the numbers of their tokens, or an array of such numbers.
fn tokens(input: &str, saved: &SavedModel, rows: usize) -> Result<Vec<(String, Vec<f32>)>> {
    let shape = saved.model.input_shape();
    let path = Path::new(input);
    if path.extension().is_some_and(|e| e == "npy") {
        let samples = array(input, &files::read(path, What::Array)?, shape)?;
        for (name, sample) in &samples {
            if let Some(bad) =
                sample.iter().find(|&&v| !(v >= 0.0 && v.fract() == 0.0 && (v as usize) < rows))
            {
                bail!(
                    "{name}: holds {bad}, which is not the number of a token; those are whole numbers from 0 to {}",
                    rows - 1
                );
            }
        }
        return Ok(samples);
    }
    let Some(vocabulary) = &saved.preprocess.text else {
        bail!("{input}: the model has no vocabulary; give it a .npy array of the numbers of tokens");
    };
    let texts = texts(input)?.into_iter();
    Ok(texts.map(|(name, text)| (name, vocabulary.encode(&text, shape[0] * shape[1]).0)).collect())
}

/// `mnist:test:7`, `mnist:train:0`
fn built_in(input: &str, threads: usize) -> Result<Option<Vec<f32>>> {
    let Some(rest) = input.strip_prefix(BUILT_IN) else { return Ok(None) };
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
    // Channels first are told by their extents where those cannot mean anything else.
    let first = |axes: &[usize]| c > 1 && axes == [c, h, w] && axes != shape;
    let array = match *array.shape() {
        [_, _, _] if first(array.shape()) => array.permuted_axes(IxDyn(&[1, 2, 0])),
        [_, a, b, d] if first(&[a, b, d]) => array.permuted_axes(IxDyn(&[0, 2, 3, 1])),
        _ => array,
    };
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

//! `.npz` as Keras keeps its data sets: `x_train`, `y_train`, `x_test`, `y_test`.

use std::io::{Cursor, Read};

use ndarray::{ArrayD, Axis};
use zip::ZipArchive;

use crate::npy::{Array, read_npy_any};
use crate::table::{Task, targets};
use crate::{Dataset, Error, Samples, Targets, TrainTest};

/// The most bytes that one array may unpack to.
const MAX_UNPACKED: u64 = 1 << 30;
/// DEFLATE cannot expand further than this (zlib's technical notes: 1032 to 1).
const MAX_RATIO: u64 = 1032;
/// The most arrays in a file; no data set has so many.
const MAX_MEMBERS: usize = 1024;

/// The data set in a `.npz` file. `source` names it in errors.
///
/// `x_train` and `y_train` (or `x` and `y`) must be there; `x_val` and `y_val`, `x_test` and
/// `y_test` may be. `x` is [n, height, width] or [n, height, width, channels]; `uint8` stays bytes.
/// `y` is `[n]`, `[n, 1]` or `[n, k]`; whole numbers are classes, other numbers and k > 1 columns are
/// values, as in [`targets`], where `task` and `known` are explained.
///
/// No array is unpacked beyond the size that the archive declares, and none that declares more than DEFLATE can hold
/// or more than 1 GiB.
///
/// # Errors
/// [`Error::Damaged`] for a broken archive, [`Error::Layout`] for missing arrays, the errors of
/// [`read_npy`](crate::npy::read_npy) (pickled objects are refused) and of [`Dataset::new`].
pub fn read_npz(
    bytes: &[u8],
    source: &str,
    task: Option<Task>,
    known: Option<&[String]>,
) -> Result<TrainTest, Error> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|e| damaged(source, &e))?;
    if archive.len() > MAX_MEMBERS {
        return Err(Error::TooLarge {
            file: source.to_string(),
            declared: format!("{} arrays", archive.len()),
            limit: format!("{MAX_MEMBERS}"),
            remedy: "keep only x_train, y_train, x_test and y_test",
        });
    }
    let mut open = Archive { archive: &mut archive, source };
    let (x, y) = match (open.pair("x_train", "y_train")?, open.pair("x", "y")?) {
        (Some(pair), _) | (None, Some(pair)) => pair,
        (None, None) => return Err(open.missing("x_train and y_train")),
    };
    let (validation, test) = (open.pair("x_val", "y_val")?, open.pair("x_test", "y_test")?);
    let learnt = labels(&y, source, task, known)?;
    // The other parts have the classes of the training part.
    let (task, classes) = match &learnt {
        Targets::Classes { names, .. } => (Task::Classify, Some(names.clone())),
        Targets::Values { .. } => (Task::Regress, None),
    };
    let others = |y: &Array| labels(y, source, Some(task), classes.as_deref());
    let mut train = dataset(source, x, learnt)?;
    let mut held = 0;
    if let Some((x, y)) = validation {
        let more = dataset(source, x, others(&y)?)?;
        held = more.len();
        train = train.joined(more)?;
    }
    let test = match test {
        Some((x, y)) => Some(dataset(&format!("{source} test"), x, others(&y)?)?),
        None => None,
    };
    Ok(TrainTest { validation: held, ..TrainTest::new(train, test)? })
}

struct Archive<'a, 'b> {
    archive: &'a mut ZipArchive<Cursor<&'b [u8]>>,
    source: &'a str,
}

impl Archive<'_, '_> {
    fn missing(&self, what: &str) -> Error {
        let names: Vec<&str> = self.archive.file_names().take(8).collect();
        Error::Layout {
            name: self.source.to_string(),
            problem: format!("lacks {what}; it holds {names:?}"),
            remedy: "save it with numpy.savez(file, x_train=..., y_train=..., x_test=..., y_test=...)",
        }
    }

    /// Two arrays that belong together; `None` if neither is there.
    fn pair(&mut self, x: &str, y: &str) -> Result<Option<(Array, Array)>, Error> {
        match (self.array(x)?, self.array(y)?) {
            (Some(x), Some(y)) => Ok(Some((x, y))),
            (None, None) => Ok(None),
            (Some(_), None) => Err(self.missing(y)),
            (None, Some(_)) => Err(self.missing(x)),
        }
    }

    fn array(&mut self, name: &str) -> Result<Option<Array>, Error> {
        let Some(index) = self.archive.index_for_name(&format!("{name}.npy")) else { return Ok(None) };
        let source = format!("{}: {name}", self.source);
        let file = self.archive.by_index(index).map_err(|e| damaged(&source, &e))?;
        let (size, packed) = (file.size(), file.compressed_size());
        let limit = MAX_UNPACKED.min(packed.saturating_mul(MAX_RATIO));
        if size > limit {
            return Err(Error::TooLarge {
                file: source,
                declared: format!("{size} bytes"),
                limit: format!("the {limit} that {packed} bytes in an archive may hold"),
                remedy: "save it again, or divide it",
            });
        }
        let mut bytes = Vec::new();
        file.take(size + 1).read_to_end(&mut bytes).map_err(|e| damaged(&source, &e))?;
        read_npy_any(&bytes, &source).map(Some)
    }
}

fn damaged(source: &str, error: &dyn std::fmt::Display) -> Error {
    let problem = error.to_string().escape_debug().to_string();
    Error::Damaged { file: source.to_string(), problem: format!("zip: {problem}") }
}

fn dataset(name: &str, x: Array, targets: Targets) -> Result<Dataset, Error> {
    let shape = match &x {
        Array::U8(x) => x.shape().to_vec(),
        Array::F32(x) => x.shape().to_vec(),
    };
    let shape = match shape[..] {
        [_, height, width] => [height, width, 1],
        [_, height, width, channels] => [height, width, channels],
        _ => {
            let expected = "[n, height, width] or [n, height, width, channels]";
            return Err(Error::Rank { file: format!("{name}: x"), shape, expected });
        }
    };
    let samples = match x {
        Array::U8(x) => Samples::U8(x.into_raw_vec_and_offset().0),
        Array::F32(x) => Samples::F32(x.into_raw_vec_and_offset().0),
    };
    Dataset::new(name, shape, samples, targets)
}

fn labels(y: &Array, source: &str, task: Option<Task>, known: Option<&[String]>) -> Result<Targets, Error> {
    let y: ArrayD<f32> = match y {
        Array::U8(y) => y.mapv(f32::from),
        Array::F32(y) => y.clone(),
    };
    let y = match y.ndim() {
        1 => y.insert_axis(Axis(1)),
        2 if (1..=1024).contains(&y.shape()[1]) => y,
        _ => {
            let (shape, expected) = (y.shape().to_vec(), "[n] or [n, k] with 1 to 1024 columns");
            return Err(Error::Rank { file: format!("{source}: y"), shape, expected });
        }
    };
    let cells: Vec<Vec<String>> =
        y.columns().into_iter().map(|column| column.iter().map(f32::to_string).collect()).collect();
    let columns: Vec<Vec<&str>> =
        cells.iter().map(|column| column.iter().map(String::as_str).collect()).collect();
    let names = (1..=columns.len()).map(|i| format!("value {i}")).collect();
    targets(&columns, names, source, &|row| format!("sample {row}"), task, known)
}

//! `.npz` as Keras keeps its data sets: `x_train`, `y_train`, `x_test`, `y_test`.

use std::io::{Cursor, Read};

use ndarray::{ArrayD, Axis, IxDyn};
use zip::ZipArchive;

use crate::npy::{Array, read_npy_any, read_npy_f64};
use crate::number::Decimal;
use crate::targets::{Columns, How, Task, Told, read};
use crate::{Dataset, Error, Samples, Targets, TrainTest, npy_text};

/// The most bytes that one array may unpack to.
const MAX_UNPACKED: u64 = 1 << 30;
/// DEFLATE cannot expand further than this (zlib's technical notes: 1032 to 1).
const MAX_RATIO: u64 = 1032;
/// The most arrays in a file; no data set has so many.
const MAX_MEMBERS: usize = 1024;

/// The order of an image's axes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// Channels last: [n, height, width, channels].
    Nhwc,
    /// Channels first: [n, channels, height, width].
    Nchw,
}

/// How a `.npz` file is to be read; by default it says so itself.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options<'a> {
    /// Classes or values.
    pub task: Option<Task>,
    /// The classes of a model, in its order.
    pub known: Option<&'a [String]>,
    /// The order of the axes.
    pub layout: Option<Layout>,
    /// The array that says what belongs together: a number or a name for each training sample.
    pub group: Option<&'a str>,
}

/// A data set of arrays.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Npz {
    /// The samples and targets.
    pub parts: TrainTest,
    /// How it was told whether the targets are classes or values.
    pub how: How,
    /// The order of the axes in the file; `None` for images without an axis of channels.
    pub layout: Option<Layout>,
    /// The group of each training sample, if an array of them was asked for; none for those of `x_val`.
    pub groups: Option<Vec<String>>,
}

/// The data set in a `.npz` file. `source` names it in errors.
///
/// `x_train` and `y_train` (or `x` and `y`) must be there; `x_val` and `y_val`, `x_test` and
/// `y_test` may be. MedMNIST's `train_images`, `train_labels` and so on are understood, too. `x` is [n, height, width], [n, height, width, channels] or [n, channels, height, width]: where no
/// layout is asked for, 1 or 3 entries in the second axis are channels if the last axis has not 1 to 4. `uint8` stays bytes.
/// `y` is `[n]`, `[n, 1]` or `[n, k]`, of numbers or of names; whether it is classes or values is told as in [`read`].
///
/// No array is unpacked beyond the size that the archive declares, and none that declares more than DEFLATE can hold
/// or more than 1 GiB.
///
/// # Errors
/// [`Error::Damaged`] for a broken archive, [`Error::Layout`] for missing arrays, the errors of
/// [`read_npy`](crate::npy::read_npy) (pickled objects are refused), of [`read`] and of [`Dataset::new`].
pub fn read_npz(bytes: &[u8], source: &str, options: &Options<'_>) -> Result<Npz, Error> {
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
    let Some(train) = open.first(&TRAIN)? else { return Err(open.missing("x_train and y_train")) };
    let (validation, test) = (open.first(&VALIDATION)?, open.first(&TEST)?);
    let arrays = Arrays { train, validation, test };
    let groups = options.group.map(|name| open.groups(name, arrays.train.1.first().map_or(0, Vec::len)));
    let groups = groups.transpose()?;
    Ok(Npz { groups, ..arrays.read(source, options)? })
}

/// The targets of samples: columns of cells as they would stand in a table.
pub type Cells = Vec<Vec<String>>;

/// A data set of arrays, before it is told what its targets and axes are.
#[derive(Debug, Clone)]
pub struct Arrays {
    /// Samples and targets to learn from: `x` as in [`read_npz`].
    pub train: (Array, Cells),
    /// The same to judge epochs by.
    pub validation: Option<(Array, Cells)>,
    /// The same to judge the result by.
    pub test: Option<(Array, Cells)>,
}

impl Arrays {
    /// The data set that these arrays are. `source` names it in errors.
    ///
    /// # Errors
    /// Those of [`read`] and of [`Dataset::new`].
    pub fn read(self, source: &str, options: &Options<'_>) -> Result<Npz, Error> {
        let Self { train: (x, y), validation, test } = self;
        let Told { targets, how } = labels(&y, source, options.task, options.known)?;
        // The other parts have the classes and the layout of the training part.
        let (task, classes) = match &targets {
            Targets::Classes { names, .. } => (Task::Classify, Some(names.clone())),
            Targets::Values { .. } => (Task::Regress, None),
            Targets::Labels { names, .. } => (Task::Label, Some(names.clone())),
        };
        let layout = layout(&x, options.layout);
        let others = |y: &Cells| labels(y, source, Some(task), classes.as_deref());
        let mut train = dataset(source, x, targets, layout)?;
        let mut held = 0;
        if let Some((x, y)) = validation {
            let more = dataset(source, x, others(&y)?.targets, layout)?;
            held = more.len();
            train = train.joined(more)?;
        }
        let test = match test {
            Some((x, y)) => Some(dataset(&format!("{source} test"), x, others(&y)?.targets, layout)?),
            None => None,
        };
        Ok(Npz {
            parts: TrainTest { validation: held, ..TrainTest::new(train, test)? },
            how,
            layout,
            groups: None,
        })
    }
}

/// The order of the axes of `x`: what is asked for, else what the extents say.
fn layout(x: &Array, asked: Option<Layout>) -> Option<Layout> {
    match *x.shape() {
        [_, channels, _, last] => Some(asked.unwrap_or(match channels {
            1 | 3 if !(1..=4).contains(&last) => Layout::Nchw,
            _ => Layout::Nhwc,
        })),
        _ => None,
    }
}

/// Reads an array from the bytes of a file and its name.
type Reader<'a, T> = &'a dyn Fn(&[u8], &str) -> Result<T, Error>;

/// Images and their targets.
type Pair = (Array, Cells);

/// The names of both parts of a pair: Keras's, and those of MedMNIST.
const TRAIN: [[&str; 2]; 3] = [["x_train", "y_train"], ["x", "y"], ["train_images", "train_labels"]];
const VALIDATION: [[&str; 2]; 2] = [["x_val", "y_val"], ["val_images", "val_labels"]];
const TEST: [[&str; 2]; 2] = [["x_test", "y_test"], ["test_images", "test_labels"]];

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

    /// The first of these pairs that is there.
    fn first(&mut self, names: &[[&str; 2]]) -> Result<Option<Pair>, Error> {
        for [x, y] in names {
            if let Some(pair) = self.pair(x, y)? {
                return Ok(Some(pair));
            }
        }
        Ok(None)
    }

    /// Two arrays that belong together; `None` if neither is there.
    fn pair(&mut self, x: &str, y: &str) -> Result<Option<Pair>, Error> {
        match (self.array(x, &read_npy_any)?, self.array(y, &words_or_numbers)?) {
            (Some(x), Some(y)) => Ok(Some((x, y))),
            (None, None) => Ok(None),
            (Some(_), None) => Err(self.missing(y)),
            (None, Some(_)) => Err(self.missing(x)),
        }
    }

    /// The group of each of `n` samples.
    fn groups(&mut self, name: &str, n: usize) -> Result<Vec<String>, Error> {
        let Some(mut all) = self.array(name, &words_or_numbers)? else {
            return Err(Error::Column {
                file: self.source.to_string(),
                column: name.to_string(),
                columns: self.archive.file_names().take(8).collect::<Vec<_>>().join(", "),
            });
        };
        match (all.len(), all.first().map_or(0, Vec::len)) {
            (1, rows) if rows == n => Ok(all.swap_remove(0)),
            (columns, rows) => Err(Error::Rank {
                file: format!("{}: {name}", self.source),
                shape: vec![rows, columns],
                expected: "[n], a number or a name for each training sample",
            }),
        }
    }

    fn array<T>(&mut self, name: &str, read: Reader<'_, T>) -> Result<Option<T>, Error> {
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
        read(&bytes, &source).map(Some)
    }
}

/// The targets in a `.npy` file: names, or numbers.
fn words_or_numbers(bytes: &[u8], source: &str) -> Result<Cells, Error> {
    match npy_text::cells(bytes, source)? {
        Some(words) => Ok(words),
        None => cells(&read_npy_f64(bytes, source)?, source),
    }
}

fn damaged(source: &str, error: &dyn std::fmt::Display) -> Error {
    let problem = error.to_string().escape_debug().to_string();
    Error::Damaged { file: source.to_string(), problem: format!("zip: {problem}") }
}

fn dataset(name: &str, x: Array, targets: Targets, layout: Option<Layout>) -> Result<Dataset, Error> {
    let shape = match *x.shape() {
        [_, height, width] => [height, width, 1],
        [_, channels, height, width] if layout == Some(Layout::Nchw) => [height, width, channels],
        [_, height, width, channels] => [height, width, channels],
        _ => {
            let expected = "[n, height, width] or [n, height, width, channels]";
            return Err(Error::Rank { file: format!("{name}: x"), shape: x.shape().to_vec(), expected });
        }
    };
    let first = x.shape().len() == 4 && layout == Some(Layout::Nchw);
    let samples = match x {
        Array::U8(x) => Samples::U8(last(x, first)),
        Array::F32(x) => Samples::F32(last(x, first)),
    };
    Dataset::new(name, shape, samples, targets)
}

/// The numbers of an array, channels last; they are `first` in it or not.
fn last<T: Clone>(x: ArrayD<T>, first: bool) -> Vec<T> {
    match first {
        true => x.permuted_axes(IxDyn(&[0, 2, 3, 1])).iter().cloned().collect(),
        false => x.into_raw_vec_and_offset().0,
    }
}

/// The targets in an array `[n]` or `[n, k]`. `source` names it in errors.
///
/// # Errors
/// [`Error::Rank`] for other arrays.
pub fn cells(y: &ArrayD<f64>, source: &str) -> Result<Cells, Error> {
    let y = match y.ndim() {
        1 => y.view().insert_axis(Axis(1)),
        2 if (1..=1024).contains(&y.shape()[1]) => y.view(),
        _ => {
            let (shape, expected) = (y.shape().to_vec(), "[n] or [n, k] with 1 to 1024 columns");
            return Err(Error::Rank { file: source.to_string(), shape, expected });
        }
    };
    Ok(y.columns().into_iter().map(|column| column.iter().map(f64::to_string).collect()).collect())
}

fn labels(y: &Cells, source: &str, task: Option<Task>, known: Option<&[String]>) -> Result<Told, Error> {
    let columns: Vec<Vec<&str>> =
        y.iter().map(|column| column.iter().map(String::as_str).collect()).collect();
    let names = (1..=columns.len()).map(|i| format!("value {i}")).collect();
    let place = |row: usize| format!("sample {row}");
    read(&columns, &Columns { names, source, place: &place, task, known, decimal: Decimal::Point })
}

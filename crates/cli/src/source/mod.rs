//! DATA on the command line: `mnist`, a folder, a CSV table, a `.npz` file, a TSV of texts.

pub mod ct;
mod kind;
mod pictures;
mod texts;

use crate::args::Reading;
use crate::files;
use crate::output::Context;
use anyhow::{Result, anyhow, bail};
use foveal::data::table::Task;
use foveal::data::text::{Tokens, Vocabulary};
use foveal::data::{Dataset, Error, Samples, Source, Targets, Window, idx, npz};
use foveal::train::SavedModel;
use foveal_mnist as mnist;
pub use kind::{For, Kind};
use pictures::InFolder;
pub use pictures::under as pictures_under;
use std::fs;
use std::path::{Path, PathBuf};
pub use texts::TextFacts;

/// The name of the built-in data set.
pub const MNIST: &str = "mnist";

/// How a data set is to be read.
#[derive(Default)]
pub struct Ask<'a> {
    /// Height and width that pictures are fitted to; without, they decide.
    pub size: Option<[usize; 2]>,
    /// 1 for grey, 3 for colour; without, the pictures decide.
    pub channels: Option<usize>,
    /// The classes of a model, in its order.
    pub classes: Option<&'a [String]>,
    /// Classes or values; without, the targets decide.
    pub task: Option<Task>,
    /// Whether a broken picture ends it.
    pub strict: bool,
    /// Whether pictures are read anew each time, however few they are.
    pub stream: bool,
    /// Of CT: a table of labels.
    pub labels: Option<&'a Path>,
    /// Of CT: what of the Hounsfield scale is seen.
    pub window: Option<Window>,
    /// Of CT: whether it may have no labels.
    pub unlabelled: bool,
    /// How texts become numbers.
    pub text: AskText<'a>,
    /// The trained model that they are for.
    pub model: Option<For>,
}

/// How texts are to be read; what is not said, the training texts decide.
#[derive(Default, Clone)]
pub struct AskText<'a> {
    /// The vocabulary of a model.
    pub vocabulary: Option<&'a Vocabulary>,
    /// The shape of a model's input.
    pub shape: Option<[usize; 3]>,
    /// What texts are cut into.
    pub tokens: Option<Tokens>,
    /// Tokens of a text.
    pub length: Option<usize>,
    /// Numbers of the vocabulary, at most.
    pub most: Option<usize>,
}

impl AskText<'_> {
    /// What the command line says.
    pub fn of(reading: &Reading) -> Self {
        Self {
            tokens: reading.tokens.map(Into::into),
            length: reading.text_length.map(usize::from),
            most: reading.vocabulary.map(|n| n as usize),
            ..Self::default()
        }
    }
}

impl<'a> Ask<'a> {
    /// What the options say.
    pub fn of_reading(reading: &'a Reading) -> Self {
        Self {
            size: reading.image_size.map(|size| size.0),
            task: reading.task.map(Into::into),
            strict: reading.strict,
            stream: reading.stream,
            labels: reading.ct.labels.as_deref(),
            window: reading.ct.window,
            text: AskText::of(reading),
            ..Self::default()
        }
    }

    /// What fits a trained model.
    pub fn of_model(saved: &'a SavedModel, strict: bool) -> Self {
        let [height, width, channels] = saved.model.input_shape();
        let classes = (!saved.classes.is_empty()).then_some(&saved.classes[..]);
        let task = if classes.is_some() { Task::Classify } else { Task::Regress };
        let text = AskText {
            vocabulary: saved.preprocess.text.as_ref(),
            shape: Some(saved.model.input_shape()),
            ..AskText::default()
        };
        Self {
            size: Some([height, width]),
            channels: Some(channels),
            classes,
            task: Some(task),
            strict,
            window: saved.preprocess.window(),
            text,
            model: Some(For { kind: Kind::of(saved), from: false, window: false }),
            ..Self::default()
        }
    }

    /// Refuses data that are not of the model's kind.
    pub fn check(&self, data: &str, is: Kind) -> Result<()> {
        self.model.map_or(Ok(()), |model| model.check(data, is))
    }
}

/// A data set that was read.
pub struct Opened {
    /// Its parts.
    pub source: Source,
    /// The files of the training part's samples and of the test part's, where each has one.
    pub files: Option<[Vec<String>; 2]>,
    /// Files that were not read, and why.
    pub skipped: Vec<String>,
    /// Of CT: what it is.
    pub ct: Option<ct::Summary>,
    /// Of texts: what they are made of.
    pub text: Option<TextFacts>,
}

impl Opened {
    /// The window that CT was seen through. Refuses what is asked of CT alone where there is none.
    pub fn window(&self, data: &str, ask: &Ask) -> Result<Option<Window>> {
        if self.ct.is_none() && (ask.window.is_some() || ask.labels.is_some()) {
            bail!("{data}: --window and --labels are for folders of DICOM slices, and this is none");
        }
        Ok(self.ct.as_ref().map(|_| ask.window.unwrap_or(Window::SOFT)))
    }

    /// What texts are made of, in words; nothing for pictures.
    pub fn text_facts(&self, context: &Context) -> String {
        self.text.as_ref().map_or_else(String::new, |text| text.text(context))
    }
}

impl From<Source> for Opened {
    fn from(source: Source) -> Self {
        Self { source, files: None, skipped: Vec::new(), ct: None, text: None }
    }
}

/// What a data set is, before any of its samples is read.
enum Found {
    BuiltIn,
    Idx,
    TextFolder,
    Slices(Vec<InFolder>),
    Pictures(Vec<InFolder>),
    Texts,
    Table,
    Arrays,
}

impl Found {
    fn at(data: &str) -> Result<Self> {
        if data == MNIST {
            return Ok(Found::BuiltIn);
        }
        let path = Path::new(data);
        if path.is_dir() {
            return Self::in_folder(path);
        }
        let extension = path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase());
        match extension.as_deref() {
            _ if !path.exists() => {
                bail!(
                    "{data}: there is no such data set, folder or file; `foveal data list` says what there is"
                )
            }
            Some("tsv") => Ok(Found::Texts),
            Some("csv") => Ok(Found::Table),
            Some("npz") => Ok(Found::Arrays),
            _ => bail!(
                "{data}: not a data set; name `mnist`, a folder, a .csv table, a .npz file or a .tsv of texts"
            ),
        }
    }

    fn in_folder(path: &Path) -> Result<Self> {
        for start in ["train-images", "train-labels", "t10k-images", "t10k-labels"] {
            if find(path, start)?.is_some() {
                return Ok(Found::Idx);
            }
        }
        if path.join(texts::TRAIN).is_file() {
            return Ok(Found::TextFolder);
        }
        let found = pictures::all_under(path)?;
        let slices = found.iter().any(|(names, path)| ct::is_slice(names, path));
        Ok(if slices { Found::Slices(found) } else { Found::Pictures(found) })
    }

    fn kind(&self) -> Kind {
        match self {
            Found::Slices(_) => Kind::Ct,
            Found::TextFolder | Found::Texts => Kind::Texts,
            Found::BuiltIn | Found::Idx | Found::Pictures(_) | Found::Table => Kind::Pictures,
            Found::Arrays => Kind::Arrays,
        }
    }
}

/// Refuses data that are not of the model's kind, before any sample is read.
pub fn check(data: &str, ask: &Ask) -> Result<()> {
    ask.check(data, Found::at(data)?.kind())
}

/// Opens the data set that `data` names.
pub fn open(data: &str, ask: &Ask, context: &Context) -> Result<Opened> {
    let found = Found::at(data)?;
    ask.check(data, found.kind())?;
    let path = Path::new(data);
    match found {
        Found::BuiltIn => Ok(built_in(context.threads)?.into()),
        Found::Idx => Ok(folder(path)?.into()),
        Found::TextFolder => texts::from_folder(path, ask, context),
        Found::Slices(found) => ct::open(path, &found, ask, context),
        Found::Pictures(found) => pictures::from_folder(path, found, ask, context),
        Found::Texts => texts::from_file(path, ask, context),
        Found::Table => pictures::from_table(path, ask, context),
        Found::Arrays => Ok(npz::read_npz(&files::read(path)?, data, ask.task, ask.classes)?.into()),
    }
}

/// The test part of a data set, opened only when it is asked for.
pub type Later = Box<dyn FnOnce() -> Result<Option<Dataset>>>;

/// What a model learns from.
pub struct ForTraining {
    /// The training part, with the samples at its end that are for validation.
    pub data: Dataset,
    /// How many those are.
    pub held: usize,
    /// The test part, later: it is looked at once, when all is learnt.
    pub test: Later,
    /// Of CT: the window that it was seen through.
    pub window: Option<Window>,
}

/// Opens a data set to learn from.
pub fn open_for_training(data: &str, ask: &Ask, context: &Context) -> Result<ForTraining> {
    if data == MNIST && ask.window.is_none() && ask.labels.is_none() {
        ask.check(data, Kind::Pictures)?;
        let (data, test) = (training_digits(context.threads)?, Box::new(|| test_digits().map(Some)));
        return Ok(ForTraining { data, held: 0, test, window: None });
    }
    let opened = open(data, ask, context)?;
    let window = opened.window(data, ask)?;
    let Source { train, validation, test } = opened.source;
    if train.is_empty() {
        bail!("{data}: there is nothing to train on");
    }
    Ok(ForTraining { data: train, held: validation, test: Box::new(|| Ok(test)), window })
}

/// A short name for run folders and results: `mnist`, the folder's own name, or the file's without extension.
pub fn name(data: &str) -> String {
    let path = Path::new(data);
    let whole = fs::canonicalize(path).ok();
    let whole = whole.as_deref().unwrap_or(path);
    let own = if whole.is_file() { whole.file_stem() } else { whole.file_name() };
    let own = own.map(|n| n.to_string_lossy().into_owned());
    if data == MNIST { MNIST.into() } else { own.unwrap_or_else(|| "data".into()) }
}

fn built_in(threads: usize) -> Result<Source> {
    Ok(Source::new(training_digits(threads)?, Some(test_digits()?))?)
}

/// The built-in test digits.
pub fn test_digits() -> Result<Dataset> {
    digits("mnist test", mnist::test_images(), mnist::test_labels())
}

/// The built-in training digits.
pub fn training_digits(threads: usize) -> Result<Dataset> {
    digits(MNIST, mnist::train_images(threads), mnist::train_labels())
}

fn digits(name: &str, pixels: Vec<u8>, labels: Vec<u8>) -> Result<Dataset> {
    let names = (0..mnist::CLASSES).map(|class| class.to_string()).collect();
    let labels = labels.into_iter().map(u32::from).collect();
    let shape = [mnist::HEIGHT, mnist::WIDTH, 1];
    Ok(Dataset::new(name, shape, Samples::U8(pixels), Targets::Classes { labels, names })?)
}

fn folder(path: &Path) -> Result<Source> {
    let missing = |what: &str| {
        anyhow!(
            "{}: there is no file {what}-ubyte (plain or .gz); a data set folder holds train-images-idx3, \
             train-labels-idx1, t10k-images-idx3 and t10k-labels-idx1",
            path.display()
        )
    };
    let images = find(path, "train-images")?.ok_or_else(|| missing("train-images-idx3"))?;
    let labels = find(path, "train-labels")?.ok_or_else(|| missing("train-labels-idx1"))?;
    let name = name(&path.display().to_string());
    let train = pair(&images, &labels, &name, None)?;
    let images = find(path, "t10k-images")?;
    let labels = find(path, "t10k-labels")?;
    let test = match (images, labels) {
        (None, None) => None,
        (None, _) => return Err(missing("t10k-images-idx3")),
        (_, None) => return Err(missing("t10k-labels-idx1")),
        (Some(images), Some(labels)) => {
            Some(pair(&images, &labels, &format!("{name} test"), train.classes())?)
        }
    };
    Ok(Source::new(train, test)?)
}

/// The file in `folder` whose name begins with `start`: `.../train-images-idx3-ubyte` or `....gz`; plain first.
fn find(folder: &Path, start: &str) -> Result<Option<PathBuf>> {
    let entries = fs::read_dir(folder).map_err(|e| anyhow!("cannot read {}: {e}", folder.display()))?;
    let mut found: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|e| e.path()))
        .filter(|p| p.file_name().is_some_and(|n| n.to_string_lossy().starts_with(start)))
        .collect();
    found.sort();
    Ok(found.into_iter().next())
}

fn pair(images: &Path, labels: &Path, name: &str, classes: Option<&[String]>) -> Result<Dataset> {
    let (image_bytes, label_bytes) = (files::read(images)?, files::read(labels)?);
    let read = match classes {
        Some(classes) => idx::images_and_labels_named(&image_bytes, &label_bytes, name, classes),
        None => idx::images_and_labels(&image_bytes, &label_bytes, name),
    };
    read.map_err(|error| {
        // The reader knows the set's name alone; a broken file is better named by its path.
        let broken = |path: &Path, bytes: &[u8]| -> Option<Error> {
            idx::read_idx(bytes, &path.display().to_string()).err()
        };
        broken(images, &image_bytes).or_else(|| broken(labels, &label_bytes)).unwrap_or(error).into()
    })
}

//! DATA on the command line: `mnist`, a folder, a CSV table, a `.npz` file, a TSV of texts.

mod arrays;
mod at_once;
#[cfg(feature = "dicom")]
mod ct;
mod ct_facts;
#[cfg(feature = "dicom")]
mod ct_found;
mod divide;
mod folder;
mod grouped;
mod idx;
mod kind;
mod listed;
mod mnist;
mod name;
mod odd;
mod opened;
mod options;
mod pictures;
mod text_facts;
#[cfg(feature = "text")]
mod texts;
mod told;
#[cfg(not(feature = "dicom"))]
mod without_ct;
#[cfg(not(feature = "text"))]
mod without_texts;

use crate::files::{self, What};
use crate::output::Context;
use crate::surroundings::{ARRAYS, Surroundings};
use anyhow::{Result, bail};
pub use ct_facts::CtFacts;
pub use divide::{Held, Kept, Parts, Whole, drawn_before, thin};
use folder::Walked;
pub use folder::{images_under, is_dicom};
use foveal::data::{Dataset, Scale, TrainTest, Window, table, text_table};
use foveal::train::PictureFit;
pub use grouped::{By, Grouped};
pub use kind::{ForModel, Kind};
pub use mnist::{BuiltIn, MNIST, built_in, test_digits, training_digits};
pub use name::name;
pub use opened::Opened;
pub use options::{Pretrained, ReadOptions, TextOptions};
use std::path::Path;
pub use text_facts::TextFacts;
pub use told::{Told, tell};
#[cfg(not(feature = "dicom"))]
use without_ct as ct;
#[cfg(not(feature = "text"))]
use without_texts as texts;

/// What kind of data set there is, found out before any sample is read.
enum Found {
    BuiltIn,
    Idx,
    TextFolder,
    Slices(Walked),
    Pictures(Walked),
    Texts,
    TextTable,
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
        // A table of files, whatever divides its cells, is one of pictures; else it is of texts.
        let pictures = || anyhow::Ok(table::names_pictures(&files::read(path, What::Table)?));
        match extension.as_deref() {
            _ if !path.exists() => {
                bail!(
                    "{data}: there is no such data set, folder or file; `foveal data list` says what there is"
                )
            }
            Some("tsv") => Ok(if pictures()? { Found::Table } else { Found::Texts }),
            Some("csv") => Ok(if pictures()? || !text_table::is_one(&files::read(path, What::Table)?) {
                Found::Table
            } else {
                Found::TextTable
            }),
            Some("npz") => Ok(Found::Arrays),
            _ => bail!(
                "{data}: not a data set; name `mnist`, a folder, a .csv table, a .npz file or a .tsv of texts"
            ),
        }
    }

    fn in_folder(path: &Path) -> Result<Self> {
        if idx::is_in(path)? {
            return Ok(Found::Idx);
        }
        if path.join(texts::TRAIN).is_file() {
            return Ok(Found::TextFolder);
        }
        let found = folder::all_under(path)?;
        let slices = found.files.iter().any(|(names, path)| folder::is_slice(names, path));
        Ok(if slices { Found::Slices(found) } else { Found::Pictures(found) })
    }

    /// Refuses groups that such a data set cannot have.
    fn groups(&self, group: &str, data: &str) -> Result<()> {
        match self {
            Found::Table | Found::Slices(_) => Ok(()),
            Found::Texts | Found::TextFolder | Found::TextTable | Found::Arrays
                if ![grouped::FOLDER, grouped::PREFIX].contains(&group) =>
            {
                Ok(())
            }
            Found::Pictures(_) if [grouped::FOLDER, grouped::PREFIX].contains(&group) => Ok(()),
            Found::Pictures(_) => bail!(
                "--group {group}: {data} is a folder, which has no columns; take folder or prefix, or a .csv table"
            ),
            _ => bail!(
                "--group {group}: names of files tell it, and {data} has none; name a column of the table (an array of \
                 the .npz) instead, or leave it out"
            ),
        }
    }

    fn kind(&self) -> Kind {
        match self {
            Found::Slices(_) => Kind::Ct,
            Found::TextFolder | Found::Texts | Found::TextTable => Kind::Texts,
            Found::BuiltIn | Found::Idx | Found::Pictures(_) | Found::Table => Kind::Pictures,
            Found::Arrays => Kind::Arrays,
        }
    }
}

/// Refuses data that are not of the model's kind, before any sample is read.
pub fn check(data: &str, options: &ReadOptions, context: &Context) -> Result<()> {
    let kind = if given(data, context).is_some() { Kind::Arrays } else { Found::at(data)?.kind() };
    options.check(data, kind)
}

/// Where the command runs, if `data` are arrays that were given there.
fn given<'a>(data: &str, context: &'a Context) -> Option<&'a Surroundings> {
    context.embedded.as_deref().filter(|_| data == ARRAYS)
}

/// Opens the data set that `data` names.
pub fn open(data: &str, options: &ReadOptions, context: &Context) -> Result<Opened> {
    if let Some(surroundings) = given(data, context) {
        options.check(data, Kind::Arrays)?;
        return arrays::given(surroundings, options);
    }
    let found = Found::at(data)?;
    options.check(data, found.kind())?;
    let path = Path::new(data);
    if let (Some(group), false) = (options.group, options.is_judged()) {
        found.groups(group, data)?;
    }
    let table = options.for_table();
    let opened: Opened = match found {
        Found::BuiltIn => mnist::source(context.threads)?.into(),
        Found::Idx => idx::open(path)?.into(),
        Found::TextFolder => texts::from_folder(path, options, context)?,
        Found::Slices(found) => ct::open(path, &found, options, context)?,
        Found::Pictures(found) => pictures::from_folder(path, found, options, context)?,
        Found::Texts => texts::from_file(path, &table, context)?,
        Found::Table => pictures::from_table(path, &table, context)?,
        Found::TextTable => texts::from_table(path, &table, context)?,
        Found::Arrays => arrays::open(path, options)?,
    };
    Ok(opened)
}

/// Opens the test part of a data set when it is called.
pub type Later = Box<dyn FnOnce() -> Result<Option<Dataset>>>;

/// What a model learns from.
pub struct ForTraining {
    /// The training part; the validation samples stand at its end.
    pub data: Dataset,
    /// How many samples are for validation.
    pub held: usize,
    /// Whether there is a test part.
    pub tested: bool,
    /// The share of the samples for the test, unless told otherwise.
    pub share: f64,
    /// What must not be divided.
    pub groups: Option<Grouped>,
    /// The test part: it is opened once, when the training is over.
    pub test: Later,
    /// For CT: the window that it was seen through.
    pub window: Option<Window>,
    /// Whether the pictures were read for the pretrained network.
    pub pretrained: bool,
    /// The file of each sample, of the training part and of the test part, where samples are files.
    pub files: Option<[Vec<String>; 2]>,
    /// What was told about the data.
    pub told: Vec<Told>,
    /// What black and white are among the numbers.
    pub scale: Scale,
    /// How pictures of another aspect ratio were fitted.
    pub fit: PictureFit,
}

/// Opens a data set to learn from.
pub fn open_for_training(data: &str, options: &ReadOptions, context: &Context) -> Result<ForTraining> {
    if data == MNIST && options.window.is_none() && options.labels.is_none() {
        options.check(data, Kind::Pictures)?;
        let (data, test) = (training_digits(context.threads)?, Box::new(|| test_digits().map(Some)));
        return Ok(ForTraining {
            data,
            held: 0,
            tested: true,
            share: 0.0,
            groups: None,
            test,
            window: None,
            pretrained: false,
            files: None,
            told: Vec::new(),
            scale: Scale::Bytes,
            fit: PictureFit::Digit,
        });
    }
    let opened = open(data, options, context)?;
    let window = opened.window(data, options)?;
    let lost = Told::lost(&opened.source.train);
    let mut opened = opened;
    opened.told.extend(lost);
    let Opened { pretrained, files, told, scale, fit, groups, test: share, .. } = opened;
    tell(&told, context);
    let TrainTest { train, validation, test } = opened.source;
    if train.is_empty() {
        bail!("{data}: there is nothing to train on");
    }
    Ok(ForTraining {
        data: train,
        held: validation,
        tested: test.is_some(),
        share,
        groups,
        test: Box::new(|| Ok(test)),
        window,
        pretrained,
        files,
        told,
        scale,
        fit,
    })
}

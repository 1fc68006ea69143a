//! How a data set is to be read: what the command line says, or what a trained model needs.

use super::grouped::{FOLDER, PREFIX};
use super::kind::{ForModel, Kind};
use crate::args::{Reading, Tables};
use anyhow::Result;
use foveal::data::npz::Layout;
use foveal::data::targets::Task;
use foveal::data::text::{Tokens, Vocabulary};
use foveal::data::{Scale, Window, table};
use foveal::train::{PictureFit, Preprocess, SavedModel};
use std::path::Path;

/// Groups that are told by the names of files.
pub const BY_NAME: [&str; 2] = [FOLDER, PREFIX];

/// How a data set is to be read.
#[derive(Default, Clone)]
pub struct ReadOptions<'a> {
    /// Height and width that pictures are fitted to; `None`: the pictures decide.
    pub size: Option<[usize; 2]>,
    /// 1 for grey, 3 for colour; `None`: the pictures decide.
    pub channels: Option<usize>,
    /// The classes of a model, in its order.
    pub classes: Option<&'a [String]>,
    /// Classes or values; `None`: the targets decide.
    pub task: Option<Task>,
    /// The order of the axes of arrays; `None`: the extents decide.
    pub layout: Option<Layout>,
    /// What black and white are among the numbers; `None`: the numbers decide.
    pub scale: Option<Scale>,
    /// What happens to pictures of another aspect ratio.
    pub fit: Option<PictureFit>,
    /// How a trained model sees pictures.
    pub preprocess: Option<&'a Preprocess>,
    /// The folder that a table's paths count from; `None`: its own.
    pub images: Option<&'a Path>,
    /// The column of paths; `None`: the cells decide.
    pub path_column: Option<&'a str>,
    /// What must not be divided: `folder`, `prefix` or a column.
    pub group: Option<&'a str>,
    /// The columns of targets; empty: the heading decides.
    pub target: &'a [String],
    /// Whether a broken picture or row is an error; else it is left out.
    pub strict: bool,
    /// Whether pictures are read anew in each epoch, however few they are.
    pub stream: bool,
    /// For CT: the table of labels. For tables: columns of 0 and 1, one for each label.
    pub labels: Option<&'a Path>,
    /// What [`ReadOptions::labels`] names, for tables.
    pub columns: Vec<String>,
    /// For CT: the window, which part of the Hounsfield scale is seen.
    pub window: Option<Window>,
    /// For CT: whether slices may have no labels.
    pub unlabelled: bool,
    /// How texts become numbers.
    pub text: TextOptions<'a>,
    /// The trained model that the data are read for.
    pub model: Option<ForModel>,
    /// Whether the pretrained network is to be used if the data are colour pictures with classes: then they are read
    /// at the size that suits it, unless `size` says otherwise.
    pub pretrained: Pretrained,
}

/// When the pretrained network is used.
#[derive(Default, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pretrained {
    /// Never.
    #[default]
    Never,
    /// For colour pictures with classes that are not too small.
    IfSuited,
    /// For pictures whatever they are, which are all read in colour.
    Always,
}

/// How texts are to be read; the training texts decide what is `None`.
#[derive(Default, Clone)]
pub struct TextOptions<'a> {
    /// The vocabulary of a trained model.
    pub vocabulary: Option<&'a Vocabulary>,
    /// The shape of the input of a trained model.
    pub shape: Option<[usize; 3]>,
    /// What texts are cut into.
    pub tokens: Option<Tokens>,
    /// How many tokens of a text are read.
    pub length: Option<usize>,
    /// The largest size of the vocabulary.
    pub most: Option<usize>,
}

impl TextOptions<'_> {
    /// What the options of the command line say.
    pub fn of(reading: &Reading) -> Self {
        Self {
            tokens: reading.tokens.map(Into::into),
            length: reading.text_length.map(usize::from),
            most: reading.vocabulary.map(|n| n as usize),
            ..Self::default()
        }
    }
}

impl<'a> ReadOptions<'a> {
    /// What the options of the command line say.
    pub fn from_args(reading: &'a Reading) -> Self {
        Self {
            size: reading.image_size.map(|size| size.0),
            task: reading.task.map(Into::into),
            strict: reading.strict,
            stream: reading.stream,
            layout: reading.layout.map(Into::into),
            scale: reading.scale,
            fit: reading.fit.map(Into::into),
            group: reading.group.as_deref(),
            labels: reading.ct.labels.as_deref(),
            window: reading.ct.window,
            text: TextOptions::of(reading),
            ..Self::default()
        }
        .with_tables(&reading.tables)
    }

    /// With what the command line says about tables.
    pub fn with_tables(self, tables: &'a Tables) -> Self {
        Self {
            images: tables.images.as_deref(),
            path_column: tables.path_column.as_deref(),
            target: &tables.target,
            ..self
        }
    }

    /// How a table is to be read.
    pub fn table(&self) -> table::Options<'_> {
        table::Options {
            task: self.task,
            known: self.classes,
            path: self.path_column,
            targets: if self.columns.is_empty() { self.target } else { &self.columns },
            group: self.group.filter(|group| !BY_NAME.contains(group)),
            strict: self.strict,
        }
    }

    /// The same for a table of pictures or texts, for which `--labels` names columns.
    pub fn for_table(&self) -> Self {
        let Some(names) = self.labels.and_then(Path::to_str) else { return self.clone() };
        let columns =
            names.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect();
        Self { labels: None, columns, task: Some(Task::Label), ..self.clone() }
    }

    /// What a trained model needs.
    pub fn for_model(saved: &'a SavedModel, strict: bool) -> Self {
        let [height, width, channels] = saved.model.input_shape();
        let classes = (!saved.classes.is_empty()).then_some(&saved.classes[..]);
        let task = match classes {
            Some(_) if saved.is_multi_label() => Task::Label,
            Some(_) => Task::Classify,
            None => Task::Regress,
        };
        let text = TextOptions {
            vocabulary: saved.preprocess.text.as_ref(),
            shape: Some(saved.model.input_shape()),
            ..TextOptions::default()
        };
        Self {
            size: Some([height, width]),
            channels: Some(channels),
            classes,
            task: Some(task),
            strict,
            window: saved.preprocess.window(),
            preprocess: Some(&saved.preprocess),
            text,
            group: saved.training.division.as_ref().and_then(|division| division.group.as_deref()),
            model: Some(ForModel { kind: Kind::of(saved), from: false, window: false }),
            ..Self::default()
        }
    }

    /// Whether the data are read to judge a trained model, whose groups they need not have.
    pub fn is_judged(&self) -> bool {
        self.model.is_some_and(|model| !model.from)
    }

    /// Passes an error on if the user asked for what it is about, and not the model.
    pub fn given<T>(&self, error: anyhow::Error) -> Result<Option<T>> {
        if self.is_judged() { Ok(None) } else { Err(error) }
    }

    /// Refuses data that are not of the model's kind.
    pub fn check(&self, data: &str, is: Kind) -> Result<()> {
        self.model.map_or(Ok(()), |model| model.check(data, is))
    }
}

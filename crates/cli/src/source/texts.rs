//! Data sets of texts: a TSV, or a folder with `train.tsv`, `val.tsv` and `test.tsv`.

use super::grouped::{By, Grouped, alone};
use super::name::name;
use super::opened::{Opened, tell_skipped};
use super::options::ReadOptions;
use super::text_facts::TextFacts;
use super::told::Told;
use crate::files::{self, What};
use crate::output::{Context, count};
use crate::paths::Shown;
use anyhow::{Result, bail};
use foveal::data::targets::Task;
use foveal::data::text::{Lengths, Tokens, Vocabulary};
use foveal::data::tsv::{Texts, read_tsv};
use foveal::data::{Dataset, Part, Targets, TrainTest, table, text_table};
use std::path::Path;
use std::sync::Arc;

/// A folder that holds this file is a data set of texts.
pub const TRAIN: &str = "train.tsv";
/// The files that may stand beside it.
const OTHERS: [(&str, Part); 2] = [("val.tsv", Part::Validation), ("test.tsv", Part::Test)];
/// The size of a vocabulary, unless told otherwise.
const VOCABULARY: usize = 20_000;

/// The texts of a data set, not yet turned into numbers.
struct Listed {
    name: String,
    texts: Vec<String>,
    /// File and line of each text.
    places: Vec<String>,
    parts: Vec<Part>,
    targets: Targets,
    /// The group of each text, if a column of them was asked for.
    groups: Option<Vec<String>>,
    skipped: Vec<String>,
    told: Vec<Told>,
}

/// A TSV.
pub fn from_file(path: &Path, options: &ReadOptions, context: &Context) -> Result<Opened> {
    let shown = path.shown();
    let bytes = files::read(path, What::Table)?;
    let read = grouped(options, &|options| read_tsv(&bytes, &shown, &options.table()))?;
    Listed::new(name(&shown), &shown, read, None, context).opened(options, context)
}

/// A CSV.
pub fn from_table(path: &Path, options: &ReadOptions, context: &Context) -> Result<Opened> {
    let shown = path.shown();
    let bytes = files::read(path, What::Table)?;
    let read = grouped(options, &|options| text_table::read_csv(&bytes, &shown, &options.table()))?;
    Listed::new(name(&shown), &shown, read, None, context).opened(options, context)
}

/// What `read` gives, without the column of groups where a trained model asks for one that is not there.
fn grouped(
    options: &ReadOptions,
    read: &dyn Fn(&ReadOptions) -> Result<Texts, foveal::data::Error>,
) -> Result<Texts> {
    match read(options) {
        Err(foveal::data::Error::Column { .. }) if options.is_judged() && options.group.is_some() => {
            Ok(read(&ReadOptions { group: None, ..options.clone() })?)
        }
        other => Ok(other?),
    }
}

/// A folder with a TSV for each part.
pub fn from_folder(path: &Path, options: &ReadOptions, context: &Context) -> Result<Opened> {
    let judged = options.is_judged();
    let read = |file: &str, task: Option<Task>, classes: Option<&[String]>| {
        let shown = path.join(file).shown();
        let options = table::Options { task, known: classes, ..options.table() };
        let bytes = files::read(&path.join(file), What::Table)?;
        let read = match read_tsv(&bytes, &shown, &options) {
            // The other parts need no groups.
            Err(foveal::data::Error::Column { .. }) if judged || file != TRAIN => {
                read_tsv(&bytes, &shown, &table::Options { group: None, ..options })?
            }
            other => other?,
        };
        anyhow::Ok((shown, read))
    };
    let (shown, train) = read(TRAIN, options.task, options.classes)?;
    let own = name(&path.shown());
    let mut all = Listed::new(own.clone(), &shown, train, Some(Part::Train), context);
    for (file, part) in OTHERS.into_iter().filter(|(file, _)| path.join(file).is_file()) {
        // The other parts have the classes of the training part.
        let (task, classes) = match &all.targets {
            Targets::Classes { names, .. } => (Task::Classify, Some(names.clone())),
            Targets::Values { .. } => (Task::Regress, None),
            Targets::Labels { names, .. } => (Task::Label, Some(names.clone())),
        };
        let (shown, more) = read(file, Some(task), classes.as_deref())?;
        all.join(Listed::new(own.clone(), &shown, more, Some(part), context));
    }
    all.opened(options, context)
}

impl Listed {
    fn new(name: String, shown: &str, read: Texts, part: Option<Part>, context: &Context) -> Self {
        let Texts { texts, parts, targets, how, lines, empty, skipped, groups, .. } = read;
        let mut skipped: Vec<String> = skipped.iter().map(|line| format!("{shown}: {line}")).collect();
        let told = Told::targets(how, &targets, texts.len(), &[]).into_iter().collect();
        if let Some(first) = empty.first() {
            let n = count(empty.len() as u64);
            skipped.push(context.language.pick(
                format!("{shown}: {n} line(s) without text, first line {first}"),
                format!("{shown}: 글이 없는 줄 {n}개 (첫째 {first}번째 줄)"),
            ));
        }
        let parts = parts.into_iter().map(|own| part.unwrap_or(own)).collect();
        let places = lines.iter().map(|line| format!("{shown}:{line}")).collect();
        Self { name, texts, places, parts, targets, groups, skipped, told }
    }

    fn join(&mut self, more: Self) {
        self.texts.extend(more.texts);
        self.places.extend(more.places);
        self.parts.extend(more.parts);
        self.skipped.extend(more.skipped);
        if let Some(groups) = &mut self.groups {
            let own = more.groups.unwrap_or_default();
            groups.extend(own);
            groups.resize(self.texts.len(), String::new());
        }
        match (&mut self.targets, more.targets) {
            (Targets::Classes { labels, .. }, Targets::Classes { labels: more, .. }) => labels.extend(more),
            (Targets::Values { values, .. }, Targets::Values { values: more, .. })
            | (Targets::Labels { values, .. }, Targets::Labels { values: more, .. }) => values.extend(more),
            _ => {}
        }
    }

    /// Turns the texts into numbers, by the vocabulary of a trained model or of the training part.
    fn opened(self, options: &ReadOptions, context: &Context) -> Result<Opened> {
        if options.strict
            && let Some(first) = self.skipped.first()
        {
            bail!("{first}; fill it in or take it out");
        }
        tell_skipped(&self.skipped, context);
        let of = |wanted: &dyn Fn(Part) -> bool| -> Vec<usize> {
            (0..self.parts.len()).filter(|&i| wanted(self.parts[i])).collect()
        };
        let mut learnt = of(&|part| part == Part::Train);
        let train = learnt.len();
        learnt.extend(of(&|part| part == Part::Validation));
        let test = of(&|part| part == Part::Test);
        if learnt.is_empty() && options.text.vocabulary.is_none() {
            bail!("{}: holds no text to train on", self.name);
        }
        let seen = || learnt[..train].iter().map(|&i| self.texts[i].as_str());
        let vocabulary = Arc::new(vocabulary(options, &seen)?);
        let shape = shape(options, vocabulary.tokens(), &seen)?;
        tell_vocabulary(&vocabulary, shape, context);
        let set = |name: &str, indices: &[usize]| {
            let texts = indices.iter().map(|&i| self.texts[i].clone()).collect();
            Dataset::of_texts(name, texts, self.targets.select(indices), Arc::clone(&vocabulary), shape)
        };
        let places = |indices: &[usize]| indices.iter().map(|&i| self.places[i].clone()).collect();
        let files = Some([places(&learnt), places(&test)]);
        let test_set = if test.is_empty() { None } else { Some(set(&format!("{} test", self.name), &test)?) };
        let source = TrainTest::new(set(&self.name, &learnt)?, test_set)?;
        let source = TrainTest { validation: learnt.len() - train, ..source };
        let text = Some(TextFacts::new(&source, &vocabulary, shape[0] * shape[1]));
        let groups = self.groups.as_ref().zip(options.group).map(|(groups, name)| {
            let keys = alone(learnt.iter().map(|&i| groups[i].clone()).collect());
            Grouped { by: By::Column(name.to_owned()), keys }
        });
        Ok(Opened { files, groups, skipped: self.skipped, text, told: self.told, ..Opened::from(source) })
    }
}

fn vocabulary<'a, I: Iterator<Item = &'a str>>(
    options: &ReadOptions,
    seen: &dyn Fn() -> I,
) -> Result<Vocabulary> {
    if let Some(known) = options.text.vocabulary {
        return Ok(known.clone());
    }
    let tokens = options.text.tokens.unwrap_or_else(|| Tokens::suited_to(seen()));
    Ok(Vocabulary::new(tokens, seen(), options.text.most.unwrap_or(VOCABULARY))?)
}

/// The shape of a text: that of a trained model, or one row as long as suits the training texts.
fn shape<'a, I: Iterator<Item = &'a str>>(
    options: &ReadOptions,
    tokens: Tokens,
    seen: &dyn Fn() -> I,
) -> Result<[usize; 3]> {
    match (options.text.shape, options.text.length) {
        (Some(shape), None) => Ok(shape),
        (Some(shape), Some(length)) if shape[0] * shape[1] == length => Ok(shape),
        (Some(shape), Some(length)) => {
            bail!("--text-length {length}: the model takes {} tokens; leave it out", shape[0] * shape[1])
        }
        (None, length) => Ok([1, length.unwrap_or_else(|| Lengths::new(tokens, seen()).suited()), 1]),
    }
}

/// Says how texts are read.
fn tell_vocabulary(vocabulary: &Vocabulary, shape: [usize; 3], context: &Context) {
    let (n, length) = (count(vocabulary.entries().len() as u64), shape[0] * shape[1]);
    let (words, words_ko) = match vocabulary.tokens() {
        Tokens::Words => ("words", "낱말"),
        Tokens::Chars => ("characters", "글자"),
        Tokens::Ngrams => ("pairs of characters", "두 글자씩 묶은 토큰"),
    };
    context.note(&context.language.pick(
        format!("texts as {words}: {n} of them are known, the first {length} of a text are read"),
        format!("글을 {words_ko} 단위로 읽음: {n}가지를 알고, 글마다 처음 {length}개를 읽음"),
    ));
}

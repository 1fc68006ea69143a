//! Data sets of texts: a TSV, or a folder with `train.tsv`, `val.tsv` and `test.tsv`.

use super::pictures::tell;
use super::{Ask, Opened, name};
use crate::files;
use crate::output::{Context, count};
use anyhow::{Result, bail};
use foveal::data::table::Task;
use foveal::data::text::{Lengths, Tokens, UNKNOWN, Vocabulary, dataset};
use foveal::data::tsv::{Texts, read_tsv};
use foveal::data::{Dataset, Part, Source, Targets};
use serde::Serialize;
use std::path::Path;
use std::sync::Arc;

/// The file of a folder that makes it a data set of texts.
pub const TRAIN: &str = "train.tsv";
/// The others.
const OTHERS: [(&str, Part); 2] = [("val.tsv", Part::Validation), ("test.tsv", Part::Test)];
/// The most frequent tokens that are named.
const FREQUENT: usize = 12;
/// Numbers of a vocabulary, unless told otherwise.
const VOCABULARY: usize = 20_000;

/// Texts by part, not yet numbers.
struct Listed {
    name: String,
    texts: Vec<String>,
    /// Where each text stands.
    places: Vec<String>,
    parts: Vec<Part>,
    targets: Targets,
    skipped: Vec<String>,
}

/// A TSV.
pub fn from_file(path: &Path, ask: &Ask, context: &Context) -> Result<Opened> {
    let shown = path.display().to_string();
    let read = read_tsv(&files::read(path)?, &shown, ask.task, ask.classes)?;
    Listed::new(name(&shown), &shown, read, None, context).opened(ask, context)
}

/// A folder with a TSV for each part.
pub fn from_folder(path: &Path, ask: &Ask, context: &Context) -> Result<Opened> {
    let read = |file: &str, task: Option<Task>, classes: Option<&[String]>| {
        let shown = path.join(file).display().to_string();
        let read = read_tsv(&files::read(&path.join(file))?, &shown, task, classes)?;
        anyhow::Ok((shown, read))
    };
    let (shown, train) = read(TRAIN, ask.task, ask.classes)?;
    let own = name(&path.display().to_string());
    let mut all = Listed::new(own.clone(), &shown, train, Some(Part::Train), context);
    for (file, part) in OTHERS.into_iter().filter(|(file, _)| path.join(file).is_file()) {
        // The other parts have the classes of the training part.
        let (task, classes) = match &all.targets {
            Targets::Classes { names, .. } => (Task::Classify, Some(names.clone())),
            Targets::Values { .. } => (Task::Regress, None),
        };
        let (shown, more) = read(file, Some(task), classes.as_deref())?;
        all.join(Listed::new(own.clone(), &shown, more, Some(part), context));
    }
    all.opened(ask, context)
}

impl Listed {
    fn new(name: String, shown: &str, read: Texts, part: Option<Part>, context: &Context) -> Self {
        let Texts { texts, parts, targets, lines, empty } = read;
        let mut skipped = Vec::new();
        if let Some(first) = empty.first() {
            let n = count(empty.len() as u64);
            skipped.push(context.language.pick(
                format!("{shown}: {n} line(s) without text, first line {first}"),
                format!("{shown}: 글이 없는 줄 {n}개 (첫째 {first}번째 줄)"),
            ));
        }
        let parts = parts.into_iter().map(|own| part.unwrap_or(own)).collect();
        let places = lines.iter().map(|line| format!("{shown}:{line}")).collect();
        Self { name, texts, places, parts, targets, skipped }
    }

    fn join(&mut self, more: Self) {
        self.texts.extend(more.texts);
        self.places.extend(more.places);
        self.parts.extend(more.parts);
        self.skipped.extend(more.skipped);
        match (&mut self.targets, more.targets) {
            (Targets::Classes { labels, .. }, Targets::Classes { labels: more, .. }) => labels.extend(more),
            (Targets::Values { values, .. }, Targets::Values { values: more, .. }) => values.extend(more),
            _ => {}
        }
    }

    /// Texts become numbers, by the model's vocabulary or that of the training part.
    fn opened(self, ask: &Ask, context: &Context) -> Result<Opened> {
        if ask.strict
            && let Some(first) = self.skipped.first()
        {
            bail!("{first}; fill it in or take it out");
        }
        tell(&self.skipped, context);
        let of = |wanted: &dyn Fn(Part) -> bool| -> Vec<usize> {
            (0..self.parts.len()).filter(|&i| wanted(self.parts[i])).collect()
        };
        let mut learnt = of(&|part| part == Part::Train);
        let train = learnt.len();
        learnt.extend(of(&|part| part == Part::Validation));
        let test = of(&|part| part == Part::Test);
        if learnt.is_empty() && ask.text.vocabulary.is_none() {
            bail!("{}: holds no text to train on", self.name);
        }
        let seen = || learnt[..train].iter().map(|&i| self.texts[i].as_str());
        let vocabulary = Arc::new(vocabulary(ask, &seen)?);
        let shape = shape(ask, vocabulary.tokens(), &seen)?;
        told(&vocabulary, shape, context);
        let set = |name: &str, indices: &[usize]| {
            let texts = indices.iter().map(|&i| self.texts[i].clone()).collect();
            dataset(name, texts, self.targets.select(indices), Arc::clone(&vocabulary), shape)
        };
        let places = |indices: &[usize]| indices.iter().map(|&i| self.places[i].clone()).collect();
        let files = Some([places(&learnt), places(&test)]);
        let test_set = if test.is_empty() { None } else { Some(set(&format!("{} test", self.name), &test)?) };
        let source = Source::new(set(&self.name, &learnt)?, test_set)?;
        let source = Source { validation: learnt.len() - train, ..source };
        let text = Some(TextFacts::new(&source, &vocabulary, shape[0] * shape[1]));
        Ok(Opened { source, files, skipped: self.skipped, text, ct: None })
    }
}

/// What texts are made of.
#[derive(Serialize)]
pub struct TextFacts {
    /// `words`, `chars` or `ngrams`.
    tokens: &'static str,
    /// Numbers of the vocabulary.
    vocabulary: usize,
    /// Tokens of a text that are read.
    length: usize,
    /// Tokens of the training part's texts: the median, the 95th percentile, the longest.
    median: usize,
    percentile_95: usize,
    longest: usize,
    /// Texts of the training part and of the test part that are longer than what is read.
    cut: [usize; 2],
    /// Share of the read tokens of the training part and of the test part that the vocabulary does not have.
    unknown: [f64; 2],
    /// The most frequent tokens.
    frequent: Vec<String>,
}

impl TextFacts {
    fn new(source: &Source, vocabulary: &Vocabulary, length: usize) -> Self {
        let parts = [Some(&source.train), source.test.as_ref()];
        let texts =
            |data: &'_ Dataset| (0..data.len()).filter_map(|i| data.text(i)).map(str::to_owned).collect();
        let texts: [Vec<String>; 2] = parts.map(|part| part.map_or_else(Vec::new, texts));
        let tokens = vocabulary.tokens();
        let lengths = Lengths::new(tokens, texts[0].iter().map(String::as_str));
        let of = |texts: &[String]| {
            let (mut cut, mut unknown, mut all) = (0, 0usize, 0usize);
            for text in texts {
                let (row, whole) = vocabulary.encode(text, length);
                cut += usize::from(whole > length);
                all += whole.min(length);
                unknown += row.iter().filter(|&&id| id == UNKNOWN as f32).count();
            }
            (cut, unknown as f64 / all.max(1) as f64)
        };
        let [(cut, unknown), (cut_test, unknown_test)] = [of(&texts[0]), of(&texts[1])];
        Self {
            tokens: tokens.name(),
            vocabulary: vocabulary.size(),
            length,
            median: lengths.median,
            percentile_95: lengths.most,
            longest: lengths.longest,
            cut: [cut, cut_test],
            unknown: [unknown, unknown_test],
            frequent: vocabulary.entries().iter().take(FREQUENT).cloned().collect(),
        }
    }

    /// In words.
    pub fn text(&self, context: &Context) -> String {
        let Self { tokens, length, median, percentile_95, longest, cut: [cut, cut_test], .. } = self;
        let n = count(self.vocabulary as u64);
        let [unknown, unknown_test] = self.unknown.map(|share| format!("{:.1} %", 100.0 * share));
        let frequent = self.frequent.join(" ");
        context.language.pick(
            format!(
                "\ntexts as {tokens}, a vocabulary of {n} numbers\n\
                 tokens of a training text: median {median}, 95 % at most {percentile_95}, longest {longest}\n\
                 the first {length} are read; longer are {cut} training and {cut_test} test texts\n\
                 unknown tokens: {unknown} of training, {unknown_test} of test\n\
                 most frequent: {frequent}\n"
            ),
            format!(
                "\n글을 {tokens} 단위로 읽음, 어휘의 수 {n}\n\
                 훈련 글의 토큰 수: 중앙값 {median}, 95 %가 {percentile_95} 이하, 가장 긴 글 {longest}\n\
                 처음 {length}개를 읽음. 더 긴 글은 훈련 {cut}편, 시험 {cut_test}편\n\
                 어휘에 없는 토큰: 훈련 {unknown}, 시험 {unknown_test}\n\
                 가장 잦은 토큰: {frequent}\n"
            ),
        )
    }
}

fn vocabulary<'a, I: Iterator<Item = &'a str>>(ask: &Ask, seen: &dyn Fn() -> I) -> Result<Vocabulary> {
    if let Some(known) = ask.text.vocabulary {
        return Ok(known.clone());
    }
    let tokens = ask.text.tokens.unwrap_or_else(|| Tokens::suited_to(seen()));
    Ok(Vocabulary::new(tokens, seen(), ask.text.most.unwrap_or(VOCABULARY))?)
}

/// The shape of a text: the model's, or one row as long as suits the training texts.
fn shape<'a, I: Iterator<Item = &'a str>>(
    ask: &Ask,
    tokens: Tokens,
    seen: &dyn Fn() -> I,
) -> Result<[usize; 3]> {
    match (ask.text.shape, ask.text.length) {
        (Some(shape), None) => Ok(shape),
        (Some(shape), Some(length)) if shape[0] * shape[1] == length => Ok(shape),
        (Some(shape), Some(length)) => {
            bail!("--text-length {length}: the model takes {} tokens; leave it out", shape[0] * shape[1])
        }
        (None, length) => Ok([1, length.unwrap_or_else(|| Lengths::new(tokens, seen()).suited()), 1]),
    }
}

fn told(vocabulary: &Vocabulary, shape: [usize; 3], context: &Context) {
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

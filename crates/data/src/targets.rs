//! Targets, and how they are told from columns of text: whether they are classes, values or labels.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::Error;
use crate::error::quoted;
use crate::number::{self, Decimal};

/// So many rows with a fault are named in an error.
const NAMED: usize = 5;
/// Whole numbers of so few different values are classes, even if they do not count up from 0 or 1.
const FEW: usize = 20;
/// A column is numbers with faults, and not words, if at most one cell in so many is no number.
const FAULTY: usize = 5;

/// The target of each sample.
#[derive(Debug, Clone, PartialEq)]
pub enum Targets {
    /// One class a sample.
    Classes {
        /// `n` indices into `names`.
        labels: Vec<u32>,
        /// The names of the classes.
        names: Vec<String>,
    },
    /// One or more numbers a sample (regression).
    Values {
        /// `n * names.len()` numbers, sample by sample; in `f64`, since years and prices may be large and differ little.
        values: Vec<f64>,
        /// What each number is.
        names: Vec<String>,
    },
    /// Any number of labels a sample.
    Labels {
        /// `n * names.len()` numbers, sample by sample: 1 where the sample has the label, else 0.
        values: Vec<f64>,
        /// What the labels are called.
        names: Vec<String>,
    },
}

impl Targets {
    /// The targets of the samples at `indices`, in that order.
    ///
    /// # Panics
    /// When an index is past the end.
    pub fn select(&self, indices: &[usize]) -> Self {
        match self {
            Targets::Classes { labels, names } => Targets::Classes {
                labels: indices.iter().map(|&i| labels[i]).collect(),
                names: names.clone(),
            },
            Targets::Values { values, names } => {
                Targets::Values { values: rows(values, names.len(), indices), names: names.clone() }
            }
            Targets::Labels { values, names } => {
                Targets::Labels { values: rows(values, names.len(), indices), names: names.clone() }
            }
        }
    }

    /// The names of the classes, values or labels.
    pub fn names(&self) -> &[String] {
        match self {
            Targets::Classes { names, .. }
            | Targets::Values { names, .. }
            | Targets::Labels { names, .. } => names,
        }
    }

    /// Whether both are classes, values or labels, of the same names.
    pub(crate) fn same_kind(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other) && self.names() == other.names()
    }

    pub(crate) fn in_words(&self) -> String {
        let kind = match self {
            Targets::Classes { .. } => "classes",
            Targets::Values { .. } => "values",
            Targets::Labels { .. } => "labels",
        };
        let first: Vec<&String> = self.names().iter().take(3).collect();
        format!("{} {kind} {first:?}", self.names().len())
    }
}

/// The rows of `k` numbers at `indices`.
fn rows(values: &[f64], k: usize, indices: &[usize]) -> Vec<f64> {
    indices.iter().flat_map(|&i| &values[i * k..(i + 1) * k]).copied().collect()
}

/// What is learnt from targets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// One of several classes.
    Classify,
    /// Numbers.
    Regress,
    /// Any number of labels a sample.
    Label,
}

/// How it was told whether targets are classes or values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum How {
    /// By the caller.
    #[default]
    Asked,
    /// By folders: each is a class.
    Folders,
    /// The targets are words: classes.
    Words,
    /// The targets are whole numbers of few different values: classes.
    Labels,
    /// The targets are whole numbers of many different values: values.
    WholeNumbers,
    /// The targets are numbers that are not whole: values.
    Fractions,
    /// There are several columns of numbers: values.
    Several,
    /// There are several columns of 0 and 1, with a single 1 in each row: classes, one-hot.
    OneHot,
    /// The cells hold several labels with `|`, `;` or `,` between them, or there are several columns of 0 and 1: labels.
    MultiLabel,
}

/// Targets, and how they were told.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Told {
    /// The targets.
    pub targets: Targets,
    /// How it was told whether they are classes or values.
    pub how: How,
}

/// How columns of targets are to be read.
pub struct Columns<'a> {
    /// What each column is called.
    pub names: Vec<String>,
    /// Names the data set in errors.
    pub source: &'a str,
    /// Names a row in errors.
    pub place: &'a dyn Fn(usize) -> String,
    /// Overrules what the targets say.
    pub task: Option<Task>,
    /// The classes of a model, in its order.
    pub known: Option<&'a [String]>,
    /// Whether a comma in a number is its decimal point, where that cannot be seen from the column.
    pub decimal: Decimal,
}

/// Targets from columns of text, one cell a sample.
///
/// One column of words is classes, sorted as text; so are whole numbers of few different values (0, 1, 2 …; also 0.0,
/// 1.0), sorted by value, and several columns of 0 and 1 with a single 1 in each row (one-hot). Cells such as `cat;dog`
/// whose parts occur in others too, and several columns of 0 and 1 otherwise, are labels, of which a sample may have any
/// number. Other numbers and several columns are values (regression). `10,059.15`, `85.3 %` and `0,5` are numbers.
///
/// # Errors
/// [`Error::Cells`] for a column of numbers in which some cells are none; [`Error::MultiLabel`] for several labels a
/// sample where `task` asks for one class; [`Error::Layout`] for several columns of words, a single class, and a class
/// that is not `known`.
///
/// ```
/// use foveal_data::targets::{Columns, How, read};
/// use foveal_data::number::Decimal;
///
/// let place = |row: usize| format!("line {}", row + 2);
/// let names = vec!["age".to_string()];
/// let columns = Columns { names, source: "a.csv", place: &place, task: None, known: None, decimal: Decimal::Point };
/// let told = read(&[vec!["0.5", "2.25"]], &columns)?;
/// assert_eq!(told.how, How::Fractions);
/// let error = read(&[vec!["0.5", "2.25", "1.5", "NA", "3.5"]], &columns).unwrap_err().to_string();
/// assert!(error.contains(r#"line 5 "NA""#), "{error}");
/// # Ok::<(), foveal_data::Error>(())
/// ```
pub fn read(columns: &[Vec<&str>], how: &Columns<'_>) -> Result<Told, Error> {
    match columns {
        [column] => how.one(column),
        _ => how.several(columns),
    }
}

impl Columns<'_> {
    fn wrong(&self, problem: String, remedy: &'static str) -> Error {
        Error::Layout { name: self.source.to_string(), problem, remedy }
    }

    /// The error for cells that are no numbers, by rows.
    fn cells(&self, column: &[&str], bad: &[usize], title: &str) -> Error {
        let shown: Vec<String> = bad
            .iter()
            .take(NAMED)
            .map(|&row| format!("{} {}", (self.place)(row), quoted(column[row].as_bytes())))
            .collect();
        let more = if bad.len() > NAMED { ", …" } else { "" };
        Error::Cells {
            name: self.source.to_string(),
            column: title.to_string(),
            count: bad.len(),
            of: column.len(),
            rows: format!("{}{more}", shown.join(", ")),
        }
    }

    fn one(&self, column: &[&str]) -> Result<Told, Error> {
        let read = Numbers::new(column, self.decimal);
        let title = self.names.first().map_or("", String::as_str);
        let classify = |how| Ok(Told { targets: self.classes(column)?, how });
        let regress = |how| match &read.bad[..] {
            [] => Ok(Told {
                targets: Targets::Values { values: read.values.clone(), names: self.names.clone() },
                how,
            }),
            bad => Err(self.cells(column, bad, title)),
        };
        match (self.task, self.known) {
            (Some(Task::Regress), _) => return regress(How::Asked),
            (Some(Task::Label), _) if read.is_binary() => return self.columns_of_labels(&[read], How::Asked),
            (Some(Task::Label), _) => return self.labels_in_cells(column, How::Asked),
            (Some(Task::Classify), _) | (None, Some(_)) => return classify(How::Asked),
            (None, None) => {}
        }
        if !read.is_numeric(column) {
            return match separator(column) {
                Some(_) => self.labels_in_cells(column, How::MultiLabel),
                None => classify(How::Words),
            };
        }
        match (read.bad.is_empty(), read.labels(), read.whole) {
            (false, ..) => Err(self.cells(column, &read.bad, title)),
            (_, true, _) => classify(How::Labels),
            (_, _, true) => regress(How::WholeNumbers),
            _ => regress(How::Fractions),
        }
    }

    fn several(&self, columns: &[Vec<&str>]) -> Result<Told, Error> {
        let rows = columns.first().map_or(0, Vec::len);
        let read: Vec<Numbers> = columns.iter().map(|c| Numbers::new(c, self.decimal)).collect();
        let faulty = read.iter().zip(columns).zip(&self.names).find(|((r, _), _)| !r.bad.is_empty());
        if let Some(((numbers, column), title)) = faulty {
            if numbers.is_numeric(column) || self.task == Some(Task::Regress) {
                return Err(self.cells(column, &numbers.bad, title));
            }
            let problem = format!("has {} columns of targets, and {title:?} is words", columns.len());
            return Err(self.wrong(problem, "name the column that is to be learnt: --target COLUMN"));
        }
        let binary = read.iter().all(Numbers::is_binary);
        if self.task != Some(Task::Regress) && columns.len() > 1 && binary && rows > 0 {
            let ones = |row: usize| read.iter().filter(|r| r.values[row] == 1.0).count();
            return match (self.task, (0..rows).find(|&row| ones(row) != 1)) {
                (Some(Task::Label), _) => self.columns_of_labels(&read, How::Asked),
                (_, None) => self.one_hot(&read, rows),
                (Some(_), Some(row)) => Err(Error::MultiLabel {
                    name: self.source.to_string(),
                    labels: columns.len(),
                    sample: format!("{} has {} of them", (self.place)(row), ones(row)),
                }),
                (None, Some(_)) => self.columns_of_labels(&read, How::MultiLabel),
            };
        }
        if self.task == Some(Task::Label) {
            let problem = "a column of labels holds something else than 0 and 1".to_owned();
            return Err(self.wrong(problem, "name the columns of 0 and 1: --target COLUMN,COLUMN"));
        }
        if self.task == Some(Task::Classify) || self.known.is_some() {
            let problem =
                format!("has {} columns of targets, but one class a picture is needed", columns.len());
            return Err(
                self.wrong(problem, "name one (--target COLUMN), or learn numbers (--task regression)")
            );
        }
        let values = (0..rows).flat_map(|row| read.iter().map(move |r| r.values[row])).collect();
        let how = if self.task.is_some() { How::Asked } else { How::Several };
        Ok(Told { targets: Targets::Values { values, names: self.names.clone() }, how })
    }

    /// Classes of columns that hold 0 but for a single 1 in each row.
    fn one_hot(&self, read: &[Numbers], rows: usize) -> Result<Told, Error> {
        let (names, of) = self.places(read.len())?;
        let label = |row: usize| (0..read.len()).find(|&i| read[i].values[row] == 1.0).unwrap_or(0);
        let labels = (0..rows).map(|row| of[label(row)] as u32).collect();
        Ok(Told { targets: Targets::Classes { labels, names }, how: How::OneHot })
    }

    /// The names of the classes or labels that columns stand for, and the place of each column among them.
    fn places(&self, columns: usize) -> Result<(Vec<String>, Vec<usize>), Error> {
        let plain = self.names.iter().enumerate().all(|(i, name)| *name == format!("value {}", i + 1));
        let own = || match plain {
            true => (0..columns).map(|i| i.to_string()).collect(),
            false => self.names.clone(),
        };
        let names = self.known.map_or_else(own, <[String]>::to_vec);
        // Columns without names are in the model's order; with names they are found by them.
        let place = |i: usize| match plain {
            true => (i < names.len()).then_some(i),
            false => names.iter().position(|name| *name == self.names[i]),
        };
        let of: Vec<Option<usize>> = (0..columns).map(place).collect();
        if let Some(i) = of.iter().position(Option::is_none) {
            let problem = format!("the column {:?} is no class that the model knows", self.names[i]);
            return Err(self.wrong(problem, "correct it, or train with that class"));
        }
        let of = of.into_iter().flatten().collect();
        Ok((names, of))
    }

    /// Labels of columns that hold 0 and 1, one for each label. Those of a model that no column stands for are 0.
    fn columns_of_labels(&self, read: &[Numbers], how: How) -> Result<Told, Error> {
        let (names, of) = self.places(read.len())?;
        let (rows, k) = (read.first().map_or(0, |r| r.values.len()), names.len());
        let mut values = vec![0.0; rows * k];
        for (numbers, place) in read.iter().zip(of) {
            numbers.values.iter().enumerate().for_each(|(row, &v)| values[row * k + place] = v);
        }
        Ok(Told { targets: Targets::Labels { values, names }, how })
    }

    /// Labels of cells such as `cat;dog`.
    fn labels_in_cells(&self, column: &[&str], how: How) -> Result<Told, Error> {
        let by = separator(column)
            .or_else(|| SEPARATORS.into_iter().find(|by| column.iter().any(|c| c.contains(*by))));
        let parts = |cell: &'_ str| -> Vec<String> {
            let all = by.map_or_else(|| vec![cell], |by| cell.split(by).collect());
            all.into_iter().map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
        };
        let own =
            || column.iter().flat_map(|cell| parts(cell)).collect::<BTreeSet<_>>().into_iter().collect();
        let names: Vec<String> = self.known.map_or_else(own, <[String]>::to_vec);
        let k = names.len();
        let mut values = vec![0.0; column.len() * k];
        for (row, cell) in column.iter().enumerate() {
            for part in parts(cell) {
                let Some(place) = names.iter().position(|name| *name == part) else {
                    let part = quoted(part.as_bytes());
                    let problem =
                        format!("{} has the label {part}, which the model does not know", (self.place)(row));
                    return Err(self.wrong(problem, "correct it, or train with that label"));
                };
                values[row * k + place] = 1.0;
            }
        }
        Ok(Told { targets: Targets::Labels { values, names }, how })
    }

    fn classes(&self, column: &[&str]) -> Result<Targets, Error> {
        let whole = |cell: &&str| number::whole(cell);
        let names: Vec<String> = match self.known {
            Some(known) => known.to_vec(),
            None if column.iter().all(|cell| whole(cell).is_some()) => {
                // 1 and 1.0 are one class; 01 keeps its name where it is alone.
                let mut by_value: BTreeMap<i64, &str> = BTreeMap::new();
                for cell in column {
                    if let Some(value) = whole(cell) {
                        let plain = cell.parse::<i64>().is_ok();
                        let own = by_value.entry(value).or_insert(cell);
                        if plain && own.parse::<i64>().is_err() {
                            *own = cell;
                        }
                    }
                }
                let name = |(value, cell): (i64, &str)| match cell.parse::<i64>() {
                    Ok(_) => cell.to_owned(),
                    Err(_) => value.to_string(),
                };
                by_value.into_iter().map(name).collect()
            }
            None => {
                let names: BTreeSet<&str> = column.iter().copied().collect();
                names.into_iter().map(str::to_owned).collect()
            }
        };
        if names.len() < 2 && self.known.is_none() {
            let problem = format!("holds one class alone, {names:?}");
            return Err(self.wrong(problem, "a class is told from others: add some"));
        }
        self.labels(column, names)
    }

    fn labels(&self, column: &[&str], names: Vec<String>) -> Result<Targets, Error> {
        let index: HashMap<&str, u32> = names.iter().map(String::as_str).zip(0..).collect();
        let by_value: HashMap<i64, u32> =
            names.iter().zip(0..).filter_map(|(name, i)| Some((number::whole(name)?, i))).collect();
        let mut labels = Vec::with_capacity(column.len());
        for (row, cell) in column.iter().enumerate() {
            let found = index.get(cell).copied();
            let found = found.or_else(|| by_value.get(&number::whole(cell)?).copied());
            labels.push(found.ok_or_else(|| {
                let cell = quoted(cell.as_bytes());
                let problem =
                    format!("{} is of class {cell}, which the model does not know", (self.place)(row));
                self.wrong(problem, "correct it, or train with that class")
            })?);
        }
        Ok(Targets::Classes { labels, names })
    }
}

/// What may stand between several labels in a cell.
const SEPARATORS: [char; 3] = ['|', ';', ','];

/// What stands between several labels in the cells of a column; `None` where each cell is one class. The parts of
/// `Smith, John` are no labels: what labels are called occurs in several cells, alone or beside others.
fn separator(column: &[&str]) -> Option<char> {
    SEPARATORS.into_iter().find(|&by| {
        let cells: BTreeSet<&str> = column.iter().copied().collect();
        let joined = || cells.iter().filter(|cell| cell.contains(by));
        // Names of classes hold no bar: one part that occurs in two cells is enough.
        let wanted = |known: usize, all: usize| if by == '|' { known > 0 } else { known == all };
        let known = |part: &str| cells.iter().any(|cell| *cell == part);
        if joined().any(|cell| cell.split(by).filter(|part| known(part.trim())).count() > 1) {
            return true;
        }
        let mut counts: HashMap<&str, usize> = HashMap::new();
        for cell in &cells {
            let parts: BTreeSet<&str> = cell.split(by).map(str::trim).collect();
            parts.into_iter().for_each(|part| *counts.entry(part).or_default() += 1);
        }
        joined().next().is_some()
            && (by == '|' || counts.len() < cells.len())
            && wanted(counts.values().filter(|&&n| n > 1).count(), counts.len())
    })
}

/// A column read as numbers.
struct Numbers {
    /// The numbers; NaN where a cell is none.
    values: Vec<f64>,
    /// The cells that are no finite numbers.
    bad: Vec<usize>,
    /// Whether all that are numbers are whole.
    whole: bool,
}

impl Numbers {
    fn new(column: &[&str], decimal: Decimal) -> Self {
        let decimal = number::decimal(column, decimal);
        let values: Vec<f64> =
            column.iter().map(|cell| number::parse(cell, decimal).unwrap_or(f64::NAN)).collect();
        let bad: Vec<usize> = (0..values.len()).filter(|&i| values[i].is_nan()).collect();
        let whole = values.iter().filter(|v| !v.is_nan()).all(|v| v.fract() == 0.0 && v.abs() < 1e15);
        Self { values, bad, whole }
    }

    fn is_binary(&self) -> bool {
        self.values.iter().all(|&v| v == 0.0 || v == 1.0)
    }

    /// Whether the column is numbers, though some cells may be faults: those say that a value is missing, or they are
    /// few among numbers that cannot be classes.
    fn is_numeric(&self, column: &[&str]) -> bool {
        let good = self.values.len() - self.bad.len();
        let missing = || self.bad.iter().all(|&row| number::is_missing(column[row]));
        let few = || self.bad.len() * FAULTY <= self.values.len() && !self.labels();
        good > 0 && (self.bad.is_empty() || good > self.bad.len() && missing() || few())
    }

    /// Whether these are the numbers of classes: whole numbers that count up from 0 or 1, or that are few, with at
    /// least two samples of each class on average.
    fn labels(&self) -> bool {
        if !self.whole {
            return false;
        }
        let numbers = self.values.iter().filter(|v| !v.is_nan());
        let distinct: BTreeSet<i64> = numbers.map(|&v| v as i64).collect();
        let (k, n) = (distinct.len(), self.values.len() - self.bad.len());
        let (Some(&first), Some(&last)) = (distinct.first(), distinct.last()) else { return false };
        let counted = matches!(first, 0 | 1) && last.abs_diff(first) + 1 == k as u64;
        match counted {
            true => k <= FEW || n >= 2 * k,
            false => k <= 3 || k <= FEW && n >= 2 * k || n >= FEW * k,
        }
    }
}

//! Tables of pictures as people have them: paths and targets, in whatever order, under whatever heading.

use crate::error::quoted;
use crate::number::{self, Decimal};
use crate::rows::{Rows, rows};
pub use crate::targets::Task;
use crate::targets::{Columns, How, read};
use crate::{Error, Part, Targets, folder};

/// The most outputs of a regression, and the most columns of a table.
const MAX_COLUMNS: usize = 1024;
/// So many rows tell what a column holds.
const LOOKED: usize = 1000;
/// What a heading may call its columns, in lower case.
const PATHS: [&str; 17] = [
    "path",
    "file",
    "filename",
    "file_name",
    "filepath",
    "file_path",
    "image",
    "image_path",
    "image_name",
    "img",
    "img_path",
    "image_id",
    "picture",
    "series",
    "patient",
    "파일",
    "이미지",
];
const TARGETS: [&str; 9] =
    ["label", "class", "target", "category", "labels", "classes", "class_name", "라벨", "클래스"];
const SPLITS: [&str; 4] = ["split", "part", "subset", "set"];
const INDICES: [&str; 5] = ["", "unnamed: 0", "index", "idx", "no"];

/// How a table is to be read; by default it says so itself.
#[derive(Debug, Clone, Default)]
pub struct Options<'a> {
    /// Classes or values.
    pub task: Option<Task>,
    /// The classes of a model, in its order.
    pub known: Option<&'a [String]>,
    /// The column of paths, by its heading or its number from 1.
    pub path: Option<&'a str>,
    /// The columns of targets, likewise.
    pub targets: &'a [String],
    /// The column of groups, of which none is divided among parts, likewise.
    pub group: Option<&'a str>,
    /// Whether a broken row is an error; else it is left out and counted.
    pub strict: bool,
}

/// A table of pictures.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Table {
    /// The heading of the column of paths, in lower case; empty where there is no heading.
    pub key: String,
    /// The pictures' paths, as they stand in the table.
    pub paths: Vec<String>,
    /// The part of each picture; training where there is no such column.
    pub parts: Vec<Part>,
    /// Whether a column names the parts.
    pub parted: bool,
    /// The targets.
    pub targets: Targets,
    /// How it was told whether they are classes or values.
    pub how: How,
    /// The group of each picture, if a column of them was asked for.
    pub groups: Option<Vec<String>>,
    /// Rows that were left out, and why.
    pub skipped: Vec<String>,
    /// Columns that are not read.
    pub unread: Vec<String>,
    /// What the targets are called, where a heading says so.
    pub titles: Vec<String>,
}

/// Reads a table of paths and targets. `source` names it in errors.
///
/// Cells are divided by commas, semicolons, tabs or bars, whichever does so evenly; they may be quoted. A heading may
/// name the columns, which then stand in any order: paths (`path`, `file`, `image` …), targets (`label`, `class` …,
/// else all that are left) and `split` (`train`, `val`, `test`). An index is left out. Without a heading the column whose
/// cells are named like pictures holds the paths. Lines that begin with `#` are comments. Rows with
/// another number of cells or an empty target are left out, at most half of them.
/// Text is composed (Unicode NFC). Whether targets are classes or values is told as in [`read`].
///
/// # Errors
/// [`Error::TooLarge`], [`Error::Encoding`], [`Error::Column`] for a column that is not there, [`Error::Layout`], and the
/// errors of [`read`].
///
/// ```
/// use foveal_data::table::{Options, read_csv};
///
/// let text = b";label;file\n0;cat;a.png\n1;dog;b.png\n";
/// let table = read_csv(text, "pets.csv", &Options::default())?;
/// assert_eq!(table.paths, ["a.png", "b.png"]);
/// # Ok::<(), foveal_data::Error>(())
/// ```
pub fn read_csv(bytes: &[u8], source: &str, options: &Options<'_>) -> Result<Table, Error> {
    let Rows { rows, separator } = rows(bytes, source)?;
    let wrong = |problem: String| Error::Layout {
        name: source.to_string(),
        problem,
        remedy: "each row is a picture's path and its target, divided by a comma",
    };
    let plan = Plan::new(&rows, source, options).map_err(|error| error.unwrap_or_else(&wrong))?;
    let body = &rows[usize::from(plan.headed)..];
    let sorted = plan.sort(body, options.strict).map_err(wrong)?;
    let kept = &sorted.kept;
    let of = |column: usize| kept.iter().map(|&i| &body[i].1[column]).collect::<Vec<&str>>();
    let columns: Vec<Vec<&str>> = plan.targets.iter().map(|&c| of(c)).collect();
    let place = |row: usize| format!("line {}", kept.get(row).map_or(0, |&i| body[i].0));
    let told = read(
        &columns,
        &Columns {
            names: plan.names(),
            source,
            place: &place,
            task: options.task,
            known: options.known,
            decimal: if separator == b',' { Decimal::Point } else { Decimal::Comma },
        },
    )?;
    let owned = |column: usize| of(column).into_iter().map(str::to_owned).collect();
    Ok(Table {
        key: plan.title(plan.path).to_lowercase(),
        paths: owned(plan.path),
        parts: sorted.parts,
        parted: plan.split.is_some(),
        targets: told.targets,
        how: told.how,
        groups: plan.group.map(owned),
        skipped: sorted.skipped,
        unread: plan.unread(),
        titles: plan.targets.iter().map(|&c| plan.title(c).to_owned()).filter(|t| !t.is_empty()).collect(),
    })
}

/// Whether a heading names paths, so that a table is one of pictures and not of texts.
pub fn names_pictures(bytes: &[u8]) -> bool {
    let Ok(Rows { rows, .. }) = rows(bytes, "") else { return false };
    let looked = || rows.iter().take(LOOKED);
    looked().any(|(_, row)| row.iter().any(folder::is_picture))
        || rows.first().is_some_and(|(_, row)| row.iter().any(|c| PATHS.contains(&c.to_lowercase().as_str())))
}

/// Which column holds what.
struct Plan {
    width: usize,
    headed: bool,
    heading: Vec<String>,
    path: usize,
    split: Option<usize>,
    group: Option<usize>,
    targets: Vec<usize>,
}

/// The rows that are read, their parts, and what is said about the others.
struct Sorted {
    kept: Vec<usize>,
    parts: Vec<Part>,
    skipped: Vec<String>,
}

type Numbered = (u64, csv::StringRecord);

impl Plan {
    /// The error is in words where it is about the whole table.
    fn new(rows: &[Numbered], source: &str, options: &Options<'_>) -> Result<Self, Result<Error, String>> {
        let Some((_, first)) = rows.first() else { return Err(Err("holds no row with a picture".into())) };
        let named = options.path.is_some() || !options.targets.is_empty();
        let headed = is_heading(rows, named);
        let body = &rows[usize::from(headed)..];
        let Some((_, second)) = body.first() else { return Err(Err("holds no row with a picture".into())) };
        // A heading may lack the name of pandas' index.
        let width = if headed && second.len() == first.len() + 1 { second.len() } else { first.len() };
        if !(2..=MAX_COLUMNS).contains(&width) {
            return Err(Err(format!("its first row has {width} cells, not 2 to {MAX_COLUMNS}")));
        }
        let mut heading: Vec<String> = Vec::new();
        if headed {
            heading.resize(width - first.len(), String::new());
            heading.extend(first.iter().map(str::to_owned));
        }
        let mut plan =
            Self { width, headed, heading, path: 0, split: None, group: None, targets: Vec::new() };
        plan.find(body, options).map_err(|column| {
            Ok(Error::Column { file: source.to_string(), column, columns: plan.heading.join(", ") })
        })?;
        if plan.targets.is_empty() {
            return Err(Err("has no column of targets".into()));
        }
        Ok(plan)
    }

    /// Finds the columns; the error is the one that is asked for and not there.
    fn find(&mut self, body: &[Numbered], options: &Options<'_>) -> Result<(), String> {
        let asked = |name: &str| self.column(name).ok_or_else(|| name.to_owned());
        let path = options.path.map(&asked).transpose()?;
        let targets = options.targets.iter().map(|t| asked(t)).collect::<Result<Vec<_>, _>>()?;
        let group = options.group.map(&asked).transpose()?;
        let named = |names: &[&str], but: &[usize]| {
            let is = |c: &usize| names.contains(&self.title(*c).to_lowercase().as_str()) && !but.contains(c);
            (0..self.width).find(is)
        };
        let cells = |c: usize| body.iter().take(LOOKED).filter_map(move |(_, row)| row.get(c));
        let pictures = |c: usize| cells(c).filter(|cell| folder::is_picture(cell)).count();
        let most = (0..self.width).filter(|c| !targets.contains(c)).rev().max_by_key(|&c| pictures(c));
        let most = most.filter(|&c| pictures(c) > 0);
        let path = path.or(most).or_else(|| named(&PATHS, &targets)).unwrap_or(0);
        let split = named(&SPLITS, &targets).filter(|&c| c != path);
        let taken = [Some(path), split, group];
        let index = |c: usize| {
            let counts = |(i, cell): (usize, &str)| cell.parse() == Ok(i) || cell.parse() == Ok(i + 1);
            INDICES.contains(&self.title(c).to_lowercase().as_str())
                && self.headed
                && cells(c).enumerate().all(counts)
        };
        let left: Vec<usize> = (0..self.width).filter(|c| !taken.contains(&Some(*c)) && !index(*c)).collect();
        // A model's labels have columns of their own.
        let known = options.known.filter(|_| options.task == Some(Task::Label)).unwrap_or_default();
        let labels: Vec<usize> =
            left.iter().copied().filter(|&c| known.iter().any(|k| k == self.title(c))).collect();
        let targets = match named(&TARGETS, &[]).filter(|c| left.contains(c)) {
            _ if !targets.is_empty() => targets,
            _ if labels.len() == known.len() && !labels.is_empty() => labels,
            Some(one) => vec![one],
            None => left,
        };
        (self.path, self.split, self.group, self.targets) = (path, split, group, targets);
        Ok(())
    }

    /// The column of this heading or number.
    fn column(&self, name: &str) -> Option<usize> {
        let own = (0..self.width).find(|&c| self.title(c) == name);
        let alike = || (0..self.width).find(|&c| self.title(c).eq_ignore_ascii_case(name));
        let number = || name.parse::<usize>().ok().filter(|n| (1..=self.width).contains(n)).map(|n| n - 1);
        own.or_else(alike).or_else(number)
    }

    fn title(&self, column: usize) -> &str {
        self.heading.get(column).map_or("", String::as_str)
    }

    /// What the targets are called.
    fn names(&self) -> Vec<String> {
        let name = |(i, &c): (usize, &usize)| match self.title(c) {
            "" => format!("value {}", i + 1),
            title => title.to_owned(),
        };
        self.targets.iter().enumerate().map(name).collect()
    }

    /// The headings of the columns that are not read.
    fn unread(&self) -> Vec<String> {
        let read = |c: &usize| {
            *c == self.path || self.split == Some(*c) || self.group == Some(*c) || self.targets.contains(c)
        };
        (0..self.width)
            .filter(|c| !read(c))
            .map(|c| self.title(c).to_owned())
            .filter(|t| !t.is_empty())
            .collect()
    }

    /// Which rows are read. The error is what is wrong with the first that is not, if none may be left out or more
    /// than half would be.
    fn sort(&self, body: &[Numbered], strict: bool) -> Result<Sorted, String> {
        let mut sorted = Sorted { kept: Vec::new(), parts: Vec::new(), skipped: Vec::new() };
        for (i, (line, row)) in body.iter().enumerate() {
            match self.part(row) {
                Ok(part) => {
                    sorted.kept.push(i);
                    sorted.parts.push(part);
                }
                Err(problem) => sorted.skipped.push(format!("line {line} {problem}")),
            }
        }
        match sorted.skipped.first() {
            Some(first) if strict || sorted.skipped.len() >= sorted.kept.len().max(1) => Err(first.clone()),
            _ => Ok(sorted),
        }
    }

    /// The part of a row; the error is why it is not read.
    fn part(&self, row: &csv::StringRecord) -> Result<Part, String> {
        if row.len() != self.width {
            return Err(format!("has {} cells, the first row {}", row.len(), self.width));
        }
        if row[self.path].is_empty() {
            return Err("names no file".into());
        }
        if self.targets.iter().any(|&c| row[c].is_empty()) {
            return Err("has an empty target".into());
        }
        let Some(split) = self.split else { return Ok(Part::Train) };
        let other = || format!("is for {}, not train, val or test", quoted(row[split].as_bytes()));
        Part::named(&row[split]).ok_or_else(other)
    }
}

/// Whether the first row names the columns.
fn is_heading(rows: &[Numbered], asked: bool) -> bool {
    let first = &rows[0].1;
    if first.iter().any(folder::is_picture) {
        return false;
    }
    let known = |cell: &str| {
        let cell = cell.to_lowercase();
        [&PATHS[..], &TARGETS, &SPLITS].iter().any(|names| names.contains(&cell.as_str()))
    };
    let pictures = |row: &Numbered| row.1.iter().any(folder::is_picture);
    let numbers = |row: &csv::StringRecord| row.iter().any(|c| number::parse(c, Decimal::Point).is_some());
    asked
        || first.iter().any(known)
        || rows.iter().skip(1).take(LOOKED).any(pictures)
        || !numbers(first) && rows.get(1).is_some_and(|(_, row)| numbers(row))
}

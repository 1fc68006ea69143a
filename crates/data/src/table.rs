//! CSV of `path,target`, and columns of targets in general.

use std::collections::BTreeSet;

use unicode_normalization::UnicodeNormalization;

use crate::error::quoted;
use crate::{Error, Part, Targets, folder};

/// The longest table that is read, in bytes.
const MAX_BYTES: usize = 256 << 20;
/// The most outputs of a regression.
const MAX_COLUMNS: usize = 1024;

/// What is learnt from targets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// One of several classes.
    Classify,
    /// Numbers.
    Regress,
}

/// A table of pictures.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Table {
    /// The heading of the first column, in lower case; empty where there is no heading.
    pub key: String,
    /// The pictures' paths, as they stand in the table: the first column.
    pub paths: Vec<String>,
    /// The part of each picture; training where there is no such column.
    pub parts: Vec<Part>,
    /// Whether a column names the parts.
    pub parted: bool,
    /// The targets.
    pub targets: Targets,
}

/// Reads a CSV of `path,target`, with several targets a row for several outputs. `source` names it
/// in errors.
///
/// A first row whose first cell is not named like a picture is the heading; a column headed
/// `split` or `part` holds `train`, `val` or `test`. Cells may be quoted; commas divide them.
/// Text is composed (Unicode NFC). `task` and `known` are as in [`targets`].
///
/// # Errors
/// [`Error::TooLarge`], [`Error::Unsupported`] for text that is not UTF-8, [`Error::Layout`] with the
/// line for a row that cannot be read, and the errors of [`targets`].
///
/// ```
/// let table = foveal_data::table::read_csv(b"path,label\na.png,cat\nb.png,dog\n", "pets.csv", None, None)?;
/// assert_eq!(table.paths, ["a.png", "b.png"]);
/// # Ok::<(), foveal_data::Error>(())
/// ```
pub fn read_csv(
    bytes: &[u8],
    source: &str,
    task: Option<Task>,
    known: Option<&[String]>,
) -> Result<Table, Error> {
    let text = text(bytes, source)?;
    let wrong = |problem: String| Error::Layout {
        name: source.to_string(),
        problem,
        remedy: "each row is a picture's path, a comma and its target",
    };
    let mut rows = rows(&text).map_err(wrong)?;
    let headed = rows.first().is_some_and(|(_, row)| !row.get(0).is_some_and(folder::is_picture));
    let heading = if headed { Some(rows.remove(0).1) } else { None };
    let Some((_, first)) = rows.first() else { return Err(wrong("holds no row with a picture".into())) };
    let width = first.len();
    if !(2..=MAX_COLUMNS).contains(&width) {
        return Err(wrong(format!("its first row has {width} cells, not 2 to {MAX_COLUMNS}")));
    }
    let title = |column: usize| heading.as_ref().and_then(|h| h.get(column)).unwrap_or_default();
    let split = (1..width).find(|&c| matches!(title(c).to_ascii_lowercase().as_str(), "split" | "part"));
    let of_targets: Vec<usize> = (1..width).filter(|&c| Some(c) != split).collect();
    let name = |(i, &c): (usize, &usize)| match title(c) {
        "" => format!("value {}", i + 1),
        title => title.to_owned(),
    };
    let names = of_targets.iter().enumerate().map(name).collect();
    let (mut paths, mut parts) = (Vec::with_capacity(rows.len()), Vec::with_capacity(rows.len()));
    for (line, row) in &rows {
        if row.len() != width {
            return Err(wrong(format!("line {line} has {} cells, the first row {width}", row.len())));
        }
        paths.push(row[0].to_owned());
        parts.push(match split.map(|c| &row[c]) {
            None => Part::Train,
            Some(cell) => Part::named(cell).ok_or_else(|| {
                wrong(format!("line {line} is for {}, not train, val or test", quoted(cell.as_bytes())))
            })?,
        });
    }
    let columns: Vec<Vec<&str>> =
        of_targets.iter().map(|&c| rows.iter().map(|(_, row)| &row[c]).collect()).collect();
    let place = |row: usize| format!("line {}", rows.get(row).map_or(0, |(line, _)| *line));
    let targets = targets(&columns, names, source, &place, task, known)?;
    Ok(Table { key: title(0).to_ascii_lowercase(), paths, parts, parted: split.is_some(), targets })
}

/// The text of a table, composed (NFC) and without a byte order mark.
fn text(bytes: &[u8], source: &str) -> Result<String, Error> {
    if bytes.len() > MAX_BYTES {
        return Err(Error::TooLarge {
            file: source.to_string(),
            declared: format!("{} bytes", bytes.len()),
            limit: format!("the {MAX_BYTES} of a table"),
            remedy: "divide it",
        });
    }
    let text = std::str::from_utf8(bytes).map_err(|_| Error::Unsupported {
        file: source.to_string(),
        what: "text that is not UTF-8".to_string(),
        remedy: "save it as CSV UTF-8",
    })?;
    // Some programs write Hangul and accents as several characters (NFD): composed, all are alike.
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text).nfc().collect())
}

/// The rows of a CSV, each with its line; what is wrong if there is a broken one.
fn rows(text: &str) -> Result<Vec<(u64, csv::StringRecord)>, String> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let numbered = reader.records().map(|row| {
        let row = row.map_err(|error| error.to_string().escape_debug().to_string())?;
        Ok((row.position().map_or(0, csv::Position::line), row))
    });
    numbered.collect()
}

/// Targets from columns of text, one cell a sample. `place` names a row in errors.
///
/// One column of words or of whole numbers is classes: words sorted as text, whole numbers by
/// value. One column of numbers that are not all whole, and several columns, are values
/// (regression). `task` overrules that. `known` are the classes of a model, in its order.
///
/// # Errors
/// [`Error::Layout`] for an empty cell, for values that are not finite numbers, for several
/// columns of classes, for a single class, and for a class that is not `known`.
pub fn targets(
    columns: &[Vec<&str>],
    names: Vec<String>,
    source: &str,
    place: &dyn Fn(usize) -> String,
    task: Option<Task>,
    known: Option<&[String]>,
) -> Result<Targets, Error> {
    let wrong = |problem: String, remedy| Error::Layout { name: source.to_string(), problem, remedy };
    let number = |cell: &str| cell.parse::<f32>().ok().filter(|v| v.is_finite());
    let whole = |cell: &str| cell.parse::<i64>().is_ok();
    let one = columns.len() == 1;
    for column in columns {
        if let Some(row) = column.iter().position(|cell| cell.is_empty()) {
            return Err(wrong(
                format!("{} has an empty target", place(row)),
                "fill it in or take the row out",
            ));
        }
    }
    let numbers =
        one && columns[0].iter().all(|c| number(c).is_some()) && !columns[0].iter().all(|c| whole(c));
    let classify = known.is_some() || one && !numbers;
    match task.unwrap_or(if classify { Task::Classify } else { Task::Regress }) {
        Task::Regress => {
            let rows = columns.first().map_or(0, Vec::len);
            let mut values = Vec::with_capacity(rows * columns.len());
            for row in 0..rows {
                for column in columns {
                    let cell = column[row];
                    values.push(number(cell).ok_or_else(|| {
                        let cell = quoted(cell.as_bytes());
                        wrong(
                            format!("{} has {cell}, which is not a finite number", place(row)),
                            "values are numbers",
                        )
                    })?);
                }
            }
            Ok(Targets::Values { values, names })
        }
        Task::Classify if !one => {
            let problem =
                format!("has {} columns of targets, but one class a picture is needed", columns.len());
            Err(wrong(problem, "keep one column, or learn numbers (--task regress)"))
        }
        Task::Classify => classes(&columns[0], &wrong, place, known),
    }
}

fn classes(
    column: &[&str],
    wrong: &dyn Fn(String, &'static str) -> Error,
    place: &dyn Fn(usize) -> String,
    known: Option<&[String]>,
) -> Result<Targets, Error> {
    let names: Vec<String> = match known {
        Some(known) => known.to_vec(),
        None => {
            let mut names: Vec<&str> = column.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
            if names.iter().all(|name| name.parse::<i64>().is_ok()) {
                names.sort_by_key(|name| name.parse::<i64>().unwrap_or(0));
            }
            names.into_iter().map(str::to_owned).collect()
        }
    };
    if names.len() < 2 && known.is_none() {
        return Err(wrong(
            format!("holds one class alone, {names:?}"),
            "a class is told from others: add some",
        ));
    }
    let index: std::collections::HashMap<&str, u32> =
        names.iter().enumerate().map(|(i, name)| (name.as_str(), i as u32)).collect();
    let mut labels = Vec::with_capacity(column.len());
    for (row, cell) in column.iter().enumerate() {
        labels.push(*index.get(cell).ok_or_else(|| {
            let problem = format!(
                "{} is of class {}, which the model does not know",
                place(row),
                quoted(cell.as_bytes())
            );
            wrong(problem, "correct it, or train with that class")
        })?);
    }
    Ok(Targets::Classes { labels, names })
}

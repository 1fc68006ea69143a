//! TSV of `label<TAB>text`.

use unicode_normalization::UnicodeNormalization;

use crate::error::quoted;
use crate::number::Decimal;
use crate::table::Options;
use crate::targets::{Columns, How, read};
use crate::{Error, Part, Targets, encoding};

/// The longest file that is read, in bytes.
const MAX_BYTES: usize = 256 << 20;
/// The longest line, in bytes.
const MAX_LINE: usize = 1 << 20;
/// The most texts.
const MAX_ROWS: usize = 1 << 22;
/// The names that a heading may give its columns.
pub(crate) const LABELS: [&str; 9] =
    ["label", "class", "target", "score", "category", "sentiment", "rating", "라벨", "클래스"];
pub(crate) const TEXTS: [&str; 10] =
    ["text", "sentence", "document", "review", "comment", "content", "message", "문장", "텍스트", "내용"];
pub(crate) const SPLITS: [&str; 2] = ["split", "part"];

/// Texts and their targets.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Texts {
    /// The texts, without blanks at their ends.
    pub texts: Vec<String>,
    /// The part of each text; training where there is no such column.
    pub parts: Vec<Part>,
    /// The targets.
    pub targets: Targets,
    /// How it was told whether they are classes or values.
    pub how: How,
    /// The group of each text, if a column of them was asked for.
    pub groups: Option<Vec<String>>,
    /// The line of each text, from 1 on.
    pub lines: Vec<usize>,
    /// Lines that hold no text.
    pub empty: Vec<usize>,
    /// Rows that were left out for another reason, which follows their line.
    pub skipped: Vec<String>,
}

/// Which column holds what.
struct Heading {
    count: usize,
    label: usize,
    text: usize,
    split: Option<usize>,
    group: Option<usize>,
}

impl Heading {
    /// The columns that a heading names, if the line is a heading: some cell is called `label` (`class`, `target`, `score`) and another
    /// `text` (`sentence`, `document`, `review`).
    fn of_heading(line: &str, group: Option<&str>) -> Option<Self> {
        let own = |name: &str| line.split('\t').position(|cell| cell.trim() == name);
        let cells: Vec<String> = line.split('\t').map(|cell| cell.trim().to_lowercase()).collect();
        let find = |names: &[&str]| cells.iter().position(|cell| names.contains(&cell.as_str()));
        let (count, split, group) = (cells.len(), find(&SPLITS), group.and_then(own));
        Some(Self { count, label: find(&LABELS)?, text: find(&TEXTS)?, split, group })
    }
}

/// Reads a TSV of `label<TAB>text`, UTF-8 with or without a byte order mark, lines ended by LF or CRLF. `source`
/// names it in errors.
///
/// Quotes are part of the text. Lines without text are left out and listed in [`Texts::empty`]. The first line may
/// name the columns, which may then stand in any order; one headed `split` holds `train`, `val` or `test`, and
/// others are not read. Lines that cannot be read (another number of columns, a carriage return within, over a
/// megabyte) are left out and listed in [`Texts::skipped`], unless half of all are such.
///
/// # Errors
/// [`Error::TooLarge`]; [`Error::Encoding`]; [`Error::Layout`] with the line for the first that cannot be read; the
/// errors of [`read`].
///
/// ```
/// let read = foveal_data::tsv::read_tsv(b"good\tWell made.\nbad\t\"Dull\".\n\n", "x.tsv", &Default::default())?;
/// assert_eq!(read.texts, ["Well made.", "\"Dull\"."]);
/// assert_eq!(read.empty, [3]);
/// # Ok::<(), foveal_data::Error>(())
/// ```
pub fn read_tsv(bytes: &[u8], source: &str, options: &Options<'_>) -> Result<Texts, Error> {
    if bytes.len() > MAX_BYTES {
        return Err(Error::TooLarge {
            file: source.to_string(),
            declared: format!("{} bytes", bytes.len()),
            limit: format!("the {MAX_BYTES} of a table"),
            remedy: "divide it",
        });
    }
    let Found { rows, empty, skipped } = rows(bytes, source, options.group)?;
    match skipped.first() {
        Some((line, problem)) if options.strict || skipped.len() >= rows.len().max(1) => {
            return Err(wrong(source, *line, problem.clone()));
        }
        _ if rows.is_empty() => {
            return Err(Error::Layout {
                name: source.to_string(),
                problem: "holds no text".into(),
                remedy: "each line is a label, a tab and a text",
            });
        }
        _ => {}
    }
    let labels: Vec<&str> = rows.iter().map(|row| row.label.as_str()).collect();
    let place = |i: usize| format!("line {}", rows.get(i).map_or(0, |row| row.line));
    let (names, task, known) = (vec!["value".into()], options.task, options.known);
    let columns = Columns { names, source, place: &place, task, known, decimal: Decimal::Point };
    let told = read(&[labels], &columns)?;
    Ok(Texts {
        parts: rows.iter().map(|row| row.part).collect(),
        groups: options.group.map(|_| rows.iter().map(|row| row.group.clone().unwrap_or_default()).collect()),
        lines: rows.iter().map(|row| row.line).collect(),
        texts: rows.into_iter().map(|row| row.text).collect(),
        targets: told.targets,
        how: told.how,
        empty,
        skipped: skipped.into_iter().map(|(line, problem)| format!("line {line} {problem}")).collect(),
    })
}

/// The rows of a file, the lines without text, and those that are left out, with the reason.
#[derive(Default)]
struct Found {
    rows: Vec<Row>,
    empty: Vec<usize>,
    skipped: Vec<(usize, String)>,
}

/// The rows, and what is said about the other lines.
fn rows(bytes: &[u8], source: &str, group: Option<&str>) -> Result<Found, Error> {
    let text = encoding::text(bytes, source)?;
    let mut columns = None;
    let mut found = Found::default();
    for (number, line) in text.split_terminator('\n').enumerate().map(|(i, line)| (i + 1, line)) {
        let line = match plain(line) {
            Ok(line) => line,
            Err(problem) => {
                found.skipped.push((number, problem));
                continue;
            }
        };
        if line.trim().is_empty() {
            found.empty.push(number);
            continue;
        }
        let columns = match &columns {
            Some(columns) => columns,
            None => {
                let heading = Heading::of_heading(line, group);
                let headed = heading.is_some();
                if let (Some(name), None) = (group, heading.as_ref().and_then(|h| h.group)) {
                    let columns = line.split('\t').map(str::trim).collect::<Vec<_>>().join(", ");
                    return Err(Error::Column { file: source.to_string(), column: name.to_owned(), columns });
                }
                let plain = Heading { count: 2, label: 0, text: 1, split: None, group: None };
                let own = columns.insert(heading.unwrap_or(plain));
                if headed {
                    continue;
                }
                own
            }
        };
        match row(line, columns, number) {
            Ok(Some(row)) => found.rows.push(row),
            Ok(None) => found.empty.push(number),
            Err(problem) => found.skipped.push((number, problem)),
        }
        if found.rows.len() > MAX_ROWS {
            return Err(Error::TooLarge {
                file: source.to_string(),
                declared: format!("over {MAX_ROWS} texts"),
                limit: "that number".to_string(),
                remedy: "divide it",
            });
        }
    }
    Ok(found)
}

struct Row {
    line: usize,
    label: String,
    text: String,
    part: Part,
    group: Option<String>,
}

fn wrong(source: &str, line: usize, problem: String) -> Error {
    Error::Layout {
        name: source.to_string(),
        problem: format!("line {line} {problem}"),
        remedy: "each line is a label, a tab and a text, in UTF-8",
    }
}

/// A line without its end.
fn plain(line: &str) -> Result<&str, String> {
    if line.len() > MAX_LINE {
        return Err(format!("has {} bytes, more than {MAX_LINE}", line.len()));
    }
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.contains('\r') {
        return Err("has a carriage return within it; end lines with a line feed".into());
    }
    Ok(line)
}

/// Reads a row; `None` where its text is empty.
fn row(line: &str, columns: &Heading, number: usize) -> Result<Option<Row>, String> {
    let cells: Vec<&str> = line.split('\t').take(columns.count + 1).collect();
    if cells.len() != columns.count {
        let found = line.split('\t').count();
        return Err(format!("has {found} column(s), not {}", columns.count));
    }
    let part = match columns.split.map(|split| cells[split].trim()) {
        None => Part::Train,
        Some(cell) => Part::named(cell)
            .ok_or_else(|| format!("is for {}, not train, val or test", quoted(cell.as_bytes())))?,
    };
    let text = cells[columns.text].trim();
    if text.is_empty() {
        return Ok(None);
    }
    let label: String = cells[columns.label].trim().nfc().collect();
    if label.is_empty() {
        return Err("has no label".into());
    }
    let group = columns.group.map(|group| cells[group].trim().to_owned());
    Ok(Some(Row { line: number, label, text: text.to_owned(), part, group }))
}

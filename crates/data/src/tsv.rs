//! TSV of `label<TAB>text`.

use unicode_normalization::UnicodeNormalization;

use crate::error::quoted;
use crate::table::{Task, targets};
use crate::{Error, Part, Targets};

/// The longest file that is read, in bytes.
const MAX_BYTES: usize = 256 << 20;
/// The longest line, in bytes.
const MAX_LINE: usize = 1 << 20;
/// The most texts.
const MAX_ROWS: usize = 1 << 22;
/// The names that a heading may give its columns.
const LABELS: [&str; 4] = ["label", "class", "target", "score"];
const TEXTS: [&str; 4] = ["text", "sentence", "document", "review"];
const SPLITS: [&str; 2] = ["split", "part"];

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
    /// The line of each text, from 1 on.
    pub lines: Vec<usize>,
    /// Lines that hold no text.
    pub empty: Vec<usize>,
}

/// Which column holds what.
struct Columns {
    count: usize,
    label: usize,
    text: usize,
    split: Option<usize>,
}

impl Columns {
    /// The columns that a heading names, if the line is a heading: some cell is called `label` (`class`, `target`, `score`) and another
    /// `text` (`sentence`, `document`, `review`).
    fn of_heading(line: &str) -> Option<Self> {
        let cells: Vec<String> = line.split('\t').map(|cell| cell.trim().to_lowercase()).collect();
        let find = |names: &[&str]| cells.iter().position(|cell| names.contains(&cell.as_str()));
        Some(Self { count: cells.len(), label: find(&LABELS)?, text: find(&TEXTS)?, split: find(&SPLITS) })
    }
}

/// Reads a TSV of `label<TAB>text`, UTF-8 with or without a byte order mark, lines ended by LF or CRLF. `source`
/// names it in errors.
///
/// Quotes are part of the text. Lines without text are left out and listed in [`Texts::empty`]. The first line may
/// name the columns, which may then stand in any order; one headed `split` holds `train`, `val` or `test`, and
/// others are not read. `task` and `known` are as in [`targets`].
///
/// # Errors
/// [`Error::TooLarge`]; [`Error::Layout`] with the line for bytes that are not UTF-8, a carriage return within a
/// line, another number of columns, a line over a megabyte; the errors of [`targets`].
///
/// ```
/// let read = foveal_data::tsv::read_tsv(b"good\tWell made.\nbad\t\"Dull\".\n\n", "x.tsv", None, None)?;
/// assert_eq!(read.texts, ["Well made.", "\"Dull\"."]);
/// assert_eq!(read.empty, [3]);
/// # Ok::<(), foveal_data::Error>(())
/// ```
pub fn read_tsv(
    bytes: &[u8],
    source: &str,
    task: Option<Task>,
    known: Option<&[String]>,
) -> Result<Texts, Error> {
    if bytes.len() > MAX_BYTES {
        return Err(Error::TooLarge {
            file: source.to_string(),
            declared: format!("{} bytes", bytes.len()),
            limit: format!("the {MAX_BYTES} of a table"),
            remedy: "divide it",
        });
    }
    let (rows, empty) = rows(bytes, source)?;
    if rows.is_empty() {
        return Err(Error::Layout {
            name: source.to_string(),
            problem: "holds no text".into(),
            remedy: "each line is a label, a tab and a text",
        });
    }
    let labels: Vec<&str> = rows.iter().map(|row| row.label.as_str()).collect();
    let place = |i: usize| format!("line {}", rows.get(i).map_or(0, |row| row.line));
    let targets = targets(&[labels], vec!["value".into()], source, &place, task, known)?;
    let parts = rows.iter().map(|row| row.part).collect();
    let lines = rows.iter().map(|row| row.line).collect();
    Ok(Texts { lines, texts: rows.into_iter().map(|row| row.text).collect(), parts, targets, empty })
}

/// The rows, and the numbers of the lines without text.
fn rows(bytes: &[u8], source: &str) -> Result<(Vec<Row>, Vec<usize>), Error> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut columns = None;
    let mut rows: Vec<Row> = Vec::new();
    let mut empty = Vec::new();
    let last = bytes.last() == Some(&b'\n') || bytes.is_empty();
    let count = bytes.split(|&b| b == b'\n').count() - usize::from(last);
    for (number, line) in bytes.split(|&b| b == b'\n').take(count).enumerate().map(|(i, line)| (i + 1, line))
    {
        let line = plain(line).map_err(|problem| wrong(source, number, problem))?;
        if line.trim().is_empty() {
            empty.push(number);
            continue;
        }
        let columns = match &columns {
            Some(columns) => columns,
            None => {
                let heading = Columns::of_heading(line);
                let headed = heading.is_some();
                let plain = Columns { count: 2, label: 0, text: 1, split: None };
                let found = columns.insert(heading.unwrap_or(plain));
                if headed {
                    continue;
                }
                found
            }
        };
        match row(line, columns, number).map_err(|problem| wrong(source, number, problem))? {
            Some(row) => rows.push(row),
            None => empty.push(number),
        }
        if rows.len() > MAX_ROWS {
            return Err(Error::TooLarge {
                file: source.to_string(),
                declared: format!("over {MAX_ROWS} texts"),
                limit: "that number".to_string(),
                remedy: "divide it",
            });
        }
    }
    Ok((rows, empty))
}

struct Row {
    line: usize,
    label: String,
    text: String,
    part: Part,
}

fn wrong(source: &str, line: usize, problem: String) -> Error {
    Error::Layout {
        name: source.to_string(),
        problem: format!("line {line} {problem}"),
        remedy: "each line is a label, a tab and a text, in UTF-8",
    }
}

/// A line as text, without its end.
fn plain(line: &[u8]) -> Result<&str, String> {
    if line.len() > MAX_LINE {
        return Err(format!("has {} bytes, more than {MAX_LINE}", line.len()));
    }
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line.contains(&b'\r') {
        return Err("has a carriage return within it; end lines with a line feed".into());
    }
    std::str::from_utf8(line).map_err(|error| {
        let bad = line.get(error.valid_up_to()).copied().unwrap_or_default();
        format!("has a byte 0x{bad:02X} that is not UTF-8")
    })
}

/// Reads a row; `None` where its text is empty.
fn row(line: &str, columns: &Columns, number: usize) -> Result<Option<Row>, String> {
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
    let label = cells[columns.label].trim().nfc().collect();
    Ok(Some(Row { line: number, label, text: text.to_owned(), part }))
}

//! CSV of labels and texts, whose cells may be quoted.

use crate::error::quoted;
use crate::number::Decimal;
use crate::rows::{Rows, rows};
use crate::table::Options;
use crate::targets::{Columns, read};
use crate::tsv::{LABELS, SPLITS, TEXTS, Texts};
use crate::{Error, Part};

/// Reads a table of labels and texts; `source` names it in errors. Cells are divided by commas, semicolons, tabs or
/// bars and may be quoted, so that texts may hold commas, quotes (doubled) and line ends.
///
/// The heading names the columns as in [`read_tsv`](crate::tsv::read_tsv), in any order; others are not read. Of two
/// columns without a known heading the one with the longer cells is the text. Rows with another number
/// of cells are left out and listed in [`Texts::skipped`], at most half of them.
///
/// # Errors
/// [`Error::TooLarge`], [`Error::Encoding`], [`Error::Column`], [`Error::Layout`], and the errors of [`read`].
///
/// ```
/// use foveal_data::{table::Options, text_table::read_csv};
///
/// let csv = b"label,text\ngood,\"Well made, and \"\"fun\"\".\"\nbad,Dull.\n";
/// let texts = read_csv(csv, "x.csv", &Options::default())?.texts;
/// assert_eq!(texts, ["Well made, and \"fun\".", "Dull."]);
/// # Ok::<(), foveal_data::Error>(())
/// ```
pub fn read_csv(bytes: &[u8], source: &str, options: &Options<'_>) -> Result<Texts, Error> {
    let Rows { rows, .. } = rows(bytes, source)?;
    let wrong = |problem: String| Error::Layout {
        name: source.to_string(),
        problem,
        remedy: "each row is a label and a text, under a heading of label and text",
    };
    let plan = Plan::new(&rows, source, options)?.ok_or_else(|| {
        wrong("has no columns of labels and texts (and none of files, if it is for pictures)".into())
    })?;
    let (mut kept, mut parts, mut empty, mut skipped) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (i, (line, row)) in rows.iter().enumerate().skip(usize::from(plan.headed)) {
        match plan.part(row) {
            Err(problem) => skipped.push(format!("line {line} {problem}")),
            Ok(_) if row[plan.text].is_empty() => empty.push(*line as usize),
            Ok(part) => {
                kept.push(i);
                parts.push(part);
            }
        }
    }
    match skipped.first() {
        Some(first) if options.strict || skipped.len() >= kept.len().max(1) => {
            return Err(wrong(first.clone()));
        }
        _ if kept.is_empty() => return Err(wrong("holds no text".into())),
        _ => {}
    }
    let labels = kept.iter().map(|&i| &rows[i].1[plan.label]).collect();
    let place = |row: usize| format!("line {}", kept.get(row).map_or(0, |&i| rows[i].0));
    let names = vec![if plan.headed { rows[0].1[plan.label].to_owned() } else { "value".to_owned() }];
    let (task, known) = (options.task, options.known);
    let columns = Columns { names, source, place: &place, task, known, decimal: Decimal::Point };
    let told = read(&[labels], &columns)?;
    Ok(Texts {
        texts: kept.iter().map(|&i| rows[i].1[plan.text].to_owned()).collect(),
        parts,
        targets: told.targets,
        how: told.how,
        groups: plan.group.map(|c| kept.iter().map(|&i| rows[i].1[c].to_owned()).collect()),
        lines: kept.iter().map(|&i| rows[i].0 as usize).collect(),
        empty,
        skipped,
    })
}

/// Whether a table is one of labels and texts: its heading names a column of texts, or it has two columns of which one
/// holds several words a cell.
pub fn is_one(bytes: &[u8]) -> bool {
    let Ok(Rows { rows, .. }) = rows(bytes, "") else { return false };
    let Some((_, first)) = rows.first() else { return false };
    let texts = |cell: &str| TEXTS.contains(&cell.to_lowercase().as_str());
    let words = |c: usize| rows.iter().filter_map(|(_, row)| row.get(c)).filter(|c| c.contains(' ')).count();
    first.iter().any(texts) || first.len() == 2 && (0..2).any(|c| 2 * words(c) > rows.len())
}

/// Which column holds what.
struct Plan {
    width: usize,
    headed: bool,
    label: usize,
    text: usize,
    split: Option<usize>,
    group: Option<usize>,
}

impl Plan {
    fn new(
        rows: &[(u64, csv::StringRecord)],
        source: &str,
        options: &Options<'_>,
    ) -> Result<Option<Self>, Error> {
        let Some((_, first)) = rows.first() else { return Ok(None) };
        let cells: Vec<String> = first.iter().map(str::to_lowercase).collect();
        let find = |names: &[&str]| cells.iter().position(|cell| names.contains(&cell.as_str()));
        let named = |name: &str| {
            first.iter().position(|cell| cell == name).ok_or_else(|| Error::Column {
                file: source.to_string(),
                column: name.to_owned(),
                columns: first.iter().collect::<Vec<_>>().join(", "),
            })
        };
        let asked = options.targets.first().map(|name| named(name)).transpose()?;
        let group = options.group.map(named).transpose()?;
        let (width, split) = (first.len(), find(&SPLITS));
        if let (Some(label), Some(text)) = (asked.or_else(|| find(&LABELS)), find(&TEXTS)) {
            return Ok(Some(Self { width, headed: true, label, text, split, group }));
        }
        if width != 2 || asked.is_some() || group.is_some() {
            return Ok(None);
        }
        let length = |c: usize| rows.iter().filter_map(|(_, row)| row.get(c)).map(str::len).sum::<usize>();
        let text = usize::from(length(1) >= length(0));
        Ok(Some(Self { width, headed: false, label: 1 - text, text, split: None, group: None }))
    }

    /// The part of a row; the error is why it is not read.
    fn part(&self, row: &csv::StringRecord) -> Result<Part, String> {
        if row.len() != self.width {
            return Err(format!("has {} cells, the first row {}", row.len(), self.width));
        }
        if row[self.label].is_empty() {
            return Err("has an empty target".into());
        }
        let Some(split) = self.split else { return Ok(Part::Train) };
        let other = || format!("is for {}, not train, val or test", quoted(row[split].as_bytes()));
        Part::named(&row[split]).ok_or_else(other)
    }
}

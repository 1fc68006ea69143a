//! The rows of a table of text, whatever divides its cells.

use unicode_normalization::UnicodeNormalization;

use crate::{Error, encoding, folder};

/// The longest table that is read, in bytes.
const MAX_BYTES: usize = 256 << 20;
/// What may divide cells, the likeliest first.
const SEPARATORS: [u8; 4] = [b',', b';', b'\t', b'|'];
/// So many lines tell what divides the cells.
const LOOKED: usize = 50;

/// Rows of cells, each with its line, and what divides the cells.
pub(crate) struct Rows {
    pub rows: Vec<(u64, csv::StringRecord)>,
    pub separator: u8,
}

/// The rows of a table; `source` names it in errors.
pub(crate) fn rows(bytes: &[u8], source: &str) -> Result<Rows, Error> {
    if bytes.len() > MAX_BYTES {
        return Err(Error::TooLarge {
            file: source.to_string(),
            declared: format!("{} bytes", bytes.len()),
            limit: format!("the {MAX_BYTES} of a table"),
            remedy: "divide it",
        });
    }
    // Some programs write Hangul and accents as several characters (NFD): composed, all are alike.
    let text: String = encoding::text(bytes, source)?.nfc().collect();
    let separator = separator(&text);
    let rows = reader(&text, separator).into_records().filter(|row| !is_blank(row)).map(|row| {
        let row = row.map_err(|error| Error::Damaged {
            file: source.to_string(),
            problem: error.to_string().escape_debug().to_string(),
        })?;
        Ok((row.position().map_or(0, csv::Position::line), row))
    });
    Ok(Rows { rows: rows.collect::<Result<_, Error>>()?, separator })
}

/// A row of empty cells, as spreadsheets leave them at the end.
fn is_blank(row: &csv::Result<csv::StringRecord>) -> bool {
    row.as_ref().is_ok_and(|row| row.iter().all(str::is_empty))
}

fn reader(text: &str, separator: u8) -> csv::Reader<&[u8]> {
    // A line that begins with # is a comment, unless files are named so.
    let named = text.lines().filter(|line| line.starts_with('#'));
    let named = named.filter_map(|line| line.split(separator as char).next()).any(folder::is_picture);
    csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(separator)
        .comment((!named).then_some(b'#'))
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes())
}

/// What divides the cells: that by which cells are named like pictures, else that by which the most of the first rows
/// have as many cells as the first, at least two. Commas that stand between digits alone are decimal points if
/// something else divides the cells.
fn separator(text: &str) -> u8 {
    let mut best = ((0, false, 0), b',');
    for separator in SEPARATORS {
        let rows: Vec<_> = reader(text, separator).into_records().take(LOOKED).flatten().collect();
        let Some(width) = rows.first().map(csv::StringRecord::len).filter(|&width| width > 1) else {
            continue;
        };
        let pictures = rows.iter().filter(|row| row.iter().any(folder::is_picture)).count();
        let alike = rows.iter().filter(|row| row.len() == width).count();
        let score = (pictures, separator != b',' || !decimals(text), alike);
        if score > best.0 {
            best = (score, separator);
        }
    }
    best.1
}

/// Whether every comma of the first lines stands between digits.
fn decimals(text: &str) -> bool {
    let digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
    text.lines().take(LOOKED).map(str::as_bytes).all(|line| {
        let commas = (0..line.len()).filter(|&i| line[i] == b',');
        commas
            .into_iter()
            .all(|i| digit(line.get(i + 1)) && digit(i.checked_sub(1).and_then(|i| line.get(i))))
    })
}

#[cfg(test)]
mod tests {
    use super::separator;

    #[test]
    fn what_divides_cells_is_told_by_the_rows() {
        for (text, by) in [
            ("a.png,1\nb.png,2\n", b','),
            ("a.png;1,5\nb.png;2,5\n", b';'),
            ("no;score\n1;1,5\n2;2,5\n", b';'),
            ("path\tlabel\na.png\tcat, dog\n", b'\t'),
            ("a.png|cat\nb.png|dog\n", b'|'),
            ("a.png,\"x;y\"\nb.png,\"z\"\n", b','),
            ("alone\n", b','),
            ("", b','),
        ] {
            assert_eq!(separator(text), by, "{text}");
        }
    }
}

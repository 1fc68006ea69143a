//! Arrays as a person writes them: nested lists such as `[[1,2],[3,4]]`, and rows of numbers in a `.txt` or `.csv` file.

use anyhow::{Context as _, Result, bail};
use ndarray::{ArrayD, IxDyn};
use serde_json::Value;
use std::path::Path;

/// Axes of a nested list, at most.
const MOST_AXES: usize = 4;

/// Whether an argument is a list and no path.
pub fn is_list(path: &Path) -> Option<&str> {
    path.to_str().filter(|text| text.trim_start().starts_with('['))
}

/// Whether a file holds rows of numbers.
pub fn is_text(path: &Path) -> bool {
    path.extension().is_some_and(|e| e.eq_ignore_ascii_case("txt") || e.eq_ignore_ascii_case("csv"))
}

/// The array that a nested list writes.
pub fn nested(text: &str) -> Result<ArrayD<f32>> {
    let how =
        || format!("{text}: an array is a list of numbers, or of lists of one length, such as [[1,2],[3,4]]");
    let value: Value = serde_json::from_str(text).with_context(how)?;
    let (mut shape, mut numbers) = (Vec::new(), Vec::new());
    collect(&value, 0, &mut shape, &mut numbers).with_context(how)?;
    Ok(ArrayD::from_shape_vec(IxDyn(&shape), numbers)?)
}

fn collect(value: &Value, depth: usize, shape: &mut Vec<usize>, numbers: &mut Vec<f32>) -> Result<()> {
    let deepest = !numbers.is_empty() && depth == shape.len();
    match value {
        Value::Array(all) if depth < MOST_AXES && !deepest => {
            match shape.get(depth) {
                None => shape.push(all.len()),
                Some(length) if *length == all.len() => {}
                Some(length) => bail!("lists of {length} and of {} stand side by side", all.len()),
            }
            all.iter().try_for_each(|one| collect(one, depth + 1, shape, numbers))
        }
        Value::Number(number) if depth == shape.len() => {
            numbers.push(number.as_f64().unwrap_or(f64::NAN) as f32);
            Ok(())
        }
        Value::Array(_) if depth >= MOST_AXES => bail!("it has more than {MOST_AXES} axes"),
        other => {
            bail!("{other} is in the place of a {}", if depth < shape.len() { "list" } else { "number" })
        }
    }
}

/// Rows of numbers with blanks, commas or semicolons between them, `[rows, columns]`; `#` begins a comment.
pub fn rows(text: &str, name: &str) -> Result<ArrayD<f32>> {
    let (mut columns, mut numbers, mut count) = (None, Vec::new(), 0);
    for (i, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default();
        let cells =
            line.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';')).filter(|cell| !cell.is_empty());
        let before = numbers.len();
        for cell in cells {
            let number = cell.parse::<f32>();
            numbers
                .push(number.with_context(|| format!("{name}: line {}: `{cell}` is not a number", i + 1))?);
        }
        let n = numbers.len() - before;
        match columns {
            _ if n == 0 => continue,
            None => columns = Some(n),
            Some(columns) if columns == n => {}
            Some(columns) => bail!("{name}: line {} has {n} numbers, the lines before it {columns}", i + 1),
        }
        count += 1;
    }
    let Some(columns) = columns else { bail!("{name}: holds no numbers") };
    Ok(ArrayD::from_shape_vec(IxDyn(&[count, columns]), numbers)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_rows_become_arrays() {
        let array = nested("[[1, 2.5], [-3, 4]]").unwrap();
        assert_eq!((array.shape(), array[[1, 0]]), (&[2, 2][..], -3.0));
        for bad in ["[[1,2],[3]]", "[1,[2]]", "[[1],2]", "[[\"a\"]]", "[[[[[1]]]]]", "[1,2", "[[],[1]]"] {
            assert!(nested(bad).is_err(), "{bad}");
        }
        assert_eq!(nested("[]").unwrap().shape(), [0]);
        let array = rows("# a toy\n1, 2 3\n\n4;5 6\n", "x.txt").unwrap();
        assert_eq!((array.shape(), array[[1, 1]]), (&[2, 3][..], 5.0));
        assert!(rows("1 2\n3\n", "x.txt").unwrap_err().to_string().contains("line 2 has 1"));
        assert!(format!("{:#}", rows("1 x\n", "x.txt").unwrap_err()).contains("line 1: `x`"));
        assert!(rows("# none\n", "x.txt").is_err());
    }
}

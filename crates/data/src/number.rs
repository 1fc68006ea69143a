//! Numbers as people write them in tables.

/// What divides the whole part of a number from its fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Decimal {
    /// 10,059.15
    #[default]
    Point,
    /// 10.059,15
    Comma,
}

/// Cells that say that a value is missing, in lower case.
const MISSING: [&str; 18] = [
    "",
    "na",
    "n/a",
    "#n/a",
    "nan",
    "null",
    "nil",
    "none",
    "missing",
    "-",
    "--",
    "?",
    ".",
    "inf",
    "+inf",
    "-inf",
    "infinity",
    "-infinity",
];

/// Whether a cell says that there is no value.
pub fn is_missing(cell: &str) -> bool {
    MISSING.contains(&cell.trim().to_ascii_lowercase().as_str())
}

/// The finite number in a cell: `1.5`, `1e-3`, `10,059.15`, `85.3%`, and with [`Decimal::Comma`] `0,5`, `10.059,15`.
///
/// ```
/// use foveal_data::number::{Decimal, parse};
///
/// assert_eq!(parse("10,059.15", Decimal::Point), Some(10_059.15));
/// assert_eq!(parse("85.3 %", Decimal::Point), Some(85.3));
/// assert_eq!(parse("0,5", Decimal::Comma), Some(0.5));
/// assert_eq!(parse("1,2,3", Decimal::Point), None);
/// ```
pub fn parse(cell: &str, decimal: Decimal) -> Option<f64> {
    let cell = cell.trim().strip_suffix('%').unwrap_or(cell).trim();
    let (group, point) = match decimal {
        Decimal::Point => (',', '.'),
        Decimal::Comma => ('.', ','),
    };
    let plain = match cell.contains(group) || point == ',' {
        false => cell.parse::<f64>().ok(),
        true => {
            let (whole, fraction) = cell.split_once(point).unwrap_or((cell, ""));
            let grouped = !whole.contains(group) || in_threes(whole, group);
            let whole = whole.replace(group, "");
            let apart = if fraction.is_empty() { whole } else { format!("{whole}.{fraction}") };
            grouped.then(|| apart.parse::<f64>().ok()).flatten()
        }
    };
    plain.filter(|v| v.is_finite())
}

/// Whether a number's digits stand in groups of three: 10,059.
fn in_threes(whole: &str, group: char) -> bool {
    let mut groups = whole.trim_start_matches(['-', '+']).split(group);
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    groups.next().is_some_and(|first| (1..=3).contains(&first.len()) && digits(first))
        && groups.all(|rest| rest.len() == 3 && digits(rest))
}

/// What divides the fractions of a column: the comma if a cell says so (`0,5`, `3,1416`), the point if one does
/// (`0.5`), else `otherwise`.
pub fn decimal(column: &[&str], otherwise: Decimal) -> Decimal {
    let is = |cell: &str, by| parse(cell, by).is_some();
    for cell in column.iter().filter(|cell| cell.contains([',', '.'])) {
        match (is(cell, Decimal::Point), is(cell, Decimal::Comma)) {
            (true, false) => return Decimal::Point,
            (false, true) => return Decimal::Comma,
            _ => {}
        }
    }
    otherwise
}

/// The whole number in a cell, however it is written: 3, 3.0, 03.
pub(crate) fn whole(cell: &str) -> Option<i64> {
    let fraction =
        || cell.parse::<f64>().ok().filter(|v| v.fract() == 0.0 && v.abs() < 1e15).map(|v| v as i64);
    cell.parse::<i64>().ok().or_else(fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_says_which_its_decimal_point_is() {
        assert_eq!(decimal(&["1", "0,5"], Decimal::Point), Decimal::Comma);
        assert_eq!(decimal(&["1,000", "2,000.5"], Decimal::Comma), Decimal::Point);
        assert_eq!(decimal(&["1,000"], Decimal::Comma), Decimal::Comma);
        assert_eq!(parse("1,000", Decimal::Comma), Some(1.0));
        assert_eq!(parse("-1.234.567,5", Decimal::Comma), Some(-1_234_567.5));
        for bad in ["", "NaN", "inf", "1,00,0", "cat", "%", "1e400"] {
            assert_eq!(parse(bad, Decimal::Point), None, "{bad}");
        }
    }
}

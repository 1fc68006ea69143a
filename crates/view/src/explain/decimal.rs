//! Terms and their sum as decimals that a person can add up.
//!
//! All terms are printed with the same number of decimals, and `total` is the sum of exactly what is printed, added
//! as whole numbers. The cell's own value, which a kernel added in another order and rounded at each step, is
//! printed with as many decimals as it has in common with that sum.

use super::Explanation;

/// Digits that the largest term is printed with, unless all terms need fewer.
const DIGITS: i32 = 9;

/// A sum as it is printed.
#[derive(Clone, Debug, PartialEq)]
pub struct Sum {
    /// The terms.
    pub terms: Vec<String>,
    /// What is added to them.
    pub bias: Option<String>,
    /// The sum of the terms and the bias, as printed, exactly.
    pub total: String,
    /// The cell's value; `total` rounded to as many decimals.
    pub value: String,
}

impl Sum {
    /// The products and the bias of a cell as decimals that add up; a maximum has none.
    pub fn of(cell: &Explanation) -> Option<Self> {
        let products: Option<Vec<f32>> = cell.terms.iter().map(|t| t.product).collect();
        Self::new(&products?, cell.bias, cell.value)
    }

    /// Nothing when a number is not finite, or they are too large or too small to be written out.
    pub fn new(terms: &[f32], bias: Option<f32>, value: f32) -> Option<Self> {
        let all = || terms.iter().copied().chain(bias).chain([value]);
        let largest = all().fold(0.0f32, |a, v| a.max(v.abs()));
        if all().any(|v| !v.is_finite()) || largest >= 1e15 || (largest > 0.0 && largest < 1e-15) {
            return None;
        }
        let most = if largest > 0.0 { (DIGITS - 1 - largest.log10().floor() as i32).clamp(0, 24) } else { 0 };
        let needed = all().map(decimals).max().unwrap_or(0);
        let places = needed.min(most as usize);
        let printed = |v: f32| units(v, places);
        let units: Vec<i128> = terms.iter().map(|&v| printed(v)).collect();
        let more = bias.map(printed);
        let total = units.iter().sum::<i128>() + more.unwrap_or(0);
        let common = (0..=places).rev().find(|&p| rounded(total, places - p) == self::units(value, p))?;
        Some(Self {
            terms: units.iter().map(|&v| text(v, places)).collect(),
            bias: more.map(|v| text(v, places)),
            total: text(total, places),
            value: text(self::units(value, common), common),
        })
    }
}

/// Decimals of the shortest text that is this number.
fn decimals(v: f32) -> usize {
    v.to_string().split_once('.').map_or(0, |(_, fraction)| fraction.len())
}

/// `v` rounded to so many decimals, counted in units of the last of them.
fn units(v: f32, places: usize) -> i128 {
    let text = format!("{v:.places$}").replace('.', "");
    // A f32 below 1e15 with 24 decimals has fewer than the 38 digits that an i128 holds.
    text.parse().unwrap_or(0)
}

/// Without the last `drop` decimals, rounded.
fn rounded(units: i128, drop: usize) -> i128 {
    let by = 10i128.pow(drop as u32);
    let half = by / 2;
    (if units < 0 { units - half } else { units + half }) / by
}

fn text(units: i128, places: usize) -> String {
    let sign = if units < 0 { "-" } else { "" };
    let digits = format!("{:0>width$}", units.unsigned_abs(), width = places + 1);
    let (whole, fraction) = digits.split_at(digits.len() - places);
    if places == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_and_halves_stay_short() {
        let sum = Sum::new(&[1.0, 2.0, 4.0, 5.0], None, 12.0).unwrap();
        assert_eq!(
            (sum.terms, sum.total, sum.value),
            (["1", "2", "4", "5"].map(String::from).into(), "12".into(), "12".into())
        );
        let sum = Sum::new(&[1.5, -2.0], Some(0.25), -0.25).unwrap();
        assert_eq!(
            (sum.terms[1].as_str(), sum.total.as_str(), sum.value.as_str()),
            ("-2.00", "-0.25", "-0.25")
        );
        assert_eq!(sum.bias.as_deref(), Some("0.25"));
    }

    #[test]
    fn what_is_printed_adds_up() {
        let terms: Vec<f32> = (0..300).map(|i| (i as f32 * 1.7).sin() / 3.0).collect();
        let value: f32 = terms.iter().sum();
        let sum = Sum::new(&terms, Some(0.1), value + 0.1).unwrap();
        let added: f64 = sum.terms.iter().map(|t| t.parse::<f64>().unwrap()).sum::<f64>() + 0.1;
        assert!((added - sum.total.parse::<f64>().unwrap()).abs() < 1e-9);
        let places = sum.value.split_once('.').unwrap().1.len();
        assert!(places >= 4, "{sum:?}");
        assert_eq!(format!("{added:.places$}"), sum.value);
    }

    #[test]
    fn numbers_beyond_decimals_have_none() {
        for odd in [f32::NAN, f32::INFINITY, 1e20, 1e-30] {
            assert_eq!(Sum::new(&[odd], None, odd), None);
        }
        assert!(Sum::new(&[0.0, 0.0], None, 0.0).is_some());
        assert!(Sum::new(&[9e14, 1e-15], None, 9e14).is_some());
        // A value that its terms do not make is not claimed to be their sum.
        assert_eq!(Sum::new(&[1.0], None, 3.0), None);
    }
}

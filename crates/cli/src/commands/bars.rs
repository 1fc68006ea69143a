//! Probabilities as bars of text.

use crate::table::width;
use foveal::view::short;

/// So many of the likeliest classes are named where nobody asks for more or fewer.
pub const SHOWN: usize = 5;
/// With more classes than this only the names that are shown decide how wide their column is.
const MANY: usize = 100;
/// Length of the bar for probability 1.
const BAR: usize = 24;

/// A bar for each of the `top` likeliest classes.
pub fn bars(classes: &[String], likely: &[f32], top: usize) -> String {
    let mut order: Vec<usize> = (0..classes.len()).collect();
    order.sort_by(|&a, &b| likely[b].total_cmp(&likely[a]));
    order.truncate(top);
    // A few of very many classes: the others' names need no room.
    let all = classes.len() <= MANY;
    let classes: Vec<String> = classes.iter().map(|c| short(c)).collect();
    let wide = classes.iter().enumerate().filter(|(i, _)| all || order.contains(i));
    let wide = wide.map(|(_, c)| width(c)).max().unwrap_or(0);
    let mut text = String::new();
    for &i in &order {
        let p = likely[i];
        let pad = " ".repeat(wide - width(&classes[i]));
        let bar = "█".repeat((p * BAR as f32).round() as usize);
        text += format!("  {}{pad} {:>6.2} % {bar}", classes[i], 100.0 * p).trim_end();
        text.push('\n');
    }
    text
}

//! Probabilities as bars.

use crate::draw::{self, ACCENT, Anchor, Drawing, INK, SOFT};

const LINE: i32 = 24;
const TEXT: i32 = 14;
const LONG: i32 = 184;
const TRACK: [u8; 3] = [0xee, 0xee, 0xee];
const BAR: [u8; 3] = [0x8a, 0x93, 0xa3];
/// Classes shown; of more, the likeliest.
pub(super) const MOST: usize = 12;

/// The indices of the classes that have a bar: all in their order, or the likeliest first.
pub(super) fn shown(p: &[(String, f32)]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    if p.len() > MOST {
        order.sort_by(|&a, &b| p[b].1.total_cmp(&p[a].1));
        order.truncate(MOST);
    }
    order
}

/// A bar for each class.
pub(super) fn bars(p: &[(String, f32)]) -> Drawing {
    let order = shown(p);
    let best = p.iter().map(|p| p.1).fold(0.0, f32::max);
    let names = order.iter().map(|&i| draw::width(&p[i].0, TEXT as f32).ceil() as i32);
    let wide = names.max().unwrap_or(0);
    let left = wide + 12;
    let mut pen = Drawing::new(left + LONG + 72, order.len() as i32 * LINE);
    for (row, &i) in order.iter().enumerate() {
        let (name, share) = &p[i];
        let middle = row as i32 * LINE + LINE / 2;
        let likely = *share == best;
        pen.text([wide, middle], name, TEXT, Anchor::End, INK);
        pen.fill(left, middle - 7, LONG, 14, TRACK);
        let long = (share.clamp(0.0, 1.0) * LONG as f32).round() as i32;
        pen.fill(left, middle - 7, long, 14, if likely { ACCENT } else { BAR });
        let percent = format!("{:.2} %", 100.0 * share);
        pen.text([left + LONG + 68, middle], &percent, TEXT, Anchor::End, if likely { INK } else { SOFT });
    }
    pen
}

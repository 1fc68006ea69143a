//! A value spread over height and width.

use super::arrange::picture;
use super::conv::channels_first;
use super::{Given, Row};
use crate::attributes::Attributes;
use crate::graph::Step;
use crate::importer::Importer;
use foveal_nn::layers as kinds;
use foveal_nn::layers::ResizeMethod;

pub(super) const ROW: Row = Row { operators: &["Expand"], import: expand };

fn expand<'g>(importer: &mut Importer<'g>, step: &Step<'g>, _: &Attributes<'g>) -> Given {
    let x = importer.take(step.input(0)?)?;
    let wanted = importer.constant(step.input(1)?)?.ints()?;
    let fail = || format!("of {} to {wanted:?} is not supported, only over height and width", x.told());
    let own: Vec<i64> = std::iter::once(importer.batch).chain(x.dims().iter().map(|&d| d as i64)).collect();
    // Aligned at the last axis; an extent of 1 keeps what is there.
    let missing = own.len().checked_sub(wanted.len()).ok_or_else(fail)?;
    let all: Vec<i64> = std::iter::repeat_n(1, missing).chain(wanted.iter().copied()).collect();
    if own.iter().zip(&all).all(|(&own, &new)| new == own || new == 1) {
        return Ok(vec![x]);
    }
    let fits = own.iter().zip(&all).enumerate().all(|(i, (&own, &new))| {
        new == own || new == 1 || (i >= 2 && own == 1 && (1..1 << 20).contains(&new))
    });
    if !fits || ![3, 4].contains(&x.rank()) {
        return Err(fail());
    }
    let x = picture(importer, x)?;
    let extent = |own: usize, new: i64| if own == 1 { new as usize } else { own };
    let [h, w, c] = x.shape;
    let shape = match all[..] {
        [_, _, new] => [h, extent(w, new), c],
        _ => [extent(h, all[2]), extent(w, all[3]), c],
    };
    // One cell is the nearest of all.
    let size = Some([shape[0], shape[1]]);
    let kind = kinds::Resize { size, method: ResizeMethod::Nearest, ..kinds::Resize::default() };
    let view = channels_first(x.line(), shape);
    Ok(vec![importer.push(kind, &[x.layer], shape, view)?])
}

//! The transpose of a convolution.

use super::arrange::picture;
use super::conv::channels_first;
use super::{Given, Row};
use crate::attributes::Attributes;
use crate::graph::Step;
use crate::importer::Importer;
use foveal_nn::Padding;
use foveal_nn::init::Init;
use foveal_nn::layers as kinds;

pub(super) const ROW: Row = Row { operators: &["ConvTranspose"], import: transposed };

/// Larger extents are refused.
const LARGEST: i64 = 1 << 30;

fn transposed<'g>(importer: &mut Importer<'g>, step: &Step<'g>, attributes: &Attributes<'g>) -> Given {
    let x = importer.take(step.input(0)?)?;
    let x = picture(importer, x)?;
    let line = x.line();
    let weights = importer.constant(step.input(1)?)?;
    let [i, o, h, w] = match (weights.dims(), line) {
        (&[i, o, h, w], false) => [i, o, h, w],
        (&[i, o, w], true) => [i, o, 1, w],
        (dims, _) => return Err(format!("its filters {dims:?} do not fit a value of {} axes", x.rank())),
    };
    if i != x.shape[2] || weights.size() == 0 {
        return Err(format!("its filters {:?} do not fit a value of {}", weights.dims(), x.told()));
    }
    if attributes.ints("kernel_shape")?.is_some()
        && attributes.pair("kernel_shape", line)? != [h as i64, w as i64]
    {
        return Err(format!("its filters {:?} are not of its kernel_shape", weights.dims()));
    }
    let groups = attributes.int("group", 1)?;
    let filters =
        usize::try_from(groups).ok().and_then(|g| g.checked_mul(o)).ok_or("its groups do not fit")?;
    let (strides, dilations) = (attributes.pair("strides", line)?, attributes.pair("dilations", line)?);
    let (cells, output_padding) = cut_off(attributes, line, x.shape, [h, w], [strides, dilations])?;
    let mut bias = None;
    if let Some(name) = step.optional(2) {
        let values = importer.constant(name)?.to_floats()?;
        if values.len() != filters {
            return Err(format!("`{name}` has {} numbers, not {filters}", values.len()));
        }
        bias = Some(values);
    }
    let kind = kinds::Conv2dTranspose {
        filters,
        kernel: [h, w],
        strides,
        dilations,
        padding: if cells == [0; 4] { Padding::Valid } else { Padding::Explicit(cells) },
        output_padding,
        groups,
        bias: bias.is_some(),
        init: Init::default(),
    };
    let geometry = kind.geometry(x.shape, 1).map_err(|e| e.problem)?;
    let [_, oh, ow, _] = geometry.output_shape();
    // Of each input channel by filter and tap; they go by tap, filter and input channel.
    let taps = h * w;
    let filter = weights.floats()?.turned(o * taps, |at| at % taps * o + at / taps);
    let shape = [oh, ow, filters];
    let y = importer.push(kind, &[x.layer], shape, channels_first(line, shape))?;
    importer.param("filter", filter)?;
    bias.map_or(Ok(()), |bias| importer.param("bias", bias))?;
    Ok(vec![y])
}

/// The cells that are cut off (top, bottom, left, right), and those that are added at the end.
fn cut_off(
    attributes: &Attributes,
    line: bool,
    shape: [usize; 3],
    kernel: [usize; 2],
    [strides, dilations]: [[i64; 2]; 2],
) -> Result<([i64; 4], [i64; 2]), String> {
    let pair = |name: &str| -> Result<[i64; 2], String> {
        match line {
            true => Ok([0, attributes.some(name, [0])?[0]]),
            false => attributes.some(name, [0; 2]),
        }
    };
    let added = pair("output_padding")?;
    let pads = match line {
        true => attributes.some("pads", [0; 2]).map(|[before, after]| [0, before, 0, after])?,
        false => attributes.some("pads", [0; 4])?,
    };
    let all = [&strides[..], &dilations, &added, &pads].concat();
    if let Some(v) = all.iter().find(|v| !(0..LARGEST).contains(*v)) {
        return Err(format!("{v} among its strides, dilations and padding is not supported"));
    }
    let auto = attributes.text("auto_pad", "NOTSET")?;
    let wanted = match attributes.ints("output_shape")? {
        Some(_) if line => Some([1, attributes.some("output_shape", [1])?[0]]),
        Some(given) => Some(<[i64; 2]>::try_from(given).map_err(|_| format!("output_shape = {given:?}"))?),
        None if auto.starts_with("SAME") => Some([0, 1].map(|axis| shape[axis] as i64 * strides[axis])),
        None => None,
    };
    let Some(wanted) = wanted else {
        return match auto {
            "NOTSET" | "" => Ok(([pads[0], pads[2], pads[1], pads[3]], added)),
            "VALID" => Ok(([0; 4], added)),
            other => Err(format!("auto_pad = {other} is not supported")),
        };
    };
    let mut cells = [0; 4];
    for axis in 0..2 {
        let reach = (kernel[axis] as i64 - 1).saturating_mul(dilations[axis]) + 1;
        let full = strides[axis].saturating_mul(shape[axis] as i64 - 1).saturating_add(added[axis] + reach);
        let total = full - wanted[axis];
        if total < 0 {
            return Err(format!("an output of {} where at most {full} are made", wanted[axis]));
        }
        let (small, large) = (total / 2, total - total / 2);
        let pair = if auto == "SAME_UPPER" { [small, large] } else { [large, small] };
        cells[2 * axis..2 * axis + 2].copy_from_slice(&pair);
    }
    Ok((cells, added))
}

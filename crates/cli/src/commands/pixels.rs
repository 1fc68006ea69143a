//! How an imported graph wants its pixels.

use crate::args::{Import, Pixelwise};
use anyhow::{Result, bail};
use foveal::nn::Model;
use foveal::nn::spec::LayerKind;
use foveal::train::SavedModel;

/// Mean and deviation of ImageNet's colours, of 0 to 1, as torchvision has them.
const MEAN: [f32; 3] = [0.485, 0.456, 0.406];
const DEVIATION: [f32; 3] = [0.229, 0.224, 0.225];

/// Whether pixels go into a model as they are, 0 to 255.
pub fn raw(saved: &SavedModel) -> bool {
    let p = &saved.preprocess;
    let pictures = p.text.is_none() && saved.model.vocabulary().is_none() && p.window.is_none();
    let [h, w, c] = saved.model.input_shape();
    pictures
        && h > 1
        && w > 1
        && matches!(c, 1 | 3)
        && p.scale.iter().all(|v| *v == 1.0)
        && p.shift.iter().all(|v| *v == 0.0)
}

/// Puts what the options say about pixels before what the graph itself does with them.
pub fn prepare(args: &Import, saved: &mut SavedModel) -> Result<()> {
    let channels = saved.model.input_shape()[2];
    let each = |values: &[f32], option: &str| -> Result<Vec<f32>> {
        match values.len() {
            1 => Ok(vec![values[0]; channels]),
            n if n == channels => Ok(values.to_vec()),
            n => {
                bail!("{option}: has {n} numbers, the model {channels} channels; give one, or one a channel")
            }
        }
    };
    let given =
        args.preprocess.is_some() || args.mean.is_some() || args.std.is_some() || args.scale.is_some();
    if (given || args.bgr) && saved.model.vocabulary().is_some() {
        bail!("--preprocess, --mean, --std, --scale and --bgr are for pictures; the model takes tokens");
    }
    let (mut scale, mut shift) = (vec![1.0; channels], vec![0.0; channels]);
    match args.preprocess {
        Some(Pixelwise::Imagenet) => {
            let (mean, deviation) =
                (each(&MEAN, "--preprocess imagenet")?, each(&DEVIATION, "--preprocess imagenet")?);
            (scale, shift) = normalized(1.0 / 255.0, &mean, &deviation);
        }
        Some(Pixelwise::Unit) => scale.fill(1.0 / 255.0),
        Some(Pixelwise::Signed) => {
            scale.fill(1.0 / 127.5);
            shift.fill(-1.0);
        }
        Some(Pixelwise::Raw) | None if !given || args.preprocess.is_some() => {}
        _ => {
            let mean = each(args.mean.as_ref().map_or(&[0.0][..], |m| &m.0), "--mean")?;
            let deviation = each(args.std.as_ref().map_or(&[1.0][..], |s| &s.0), "--std")?;
            let statistics = args.mean.is_some() || args.std.is_some();
            let first = args.scale.unwrap_or(if statistics { 1.0 / 255.0 } else { 1.0 });
            check(args, &mean, &deviation)?;
            (scale, shift) = normalized(first, &mean, &deviation);
        }
    }
    if args.bgr {
        // Pictures are red, green, blue: the filters take their channels in that order, and so do the statistics.
        scale.reverse();
        shift.reverse();
        reverse_channels(&mut saved.model)?;
        saved.preprocess.scale.reverse();
        saved.preprocess.shift.reverse();
    }
    // What the graph does comes after what the options say.
    let own = &mut saved.preprocess;
    for c in 0..channels {
        own.shift[c] += shift[c] * own.scale[c];
        own.scale[c] *= scale[c];
    }
    Ok(())
}

/// `(x * first - mean) / deviation` as a scale and a shift.
fn normalized(first: f32, mean: &[f32], deviation: &[f32]) -> (Vec<f32>, Vec<f32>) {
    let scale = deviation.iter().map(|d| first / d);
    let shift = mean.iter().zip(deviation).map(|(m, d)| -m / d);
    (scale.collect(), shift.collect())
}

fn check(args: &Import, mean: &[f32], deviation: &[f32]) -> Result<()> {
    if let Some(bad) = deviation.iter().find(|d| **d <= 0.0) {
        bail!("--std: {bad} is not above 0");
    }
    let large = mean.iter().chain(deviation).find(|v| v.abs() > 2.0);
    if let (Some(large), None) = (large, args.scale) {
        bail!("--mean, --std: {large} is of pixels from 0 to 255; say so with --scale 1");
    }
    Ok(())
}

/// Turns the order of the channels that the first convolutions read.
fn reverse_channels(model: &mut Model) -> Result<()> {
    let [_, _, channels] = model.input_shape();
    let mut readers = Vec::new();
    for node in model.nodes().iter().filter(|n| n.inputs.contains(&0)) {
        match &node.kind {
            LayerKind::Conv2d(conv) if conv.groups <= 1 => readers.push(node.params[0]),
            _ => bail!(
                "--bgr: `{}` ({}) reads the picture, and only a convolution over all its channels can take them in \
                 another order; put the order into the graph",
                node.name,
                node.kind.name()
            ),
        }
    }
    if channels != 3 {
        bail!("--bgr: the model has {channels} channels, not three");
    }
    for p in readers {
        let param = &mut model.params_mut()[p];
        let filters = param.shape[3];
        // [height, width, channel, filter]
        for cell in param.values.chunks_exact_mut(channels * filters) {
            for f in 0..filters {
                cell.swap(f, 2 * filters + f);
            }
        }
    }
    Ok(())
}

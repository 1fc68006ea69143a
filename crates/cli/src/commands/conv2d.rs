//! `foveal conv2d`

use crate::args::{Conv2d, ConvArgs};
use crate::output::{Context, Number, numbers};
use crate::paths::Shown;
use crate::{array_text, files};
use anyhow::Result;
use foveal::nn::ops;
use ndarray::{Array1, Array4};
use serde::Serialize;
use std::path::Path;

/// Convolves.
pub fn run(args: &Conv2d, context: &Context) -> Result<()> {
    let (x, filter, bias) = read(&args.x, &args.filter, &args.options)?;
    let bias = bias.as_ref().map(|b| b.view());
    let y = ops::conv2d(x.view(), filter.view(), bias, &args.options.options())?;
    show(&y, args.output.as_deref(), context)
}

/// Input, filter and bias of a convolution.
pub type Inputs = (Array4<f32>, Array4<f32>, Option<Array1<f32>>);

/// Reads what a convolution takes.
pub fn read(x: &Path, filter: &Path, options: &ConvArgs) -> Result<Inputs> {
    let x = files::read_array4(x, "conv2d", "an input [n, h, w, c]")?;
    let filter = files::read_array4(filter, "conv2d", "a filter [h, w, c / groups, o]")?;
    let bias = options.bias.as_deref().map(|path| files::read_array1(path, "conv2d", "a bias [o]"));
    Ok((x, filter, bias.transpose()?))
}

#[derive(Serialize)]
struct Output<'a> {
    shape: &'a [usize],
    values: Vec<Number>,
}

/// Writes the result of an operator, or prints it.
pub fn show(y: &Array4<f32>, path: Option<&Path>, context: &Context) -> Result<()> {
    if let Some(path) = path {
        files::write_array(path, y.view().into_dyn())?;
    }
    if context.json {
        return context.print_json(&Output { shape: y.shape(), values: numbers(y) });
    }
    let shape = array_text::shape(y.shape());
    match path {
        Some(path) => {
            let wrote = context.say("wrote", "저장함:");
            context.note(&format!("{wrote} {} {shape}", path.shown()));
            Ok(())
        }
        None => context.print(&format!("shape {shape}\n{}", array_text::maps(y))),
    }
}

//! Batch normalization.

use super::{Given, Row, affine};
use crate::attributes::Attributes;
use crate::graph::Step;
use crate::importer::Importer;

pub(super) const ROW: Row = Row { operators: &["BatchNormalization"], import: batch_norm };

fn batch_norm<'g>(importer: &mut Importer<'g>, step: &Step<'g>, attributes: &Attributes<'g>) -> Given {
    if attributes.int("training_mode", 0)? != 0 {
        return Err("training_mode is not supported: export the model for inference".into());
    }
    if attributes.int("spatial", 1)? != 1 {
        return Err("spatial = 0 is not supported".into());
    }
    let x = importer.take(step.input(0)?)?;
    let Some(&channels) = x.dims().first() else { return Err("its input has no channels".into()) };
    let mut numbers = Vec::new();
    for i in 1..5 {
        let name = step.input(i)?;
        let values = importer.constant(name)?.to_floats()?;
        if values.len() != channels {
            return Err(format!("`{name}` has {} numbers, not {channels}", values.len()));
        }
        numbers.push(values);
    }
    let mut extents = vec![1; x.rank() - 1];
    extents[0] = channels;
    let (x, places) = affine::channels(importer, x, &extents, "numbers for axis 1,")?;
    let numbers: Vec<Vec<f32>> =
        numbers.iter().map(|values| places.iter().map(|&at| values[at]).collect()).collect();
    let numbers = numbers.try_into().map_err(|_| "it has not four lists of numbers".to_owned())?;
    let momentum = [attributes.float("momentum", 0.9)?, attributes.float("epsilon", 1e-5)?];
    Ok(vec![affine::normalize(importer, x, momentum, numbers)?])
}

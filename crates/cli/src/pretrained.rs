//! The network that has learnt from photographs, which the program brings.

use anyhow::Result;
use foveal::nn::builtin;
use foveal::train::SavedModel;

/// The names of the trained network: what it learnt from, what it is to other models, and what it is.
pub const NAMES: [&str; 3] = ["imagenet", "pretrained", builtin::PRETRAINED.name];

/// Whether `name` means the network on the command line.
pub fn is_named(name: &str) -> bool {
    NAMES.contains(&name)
}

/// Whether this program was built with it.
pub const HERE: bool = cfg!(feature = "backbone");

/// Pictures whose shorter side is less, most of them, are none for it unless it is asked for.
pub const SMALLEST: usize = 24;

/// Whether pictures of these `sizes` (height, width) are large enough: the median of their shorter sides is.
pub fn suits(sizes: &[[usize; 2]]) -> bool {
    let mut sides: Vec<usize> = sizes.iter().map(|[h, w]| *h.min(w)).collect();
    sides.sort_unstable();
    sides.get(sides.len() / 2).is_some_and(|side| *side >= SMALLEST)
}

/// The network with its thousand classes, for pictures of `size` (height, width).
///
/// # Errors
/// When the program was built without it, and when it cannot take pictures of that size.
#[cfg(not(feature = "backbone"))]
pub fn imagenet(_: [usize; 2]) -> Result<SavedModel> {
    Err(crate::built_in::lacking("the network that has learnt from photographs", "backbone"))
}

/// Height and width of the pictures that it learnt from.
#[cfg(feature = "backbone")]
pub const SIZE: usize = foveal_backbone::SIZE;
/// See above.
#[cfg(not(feature = "backbone"))]
pub const SIZE: usize = 224;

/// The network with its thousand classes, for pictures of `size` (height, width).
///
/// # Errors
/// When the program was built without it, and when it cannot take pictures of that size.
#[cfg(feature = "backbone")]
pub fn imagenet([height, width]: [usize; 2]) -> Result<SavedModel> {
    use anyhow::Context as _;
    use foveal::nn::Model;
    use foveal::train::{PictureFit, Preprocess, Recipe, Training};
    use foveal_backbone::{CLASSES, SCALE, SHIFT};

    let name = builtin::PRETRAINED.name;
    let spec = builtin::fitted(name, [height, width, 3], CLASSES).context(name)?;
    let numbers = foveal_backbone::numbers();
    let (mut weights, mut norms) = (&numbers.weights[..], &numbers.norms[..]);
    // Each kind of number stands in forward order, in which the model asks for them.
    let model = Model::with_params(&spec, |param, shape| {
        let from = if shape.len() > 1 { &mut weights } else { &mut norms };
        let count = shape.iter().product();
        let (own, rest) = from.split_at_checked(count).ok_or_else(|| format!("`{param}` is not there"))?;
        *from = rest;
        Ok(own.to_vec())
    })
    .context(name)?;
    Ok(SavedModel {
        model,
        preprocess: Preprocess {
            scale: vec![SCALE; 3],
            shift: vec![SHIFT; 3],
            ..Preprocess::unit(3, PictureFit::Resize)
        },
        classes: foveal_backbone::classes().map(str::to_owned).collect(),
        training: Training {
            model: name.to_owned(),
            dataset: NAMES[0].to_owned(),
            recipe: Recipe::default(),
            epochs: 0,
            validation_accuracy: None,
            ..Training::default()
        },
    })
}

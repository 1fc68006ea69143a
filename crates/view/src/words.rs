//! What each token of a text counts for an answer.

use crate::Error;
use foveal_train::SavedModel;
use ndarray::{Array4, Axis};

/// A token of a text and what it counts.
#[derive(Clone, Debug, PartialEq)]
pub struct Word {
    /// The token.
    pub token: String,
    /// Whether the model's vocabulary has it.
    pub known: bool,
    /// Its embedding times the gradient of the class's logit with respect to it, summed: above 0 it speaks for the
    /// class, below 0 against it.
    pub counts: f32,
}

/// The class that `saved` takes a text for (or `class`; of a regression, the value by its index), and what each
/// token that it reads counts for it (gradient times input: Simonyan et al. 2013, Shrikumar et al. 2016).
///
/// # Errors
/// When the model is not one of texts, or there is no such class.
pub fn words(saved: &SavedModel, text: &str, class: Option<usize>) -> Result<(usize, Vec<Word>), Error> {
    let model = &saved.model;
    let (Some(vocabulary), Some(_)) = (&saved.preprocess.text, model.vocabulary()) else {
        return Err(Error::Inside("the model has no vocabulary: it is not one of texts".into()));
    };
    let [h, w, _] = model.input_shape();
    let (ids, _) = vocabulary.encode(text, h * w);
    let tokens = vocabulary.tokens().split(text);
    let x = Array4::from_shape_vec((1, h, w, 1), ids.clone()).map_err(|e| Error::Inside(e.to_string()))?;
    let values = model.activations(x.view())?;
    let of = model.logits();
    let logits = &values[of];
    let best = |best: (usize, f32), (i, &v): (usize, &f32)| if v > best.1 { (i, v) } else { best };
    let class = class.unwrap_or_else(|| logits.iter().enumerate().fold((0, f32::NEG_INFINITY), best).0);
    let mut d = Array4::zeros(logits.raw_dim());
    match d.as_slice_mut().and_then(|d| d.get_mut(class)) {
        Some(one) => *one = 1.0,
        None => {
            return Err(Error::Inside(format!("there is no class {class}, only 0 to {}", logits.len() - 1)));
        }
    }
    // The embedding is the first layer: its output is value 1.
    let slopes = model.gradient(&values, of, 1, d.view())?;
    let products = (&slopes * &values[1]).sum_axis(Axis(3));
    let each = tokens.into_iter().zip(ids).zip(&products);
    let word = |((token, id), &counts): ((String, f32), &f32)| Word { token, known: id > 1.0, counts };
    Ok((class, each.map(word).collect()))
}

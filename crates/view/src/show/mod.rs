//! What a model makes of one input: the input as the first layer sees it, the answer, where it looked, and the
//! filters and feature maps of every layer; as one drawing or as a page.

mod bars;
mod page;
mod parts;

use crate::inside::{FeatureMaps, GradCam, feature_maps, grad_cam, no_layer};
use crate::overview::{receptive_field, stages};
use crate::{Drawing, Error, Language};
use foveal_nn::spec::LayerKind;
use foveal_train::{SavedModel, probabilities};
use ndarray::{Array3, Array4, ArrayView3};

/// A model and one input gone through it.
///
/// ```no_run
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use foveal_train::SavedModel;
/// use foveal_view::{Language, show::Scene};
/// let saved = SavedModel::from_bytes(&std::fs::read("model.safetensors")?, "model.safetensors")?;
/// let digit = ndarray::Array3::zeros((28, 28, 1));
/// let scene = Scene::new(&saved, digit.view(), "a black image", None)?;
/// std::fs::write("scene.html", scene.to_html(Language::English)?)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Scene {
    /// What the input is called.
    pub name: String,
    /// The name of the model's spec.
    pub model: String,
    /// The input `[h, w, c]` after preprocessing.
    pub input: Array3<f32>,
    /// The layers shown: all, the one asked for, or those that tell most of a deep network.
    pub layers: Vec<FeatureMaps>,
    /// Layers that are left out, of a deep network.
    pub hidden: usize,
    /// Rows and columns of the input that a cell of a layer depends on, by the layer's name; of layers whose cells all
    /// depend on a part.
    pub fields: Vec<(String, [usize; 2])>,
    /// The filters `[kh, kw, c / groups, o]` of the convolutions among them, by the layer's name.
    pub filters: Vec<(String, Array4<f32>)>,
    /// What comes out: logits or probabilities, or values.
    pub outputs: Vec<f32>,
    /// The classes with their probabilities, in the outputs' order; none for a regression.
    pub probabilities: Vec<(String, f32)>,
    /// For several labels an input, those that it has, as indices into `probabilities`.
    pub labels: Option<Vec<usize>>,
    /// Where the likeliest class (or the first value) was seen.
    pub cam: Option<GradCam>,
}

impl Scene {
    /// Lets `input` `[h, w, c]`, already preprocessed, through the model. With a `layer`, that one alone is shown,
    /// and Grad-CAM looks at its feature maps.
    ///
    /// # Errors
    /// When `input` has not the model's input shape or there is no such layer.
    pub fn new(
        saved: &SavedModel,
        input: ArrayView3<f32>,
        name: &str,
        layer: Option<&str>,
    ) -> Result<Self, Error> {
        let model = &saved.model;
        let mut layers = feature_maps(model, input)?;
        let outputs: Vec<f32> = layers.last().map(|l| l.values.iter().copied().collect()).unwrap_or_default();
        layers.remove(0);
        let all = layers.len();
        let mut hidden = 0;
        if let Some(layer) = layer {
            layers.retain(|l| l.name == layer);
            if layers.is_empty() {
                return Err(no_layer(model, layer));
            }
        } else if let Some(stages) = stages(model) {
            let mut v = 0;
            layers.retain(|_| {
                v += 1;
                stages.contains(&v)
            });
            hidden = all - layers.len();
        }
        let fields = (1..=all).filter_map(|v| {
            let name = model.value_name(v);
            let shown = layers.iter().any(|l| l.name == name);
            Some((name.to_owned(), receptive_field(model, v).filter(|_| shown)?))
        });
        let shown = |name: &str| layers.iter().any(|l| l.name == name);
        let filters = model.nodes().iter().filter(|n| shown(&n.name)).filter_map(|node| {
            let LayerKind::Conv2d(_) = node.kind else { return None };
            let p = &model.params()[node.params[0]];
            let &[h, w, c, o] = p.shape.as_slice() else { return None };
            Some((node.name.clone(), Array4::from_shape_vec((h, w, c, o), p.values.clone()).ok()?))
        });
        let likely = if saved.classes.is_empty() { Vec::new() } else { probabilities(model, &outputs) };
        Ok(Self {
            name: name.to_owned(),
            model: saved.training.model.clone(),
            input: input.to_owned(),
            filters: filters.collect(),
            fields: fields.collect(),
            hidden,
            labels: saved.is_multi_label().then(|| saved.labels_of(&likely)),
            probabilities: saved.classes.iter().cloned().zip(likely).collect(),
            // A model or a layer without feature maps has nothing to look at.
            cam: grad_cam(model, input, None, layer).ok(),
            layers,
            outputs,
        })
    }

    /// The class with the largest probability, as an index.
    pub fn class(&self) -> Option<usize> {
        let p = &self.probabilities;
        (!p.is_empty()).then(|| (1..p.len()).fold(0, |best, i| if p[i].1 > p[best].1 { i } else { best }))
    }

    /// All of it, one part below the other.
    ///
    /// # Errors
    /// When a figure cannot be drawn.
    pub fn draw(&self, language: Language) -> Result<Drawing, Error> {
        parts::stack(self, language)
    }

    /// Its parts, each a title, words about it and drawings with their captions.
    ///
    /// # Errors
    /// When a figure cannot be drawn.
    pub fn parts(&self, language: Language) -> Result<Vec<Told>, Error> {
        parts::told(self, language)
    }

    /// One HTML page that needs nothing else: English and Korean, light and dark.
    ///
    /// # Errors
    /// When a picture in it cannot be encoded.
    pub fn to_html(&self, language: Language) -> Result<String, Error> {
        page::html(self, language)
    }
}

/// A part of a [`Scene`] in one language.
#[derive(Clone, Debug)]
pub struct Told {
    /// Its title.
    pub title: String,
    /// Words about it.
    pub about: String,
    /// Drawings, each with its caption.
    pub drawings: Vec<(String, Drawing)>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use foveal_nn::{Model, ModelSpec};
    use foveal_train::{PictureFit, Preprocess, Recipe, Training};

    fn saved(layers: &str, input: [usize; 3], classes: usize) -> SavedModel {
        let spec = ModelSpec::from_toml(&format!("input.shape = {input:?}\nlayer = [{layers}]")).unwrap();
        SavedModel {
            model: Model::new(&spec, 1).unwrap(),
            preprocess: Preprocess::unit(input[2], PictureFit::Resize),
            classes: (0..classes).map(|c| format!("<class {c}>")).collect(),
            training: Training {
                model: "net".into(),
                dataset: "data".into(),
                recipe: Recipe::fast(),
                epochs: 0,
                validation_accuracy: None,
                ..Training::default()
            },
        }
    }

    const NET: &str = r#"{ kind = "conv2d", filters = 5, kernel = [3, 3] }, { kind = "relu" }, { kind = "flatten" },
        { kind = "dropout", rate = 0.5 }, { kind = "dense", units = 37 }, { kind = "dense", units = 3 }"#;

    fn image(shape: [usize; 3]) -> Array3<f32> {
        Array3::from_shape_fn(shape, |(h, w, c)| ((h * 5 + w * 3 + c) as f32 * 0.37).sin())
    }

    #[test]
    fn any_model_can_be_shown() {
        let flat = r#"{ kind = "flatten" }, { kind = "dense", units = 3 }"#;
        for (layers, input, classes) in
            [(NET, [6, 7, 3], 3), (NET, [5, 5, 2], 0), (flat, [3, 3, 1], 3), (flat, [1, 1, 40], 0)]
        {
            let saved = saved(&layers.replace('\n', " "), input, classes);
            let mut x = image(input);
            for odd in [0.0, f32::NAN] {
                x[[0, 0, 0]] = odd;
                let scene = Scene::new(&saved, x.view(), "<b>", None).unwrap();
                assert_eq!(scene.layers.len(), saved.model.nodes().len());
                assert_eq!(scene.class().is_some(), classes > 0);
                for language in [Language::English, Language::Korean] {
                    assert!(scene.draw(language).unwrap().to_png(1).is_ok());
                    let html = scene.to_html(language).unwrap();
                    assert!(!html.contains("<b>") && !html.contains("<class") && html.contains("&lt;b&gt;"));
                    assert!(!html.contains("{{"));
                }
            }
        }
    }

    #[test]
    fn one_layer_can_be_shown_alone() {
        let saved = saved(&NET.replace('\n', " "), [6, 7, 3], 3);
        let x = image([6, 7, 3]);
        let scene = Scene::new(&saved, x.view(), "x", Some("conv2d_1")).unwrap();
        assert_eq!((scene.layers.len(), scene.filters.len()), (1, 1));
        assert_eq!(scene.cam.unwrap().layer, "conv2d_1");
        let scene = Scene::new(&saved, x.view(), "x", Some("dense_1")).unwrap();
        assert!(scene.cam.is_none() && scene.filters.is_empty());
        let message = Scene::new(&saved, x.view(), "x", Some("conv9")).unwrap_err().to_string();
        assert!(message.contains("conv9") && message.contains("relu_1"), "{message}");
    }
}

//! A model as data: a list of layers, readable as TOML.
//!
//! Files need the feature `toml`, which `foveal` and `foveal-train` have on.
//!
//! ```
//! # #[cfg(feature = "toml")] {
//! let spec = foveal_nn::ModelSpec::from_toml(r#"
//!     [input]
//!     shape = [28, 28, 1]        # height, width, channels
//!
//!     [[layer]]
//!     kind = "conv2d"
//!     filters = 8
//!     kernel = [3, 3]
//!     padding = "SAME"
//!
//!     [[layer]]
//!     kind = "flatten"
//!
//!     [[layer]]
//!     kind = "dense"
//!     units = 10
//! "#)?;
//! let model = foveal_nn::Model::new(&spec, 0)?;
//! assert_eq!(model.output_shape(), [1, 1, 10]);
//! # }
//! # Ok::<(), foveal_nn::Error>(())
//! ```

#[cfg(feature = "toml")]
mod file;

use crate::Error;
use serde::{Deserialize, Serialize};

/// A model: the shape of one input and the layers it goes through.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelSpec {
    /// What goes in.
    pub input: InputSpec,
    /// The layers, in order.
    #[serde(rename = "layer")]
    pub layers: Vec<LayerSpec>,
}

/// The shape of one input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputSpec {
    /// Height, width, channels.
    pub shape: [usize; 3],
}

/// One layer: its kind, and where it stands in the graph.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LayerSpec {
    /// The layer's name; without one it is the kind with a number, such as `conv2d_1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The layers whose outputs go in (`"input"` for the model's input); without any, the layer before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<String>,
    /// What the layer does.
    #[serde(flatten)]
    pub kind: LayerKind,
    /// The line of the model file that the layer begins at; 0 for none.
    #[serde(skip)]
    pub line: usize,
}

pub use crate::layers::LayerKind;

impl<K: Into<LayerKind>> From<K> for LayerSpec {
    fn from(kind: K) -> Self {
        LayerSpec { name: None, inputs: Vec::new(), kind: kind.into(), line: 0 }
    }
}

impl ModelSpec {
    /// Refuses layers of the program's own, which no file can hold.
    ///
    /// # Errors
    /// [`Error::CustomSaved`] for the first of them.
    pub fn check_saved(&self) -> Result<(), Error> {
        self.layers.iter().try_for_each(|layer| match &layer.kind {
            LayerKind::Custom(own) => Err(Error::CustomSaved { kind: own.kind() }),
            _ => Ok(()),
        })
    }

    /// The rows of the embedding that the model begins with, if it does.
    pub fn vocabulary(&self) -> Option<usize> {
        self.layers.iter().find_map(|layer| layer.kind.layer().vocabulary())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spec_survives_toml_and_its_errors_name_the_line() {
        let spec = crate::builtin::spec("lab-11-2").unwrap();
        assert_eq!(ModelSpec::from_toml(&spec.to_toml().unwrap()).unwrap(), strip(&spec));
        let bad = "[input]\nshape = [4, 4, 1]\n\n[[layer]]\nkind = \"conv2d\"\nfilters = 2\nkernel = [3, 3]\nstride = 2\n";
        let message = ModelSpec::from_toml(bad).unwrap_err().to_string();
        assert!(message.contains("line 8") && message.contains("did you mean `strides`?"), "{message}");
        let bad = "[input]\nshape = [4, 4, 1]\n[[layer]]\nkind = \"conv3d\"\n";
        let message = ModelSpec::from_toml(bad).unwrap_err().to_string();
        assert!(message.contains("`kind`") && message.contains("did you mean `conv2d`?"), "{message}");
        let bad = "[input]\nshape = [4, 4]\n";
        assert!(ModelSpec::from_toml(bad).unwrap_err().to_string().contains("line 2"));
        let bad = "[input]\nshape = [4, 4, 1]\n[[layer]]\nkind = \"max_pool\"\nksize = [2, 2]\npadding = \"FULL\"\n";
        assert!(ModelSpec::from_toml(bad).unwrap_err().to_string().contains("FULL"));
    }

    #[test]
    fn model_files_take_the_spellings_of_the_command_line() {
        let model = |options: [&str; 4]| {
            let [kernel, strides, padding, init] = options;
            let text = format!(
                "input.shape = [9, 9, 1]\nlayer = [{{ kind = \"conv2d\", filters = 2, kernel = {kernel}, strides = \
                 {strides}, padding = \"{padding}\", init = \"{init}\" }}]"
            );
            ModelSpec::from_toml(&text).unwrap()
        };
        let plain = model(["[3, 3]", "[2, 2]", "SAME", "glorot"]);
        assert_eq!(model(["3", "2", "same", "xavier"]), plain);
        assert_eq!(model(["[3, 3]", "[1, 2, 2, 1]", "Same", "Xavier"]), plain);
    }

    fn strip(spec: &ModelSpec) -> ModelSpec {
        let text = spec.to_toml().unwrap();
        let mut again = ModelSpec::from_toml(&text).unwrap();
        again.layers.iter_mut().zip(&spec.layers).for_each(|(a, b)| assert_eq!(a.kind, b.kind));
        again.input = spec.input;
        again
    }
}

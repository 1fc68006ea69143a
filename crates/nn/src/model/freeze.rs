//! Layers that training leaves as they are.

use super::Model;
use crate::Error;
use crate::spec::LayerKind;

impl Model {
    /// Freezes the layers of these names: training leaves their parameters as they are, bit for bit. A frozen batch
    /// normalization always goes by its moving statistics, which stay too. A layer without parameters has nothing to
    /// freeze; a dropout goes on.
    ///
    /// # Errors
    /// When there is no such layer, naming those with parameters.
    ///
    /// ```
    /// let mut model = foveal_nn::Sequential::new([4, 4, 1]).conv2d(2, 3).flatten().dense(2).build(0)?;
    /// model.freeze(&["conv2d_1"])?;
    /// assert!(!model.param("conv2d_1.filter").unwrap().trainable && model.param("dense_1.bias").unwrap().trainable);
    /// assert!(model.freeze(&["conv2d_9"]).is_err());
    /// # Ok::<(), foveal_nn::Error>(())
    /// ```
    pub fn freeze<S: AsRef<str>>(&mut self, layers: &[S]) -> Result<(), Error> {
        for name in layers.iter().map(AsRef::as_ref) {
            let Some(node) = self.nodes.iter().find(|n| n.name == name) else {
                let known = self.nodes.iter().filter(|n| !n.params.is_empty()).map(|n| n.name.clone());
                return Err(Error::NoSuchLayer { layer: name.to_owned(), known: known.collect() });
            };
            node.params.iter().for_each(|&p| self.params[p].trainable = false);
        }
        Ok(())
    }

    /// The index of the last dense layer, if what comes after it changes no shape: its outputs are the model's.
    pub fn head(&self) -> Option<usize> {
        let mut at = self.nodes.len();
        loop {
            let node = self.nodes.get(at.checked_sub(1)?)?;
            if matches!(node.kind, LayerKind::Dense(_)) {
                return Some(at - 1);
            }
            let same = node.inputs.len() == 1 && node.params.is_empty() && node.kind.keeps_places();
            if !same || node.shape != self.value_shape(node.inputs[0]) {
                return None;
            }
            at = node.inputs[0];
        }
    }
}

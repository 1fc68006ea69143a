//! A net in code: layer after layer, with residuals and branches.

use crate::layers::{
    Add, AvgPool, BatchNorm, Concat, Conv2d, Dense, Dropout, Flatten, Gelu, GlobalAvgPool, MaxPool, Relu,
    Sigmoid, Softmax, Tanh,
};
use crate::spec::{InputSpec, LayerKind, LayerSpec};
use crate::{Error, Model, ModelSpec, Padding};

/// A net that grows layer by layer. Each layer reads the one before; [`Sequential::residual`] and
/// [`Sequential::branches`] part the way and join it again. Nothing is checked until [`Sequential::build`].
///
/// ```
/// use foveal_nn::Sequential;
/// use foveal_nn::layers::{Conv2d, Dropout};
///
/// let model = Sequential::new([28, 28, 1])
///     .layer(Conv2d::new(16, 3).same())
///     .relu()
///     .max_pool(2)
///     .residual(|body| body.layer(Conv2d::new(16, 3).same()).batch_norm().relu())
///     .branches(&[&|b| b.conv2d(8, 1), &|b| b.layer(Conv2d::new(8, 3).same()).relu()])
///     .global_avg_pool()
///     .flatten()
///     .layer(Dropout { rate: 0.2 })
///     .dense(10)
///     .build(0)?;
/// assert_eq!(model.output_shape(), [1, 1, 10]);
/// # Ok::<(), foveal_nn::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Sequential {
    spec: ModelSpec,
    /// What the next layer reads, where that is not the layer before.
    from: Option<String>,
}

/// A height and a width: one number stands for both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size(pub [usize; 2]);

impl From<usize> for Size {
    fn from(side: usize) -> Self {
        Self([side; 2])
    }
}

impl From<[usize; 2]> for Size {
    fn from(extents: [usize; 2]) -> Self {
        Self(extents)
    }
}

impl Size {
    /// The same as the options of layers have it; what is too large for them is refused when the model is built.
    fn signed(self) -> [i64; 2] {
        self.0.map(|v| i64::try_from(v).unwrap_or(i64::MAX))
    }
}

impl Sequential {
    /// Begins with inputs of `shape`: height, width, channels.
    pub fn new(shape: [usize; 3]) -> Self {
        Self { spec: ModelSpec { input: InputSpec { shape }, layers: Vec::new() }, from: None }
    }

    /// Any layer, with its options.
    #[must_use]
    pub fn layer(self, layer: impl Into<LayerKind>) -> Self {
        self.joined(layer.into(), Vec::new())
    }

    /// Gives the last layer a name, by which [`Sequential::from`] and [`Model::param`] find it.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        if let Some(last) = self.spec.layers.last_mut() {
            last.name = Some(name.to_owned());
        }
        self
    }

    /// The next layer reads the output of the layer called `name` (`input`: the net's input) instead of the layer
    /// before.
    #[must_use]
    pub fn from(mut self, name: &str) -> Self {
        self.from = Some(name.to_owned());
        self
    }

    /// `x + body(x)`. The body must keep the shape, or give one with a single row, column or channel.
    #[must_use]
    pub fn residual(self, body: impl FnOnce(Self) -> Self) -> Self {
        self.residual_with(body, |shortcut| shortcut)
    }

    /// `shortcut(x) + body(x)`, for bodies that change the shape.
    ///
    /// ```
    /// use foveal_nn::Sequential;
    /// use foveal_nn::layers::Conv2d;
    ///
    /// let model = Sequential::new([8, 8, 4])
    ///     .residual_with(
    ///         |body| body.layer(Conv2d::new(8, 3).strides(2).same()).relu(),
    ///         |shortcut| shortcut.layer(Conv2d::new(8, 1).strides(2).same()),
    ///     )
    ///     .build(0)?;
    /// assert_eq!(model.output_shape(), [4, 4, 8]);
    /// # Ok::<(), foveal_nn::Error>(())
    /// ```
    #[must_use]
    pub fn residual_with(self, body: impl FnOnce(Self) -> Self, shortcut: impl FnOnce(Self) -> Self) -> Self {
        let start = self.here();
        let net = body(self);
        let end = net.here();
        let net = shortcut(net.from(&start));
        let other = net.here();
        net.joined(Add {}.into(), vec![end, other])
    }

    /// Several ways from here, whose channels then stand one after the other.
    #[must_use]
    pub fn branches(self, ways: &[&dyn Fn(Self) -> Self]) -> Self {
        self.branches_into(Concat {}, ways)
    }

    /// Several ways from here, joined by a layer that takes several inputs.
    #[must_use]
    pub fn branches_into(self, join: impl Into<LayerKind>, ways: &[&dyn Fn(Self) -> Self]) -> Self {
        let start = self.here();
        let (mut net, mut ends) = (self, Vec::new());
        for way in ways {
            net = way(net.from(&start));
            ends.push(net.here());
        }
        net.joined(join.into(), ends)
    }

    /// A layer that reads the named ones, or what comes before.
    fn joined(mut self, kind: LayerKind, mut inputs: Vec<String>) -> Self {
        let from = self.from.take();
        if inputs.is_empty() {
            inputs.extend(from);
        }
        self.spec.layers.push(LayerSpec { name: None, inputs, kind, line: 0 });
        self
    }

    /// The name of what the next layer reads.
    fn here(&self) -> String {
        if let Some(from) = &self.from {
            return from.clone();
        }
        let Some(last) = self.spec.layers.last() else { return "input".into() };
        last.name.clone().unwrap_or_else(|| {
            // As a model names its layers.
            let kind = last.kind.name();
            let count = self.spec.layers.iter().filter(|layer| layer.kind.name() == kind).count();
            format!("{kind}_{count}")
        })
    }

    /// Filters of this height and width, VALID; [`Conv2d`] has the other options.
    #[must_use]
    pub fn conv2d(self, filters: usize, kernel: impl Into<Size>) -> Self {
        self.layer(Conv2d::new(filters, kernel))
    }

    /// A fully connected layer; flatten maps before it.
    #[must_use]
    pub fn dense(self, units: usize) -> Self {
        self.layer(Dense { units, ..Dense::default() })
    }

    /// `max(x, 0)`.
    #[must_use]
    pub fn relu(self) -> Self {
        self.layer(Relu {})
    }

    /// The sigmoid.
    #[must_use]
    pub fn sigmoid(self) -> Self {
        self.layer(Sigmoid {})
    }

    /// The hyperbolic tangent.
    #[must_use]
    pub fn tanh(self) -> Self {
        self.layer(Tanh {})
    }

    /// GELU, by the error function.
    #[must_use]
    pub fn gelu(self) -> Self {
        self.layer(Gelu::default())
    }

    /// Softmax over the channels. A classifier that is trained does not need it: the loss has its own.
    #[must_use]
    pub fn softmax(self) -> Self {
        self.layer(Softmax {})
    }

    /// The largest of windows that stand side by side.
    #[must_use]
    pub fn max_pool(self, window: impl Into<Size>) -> Self {
        self.layer(MaxPool { ksize: window.into().signed(), ..MaxPool::default() })
    }

    /// The mean of windows that stand side by side.
    #[must_use]
    pub fn avg_pool(self, window: impl Into<Size>) -> Self {
        self.layer(AvgPool { ksize: window.into().signed(), ..AvgPool::default() })
    }

    /// The mean of each channel.
    #[must_use]
    pub fn global_avg_pool(self) -> Self {
        self.layer(GlobalAvgPool {})
    }

    /// Batch normalization.
    #[must_use]
    pub fn batch_norm(self) -> Self {
        self.layer(BatchNorm::default())
    }

    /// Dropout with this probability of 0.
    #[must_use]
    pub fn dropout(self, rate: f32) -> Self {
        self.layer(Dropout { rate })
    }

    /// One row of numbers.
    #[must_use]
    pub fn flatten(self) -> Self {
        self.layer(Flatten {})
    }

    /// The net as data, which can be saved as a model file.
    pub fn spec(&self) -> &ModelSpec {
        &self.spec
    }

    /// Checks the shapes along the net and makes its parameters from `seed`: the same seed gives the same numbers on
    /// every machine.
    ///
    /// # Errors
    /// As [`Model::new`]: names the layer and the shapes that do not fit.
    ///
    /// ```
    /// let error = foveal_nn::Sequential::new([4, 4, 1]).dense(2).build(0).unwrap_err();
    /// assert!(error.to_string().contains("`dense_1`") && error.to_string().contains("flatten"));
    /// ```
    pub fn build(&self, seed: u64) -> Result<Model, Error> {
        Model::new(&self.spec, seed)
    }
}

impl Conv2d {
    /// So many filters of this height and width; VALID, steps of 1, with a bias.
    pub fn new(filters: usize, kernel: impl Into<Size>) -> Self {
        Self { filters, kernel: kernel.into().0, ..Self::default() }
    }

    /// Padded so that a step of 1 keeps height and width, as TensorFlow pads.
    #[must_use]
    pub fn same(self) -> Self {
        Self { padding: Padding::Same, ..self }
    }

    /// Steps between windows.
    #[must_use]
    pub fn strides(self, strides: impl Into<Size>) -> Self {
        Self { strides: strides.into().signed(), ..self }
    }

    /// Steps between a filter's cells.
    #[must_use]
    pub fn dilations(self, dilations: impl Into<Size>) -> Self {
        Self { dilations: dilations.into().signed(), ..self }
    }

    /// Groups that the channels are split into.
    #[must_use]
    pub fn groups(self, groups: usize) -> Self {
        Self { groups: i64::try_from(groups).unwrap_or(i64::MAX), ..self }
    }

    /// Without a bias, as before a normalization.
    #[must_use]
    pub fn no_bias(self) -> Self {
        Self { bias: false, ..self }
    }
}

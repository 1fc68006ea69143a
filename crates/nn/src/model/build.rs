//! A spec's layers, checked one after the other, and their parameters.

use super::{Model, Node, Param};
use crate::Error;
use crate::init::Random;
use crate::layers::{ParamRole, ParamSpec, Shape};
use crate::spec::ModelSpec;
use foveal_kernels::geometry::MAX_ARRAY_BYTES;
use std::collections::HashMap;

/// Gives a parameter's numbers by its name and shape.
type Given<'a> = &'a mut dyn FnMut(&str, &[usize]) -> Result<Vec<f32>, String>;

/// Where parameters come from.
enum Source<'a> {
    Seed(Random),
    Given(Given<'a>),
    /// None are made.
    Nowhere,
}

impl Source<'_> {
    fn seeded(seed: u64) -> Self {
        Source::Seed(Random::new(seed))
    }
}

/// Layers of a model, at most.
pub const MAX_LAYERS: usize = 10_000;
/// Shapes along the way to a layer that an error names.
const MOST_TOLD: usize = 8;

impl Model {
    /// Checks `spec` along the chain and makes its parameters from `seed`.
    ///
    /// # Errors
    /// Names the layer, its line in the model file and the shapes that do not fit.
    ///
    /// ```
    /// use foveal_nn::{Model, builtin};
    ///
    /// let spec = builtin::spec("lab-11-1").unwrap();
    /// assert_eq!(Model::new(&spec, 7)?.params(), Model::new(&spec, 7)?.params());
    /// # Ok::<(), foveal_nn::Error>(())
    /// ```
    pub fn new(spec: &ModelSpec, seed: u64) -> Result<Self, Error> {
        build(spec, Source::seeded(seed))
    }

    /// Checks `spec` along the chain and takes its parameters from `given(name, shape)`.
    ///
    /// # Errors
    /// As [`Model::new`]; also when a parameter is not given or has not as many numbers as its shape.
    ///
    /// ```
    /// use foveal_nn::{Model, Sequential};
    ///
    /// let net = Sequential::new([1, 1, 2]).dense(2);
    /// let ones = Model::with_params(net.spec(), |_, shape| Ok(vec![1.0; shape.iter().product()]))?;
    /// assert_eq!(ones.predict(ndarray::array![[[[2.0, 3.0]]]].view())?, ndarray::array![[6.0, 6.0]]);
    /// # Ok::<(), foveal_nn::Error>(())
    /// ```
    pub fn with_params(
        spec: &ModelSpec,
        mut given: impl FnMut(&str, &[usize]) -> Result<Vec<f32>, String>,
    ) -> Result<Self, Error> {
        build(spec, Source::Given(&mut given))
    }
}

impl Model {
    /// Checks `spec` along the chain; its parameters have shapes, but no numbers.
    pub(crate) fn outlined(spec: &ModelSpec) -> Result<Self, Error> {
        build(spec, Source::Nowhere)
    }
}

/// Checks `spec` along the chain and makes its parameters.
fn build(spec: &ModelSpec, source: Source<'_>) -> Result<Model, Error> {
    let shape @ [h, w, c] = spec.input.shape;
    let bytes = shape.iter().try_fold(4u64, |a, &v| a.checked_mul(v as u64));
    if [h, w, c].contains(&0) || bytes.is_none_or(|bytes| bytes > MAX_ARRAY_BYTES) {
        return Err(Error::InputShape { shape });
    }
    if spec.layers.is_empty() {
        return Err(Error::NoLayers);
    }
    if spec.layers.len() > MAX_LAYERS {
        return Err(Error::Layers { layers: spec.layers.len(), most: MAX_LAYERS });
    }
    let mut build = Build {
        model: Model { spec: spec.clone(), nodes: Vec::new(), params: Vec::new() },
        shapes: vec![shape],
        names: vec!["input".into()],
        places: HashMap::from([("input".into(), 0)]),
        counts: HashMap::new(),
        source,
        numbers: 0,
    };
    for index in 0..spec.layers.len() {
        build.layer(index)?;
    }
    let mut used = vec![false; build.shapes.len()];
    build.model.nodes.iter().for_each(|n| n.inputs.iter().for_each(|&i| used[i] = true));
    if let Some(i) = used[..used.len() - 1].iter().position(|u| !u) {
        return Err(Error::Unread { layer: build.names[i].clone() });
    }
    Ok(build.model)
}

struct Build<'a> {
    model: Model,
    /// Of each value: its shape and name; and the value of each name.
    shapes: Vec<Shape>,
    names: Vec<String>,
    places: HashMap<String, usize>,
    /// Layers of each kind so far.
    counts: HashMap<&'static str, usize>,
    source: Source<'a>,
    /// Numbers in all parameters so far.
    numbers: u64,
}

impl Build<'_> {
    fn layer(&mut self, index: usize) -> Result<(), Error> {
        let layer = self.model.spec.layers[index].clone();
        let kind = layer.kind.name();
        let count = self.counts.entry(kind).or_insert(0);
        *count += 1;
        let name = layer.name.clone().unwrap_or_else(|| format!("{kind}_{count}"));
        let place = if layer.line > 0 { format!("line {}: ", layer.line) } else { String::new() };
        let fail =
            |problem: String| Error::Layer { place: place.clone(), layer: name.clone(), kind, problem };
        if self.places.contains_key(&name) {
            return Err(fail("another layer has this name".into()));
        }
        let mut inputs = Vec::new();
        for input in &layer.inputs {
            match self.places.get(input) {
                Some(&i) => inputs.push(i),
                None => return Err(fail(self.no_input(input, index))),
            }
        }
        if inputs.is_empty() {
            inputs.push(self.names.len() - 1);
        }
        let from: Vec<Shape> = inputs.iter().map(|&i| self.shapes[i]).collect();
        let way = |problem: String| fail(format!("{problem} ({})", self.way(&inputs)));
        let known = layer.kind.layer();
        known.inputs().check(inputs.len()).map_err(way)?;
        if let Some(problem) = known.misplaced(from[0]).filter(|_| index > 0) {
            return Err(way(problem));
        }
        let (shape, flops) = known.shape(&from).map_err(way)?;
        let params = self.params(&name, known.params(&from)).map_err(fail)?;
        self.places.insert(name.clone(), self.names.len());
        self.names.push(name.clone());
        self.shapes.push(shape);
        self.model.nodes.push(Node { name, kind: layer.kind, inputs, shape, params, flops });
        Ok(())
    }

    /// Why there is no input called `name` for layer `index`.
    fn no_input(&self, name: &str, index: usize) -> String {
        let later = self.model.spec.layers[index..].iter().any(|l| l.name.as_deref() == Some(name));
        let later = if later { "; it must come before the layer that reads it" } else { "" };
        format!("no layer before it is called `{name}`{later}; before it are {}", self.names.join(", "))
    }

    /// The shapes of `inputs` and of what leads to the first of them, back to the model's input.
    fn way(&self, inputs: &[usize]) -> String {
        let told = |v: usize| format!("{} {:?}", self.names[v], self.shapes[v]);
        let mut way = vec![told(inputs[0])];
        let mut at = inputs[0];
        while at > 0 {
            at = self.model.nodes[at - 1].inputs[0];
            way.push(told(at));
        }
        if way.len() > MOST_TOLD {
            way.splice(MOST_TOLD - 1..way.len() - 1, ["...".to_owned()]);
        }
        way.reverse();
        let mut text = format!("shapes: {}", way.join(" -> "));
        inputs[1..].iter().for_each(|&v| text += &format!("; {}", told(v)));
        text
    }

    fn params(&mut self, layer: &str, asked: Vec<ParamSpec>) -> Result<Vec<usize>, String> {
        let first = self.model.params.len();
        for spec in asked {
            let param = self.param(layer, spec)?;
            self.model.params.push(param);
        }
        Ok((first..self.model.params.len()).collect())
    }

    fn param(&mut self, layer: &str, spec: ParamSpec) -> Result<Param, String> {
        let ParamSpec { what, shape, init, fans, role } = spec;
        let count = shape.iter().try_fold(1usize, |n, &v| n.checked_mul(v)).unwrap_or(usize::MAX);
        self.numbers = self.numbers.saturating_add(count as u64);
        if self.numbers.saturating_mul(4) > MAX_ARRAY_BYTES {
            let most = MAX_ARRAY_BYTES / 4;
            return Err(format!("the model would have more than {most} parameters, which is the limit"));
        }
        let name = format!("{layer}.{what}");
        let values = match &mut self.source {
            Source::Seed(random) => init.values(count, fans[0], fans[1], random),
            Source::Given(given) => given(&name, &shape)?,
            Source::Nowhere => return Ok(Param { name, shape, values: Vec::new(), trainable: false, role }),
        };
        if values.len() != count {
            return Err(format!("`{name}` has {} numbers, not {count}", values.len()));
        }
        Ok(Param { name, shape, values, trainable: role != ParamRole::Statistics, role })
    }
}

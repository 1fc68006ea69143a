//! What a run needs before its first step: the data, a model that suits them, a recipe.

use super::preprocessing::{self, Read};
use super::{choice, recipe, transfer};
use crate::args::{Preset, Train};
use crate::commands::model;
use crate::output::Context;
use crate::pretrained;
use crate::source::{
    self, ForModel, ForTraining, Held, Kept, Kind, Later, MNIST, Parts, ReadOptions, TextOptions, Told,
    Whole, tell,
};
use anyhow::{Context as _, Result, bail};
use foveal::data::check::not_finite;
use foveal::data::text::Vocabulary;
use foveal::data::{Dataset, Split};
use foveal::nn::layers as kinds;
use foveal::nn::spec::LayerKind;
use foveal::nn::{Model, ModelSpec, builtin};
use foveal::train::{Preprocess, Recipe, SavedModel};

/// What a run needs before its first step.
pub struct Prepared {
    /// The model's name.
    pub model: String,
    /// The model before its first step.
    pub fresh: Model,
    pub preprocess: Preprocess,
    pub recipe: Recipe,
    pub data: Dataset,
    pub parts: Parts,
    pub test: Later,
    /// Whether the model is the pretrained network with a new head.
    pub pretrained: bool,
    /// The file of each sample, of the training part and of the test part, where samples are files.
    pub files: Option<[Vec<String>; 2]>,
}

impl Prepared {
    /// Reads the data, at the input size of the model if it has a fixed one, and chooses a model if none is named.
    pub fn new(args: &Train, context: &Context) -> Result<Self> {
        let from = args.from.as_deref().map(transfer::saved).transpose()?;
        if let Some(from) = from {
            return Self::transferred(args, &transfer::fitted(args, from, context)?, context);
        }
        let named = args.model.as_deref();
        // A model of a fixed shape says what size the pictures must have.
        let fixed = match named {
            None => None,
            Some(name) if builtin::is_scaled(name) || name == builtin::TEXT.name => None,
            Some(name) if pretrained::is_named(name) => None,
            Some(name) => Some(model::spec(name)?),
        };
        let shape = fixed.as_ref().map(|spec| spec.input.shape);
        let given = ReadOptions::from_args(&args.reading);
        let options = ReadOptions {
            size: given.size.or(shape.map(|[h, w, _]| [h, w])),
            channels: shape.map(|[_, _, c]| c).filter(|c| matches!(c, 1 | 3)),
            pretrained: choice::wanted(args),
            text: TextOptions {
                shape,
                most: fixed.as_ref().and_then(ModelSpec::vocabulary).or(given.text.most),
                ..given.text
            },
            ..given
        };
        let opened = source::open_for_training(&args.data, &options, context)?;
        if choice::takes(args, &opened)? {
            return Self::pretrained(args, opened, context);
        }
        let parts = parts(args, &opened, context)?;
        let told = [opened.told, parts.told.clone()].concat();
        let ForTraining { data, test, window, scale, fit, files, .. } = opened;
        let outputs = data.targets().names().len();
        let vocabulary = data.vocabulary().map(Vocabulary::size);
        let name = named.unwrap_or_else(|| suited(&data, args.preset));
        let spec = match (fixed, vocabulary) {
            (None, Some(size)) if name == builtin::TEXT.name => {
                builtin::text_cnn(data.shape(), size, outputs)
            }
            (Some(spec), _) if builtin::spec(name).is_none() => spec,
            _ => model::fitted(name, data.shape(), outputs)?,
        };
        let spec = if data.several().is_some() { each_by_itself(spec) } else { spec };
        fits_texts(name, &spec, &data, &args.data)?;
        let mut recipe = recipe::recipe(args, name, &data, &parts.split, context)?;
        let fresh = Model::new(&spec, context.seed).with_context(|| name.to_owned())?;
        recipe.frozen = transfer::frozen(args, &fresh)?;
        let read = Read { scale, fit, told, window };
        let preprocess = preprocessing::preprocess(args, &data, &parts.split, read, context)?;
        let (model, pretrained) = (name.to_owned(), false);
        Ok(Self { model, fresh, preprocess, recipe, data, parts, test, pretrained, files })
    }

    /// The same for the network that has learnt from photographs: its last layer is new.
    fn pretrained(args: &Train, opened: ForTraining, context: &Context) -> Result<Self> {
        let parts = parts(args, &opened, context)?;
        let told = [opened.told, parts.told.clone()].concat();
        let ForTraining { data, test, fit, files, .. } = opened;
        let [height, width, _] = data.shape();
        let known = pretrained::imagenet([height, width])?;
        let name = builtin::PRETRAINED.name;
        let mut recipe = recipe::recipe(args, name, &data, &parts.split, context)?;
        recipe.frozen = transfer::frozen(args, &known.model)?;
        let fresh =
            foveal::train::transfer(&known, &data, &parts.split.train, &recipe.frozen, context.seed)?.model;
        let told = told.into_iter().map(|told| told.0).collect();
        let preprocess = Preprocess { told, fit, ..known.preprocess };
        let (model, pretrained) = (name.to_owned(), true);
        Ok(Self { model, fresh, preprocess, recipe, data, parts, test, pretrained, files })
    }

    /// The same for --from: the weights and the preprocessing are those of a trained model.
    fn transferred(args: &Train, from: &SavedModel, context: &Context) -> Result<Self> {
        let [height, width, channels] = from.model.input_shape();
        let (given, own) = (ReadOptions::from_args(&args.reading), from.preprocess.window());
        let model = ForModel { kind: Kind::of(from), from: true, window: given.window.is_some() };
        let options = ReadOptions {
            size: Some([height, width]),
            channels: Some(channels).filter(|c| matches!(c, 1 | 3)),
            window: own.or(given.window),
            preprocess: Some(&from.preprocess),
            text: TextOptions {
                vocabulary: from.preprocess.text.as_ref(),
                shape: from.preprocess.text.as_ref().map(|_| from.model.input_shape()),
                ..TextOptions::default()
            },
            model: Some(model),
            ..given
        };
        source::check(&args.data, &options, context)?;
        transfer::refuse_other_reading(args, from)?;
        let opened = source::open_for_training(&args.data, &options, context)?;
        let parts = parts(args, &opened, context)?;
        let told = [opened.told, parts.told.clone()].concat();
        let ForTraining { data, test, window, files, .. } = opened;
        fits_texts(&from.training.model, from.model.spec(), &data, &args.data)?;
        let name = from.training.model.clone();
        let mut recipe = recipe::recipe(args, &name, &data, &parts.split, context)?;
        recipe.frozen = transfer::frozen(args, &from.model)?;
        let fresh = transfer::begin(from, &data, &parts.split, &recipe, context)?;
        let window = window.map(|w| [w.centre(), w.width()]);
        let told = told.into_iter().map(|told| told.0).collect();
        let same = from.classes.is_empty() && fresh.outputs() == from.model.outputs();
        let origin = match same && data.classes().or(data.several()).is_none() {
            true => from.preprocess.origin.clone(),
            false => preprocessing::origin(&data, &parts.split),
        };
        let preprocess = Preprocess { window, origin, told, ..from.preprocess.clone() };
        let (model, pretrained) = (name, false);
        Ok(Self { model, fresh, preprocess, recipe, data, parts, test, pretrained, files })
    }
}

/// The same model with a probability of its own for each output: several labels a sample.
fn each_by_itself(mut spec: ModelSpec) -> ModelSpec {
    let last = |spec: &ModelSpec| spec.layers.last().map(|layer| layer.kind.clone());
    if matches!(last(&spec), Some(LayerKind::Softmax(_))) {
        spec.layers.pop();
    }
    if !matches!(last(&spec), Some(LayerKind::Sigmoid(_))) {
        spec.layers.push(kinds::Sigmoid {}.into());
    }
    spec
}

/// The model that suits the data and the time to spend.
fn suited(data: &Dataset, preset: Preset) -> &'static str {
    let named = data.classes().or(data.several()).is_some();
    match (builtin::suited_to(data.shape(), named), preset) {
        _ if data.vocabulary().is_some() => builtin::TEXT.name,
        ("fast", Preset::Balanced) => "balanced",
        ("fast", Preset::Best) => "best",
        ("vgg-small", Preset::Balanced | Preset::Best) => "vgg",
        (name, _) => name,
    }
}

/// Refuses texts for a model without an embedding, and pictures for one with.
fn fits_texts(name: &str, spec: &ModelSpec, data: &Dataset, shown: &str) -> Result<()> {
    match (spec.vocabulary(), data.vocabulary()) {
        (Some(rows), Some(vocabulary)) if vocabulary.size() > rows => {
            bail!(
                "{name}: its embedding has {rows} rows, {shown} {} numbers; lower --vocabulary",
                vocabulary.size()
            )
        }
        (None, Some(_)) => {
            let text = builtin::TEXT.name;
            bail!(
                "{shown} holds texts, and {name} is for pictures; take {text} or a model that begins with an embedding"
            )
        }
        (Some(_), None) => {
            bail!(
                "{name} is for texts, and {shown} holds none; take a .tsv of label<TAB>text, or another model"
            )
        }
        _ => Ok(()),
    }
}

/// Refuses samples that hold NaN or infinity: nothing can be learnt from them, nor judged by them.
fn refuse_not_finite(args: &Train, opened: &ForTraining) -> Result<()> {
    let found = not_finite(&opened.data);
    let Some(&first) = found.first() else { return Ok(()) };
    let name = opened.files.as_ref().map_or_else(|| first.to_string(), |[train, _]| train[first].clone());
    let cut = opened.data.len() - opened.held;
    let part = if opened.held > 0 && first >= cut { "validation" } else { "training" };
    bail!(
        "{}: {} of its samples hold NaN or infinity, the first of them {name} ({part}); correct them or take them out \
         (foveal data check names them)",
        args.data,
        found.len()
    )
}

/// Which samples are for validation and for the test: those that the data set itself names, or the first of MNIST, as in
/// the course; from other data sets they are drawn, class by class and group by group.
fn parts(args: &Train, opened: &ForTraining, context: &Context) -> Result<Parts> {
    let (data, held) = (&opened.data, Held { validation: args.validation, test: args.test });
    refuse_not_finite(args, opened)?;
    let groups = opened.groups.as_ref();
    let whole = Whole {
        data,
        shown: &args.data,
        held: opened.held,
        tested: opened.tested,
        test: opened.share,
        groups,
    };
    if args.data == MNIST {
        whole.shares(held)?;
        let count = args.validation.map_or(5000, |share| share.count(data.len()));
        let split = Split::first(data.len(), count)?;
        return Ok(Parts { split, test: Vec::new(), told: Vec::new(), division: None, kept: Kept::none() });
    }
    let parts = whole.divide(held, context.seed)?;
    // Where nothing belongs together, the numbers of samples are said when the training begins.
    let plain = groups.is_none() && parts.test.is_empty();
    let said = parts.told.iter().filter(|Told([english, _])| !plain || !english.starts_with("drawn by"));
    tell(&said.cloned().collect::<Vec<_>>(), context);
    Ok(parts)
}

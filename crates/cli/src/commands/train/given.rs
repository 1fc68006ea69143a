//! Recipes in files: the `[recipe]` table of a model file, and the `config.toml` of a run. What the command line says
//! comes first.

use crate::args::{Given, Keep, LossName, OptimizerName, Train, values};
use crate::commands::model;
use crate::files::{self, What};
use crate::output::Context;
use crate::paths::Shown;
use anyhow::{Context as _, Result, anyhow, bail};
use foveal::data::Augment;
use foveal::nn::builtin;
use foveal::nn::loss::Loss;
use foveal::nn::optim::Optimizer;
use foveal::nn::schedule::Schedule;
use foveal::train::Freeze;
use serde::Deserialize;
use std::path::Path;

/// A recipe in a file: options by their names, or the whole values that a run writes.
#[derive(Deserialize, Debug, Default)]
#[serde(deny_unknown_fields)]
struct RecipeTable {
    epochs: Option<u32>,
    #[serde(alias = "batch-size")]
    batch_size: Option<u32>,
    lr: Option<f32>,
    optimizer: Option<Is<OptimizerName, Optimizer>>,
    momentum: Option<f32>,
    nesterov: Option<bool>,
    #[serde(alias = "weight-decay")]
    weight_decay: Option<f32>,
    schedule: Option<Is<String, Schedule>>,
    loss: Option<Is<LossName, Loss>>,
    #[serde(alias = "label-smoothing")]
    label_smoothing: Option<f32>,
    patience: Option<u32>,
    keep: Option<Keep>,
    keep_best: Option<bool>,
    average: Option<f32>,
    augment: Option<Augment>,
    #[serde(alias = "class-weights")]
    class_weights: Option<Is<bool, Vec<f32>>>,
    #[serde(alias = "balanced-sampling")]
    balanced_sampling: Option<bool>,
    frozen: Option<Vec<String>>,
    seed: Option<u64>,
}

/// A value by its name, or whole.
#[derive(Deserialize, Debug)]
#[serde(untagged)]
enum Is<N, W> {
    Named(N),
    Whole(W),
}

impl<N, W> Is<N, W> {
    fn apart(of: Option<Self>) -> (Option<N>, Option<W>) {
        match of {
            Some(Is::Named(name)) => (Some(name), None),
            Some(Is::Whole(whole)) => (None, Some(whole)),
            None => (None, None),
        }
    }
}

/// The options with those of the files that they name.
pub fn completed(args: &Train, context: &Context) -> Result<Train> {
    let mut all = args.clone();
    let file = match (&args.config, &args.model) {
        (Some(config), _) => {
            let table = read(config)?;
            // A built-in model goes by its name, so that it suits other data, too.
            let name = table.get("model").and_then(toml::Value::as_str).unwrap_or_default();
            let known = values::models().contains(&name);
            if !known && !table.contains_key("spec") {
                bail!("{}: holds no model; name the config.toml of a run", config.shown());
            }
            let path = config.shown();
            all.model = Some(if known { name.to_owned() } else { path });
            all.validation = args.validation.or(share(&table, "validation")?);
            all.test = args.test.or(share(&table, "test")?);
            all.reading.group = args
                .reading
                .group
                .clone()
                .or(table.get("group").and_then(toml::Value::as_str).map(str::to_owned));
            Some((config.clone(), table))
        }
        (None, Some(name)) if is_file(name) => Some((name.into(), read(Path::new(name))?)),
        _ => None,
    };
    let Some((path, table)) = file else { return Ok(all) };
    let Some(recipe) = table.get("recipe") else { return Ok(all) };
    let shown = path.shown();
    let recipe: RecipeTable = recipe.clone().try_into().with_context(|| format!("{shown}: [recipe]"))?;
    if let Some(seed) = recipe.seed.filter(|seed| *seed != context.seed) {
        context.note(&context.language.pick(
            format!("the seed of {shown} is {seed}, this run's {}: --seed {seed} repeats it", context.seed),
            format!("{shown}의 시드는 {seed}, 이번 실행은 {}: --seed {seed}이면 그대로 되풀이", context.seed),
        ));
    }
    fill(&mut all, recipe).with_context(|| format!("{shown}: [recipe]"))?;
    Ok(all)
}

/// Whether a name of a model is that of a file.
fn is_file(name: &str) -> bool {
    builtin::spec(name).is_none() && name.ends_with(".toml") && Path::new(name).exists()
}

fn read(path: &Path) -> Result<toml::Table> {
    let text = files::read_text(path, What::ModelFile)?;
    // What is wrong with a model file is said where it is read as one, with its line.
    match text.parse() {
        Ok(table) => Ok(table),
        Err(_) => {
            model::spec(&path.shown())?;
            bail!("{}: this is not TOML", path.shown())
        }
    }
}

/// Samples set aside, as a run has written them.
fn share(table: &toml::Table, key: &str) -> Result<Option<values::Share>> {
    let written = table.get(key).map(toml::Value::to_string);
    written.map(|text| values::share(&text).map_err(|why| anyhow!("{key}: {why}, got {text}"))).transpose()
}

/// Puts what the file says where the command line says nothing.
fn fill(args: &mut Train, table: RecipeTable) -> Result<()> {
    let learning = &mut args.learning;
    // A whole recipe says by what it lacks, too: no patience is none.
    let whole = table.keep_best.is_some();
    args.epochs = args.epochs.or(table.epochs);
    args.batch_size = args.batch_size.or(table.batch_size);
    args.lr = args.lr.or(table.lr);
    let (optimizer, whole_optimizer) = Is::apart(table.optimizer);
    let chosen = learning.optimizer.is_some();
    learning.optimizer = learning.optimizer.or(optimizer);
    learning.momentum = learning.momentum.or(table.momentum);
    learning.nesterov |= table.nesterov.unwrap_or(false);
    learning.weight_decay = learning.weight_decay.or(table.weight_decay);
    let (schedule, whole_schedule) = Is::apart(table.schedule);
    let named = schedule.map(|text| values::schedule(&text)).transpose();
    let named = named.map_err(|problem| anyhow::anyhow!("schedule: {problem}"))?;
    learning.schedule = learning.schedule.take().or(named).or(whole_schedule);
    let (loss, whole_loss) = Is::apart(table.loss);
    let own_loss = learning.loss.is_some();
    learning.loss = learning.loss.or(loss);
    learning.label_smoothing = learning.label_smoothing.or(table.label_smoothing);
    learning.patience = learning.patience.or(table.patience).or(whole.then_some(0));
    let best = table.keep_best.map(|best| if best { Keep::Best } else { Keep::Last });
    learning.keep = learning.keep.or(table.keep).or(best);
    learning.augment = learning.augment.or(table.augment).or(whole.then(Augment::default));
    learning.balanced_sampling |= table.balanced_sampling.unwrap_or(false);
    let (weighted, class_weights) = Is::apart(table.class_weights);
    learning.class_weights |= weighted.unwrap_or(false);
    if let (None, Some(layers)) = (&args.freeze, table.frozen.filter(|all| !all.is_empty())) {
        args.freeze = Some(Freeze::Layers(layers));
    }
    args.given = Given {
        optimizer: whole_optimizer.filter(|_| !chosen),
        loss: whole_loss.filter(|_| !own_loss),
        average: table.average,
        class_weights,
    };
    Ok(())
}

/// The optimizer that the options ask for, on the base of the preset's.
pub fn optimizer(args: &Train, base: Optimizer) -> Result<Optimizer> {
    let learning = &args.learning;
    let adam = |decay| Optimizer::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decay };
    let base = match learning.optimizer {
        None => args.given.optimizer.unwrap_or(base),
        Some(OptimizerName::Adam) => adam(0.0),
        Some(OptimizerName::AdamW) => adam(0.01),
        Some(OptimizerName::Sgd) => Optimizer::Sgd { momentum: 0.0, nesterov: false, decay: 0.0 },
    };
    Ok(match base {
        Optimizer::Sgd { momentum, nesterov, decay } => Optimizer::Sgd {
            momentum: learning.momentum.unwrap_or(momentum),
            nesterov: learning.nesterov || nesterov,
            decay: learning.weight_decay.unwrap_or(decay),
        },
        Optimizer::Adam { .. } if learning.momentum.is_some() || learning.nesterov => {
            bail!("--momentum and --nesterov are for sgd, and the optimizer is adam; add --optimizer sgd")
        }
        Optimizer::Adam { beta1, beta2, epsilon, decay } => {
            Optimizer::Adam { beta1, beta2, epsilon, decay: learning.weight_decay.unwrap_or(decay) }
        }
    })
}

/// A loss for classes with the smoothing that the options ask for.
pub fn smoothed(args: &Train, loss: Loss) -> Result<Loss> {
    match (args.learning.label_smoothing, loss) {
        (None, loss) => Ok(loss),
        (Some(label_smoothing), Loss::CrossEntropy { .. }) => Ok(Loss::CrossEntropy { label_smoothing }),
        (Some(share), _) => {
            bail!("--label-smoothing {share} is for classes, and the loss is for values; leave it out")
        }
    }
}

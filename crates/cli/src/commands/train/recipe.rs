//! How to train, from the command line.

use super::given;
use crate::args::{Keep, LossName, Preset, Train};
use crate::output::Context;
use crate::source::MNIST;
use anyhow::{Result, bail};
use foveal::data::{Augment, Dataset, Split};
use foveal::nn::builtin;
use foveal::nn::loss::Loss;
use foveal::nn::schedule::Schedule;
use foveal::train::Recipe;

/// A small data set is trained on for at least so many steps, unless --epochs says otherwise; for twice as many with
/// `balanced`, four times as many with `best`.
const STEPS: usize = 1000;
/// … but never for more epochs than this.
const MAX_EPOCHS: usize = 200;

/// The same limit for texts, which a model learns by heart sooner.
const MAX_TEXT_EPOCHS: usize = 40;

/// So many epochs and more end early where the validation loss gets no lower.
const MANY: usize = 25;
/// For so many epochs at least it is waited. A rate that rises first, then falls, makes the loss wait too.
const PATIENCE: usize = 10;

/// The recipe that the options ask for.
pub fn recipe(args: &Train, model: &str, data: &Dataset, split: &Split, context: &Context) -> Result<Recipe> {
    let mut recipe = match model {
        _ if args.from.is_some() => preset(Recipe::transfer(), args.preset),
        _ if model == builtin::PRETRAINED.name => pretrained(args.preset),
        // These models have one recipe each, whichever preset is asked for.
        "balanced" => Recipe::balanced(),
        "best" => Recipe::best(),
        _ => preset(base(model), args.preset),
    };
    if let Some(size) = args.batch_size {
        recipe.batch_size = size as usize;
    }
    recipe.epochs = epochs(args, model, &recipe, split);
    if let Some(lr) = args.lr {
        recipe.lr = lr;
    }
    overrule(args, &mut recipe, data)?;
    recipe.augment = args.learning.augment.unwrap_or(match model {
        // Whether a moved or mirrored picture still has the same values, only the user knows.
        _ if data.classes().or(data.several()).is_none() => Augment::default(),
        "vgg-small" | "vgg" => moved(recipe.augment, recipe.epochs, data.shape()),
        _ => recipe.augment,
    });
    let mut recipe = ending(args, recipe, split)?;
    let learning = &args.learning;
    let Some(labels) = data.labels() else {
        if learning.class_weights || learning.balanced_sampling {
            let what = if data.several().is_some() {
                "labels, of which a sample may have several"
            } else {
                "values"
            };
            bail!(
                "{}: its targets are {what}, and class weights and balanced sampling are for classes; leave them out",
                args.data
            );
        }
        return Ok(Recipe { seed: context.seed, threads: context.threads, ..recipe });
    };
    recipe.class_weights = args.given.class_weights.clone();
    if learning.class_weights {
        recipe.class_weights = Some(balanced(labels, &split.train, data.class_counts().len()));
    }
    recipe.balanced_sampling = learning.balanced_sampling;
    Ok(Recipe { seed: context.seed, threads: context.threads, ..recipe })
}

/// How many epochs were asked for, else as many as the preset's steps make of so many samples.
fn epochs(args: &Train, model: &str, recipe: &Recipe, split: &Split) -> usize {
    let scaled = args.from.is_some()
        || matches!(model, "fast" | "balanced" | "best" | "text-cnn")
        || builtin::is_scaled(model);
    match args.epochs {
        Some(epochs) => epochs as usize,
        None if model == builtin::PRETRAINED.name && args.preset == Preset::Fast => {
            head_epochs(split.train.len(), recipe.batch_size)
        }
        None if scaled => {
            let batches = split.train.len().div_ceil(recipe.batch_size).max(1);
            let most = if model == "text-cnn" { MAX_TEXT_EPOCHS } else { MAX_EPOCHS };
            let steps = match args.preset {
                Preset::Fast => STEPS,
                Preset::Balanced => 2 * STEPS,
                Preset::Best => 4 * STEPS,
            };
            recipe.epochs.max(steps.div_ceil(batches).min(most))
        }
        None => recipe.epochs,
    }
}

/// Puts what was asked for in the place of what the preset says: optimizer, schedule, loss.
fn overrule(args: &Train, recipe: &mut Recipe, data: &Dataset) -> Result<()> {
    recipe.optimizer = given::optimizer(args, recipe.optimizer)?;
    if let Some(schedule) = &args.learning.schedule {
        recipe.schedule = schedule.clone();
    }
    recipe.average = args.given.average.unwrap_or(recipe.average);
    recipe.loss = given::smoothed(args, loss(args, args.given.loss.unwrap_or(recipe.loss), data)?)?;
    Ok(())
}

/// How a training ends, one rule for all kinds of data: with the weights of the epoch with the lowest validation loss,
/// and early where there are many epochs. The recipes for MNIST go through few, at a rate that falls to 0, and end with
/// the last weights.
fn ending(args: &Train, recipe: Recipe, split: &Split) -> Result<Recipe> {
    let learning = &args.learning;
    if split.validation.is_empty() {
        if let Some(n) = learning.patience.filter(|n| *n > 0) {
            bail!(
                "--patience {n}: there are no validation samples to judge epochs by; leave one of the two out"
            );
        }
        if learning.keep == Some(Keep::Best) {
            bail!(
                "--keep best: there are no validation samples to judge epochs by; leave one of the two out"
            );
        }
        return Ok(Recipe { keep_best: false, patience: None, ..recipe });
    }
    let many = recipe.epochs >= MANY;
    let tuned = args.data == MNIST && !many;
    let keep_best = match learning.keep {
        Some(keep) => keep == Keep::Best,
        None => recipe.keep_best || !tuned,
    };
    let patience = match learning.patience {
        Some(n) => Some(n as usize).filter(|n| *n > 0),
        None => many.then(|| (recipe.epochs / 4).max(PATIENCE)),
    };
    Ok(Recipe { keep_best, patience, ..recipe })
}

/// By default only the head of the pretrained network is trained; else what comes before it, too.
fn pretrained(preset: Preset) -> Recipe {
    let flip = Augment { flip: true, ..Augment::default() };
    match preset {
        Preset::Fast => Recipe::head(),
        Preset::Balanced => Recipe::tune(),
        Preset::Best => Recipe { augment: Augment { crop: 0.2, ..flip }, epochs: 20, ..Recipe::tune() },
    }
}

/// The recipe of the head alone, before the layers that come before it learn as `recipe` says.
pub fn head(recipe: &Recipe, images: usize) -> Recipe {
    let head = Recipe::head();
    let epochs = head_epochs(images, head.batch_size);
    // Several labels a picture have a loss of their own.
    let loss = if recipe.loss == Loss::BinaryCrossEntropy { recipe.loss } else { head.loss };
    Recipe {
        epochs,
        loss,
        keep_best: recipe.keep_best,
        patience: (recipe.keep_best && epochs >= MANY).then(|| (epochs / 4).max(PATIENCE)),
        class_weights: recipe.class_weights.clone(),
        balanced_sampling: recipe.balanced_sampling,
        seed: recipe.seed,
        threads: recipe.threads,
        ..head
    }
}

/// A head has learnt after so many steps, or ten times through a large set.
fn head_epochs(images: usize, batch_size: usize) -> usize {
    const HEAD_STEPS: usize = 600;
    HEAD_STEPS.div_ceil(images.div_ceil(batch_size).max(1)).clamp(10, MAX_EPOCHS)
}

/// Pictures that are seen in many epochs would be learnt by heart. From 7 epochs on they are moved, from 13 on also
/// turned and scaled.
fn moved(augment: Augment, epochs: usize, [height, width, _]: [usize; 3]) -> Augment {
    let shift = height.min(width) as f32 / 16.0;
    match epochs {
        ..=6 => augment,
        7..=12 => Augment { shift, ..augment },
        _ => Augment { shift, rotate: 10.0, scale: 0.1, ..augment },
    }
}

/// Weights n / (k n_c): every class counts as much as any other. A class without images has weight 1.
fn balanced(labels: &[u32], train: &[u32], classes: usize) -> Vec<f32> {
    let mut counts = vec![0usize; classes];
    train.iter().for_each(|&i| counts[labels[i as usize] as usize] += 1);
    let present = counts.iter().filter(|&&n| n > 0).count();
    let weight = |n: usize| if n == 0 { 1.0 } else { train.len() as f32 / (present * n) as f32 };
    counts.into_iter().map(weight).collect()
}

/// The loss that is asked for, or the one that suits the targets.
fn loss(args: &Train, preset: Loss, data: &Dataset) -> Result<Loss> {
    let classes = data.classes().is_some();
    if data.several().is_some() {
        return match args.learning.loss {
            None | Some(LossName::BinaryCrossEntropy) => Ok(Loss::BinaryCrossEntropy),
            Some(_) => bail!(
                "{}: a sample may have several labels, whose loss is --loss binary-cross-entropy; leave --loss out",
                args.data
            ),
        };
    }
    let preset = if preset == Loss::BinaryCrossEntropy { Loss::default() } else { preset };
    match (args.learning.loss, classes) {
        (Some(LossName::BinaryCrossEntropy), _) => bail!(
            "{}: --loss binary-cross-entropy is for several labels a sample (--task labels); leave it out",
            args.data
        ),
        (None, true) => Ok(preset),
        (Some(LossName::CrossEntropy), true) => Ok(Loss::default()),
        (None, false) if matches!(preset, Loss::Huber { .. }) => Ok(preset),
        (None | Some(LossName::Mse), false) => Ok(Loss::MeanSquared),
        (Some(LossName::Huber), false) => Ok(Loss::Huber { delta: 1.0 }),
        (Some(_), true) => {
            bail!(
                "{}: its targets are classes; --loss mse and huber are for values (--task regress)",
                args.data
            )
        }
        (Some(LossName::CrossEntropy), false) => {
            bail!(
                "{}: its targets are values; --loss cross-entropy is for classes (--task classify)",
                args.data
            )
        }
    }
}

/// Built-in models have recipes of their own, the course's models that of the course; others use Adam at 1e-3.
fn base(model: &str) -> Recipe {
    match model {
        "fast" => Recipe::fast(),
        "stack" => Recipe::stack(),
        "vgg-small" | "vgg" => Recipe::vgg(),
        "residual" | "separable" => Recipe::colour(),
        "text-cnn" => Recipe::text(),
        "lab-11-1" | "lab-11-2" => Recipe::course(),
        _ => Recipe::default(),
    }
}

/// More time means more epochs and a rate that falls.
fn preset(base: Recipe, preset: Preset) -> Recipe {
    let falling = match base.schedule {
        Schedule::Constant => Schedule::Cosine { floor: 0.01 },
        ref schedule => schedule.clone(),
    };
    match preset {
        Preset::Fast => base,
        Preset::Balanced => Recipe { epochs: base.epochs.max(10), schedule: falling, ..base },
        Preset::Best => Recipe { epochs: base.epochs.max(30), schedule: falling, keep_best: true, ..base },
    }
}

//! How to train, from the command line.

use crate::args::{Preset, Train};
use crate::output::Context;
use foveal::nn::schedule::Schedule;
use foveal::train::Recipe;

/// The recipe that the options ask for.
pub fn recipe(args: &Train, context: &Context) -> Recipe {
    let mut recipe = preset(&args.model, args.preset);
    if let Some(epochs) = args.epochs {
        recipe.epochs = epochs as usize;
    }
    if let Some(size) = args.batch_size {
        recipe.batch_size = size as usize;
    }
    if let Some(lr) = args.lr {
        recipe.lr = lr;
    }
    Recipe { seed: context.seed, threads: context.threads, ..recipe }
}

/// The model `fast` has a recipe of its own, the course's models have the course's, others begin with Adam at 1e-3;
/// more time means more epochs and a rate that falls.
fn preset(model: &str, preset: Preset) -> Recipe {
    let base = match model {
        "fast" => Recipe::fast(),
        "lab-11-1" | "lab-11-2" => Recipe::course(),
        _ => Recipe::default(),
    };
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

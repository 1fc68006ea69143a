//! `foveal train`

mod backbone;
mod card;
mod checkpoint;
mod choice;
mod ensemble;
mod events;
mod excerpt;
mod finish;
mod fold_table;
mod folder;
mod folds;
mod given;
mod judgement;
mod lock;
mod metrics;
mod prepare;
mod preprocessing;
mod progress;
mod recipe;
mod room;
mod training;
mod transfer;

use crate::args::Train;
use crate::interrupt;
use crate::output::{Context, count};
use crate::source;
use anyhow::Result;
use folder::Folder;
use folds::Folds;
use judgement::{Judged, Judgement};
use prepare::Prepared;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use training::Run;

/// Trains a model, or the members of an ensemble.
pub fn run(args: &Train, context: &Context) -> Result<()> {
    let stop = stop_on_interrupt(context)?;
    transfer::refuse_overwriting(args)?;
    let args = &given::completed(args, context)?;
    let folder = Folder::new(args, &source::name(&args.data), context)?;
    let prepared = Prepared::new(args, context).inspect_err(|_| folder.abandon())?;
    tell_choices(args, &prepared, context);
    let args = &Train { model: Some(prepared.model.clone()), ..args.clone() };
    let Prepared { fresh, preprocess, recipe, data, parts, test, pretrained, files, .. } = prepared;
    let split = &parts.split;
    let run = Run {
        args,
        context,
        data: &data,
        parts: &parts,
        split,
        preprocess: &preprocess,
        recipe: &recipe,
        every: 1,
    };
    if let Some(members) = args.ensemble {
        return ensemble::run(&run, members, fresh.spec(), (&folder, &stop), (test, files));
    }
    if let Some(k) = args.folds {
        let folds = Folds { run: &run, folds: k, fresh: &fresh, pretrained, stop: &stop };
        return folds.run(&folder, (test, files));
    }
    let learnt = match pretrained {
        true => backbone::train(&run, fresh, &folder, &stop)?,
        false => run.train(fresh, &folder, &stop)?,
    };
    let saved = &learnt.saved;
    let mut run = learnt.finished((args, context), split, &folder);
    run.early_end()?;
    run.excerpt = excerpt::excerpt(args, &data, &split.train);
    let test = test()?;
    // Where there is a test part, what was learnt from is not needed any more, and may be large.
    let data = test.is_none().then_some(data);
    let judged = match (&test, &data) {
        (Some(test), _) => Some(Judged::test(test)),
        (None, Some(data)) => Judged::within(data, &parts),
        _ => None,
    };
    run.judgement = judged.map(|judged| Judgement::new(saved, judged, context.threads)).transpose()?;
    run.judgement = run.judgement.map(|judgement| judgement.named(files));
    run.total_seconds = context.started.elapsed().as_secs_f64();
    run.show_result()?;
    run.report()?;
    run.show_next()
}

/// Says what was chosen for the user's own data, and how to choose otherwise.
fn tell_choices(args: &Train, prepared: &Prepared, context: &Context) {
    if args.data == source::MNIST || args.from.is_some() {
        return;
    }
    if prepared.pretrained {
        backbone::tell(args, &prepared.data, context);
    } else if args.model.is_none() {
        let parameters: usize = prepared.fresh.params().iter().map(|p| p.values.len()).sum();
        let (name, parameters) = (&prepared.model, count(parameters as u64));
        context.note(&context.language.pick(
            format!("model {name}, {parameters} parameters"),
            format!("모델 {name}, 파라미터 {parameters}개"),
        ));
    }
    let augment = &prepared.recipe.augment;
    if args.learning.augment.is_none() && !augment.is_none() {
        context.note(&context.language.pick(
            format!(
                "pictures change a little in each epoch: {augment} (--augment none leaves them as they are)"
            ),
            format!("에포크마다 그림을 조금씩 바꿉니다: {augment} (--augment none이면 그대로 둡니다)"),
        ));
    }
}

/// A flag that ^C sets; a second ^C ends the program at once. Inside another program the flag is its own.
fn stop_on_interrupt(context: &Context) -> Result<Arc<AtomicBool>> {
    if let Some(surroundings) = &context.embedded {
        return Ok(Arc::clone(&surroundings.stop));
    }
    let stop = Arc::new(AtomicBool::new(false));
    let raised = Arc::clone(&stop);
    interrupt::first(move || raised.store(true, Ordering::Relaxed))?;
    Ok(stop)
}

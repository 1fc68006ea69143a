//! `foveal train --ensemble N`: members with seeds of their own, each in a run folder of its own.

use super::finish::Finished;
use super::folder::Folder;
use super::judgement::{Judged, Judgement, Scores};
use super::training::{Learnt, Run};
use crate::args::Train;
use crate::commands::model::{self, ENSEMBLE, Ensemble};
use crate::exit::Interrupted;
use crate::files;
use crate::output::Context;
use crate::paths::Shown;
use crate::source::{self, Later};
use anyhow::{Context as _, Result, bail};
use foveal::nn::{Model, ModelSpec};
use foveal::train::{Recipe, Status};
use serde::Serialize;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

#[derive(Serialize)]
struct Json<'a> {
    dataset: String,
    model: &'a str,
    seed: u64,
    threads: usize,
    members: Vec<Member<'a>>,
    train_seconds: f64,
    total_seconds: f64,
    /// Accuracy of the members together.
    test_accuracy: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scores: Option<Scores>,
    model_path: String,
}

#[derive(Serialize)]
struct Member<'a> {
    seed: u64,
    validation_accuracy: Option<f64>,
    test_accuracy: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scores: Option<Scores>,
    model_path: &'a str,
}

/// Trains the members one after the other, then judges each and all together.
pub fn run(
    run: &Run,
    members: u8,
    spec: &ModelSpec,
    (folder, stop): (&Folder, &Arc<AtomicBool>),
    (test, files): (Later, Option<[Vec<String>; 2]>),
) -> Result<()> {
    if run.args.overwrite {
        folder.clear()?;
    }
    free(folder.path(), members)?;
    files::remove(&folder.path().join(ENSEMBLE))?;
    let (args, recipes) = each(run, members, folder.path());
    let mut learnt = Vec::new();
    let mut folders = Vec::new();
    for (k, (args, recipe)) in (1..).zip(args.iter().zip(&recipes)) {
        let (name, seed) = (format!("{k}/{members}"), recipe.seed);
        run.context.note(
            &run.context
                .language
                .pick(format!("member {name}, seed {seed}"), format!("구성원 {name}, 시드 {seed}")),
        );
        let own = Folder::new(args, "", run.context)?;
        let fresh = Model::new(spec, seed).with_context(|| run.args.model().to_owned())?;
        let one = Run { args, recipe, ..*run }.train(fresh, &own, stop)?;
        ended(&one, run, folder.path(), ("--ensemble", members))?;
        learnt.push(one);
        folders.push(own);
    }
    let described = serde_json::to_vec(&Ensemble { members })?;
    files::write(&folder.path().join(ENSEMBLE), &described)?;
    let test = test()?;
    let by =
        test.as_ref().map_or_else(|| Judged::within(run.data, run.parts), |test| Some(Judged::test(test)));
    let judge = |one: &Learnt| by.map(|by| Judgement::new(&one.saved, by, run.context.threads)).transpose();
    let judged = learnt.iter().map(judge).collect::<Result<Option<Vec<_>>>>()?;
    let judged = judged.map(|all| all.into_iter().map(|j| j.named(files.clone())).collect::<Vec<_>>());
    let together = judged.as_deref().map(|all| Judgement::together(&learnt[0].saved, all)).transpose()?;
    show(run, folder.path(), &learnt, judged.as_deref(), together.as_ref())?;
    let mut judged = judged.into_iter().flatten();
    for ((one, own), (args, recipe)) in learnt.iter().zip(&folders).zip(args.iter().zip(&recipes)) {
        let member = Run { args, recipe, ..*run };
        let seconds = one.trained.train_seconds;
        Finished {
            judgement: judged.next(),
            total_seconds: seconds,
            ..one.finished((member.args, member.context), member.split, own)
        }
        .report()?;
    }
    Ok(())
}

/// The options and the recipe of each member.
fn each(run: &Run, members: u8, folder: &Path) -> (Vec<Train>, Vec<Recipe>) {
    let args = |k| Train { out: Some(model::member(folder, k)), ensemble: None, ..run.args.clone() };
    let seed = |k| run.recipe.seed.wrapping_add(u64::from(k) - 1);
    let recipe = |k| Recipe { seed: seed(k), ..run.recipe.clone() };
    ((1..=members).map(args).collect(), (1..=members).map(recipe).collect())
}

/// Refuses a folder that holds another run, whose files would be mistaken for this run's.
pub fn free(folder: &Path, members: u8) -> Result<()> {
    let more = model::member(folder, members + 1);
    for other in [folder.join(model::SAVED), more] {
        if other.exists() {
            bail!("{}: is of another run than an ensemble of {members}; take another --out", other.shown());
        }
    }
    Ok(())
}

/// Refuses to go on if the training of a member did not come to its end.
pub fn ended(one: &Learnt, run: &Run, folder: &Path, (option, members): (&str, u8)) -> Result<()> {
    let context = run.context;
    match one.trained.status {
        Status::Finished | Status::EarlyStopped => Ok(()),
        Status::Interrupted => {
            let folder = folder.shown();
            context.note(&context.language.pick(
                format!("interrupted; to go on, train with {option} {members} --out {folder} --resume"),
                format!("중단됨. 이어 하려면 {option} {members} --out {folder} --resume 으로 훈련"),
            ));
            Err(Interrupted.into())
        }
        Status::NonFinite { epoch, batch } => bail!(
            "training of {}: the loss or a weight was not a finite number in epoch {epoch}, batch {batch}; lower --lr (now {})",
            one.at,
            one.saved.training.recipe.lr
        ),
    }
}

fn show(
    run: &Run,
    folder: &Path,
    learnt: &[Learnt],
    judged: Option<&[Judgement]>,
    together: Option<&Judgement>,
) -> Result<()> {
    let context = run.context;
    let of = |i: usize| judged.map(|all| &all[i]);
    let total_seconds = context.started.elapsed().as_secs_f64();
    if context.json {
        let members = learnt.iter().enumerate().map(|(i, one)| Member {
            seed: one.saved.training.recipe.seed,
            validation_accuracy: one.trained.validation_accuracy,
            test_accuracy: of(i).and_then(Judgement::test_accuracy),
            scores: of(i).map(Scores::new),
            model_path: &one.at,
        });
        return context.print_json(&Json {
            dataset: source::name(&run.args.data),
            model: run.args.model(),
            seed: run.recipe.seed,
            threads: context.threads,
            members: members.collect(),
            train_seconds: learnt.iter().map(|one| one.trained.train_seconds).sum(),
            total_seconds,
            test_accuracy: together.and_then(Judgement::test_accuracy),
            scores: together.map(Scores::new),
            model_path: folder.shown(),
        });
    }
    context.print(&text(learnt, judged, together, context))?;
    let folder = folder.shown();
    context.print(&context.language.pick(
        format!("{total_seconds:.2} s in all, ensemble in {folder}\n"),
        format!("모두 {total_seconds:.2}초, 앙상블은 {folder}\n"),
    ))
}

fn text(
    learnt: &[Learnt],
    judged: Option<&[Judgement]>,
    together: Option<&Judgement>,
    context: &Context,
) -> String {
    let mut text = String::new();
    for (one, judgement) in learnt.iter().zip(judged.into_iter().flatten()) {
        let seed = one.saved.training.recipe.seed;
        text += &format!("{} {seed}: {}", context.say("seed", "시드"), Scores::new(judgement).text(context));
    }
    if let Some(together) = together {
        text += &format!("{}: {}", context.say("ensemble", "앙상블"), Scores::new(together).text(context));
    }
    text
}

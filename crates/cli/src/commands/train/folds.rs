//! `foveal train --folds K`: cross-validation. Each fold is the test of a model that has seen nothing of it; the models
//! stay as the members of an ensemble.

use super::excerpt::excerpt;
use super::finish::Finished;
use super::fold_table::{FoldTable, Row};
use super::folder::{FOLDS, Folder, REPORT};
use super::judgement::{Judged, Judgement, Scores};
use super::training::{Learnt, Run};
use super::{backbone, ensemble, recipe};
use crate::args::Train;
use crate::commands::model::{self, ENSEMBLE, Ensemble};
use crate::files;
use crate::paths::Shown;
use crate::predictions;
use crate::source::{Later, MNIST, Parts};
use anyhow::{Result, bail};
use foveal::data::Split;
use foveal::data::divide::{self, Divided};
use foveal::nn::Model;
use foveal::train::Recipe;
use foveal::view::report::Part;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// The models of all folds begin with the weights of `fresh`.
pub struct Folds<'a> {
    pub run: &'a Run<'a>,
    pub folds: u8,
    pub fresh: &'a Model,
    pub pretrained: bool,
    pub stop: &'a Arc<AtomicBool>,
}

impl Folds<'_> {
    /// Trains and judges a model for each fold.
    pub fn run(&self, folder: &Folder, (test, files): (Later, Option<[Vec<String>; 2]>)) -> Result<()> {
        let Run { args, context, data, .. } = *self.run;
        if args.overwrite {
            folder.clear()?;
        }
        ensemble::free(folder.path(), self.folds)?;
        files::remove(&folder.path().join(ENSEMBLE))?;
        let parts = self.parts()?;
        let mut table = FoldTable::new(self.run.parts.kept.by.clone());
        let mut predicted = String::new();
        let mut members = Vec::new();
        for (k, parts) in (1..).zip(&parts) {
            let args = Train { out: Some(model::member(folder.path(), k)), folds: None, ..args.clone() };
            let own = Folder::new(&args, "", context)?;
            let recipe = self.recipe(&args, parts)?;
            context.note(
                &context
                    .language
                    .pick(format!("fold {k} of {}", self.folds), format!("{}개 폴드 중 {k}번째", self.folds)),
            );
            let run = Run { args: &args, parts, split: &parts.split, recipe: &recipe, ..*self.run };
            let learnt = match self.pretrained {
                true => backbone::train(&run, self.fresh.clone(), &own, self.stop)?,
                false => run.train(self.fresh.clone(), &own, self.stop)?,
            };
            ensemble::ended(&learnt, &run, folder.path(), ("--folds", self.folds))?;
            let judged =
                Judged { part: Part::Test, data, indices: Some(&parts.test), kept: Some(&parts.kept) };
            let judgement = Judgement::new(&learnt.saved, judged, context.threads)?.named(files.clone());
            table.add(Row::new(k, &learnt, &parts.split, &judgement));
            let rows = judgement.rows(&learnt.saved, &format!("fold-{k}"))?;
            let skipped = if predicted.is_empty() { 0 } else { rows.find('\n').map_or(0, |end| end + 1) };
            predicted += &rows[skipped..];
            self.report(&learnt, (&run, &own), judgement)?;
            members.push(learnt.saved);
        }
        let described = serde_json::to_vec(&Ensemble { members: self.folds })?;
        files::write(&folder.path().join(ENSEMBLE), &described)?;
        folder.write_text(predictions::FILE, &predicted)?;
        folder.write_text(FOLDS, &table.csv()?)?;
        let test = test()?;
        let judged = test.as_ref().map(Judged::test).or_else(|| {
            let parts = self.run.parts;
            (!parts.test.is_empty()).then(|| Judged::within(data, parts)).flatten()
        });
        let each = |judged| {
            let all = members.iter().map(|saved| Judgement::new(saved, judged, context.threads));
            Judgement::together(&members[0], &all.collect::<Result<Vec<_>>>()?)
        };
        let together = judged.map(each).transpose()?;
        table.ensemble = together.as_ref().map(Scores::new);
        self.whole_report(&table, folder)?;
        table.show(self.run, folder.path())
    }

    /// The report of all folds, with the way to the members' own.
    fn whole_report(&self, table: &FoldTable, folder: &Folder) -> Result<()> {
        if self.run.args.no_report {
            return folder.remove(REPORT);
        }
        let own = |k| model::member(Path::new(""), k).join(REPORT).shown();
        folder.write_report(&table.report(self.run, (1..=self.folds).map(own).collect()))
    }

    /// The parts of each fold.
    fn parts(&self) -> Result<Vec<Parts>> {
        let Run { context, data, split, parts, args, .. } = *self.run;
        if args.data == MNIST {
            bail!("--folds: {MNIST} is for one split, that of the course; leave it out");
        }
        let mut pool = [&split.train[..], &split.validation].concat();
        pool.sort_unstable();
        let held = split.validation.len() as f64 / pool.len().max(1) as f64;
        let groups = parts.kept.groups.as_ref();
        let folds = divide::folds(&pool, data.labels(), groups, self.folds.into(), held, context.seed)?;
        let each = |Divided { train, validation, test }| Parts {
            split: Split { train, validation },
            test,
            told: Vec::new(),
            division: parts.division.clone(),
            kept: parts.kept.clone(),
        };
        Ok(folds.into_iter().map(each).collect())
    }

    fn recipe(&self, args: &Train, parts: &Parts) -> Result<Recipe> {
        let (data, context) = (self.run.data, self.run.context);
        let recipe = recipe::recipe(args, args.model(), data, &parts.split, context)?;
        Ok(Recipe { frozen: self.run.recipe.frozen.clone(), ..recipe })
    }

    fn report(
        &self,
        learnt: &Learnt,
        (run, folder): (&Run, &Folder),
        judgement: Judgement<'_>,
    ) -> Result<()> {
        Finished {
            judgement: Some(judgement),
            excerpt: excerpt(run.args, run.data, &run.split.train),
            total_seconds: learnt.trained.train_seconds,
            ..learnt.finished((run.args, run.context), run.split, folder)
        }
        .report()
    }
}

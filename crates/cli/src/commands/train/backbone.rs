//! Learning from photographs with a network that has learnt from a million others: every picture goes through it once,
//! and what is new is trained on what it says about them.

use super::folder::Folder;
use super::recipe;
use super::training::{Learnt, Run};
use crate::args::{Preset, Train};
use crate::exit::Interrupted;
use crate::output::{Context, count};
use anyhow::Result;
use foveal::data::Dataset;
use foveal::nn::optim::Optimizer;
use foveal::nn::{Model, builtin};
use foveal::train::{Cut, Freeze, Outcome, Preprocess, Recipe, fit};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The weight decays that the head is tried with.
const DECAYS: [f32; 4] = [0.3, 1.0, 3.0, 10.0];
/// With `balanced` what comes after this layer is trained further: the last five of sixteen blocks.
const BORDER: &str = "block11_add";
/// Features that take more memory than this are not kept: they are computed anew in each epoch.
const MOST_KEPT: usize = 2 << 30;
/// So many epochs of the head get a row of their own.
const ROWS: usize = 10;

/// Trains the new layers of the pretrained network, and writes what was learnt.
pub fn train(run: &Run, fresh: Model, folder: &Folder, stop: &Arc<AtomicBool>) -> Result<Learnt> {
    folder.sweep();
    let preset = run.args.preset;
    let (cut, maps, features) = match Blocks::new(run, &fresh)? {
        // What the first blocks say goes on to the last layer: no picture goes through them twice.
        Some(blocks) => {
            let maps = features(run, &blocks.cut, stop)?;
            let numbers = blocks.numbers();
            let cut = Cut::new(&blocks.cut.tail, builtin::FEATURES)?;
            let last =
                cut.features(&numbers, &maps, run.context.threads, &mut |_| !stop.load(Ordering::Relaxed))?;
            (cut, Some(maps), last.ok_or_else(|| interrupted(run.context))?)
        }
        None => {
            let cut = Cut::new(&fresh, builtin::FEATURES)?;
            let all = features(run, &cut, stop)?;
            (cut, None, all)
        }
    };
    let on = On { run, data: &features, preprocess: &Preprocess::numbers(cut.tail.input_shape()[2]) };
    let (decay, chosen) = on.choose(&cut.tail, stop)?;
    if preset == Preset::Fast {
        let recipe = with_decay(run.recipe, decay);
        let every = recipe.epochs.div_ceil(ROWS);
        let head = Run { data: on.data, preprocess: on.preprocess, recipe: &recipe, every, ..*run };
        let mut trained = head.learn(cut.tail, fresh.spec(), folder, stop)?;
        let model = Cut::joined(fresh, &trained.outcome.model);
        let recipe = Recipe { frozen: Freeze::AllButHead.layers(&model)?, ..recipe };
        trained.outcome.model = model;
        return run.write(recipe, trained, folder);
    }
    drop(features);
    let known = Cut::joined(fresh, &chosen.model);
    tell_head(&chosen, run.context);
    tune(run, known, maps, folder, stop)
}

/// The model in two: the first blocks, which stay as they are, and those that are trained on their maps.
struct Blocks {
    cut: Cut,
}

impl Blocks {
    /// `None` where all is trained, or the maps are too large to be kept.
    fn new(run: &Run, model: &Model) -> Result<Option<Self>> {
        let cut = Cut::new(model, BORDER)?;
        let bytes = (4 * cut.body.outputs()).saturating_mul(run.data.len());
        Ok((run.args.preset == Preset::Balanced && bytes <= MOST_KEPT).then_some(Self { cut }))
    }

    fn numbers(&self) -> Preprocess {
        Preprocess::numbers(self.cut.tail.input_shape()[2])
    }
}

/// Trains the last blocks further, on the `maps` of those before them where there are some, or with `best` all of
/// them.
fn tune(
    run: &Run,
    known: Model,
    maps: Option<Dataset>,
    folder: &Folder,
    stop: &Arc<AtomicBool>,
) -> Result<Learnt> {
    let norms = |model: &Model| -> Vec<String> {
        let nodes = model.nodes().iter().filter(|n| n.kind.name() == "batch_norm");
        nodes.map(|n| n.name.clone()).collect()
    };
    // Small sets would spoil what normalizes: it stays as it is.
    let mut recipe = run.recipe.clone();
    let cut = Cut::new(&known, BORDER)?;
    let Some(data) = maps else {
        let body: Vec<String> =
            cut.body.nodes().iter().filter(|n| !n.params.is_empty()).map(|n| n.name.clone()).collect();
        let blocks = if run.args.preset == Preset::Best { Vec::new() } else { body };
        recipe.frozen.extend(norms(&known));
        recipe.frozen.extend(blocks);
        recipe.frozen.sort_unstable();
        recipe.frozen.dedup();
        let whole = Run { recipe: &recipe, ..*run };
        let spec = known.spec().clone();
        let trained = whole.learn(known, &spec, folder, stop)?;
        return run.write(recipe, trained, folder);
    };
    let frozen = [&recipe.frozen[..], &norms(&cut.tail)].concat();
    let tail_recipe = Recipe { frozen, ..recipe };
    let preprocess = Preprocess::numbers(cut.tail.input_shape()[2]);
    let tail = Run { data: &data, preprocess: &preprocess, recipe: &tail_recipe, ..*run };
    let mut trained = tail.learn(cut.tail, known.spec(), folder, stop)?;
    trained.outcome.model = Cut::joined(known, &trained.outcome.model);
    let body = cut.body.nodes().iter().filter(|n| !n.params.is_empty()).map(|n| n.name.clone());
    let frozen = tail_recipe.frozen.iter().cloned().chain(body).collect();
    run.write(Recipe { frozen, ..tail_recipe }, trained, folder)
}

/// What the body of `cut` says about every picture.
fn features(run: &Run, cut: &Cut, stop: &AtomicBool) -> Result<Dataset> {
    let (context, data) = (run.context, run.data);
    let n = count(data.len() as u64);
    context.note(&context.language.pick(
        format!("each of {n} pictures goes through the pretrained network once"),
        format!("그림 {n}장을 사전 학습된 신경망에 한 번씩 통과시킵니다"),
    ));
    let bar = context.bar(data.len());
    let mut tell = |done: usize| {
        bar.set_position(done as u64);
        !stop.load(Ordering::Relaxed)
    };
    let features = cut.features(run.preprocess, data, context.threads, &mut tell)?;
    bar.finish_and_clear();
    features.ok_or_else(|| interrupted(context))
}

/// Says that nothing is left of a run that was stopped.
fn interrupted(context: &Context) -> anyhow::Error {
    context.note(context.say(
        "interrupted before anything was learnt; the same command begins again",
        "아무것도 배우기 전에 중단됨. 같은 명령으로 처음부터 다시 시작합니다",
    ));
    Interrupted.into()
}

/// Features to train a head on.
struct On<'a> {
    run: &'a Run<'a>,
    data: &'a Dataset,
    preprocess: &'a Preprocess,
}

impl On<'_> {
    /// Tries the weight decays, and gives the strongest that is as good on the validation pictures as chance can tell:
    /// its accuracy is within a standard error of the best one. Several labels a picture have no one accuracy: there it
    /// is the strongest of the lowest validation loss. Without validation pictures it is the third.
    fn choose(&self, tail: &Model, stop: &AtomicBool) -> Result<(f32, Outcome)> {
        let run = self.run;
        let n = run.split.validation.len();
        let plain = match run.args.preset {
            Preset::Fast => run.recipe.clone(),
            _ => recipe::head(run.recipe, run.split.train.len()),
        };
        let tried = |decay: f32| -> Result<(f32, Outcome)> {
            let recipe = with_decay(&plain, decay);
            let outcome =
                fit(tail.clone(), self.data, run.split, self.preprocess, &recipe, stop, &mut |_| {})?;
            if stop.load(Ordering::Relaxed) {
                return Err(Interrupted.into());
            }
            Ok((decay, outcome))
        };
        let own = run.args.learning.weight_decay;
        if n == 0 || own.is_some() {
            return tried(own.unwrap_or(DECAYS[2]));
        }
        let all = DECAYS.into_iter().map(tried).collect::<Result<Vec<_>>>()?;
        let accuracy = |outcome: &Outcome| outcome.validation_accuracy.unwrap_or(0.0);
        let best = all.iter().map(|(_, o)| accuracy(o)).fold(0.0, f64::max);
        let error = (best * (1.0 - best) / n as f64).sqrt();
        let loss = |outcome: &Outcome| outcome.validation_loss.filter(|v| v.is_finite()).unwrap_or(f64::MAX);
        let lowest = all.iter().map(|(_, o)| loss(o)).fold(f64::MAX, f64::min);
        let labels = self.data.several().is_some();
        let good = |o: &Outcome| if labels { loss(o) <= lowest } else { accuracy(o) >= best - error };
        let found = all.into_iter().rfind(|(_, o)| good(o));
        let (decay, outcome) = found.expect("the best is as good as the best");
        run.context.note(&run.context.language.pick(
            format!("weight decay {decay} of the head, chosen on {n} validation pictures"),
            format!("마지막 층의 가중치 감쇠 {decay}: 검증 그림 {n}장으로 골랐습니다"),
        ));
        Ok((decay, outcome))
    }
}

fn with_decay(recipe: &Recipe, decay: f32) -> Recipe {
    let mut recipe = recipe.clone();
    if let Optimizer::Adam { decay: own, .. } = &mut recipe.optimizer {
        *own = decay;
    }
    recipe
}

fn tell_head(head: &Outcome, context: &Context) {
    let (english, korean) = match (head.validation_accuracy, head.validation_loss) {
        (Some(accuracy), _) => {
            let percent = 100.0 * accuracy;
            (format!("validation accuracy {percent:.2} %"), format!("검증 정확도 {percent:.2} %"))
        }
        (None, Some(loss)) => (format!("validation loss {loss:.4}"), format!("검증 손실 {loss:.4}")),
        (None, None) => return,
    };
    context.note(&context.language.pick(
        format!("the head alone: {english}; now the blocks before it learn too"),
        format!("마지막 층만 훈련한 {korean}. 이제 그 앞의 블록도 훈련합니다"),
    ));
}

/// Says that the pretrained network is used, and how to choose otherwise.
pub fn tell(args: &Train, data: &Dataset, context: &Context) {
    let [height, width, _] = data.shape();
    let what = match args.preset {
        Preset::Fast => context.say("only its last layer is trained", "마지막 층만 훈련합니다"),
        Preset::Balanced => context.say("its last blocks are trained too", "마지막 블록들도 훈련합니다"),
        Preset::Best => context.say("all of it is trained", "전체를 훈련합니다"),
    };
    let name = builtin::PRETRAINED.name;
    context.note(&context.language.pick(
        format!(
            "model {name}, pretrained on ImageNet, pictures at {height}x{width}: {what} (--from scratch goes without)"
        ),
        format!(
            "모델 {name} (ImageNet으로 사전 학습), 그림 크기 {height}x{width}: {what} (--from scratch면 쓰지 않음)"
        ),
    ));
}

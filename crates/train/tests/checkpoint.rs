//! A run that goes on from a checkpoint ends in the same bits as one that never stopped; checkpoints of other runs
//! and broken ones are refused.

use foveal_data::{Dataset, Samples, Split, Targets};
use foveal_nn::loss::Loss;
use foveal_nn::optim::Optimizer;
use foveal_nn::schedule::Schedule;
use foveal_nn::{Model, ModelSpec};
use foveal_testkit::Random;
use foveal_train::{
    Checkpoint, Error, Event, Outcome, PictureFit, Preprocess, Recipe, Resume, Status, fit_resumable,
};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const MODEL: &str = r#"
    input.shape = [6, 6, 1]
    layer = [
        { kind = "conv2d", filters = 3, kernel = [3, 3], padding = "SAME" },
        { kind = "batch_norm", momentum = 0.9 },
        { kind = "relu" },
        { kind = "max_pool", ksize = [2, 2] },
        { kind = "dropout", rate = 0.3 },
        { kind = "flatten" },
        { kind = "dense", units = 3, name = "out" },
    ]
"#;

struct Bench {
    spec: String,
    data: Dataset,
    split: Split,
    preprocess: Preprocess,
    recipe: Recipe,
}

/// Noisy pictures whose class is their brightest third.
fn bench(recipe: Recipe, regression: bool) -> Bench {
    let mut random = Random::new(4);
    let (n, size) = (90, 36);
    let (mut pixels, mut labels) = (Vec::new(), Vec::new());
    for i in 0..n {
        let class = i % 3;
        labels.push(class as u32);
        pixels.extend((0..size).map(|p| {
            let bright = if p / 12 == class { 60 } else { 0 };
            (random.int(0, 190) + bright) as u8
        }));
    }
    let names = || ["a", "b", "c"].map(String::from).to_vec();
    let targets = if regression {
        Targets::Values { values: (0..n * 3).map(|i| (i % 7) as f64 / 7.0).collect(), names: names() }
    } else {
        Targets::Classes { labels, names: names() }
    };
    Bench {
        spec: MODEL.into(),
        data: Dataset::new("thirds", [6, 6, 1], Samples::U8(pixels), targets).unwrap(),
        split: Split::first(n, 30).unwrap(),
        preprocess: Preprocess::unit(1, PictureFit::Resize),
        recipe,
    }
}

/// Every part of the state is at work: averaging, the best epoch, a schedule, momentum, dropout.
fn recipe(optimizer: Optimizer, keep_best: bool, average: f32, patience: Option<usize>) -> Recipe {
    let schedule = Schedule::OneCycle { warmup: 0.3, start: 0.2, end: 0.01 };
    let (epochs, batch_size, lr) = (7, 16, 0.02);
    let threads = 1;
    Recipe {
        epochs,
        batch_size,
        lr,
        optimizer,
        schedule,
        keep_best,
        average,
        patience,
        threads,
        ..Recipe::default()
    }
}

fn recipes() -> Vec<Recipe> {
    let sgd = Optimizer::Sgd { momentum: 0.9, nesterov: true, decay: 1e-3 };
    vec![
        recipe(Optimizer::default(), false, 0.0, None),
        recipe(Optimizer::default(), true, 0.5, Some(2)),
        recipe(sgd, false, 0.6, None),
        recipe(sgd, true, 0.0, Some(1)),
        Recipe { lr: 3.0, ..recipe(Optimizer::default(), true, 0.0, Some(1)) },
        Recipe {
            augment: "digits,flip,cutout=2,contrast=0.2,mixup=0.4".parse().unwrap(),
            ..recipe(sgd, false, 0.3, None)
        },
    ]
}

impl Bench {
    fn model(&self) -> Model {
        Model::new(&ModelSpec::from_toml(&self.spec).unwrap(), self.recipe.seed).unwrap()
    }

    /// Runs, from a checkpoint's bytes if there are any; stops after `steps`. Gives every checkpoint's bytes.
    fn run(&self, from: Option<&[u8]>, steps: usize) -> Result<(Outcome, Vec<Vec<u8>>), Error> {
        let mut kept = Vec::new();
        let stop = AtomicBool::new(false);
        let mut left = steps;
        let mut on_event = |event: &Event| {
            if matches!(event, Event::Batch { .. }) {
                left = left.saturating_sub(1);
                stop.store(left == 0, Ordering::Relaxed);
            }
        };
        let from = from.map(|bytes| Checkpoint::from_bytes(bytes, "kept")).transpose()?;
        let save = Box::new(|checkpoint: &Checkpoint| {
            kept.push(checkpoint.to_bytes().unwrap());
            Ok(())
        });
        let resume = Resume { from, save: Some(save) };
        let (model, recipe) = (self.model(), &self.recipe);
        let (data, split, preprocess) = (&self.data, &self.split, &self.preprocess);
        let outcome = fit_resumable(model, data, split, preprocess, recipe, &stop, &mut on_event, resume)?;
        Ok((outcome, kept))
    }

    /// A checkpoint after the first `epochs`.
    fn kept(&self, epochs: usize) -> Vec<u8> {
        self.run(None, usize::MAX).unwrap().1.swap_remove(epochs - 1)
    }
}

/// The result of a run without its times: the bits of the weights, of each epoch's figures and of the final ones.
#[derive(Debug, PartialEq)]
struct Bits {
    weights: Vec<u32>,
    epochs: Vec<[Option<u64>; 4]>,
    status: Status,
    end: [Option<u64>; 2],
}

fn bits(outcome: &Outcome) -> Bits {
    let values = outcome.model.params().iter().flat_map(|p| &p.values).map(|v| v.to_bits());
    let of = |v: Option<f64>| v.map(f64::to_bits);
    let rows = outcome.history.iter().map(|e| {
        [of(Some(e.train_loss)), of(e.train_accuracy), of(e.validation_loss), of(e.validation_accuracy)]
    });
    let end = [of(outcome.validation_loss), of(outcome.validation_accuracy)];
    Bits { weights: values.collect(), epochs: rows.collect(), status: outcome.status, end }
}

#[test]
fn a_run_that_goes_on_ends_in_the_same_bits() {
    let (mut cuts, mut early) = (0, 0);
    let regression = Recipe { loss: Loss::MeanSquared, ..recipe(Optimizer::default(), true, 0.0, Some(2)) };
    let augmented = Recipe { augment: "shift=1,mixup=1".parse().unwrap(), ..regression.clone() };
    let benches = recipes()
        .into_iter()
        .map(|r| bench(r, false))
        .chain([bench(augmented, true), bench(regression, true)]);
    for mut bench in benches {
        let (whole, kept) = bench.run(None, usize::MAX).unwrap();
        let epochs = whole.history.len();
        early += usize::from(whole.status == Status::EarlyStopped);
        assert_eq!(kept.len(), epochs);
        // After each epoch, from its checkpoint, with other numbers of threads.
        for (i, bytes) in kept.iter().enumerate() {
            bench.recipe.threads = 1 + i % 3;
            let (again, more) = bench.run(Some(bytes), usize::MAX).unwrap();
            assert_eq!(bits(&again), bits(&whole), "from epoch {} of {epochs}", i + 1);
            assert_eq!(more.len(), epochs - i - 1, "epochs that were still to do");
            cuts += 1;
        }
        // Cut in the middle of an epoch, over and over.
        bench.recipe.threads = 2;
        let mut last: Option<Vec<u8>> = None;
        for steps in [6, 5, 3, 9, 7, usize::MAX] {
            let (outcome, kept) = bench.run(last.as_deref(), steps).unwrap();
            last = kept.into_iter().last().or(last);
            cuts += 1;
            if outcome.status != Status::Interrupted {
                assert_eq!(bits(&outcome), bits(&whole), "cut again and again");
            }
        }
    }
    println!("{cuts} cuts, {early} runs that stop early");
    assert!(cuts > 40 && early > 0);
}

#[test]
fn a_checkpoint_survives_its_bytes() {
    for recipe in recipes() {
        let bytes = bench(Recipe { patience: None, ..recipe }, false).kept(3);
        let checkpoint = Checkpoint::from_bytes(&bytes, "kept").unwrap();
        assert_eq!(checkpoint.to_bytes().unwrap(), bytes);
        assert_eq!((checkpoint.epoch(), checkpoint.epochs()), (3, 7));
        assert!(!checkpoint.maker().isa.is_empty());
    }
}

/// What is refused, and the words that it is refused with.
#[test]
fn checkpoints_of_other_runs_are_refused() {
    let base = || bench(recipes().swap_remove(1), false);
    let bytes = base().kept(2);
    let refused = |what: &str, change: &dyn Fn(&mut Bench), words: &[&str]| {
        let mut bench = base();
        change(&mut bench);
        let error = bench.run(Some(&bytes), usize::MAX).map(|_| what).expect_err(what);
        assert!(matches!(error, Error::OtherRun { .. }), "{what}: {error}");
        for word in words {
            assert!(error.to_string().contains(word), "{what}: no `{word}` in {error}");
        }
    };
    refused("rate", &|b| b.recipe.lr = 0.01, &["recipe.lr was 0.02 and is 0.01"]);
    refused("augmentation", &|b| b.recipe.augment.shift = 1.0, &["recipe.augment was absent", "\"shift=1\""]);
    refused("epochs", &|b| b.recipe.epochs = 9, &["recipe.epochs was 7 and is 9"]);
    refused("seed", &|b| b.recipe.seed = 5, &["recipe.seed was 0 and is 5"]);
    refused("optimizer", &|b| b.recipe.optimizer = recipes()[2].optimizer, &["\"adam\" and is \"sgd\""]);
    refused(
        "filters",
        &|b| b.spec = MODEL.replace("filters = 3", "filters = 4"),
        &["model.spec", "was 3 and is 4"],
    );
    refused("layers", &|b| b.spec = MODEL.replace("{ kind = \"relu\" },", ""), &["model.spec.layer"]);
    refused("scale", &|b| b.preprocess.scale = vec![0.5], &["preprocess.scale[0]"]);
    refused("split", &|b| b.split = Split::first(90, 20).unwrap(), &["data.validation was 30 and is 20"]);
    refused("members", &|b| b.split.train[0] = 89, &["the data has other numbers"]);
    refused(
        "pixel",
        &|b| {
            let Samples::U8(mut pixels) = b.data.samples().clone() else { panic!("pixels") };
            pixels[1234] ^= 1;
            b.data =
                Dataset::new("thirds", [6, 6, 1], Samples::U8(pixels), b.data.targets().clone()).unwrap();
        },
        &["the data has other numbers"],
    );
    refused(
        "label",
        &|b| {
            let Targets::Classes { mut labels, names } = b.data.targets().clone() else { panic!("classes") };
            labels[40] = (labels[40] + 1) % 3;
            let targets = Targets::Classes { labels, names };
            b.data = Dataset::new("thirds", [6, 6, 1], b.data.samples().clone(), targets).unwrap();
        },
        &["the data has other numbers"],
    );
    // Neither the data's name nor the threads make another run.
    let mut bench = base();
    bench.recipe.threads = 3;
    let (samples, targets) = (bench.data.samples().clone(), bench.data.targets().clone());
    bench.data = Dataset::new("renamed", [6, 6, 1], samples, targets).unwrap();
    bench.run(Some(&bytes), usize::MAX).unwrap();
}

#[test]
fn a_run_whose_checkpoint_cannot_be_kept_ends_at_once() {
    let bench = bench(recipes().swap_remove(0), false);
    let mut epochs = 0;
    let mut on_event = |event: &Event| epochs += usize::from(matches!(event, Event::Epoch(_)));
    let save =
        Box::new(|c: &Checkpoint| if c.epoch() == 2 { Err("the disk is full".into()) } else { Ok(()) });
    let resume = Resume { from: None, save: Some(save) };
    let (stop, recipe) = (AtomicBool::new(false), &bench.recipe);
    let (data, split, preprocess) = (&bench.data, &bench.split, &bench.preprocess);
    let ended = fit_resumable(bench.model(), data, split, preprocess, recipe, &stop, &mut on_event, resume);
    assert_eq!(ended.map(|_| ()).expect_err("an error"), Error::Save("the disk is full".into()));
    assert_eq!(epochs, 2);
}

#[test]
fn every_truncation_is_refused() {
    let bytes = bench(recipes().swap_remove(1), false).kept(2);
    for n in 0..bytes.len() {
        let error = Checkpoint::from_bytes(&bytes[..n], "cut.safetensors").expect_err("an error");
        assert!(error.to_string().contains("cut.safetensors"), "{n}: {error}");
    }
    let longer = [&bytes[..], b"x"].concat();
    Checkpoint::from_bytes(&longer, "long").expect_err("an error");
}

/// A damaged checkpoint is noticed wherever the damage is: one that can still be read is unchanged.
#[test]
fn mutations_are_noticed() {
    let bench = bench(recipes().swap_remove(1), false);
    let bytes = bench.kept(2);
    let whole = Checkpoint::from_bytes(&bytes, "kept").unwrap();
    let header = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let mut random = Random::new(2);
    let (mut same, mut refused) = (0, 0);
    let start = Instant::now();
    for trial in 0..10_000 {
        let mut changed = bytes.clone();
        for _ in 0..random.int(1, 3) {
            let end = if trial % 2 == 0 { changed.len() } else { header.min(changed.len()) };
            let at = random.int(0, end - 1);
            match random.int(0, 2) {
                0 => changed[at] ^= 1 << random.int(0, 7),
                1 => changed[at] = random.pick(b"0129-[]{},:\"ex \\"),
                _ => {
                    let n = random.int(1, 9).min(changed.len() - at);
                    changed.drain(at..at + n);
                }
            }
        }
        match Checkpoint::from_bytes(&changed, "changed") {
            Ok(read) => {
                assert_eq!(read, whole, "trial {trial}");
                same += 1;
            }
            Err(error) => {
                assert!(!error.to_string().is_empty());
                refused += 1;
            }
        }
    }
    println!("10,000 mutations: {refused} refused, {same} that change nothing, in {:.1?}", start.elapsed());
    assert!(refused > 7500);
    assert!(start.elapsed() < Duration::from_secs(60));
}

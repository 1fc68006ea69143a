//! Batches of pictures that are augmented or read from storage: the engine's workers make them before each step. How a
//! picture changes depends on the seed, the epoch and the picture, never on the batch or the worker.

use crate::Recipe;
use crate::examples::Examples;
use foveal_data::augment::{Augment, Key, Scratch};
use foveal_data::{Dataset, Sample};
use foveal_nn::engine::{Engine, Example, Pixels, Target};

/// The augmented pictures of the current batch, and the memory to make them in.
pub(crate) struct Augmented {
    augment: Augment,
    seed: u64,
    rows: Vec<Row>,
    workers: Vec<Worker>,
    /// How often each sample of the data set has come up in the current epoch.
    seen: Vec<u32>,
    epoch: u64,
}

/// The memory of one worker.
#[derive(Default)]
struct Worker {
    bytes: Scratch<u8>,
    numbers: Scratch<f32>,
}

/// A picture with its target. Its pixels are in `bytes` or in `numbers`, whichever the data set has.
#[derive(Default)]
struct Row {
    index: usize,
    turn: u64,
    bytes: Vec<u8>,
    numbers: Vec<f32>,
    target: Goal,
    values: Vec<f32>,
    weight: f32,
}

/// The target of a picture.
#[derive(Clone, Copy, Default)]
enum Goal {
    /// The values of the row.
    #[default]
    Values,
    Classes([u32; 2], f32),
}

impl Augmented {
    /// Memory for batches; `None` if the pictures are in memory and not to be augmented, so that the engine can take
    /// them as they are.
    pub fn new(recipe: &Recipe, data: &Dataset, engine: &Engine) -> Option<Self> {
        (!recipe.augment.is_none() || data.stored().is_some()).then(|| Self {
            augment: recipe.augment,
            seed: recipe.seed,
            rows: (0..recipe.batch_size).map(|_| Row::default()).collect(),
            workers: (0..engine.threads()).map(|_| Worker::default()).collect(),
            seen: vec![0; data.len()],
            epoch: 0,
        })
    }

    /// Makes the next batch of `epoch`.
    pub fn make(&mut self, engine: &mut Engine, examples: &Examples<'_>, indices: &[u32], epoch: usize) {
        if self.epoch != epoch as u64 {
            self.epoch = epoch as u64;
            self.seen.fill(0);
        }
        let rows = &mut self.rows[..indices.len()];
        for (row, &index) in rows.iter_mut().zip(indices) {
            let seen = &mut self.seen[index as usize];
            (row.index, row.turn) = (index as usize, u64::from(*seen));
            *seen += 1;
        }
        let (augment, seed, epoch) = (self.augment, self.seed, self.epoch);
        engine.for_each(&mut self.workers, rows, |worker, _, row| {
            row.make(augment, examples, |index| Key::new(seed, epoch, index as u64), worker);
        });
    }

    /// Picture `i` of the batch.
    pub fn example(&self, i: usize) -> Example<'_> {
        let row = &self.rows[i];
        let pixels = if row.numbers.is_empty() { Pixels::U8(&row.bytes) } else { Pixels::F32(&row.numbers) };
        let target = match row.target {
            Goal::Values => Target::Values(&row.values),
            Goal::Classes([class, _], 1.0) => Target::Class(class),
            Goal::Classes(classes, share) => Target::Mixed { classes, share },
        };
        Example { pixels, target, weight: row.weight }
    }
}

impl Row {
    fn make(
        &mut self,
        augment: Augment,
        examples: &Examples<'_>,
        key: impl Fn(usize) -> Key,
        worker: &mut Worker,
    ) {
        let own = key(self.index).turn(self.turn);
        let other = examples.train[augment.partner(own, examples.train.len())] as usize;
        let shape = examples.data.shape();
        let picture = examples.data.sample(self.index);
        // Without mixing no second picture is read.
        let mixed = augment.share(own) < 1.0;
        let mate = if mixed { examples.data.sample(other) } else { picture.clone() };
        let share = match (&picture, &mate) {
            (Sample::U8(a), Sample::U8(b)) => {
                augment.apply(shape, (own, a), (key(other), b), &mut self.bytes, &mut worker.bytes)
            }
            (Sample::F32(a), Sample::F32(b)) => {
                augment.apply(shape, (own, a), (key(other), b), &mut self.numbers, &mut worker.numbers)
            }
            _ => unreachable!("the samples of a data set are of one kind"),
        };
        self.aim(examples, (share < 1.0).then_some(other), share);
    }

    /// Sets the target: that of the picture, or for a mixture both targets with their shares.
    fn aim(&mut self, examples: &Examples<'_>, other: Option<usize>, share: f32) {
        let (one, weight) = examples.target(self.index);
        let (two, other) = other.map_or((one, weight), |other| examples.target(other));
        (self.target, self.weight) = (Goal::Values, weight);
        match (one, two) {
            (Target::Class(a), Target::Class(b)) => {
                // The loss should be share * w_a * loss_a + (1 - share) * w_b * loss_b; the engine takes one weight
                // and the shares of the two classes in it.
                let (first, second) = (share * weight, (1.0 - share) * other);
                self.weight = first + second;
                let share = if second > 0.0 { first / self.weight } else { 1.0 };
                self.target = match share < 0.5 {
                    true => Goal::Classes([b, a], 1.0 - share),
                    false => Goal::Classes([a, b], share),
                };
            }
            (Target::Values(a), Target::Values(b)) => {
                self.values.clear();
                self.values.extend(a.iter().zip(b).map(|(a, b)| a * share + b * (1.0 - share)));
            }
            _ => unreachable!("the targets of a data set are of one kind"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{PictureFit, Preprocess};
    use foveal_data::{Dataset, Samples, Targets};
    use foveal_nn::engine::Options;
    use foveal_nn::loss::Loss;
    use foveal_nn::optim::Optimizer;
    use foveal_nn::{Isa, Model, ModelSpec};

    const N: usize = 40;

    fn data() -> Dataset {
        let pixels = (0..N * 36).map(|i| (i * i % 251) as u8).collect();
        let labels = (0..N as u32).map(|i| i % 3).collect();
        let names = ["a", "b", "c"].map(String::from).to_vec();
        Dataset::new("set", [6, 6, 1], Samples::U8(pixels), Targets::Classes { labels, names }).unwrap()
    }

    fn engine(threads: usize) -> Engine {
        let text =
            "input.shape = [6, 6, 1]\nlayer = [{ kind = \"flatten\" }, { kind = \"dense\", units = 3 }]";
        let model = Model::new(&ModelSpec::from_toml(text).unwrap(), 0).unwrap();
        let options = Options {
            batch_size: N,
            threads,
            loss: Some(Loss::default()),
            optimizer: Optimizer::default(),
            seed: 0,
            scale: Vec::new(),
            shift: Vec::new(),
            isa: Isa::best(),
        };
        Engine::new(&model, Preprocess::unit(1, PictureFit::Resize).options(options)).unwrap()
    }

    /// All pictures of an epoch with target and weight, in the order of `order`, made in batches of `size`.
    fn made(augment: &str, order: &[u32], size: usize, threads: usize, epoch: usize) -> Vec<String> {
        let (data, mut engine, train) = (data(), engine(threads), (0..N as u32).collect::<Vec<_>>());
        let weights = Some(&[1.0, 2.0, 0.5][..]);
        let examples = Examples { data: &data, train: &train, units: None, weights, own: None };
        let recipe =
            Recipe { augment: augment.parse().unwrap(), seed: 7, batch_size: size, ..Recipe::default() };
        let mut augmented = Augmented::new(&recipe, &data, &engine).unwrap();
        let mut all = Vec::new();
        for batch in order.chunks(size) {
            augmented.make(&mut engine, &examples, batch, epoch);
            all.extend((0..batch.len()).map(|i| format!("{:?}", augmented.example(i))));
        }
        all
    }

    #[test]
    fn a_picture_does_not_depend_on_threads_batches_or_order() {
        let augment = "digits,flip,crop=0.2,brightness=0.1,contrast=0.2,cutout=2,mixup=0.4";
        let order: Vec<u32> = (0..N as u32).rev().collect();
        let want = made(augment, &order, N, 1, 3);
        for (size, threads) in [(1, 1), (7, 2), (16, 3), (N, 2), (N, 3)] {
            assert_eq!(made(augment, &order, size, threads, 3), want, "batches of {size}, {threads} threads");
        }
        let forward: Vec<u32> = (0..N as u32).collect();
        let turned: Vec<String> = made(augment, &forward, 5, 2, 3).into_iter().rev().collect();
        assert_eq!(turned, want);
        assert_ne!(made(augment, &order, N, 1, 4), want);
    }

    #[test]
    fn a_picture_that_comes_up_again_is_changed_in_another_way() {
        let twice = made("shift=3,rotate=20", &[5, 5, 6, 5], 2, 1, 1);
        assert!(twice[0] != twice[1] && twice[1] != twice[3] && twice[0] != twice[3]);
        assert_eq!(made("shift=3,rotate=20", &[6, 5], 2, 1, 1), [twice[2].clone(), twice[0].clone()]);
    }

    /// The weight and the shares that the engine gets amount to share * w_a * loss_a + (1 - share) * w_b * loss_b.
    #[test]
    fn a_mixture_counts_as_much_as_its_parts() {
        let (data, mut engine, train) = (data(), engine(1), (0..N as u32).collect::<Vec<_>>());
        let weights = [1.0, 2.0, 0.5];
        let examples =
            Examples { data: &data, train: &train, units: None, weights: Some(&weights), own: None };
        let augment = Augment { mixup: 1.0, ..Augment::default() };
        let recipe = Recipe { augment, seed: 7, batch_size: N, ..Recipe::default() };
        let mut augmented = Augmented::new(&recipe, &data, &engine).unwrap();
        augmented.make(&mut engine, &examples, &train, 1);
        let mut mixed = 0;
        for i in 0..N {
            let key = Key::new(7, 1, i as u64);
            let (share, other) = (augment.share(key), augment.partner(key, N));
            let mut want = [0.0f32; 3];
            want[i % 3] += share * weights[i % 3];
            want[other % 3] += (1.0 - share) * weights[other % 3];
            let mut found = [0.0f32; 3];
            let example = augmented.example(i);
            match example.target {
                Target::Class(class) => found[class as usize] += example.weight,
                Target::Mixed { classes: [a, b], share } => {
                    assert!((0.5..=1.0).contains(&share));
                    found[a as usize] += share * example.weight;
                    found[b as usize] += (1.0 - share) * example.weight;
                    mixed += 1;
                }
                Target::Values(_) => unreachable!(),
            }
            assert!(want.iter().zip(found).all(|(a, b)| (a - b).abs() < 1e-6), "{want:?} {found:?}");
        }
        assert!(mixed > N / 2);
    }
}

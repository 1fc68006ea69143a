use crate::examples::{indices_fit, outputs};
use crate::labels::{LabelScores, label_scores};
use crate::{Error, Preprocess, Recipe, Reliability, SavedModel};
use foveal_data::{Dataset, Targets};
use foveal_nn::Model;
use foveal_nn::engine::Engine;
use foveal_nn::loss::{Loss, Regression, binary_cross_entropy};
use std::borrow::Cow;

/// How well a model does on a data set.
#[derive(Clone, Debug, PartialEq)]
pub enum Evaluation {
    /// Of a classifier.
    Classes(ClassScores),
    /// Of a regression.
    Values(ValueScores),
    /// Of several labels a sample.
    Labels(LabelScores),
}

/// A classifier's scores.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ClassScores {
    /// Mean cross-entropy.
    pub loss: f64,
    /// Share of images whose most likely class is the right one.
    pub accuracy: f64,
    /// Mean F1 of the classes that occur, as [`ClassScores::occurring`] counts them.
    pub macro_f1: f64,
    /// Each class's scores, in class order.
    pub per_class: Vec<PerClass>,
    /// Counts of images: row the true class, column the predicted one.
    pub confusion: Vec<Vec<u64>>,
    /// Images by the place of their true class among the classes as the model ranks them, the likeliest first.
    pub ranks: Vec<u64>,
    /// Whether probabilities are what they say.
    pub reliability: Reliability,
}

impl ClassScores {
    /// Images that were judged.
    pub fn images(&self) -> u64 {
        self.confusion.iter().flatten().sum()
    }

    /// How many classes occur: images are of them, or are said to be. The others have no F1.
    pub fn occurring(&self) -> usize {
        let said = |c: usize| self.confusion.iter().any(|row| row[c] > 0);
        (0..self.per_class.len()).filter(|&c| self.per_class[c].support > 0 || said(c)).count()
    }

    /// Share of images whose true class is among the `k` likeliest.
    pub fn top_k(&self, k: usize) -> f64 {
        self.ranks.iter().take(k).sum::<u64>() as f64 / self.images().max(1) as f64
    }

    /// Wilson's interval for the accuracy: where it lies with a probability of 95 % if these images are a random
    /// sample. Few images make it wide.
    pub fn interval(&self) -> [f64; 2] {
        wilson(self.accuracy, self.images() as f64)
    }

    /// The accuracy of always answering the most frequent class of these images.
    pub fn majority(&self) -> f64 {
        let most = self.per_class.iter().map(|c| c.support).max().unwrap_or(0);
        most as f64 / self.images().max(1) as f64
    }
}

/// Wilson's 95 % interval of a share that was seen in `n` trials; 0 to 1 without any.
///
/// ```
/// let [low, high] = foveal_train::wilson(0.9, 100.0);
/// assert!(low > 0.82 && high < 0.95);
/// ```
pub fn wilson(share: f64, n: f64) -> [f64; 2] {
    const Z: f64 = 1.959_963_984_540_054;
    if n == 0.0 {
        return [0.0, 1.0];
    }
    let middle = share + Z * Z / (2.0 * n);
    let reach = Z * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
    [middle - reach, middle + reach].map(|v| (v / (1.0 + Z * Z / n)).clamp(0.0, 1.0))
}

/// One class's scores.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct PerClass {
    /// The class's name.
    pub class: String,
    /// Of the images predicted as the class, the share that are.
    pub precision: f64,
    /// Of the class's images, the share predicted as it.
    pub recall: f64,
    /// Harmonic mean of precision and recall.
    pub f1: f64,
    /// Images of the class.
    pub support: u64,
}

/// A regression's scores over all values.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ValueScores {
    /// Mean squared error.
    pub loss: f64,
    /// Mean absolute error.
    pub mae: f64,
    /// Root of the mean squared error.
    pub rmse: f64,
    /// Share of the variance that the model explains, the mean over targets; `None` where one of them has no variance.
    pub r2: Option<f64>,
    /// Each target by itself.
    pub per_target: Vec<PerTarget>,
}

/// A regression's scores for one target, in its own units.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct PerTarget {
    /// What the target is called.
    pub name: String,
    /// Mean absolute error.
    pub mae: f64,
    /// Root of the mean squared error.
    pub rmse: f64,
    /// Share of the variance that the model explains; `None` where all true values are equal.
    pub r2: Option<f64>,
}

/// Refuses data whose samples or targets the model cannot have.
pub(crate) fn targets_fit(model: &Model, data: &Dataset, loss: Option<Loss>) -> Result<(), Error> {
    samples_fit(model, data)?;
    let name = || data.name().to_owned();
    let wrong_loss = |targets, wanted| Err(Error::Loss { data: name(), targets, wanted });
    let (names, kind) = match (data.targets(), loss) {
        (Targets::Classes { names, .. }, None | Some(Loss::CrossEntropy { .. })) => (names, "classes"),
        (Targets::Values { names, .. }, None | Some(Loss::MeanSquared | Loss::Huber { .. })) => {
            (names, "values an image")
        }
        (Targets::Labels { names, .. }, None | Some(Loss::BinaryCrossEntropy)) => (names, "labels an image"),
        (Targets::Labels { .. }, _) => return wrong_loss("labels", "`binary_cross_entropy`"),
        (Targets::Classes { .. }, _) => return wrong_loss("classes", "`cross_entropy`"),
        (Targets::Values { .. }, _) => return wrong_loss("values", "`mean_squared` or `huber`"),
    };
    let (outputs, targets) = (model.outputs(), names.len());
    if outputs != targets {
        return Err(Error::Outputs { data: name(), outputs, targets, kind });
    }
    Ok(())
}

/// Refuses samples of another shape than the model takes.
pub(crate) fn samples_fit(model: &Model, data: &Dataset) -> Result<(), Error> {
    let (wanted, found) = (model.input_shape(), data.shape());
    if wanted != found {
        return Err(Error::InputShape { data: data.name().to_owned(), wanted, found });
    }
    Ok(())
}

/// The outputs of `model` for the images at `indices` (`None`: all images), `[image][output]`: probabilities if a
/// classifier ends in softmax, else the numbers before softmax.
///
/// # Errors
/// When the samples do not have the model's input shape, an index is not below their number, and when a stored one
/// cannot be read any more.
pub fn predict(
    model: &Model,
    preprocess: &Preprocess,
    data: &Dataset,
    indices: Option<&[u32]>,
    threads: usize,
) -> Result<Vec<f32>, Error> {
    samples_fit(model, data)?;
    indices_fit(data, indices.unwrap_or_default())?;
    let mut engine = Engine::new(model, preprocess.predicting(256, threads))?;
    let outputs = match indices {
        Some(indices) => outputs(&mut engine, data, indices.len(), |i| indices[i] as usize),
        None => outputs(&mut engine, data, data.len(), |i| i),
    };
    engine.fault().map_or(Ok(()), Err)?;
    data.fault().map_or(Ok(outputs), |fault| Err(fault.into()))
}

/// Scores `model` on the images at `indices` (`None`: all images).
///
/// # Errors
/// When the data do not fit the model.
///
/// ```
/// use foveal_data::Dataset;
/// use foveal_nn::Sequential;
/// use foveal_train::{Evaluation, Preprocess, evaluate};
///
/// let data = Dataset::from_samples([1, 1, 1], [(vec![0u8], 0), (vec![255], 1)])?;
/// let model = Sequential::new([1, 1, 1]).flatten().dense(2).build(0)?;
/// if let Evaluation::Classes(scores) = evaluate(&model, &Preprocess::of(&data), &data, None, 1)? {
///     assert_eq!((scores.images(), scores.confusion.len()), (2, 2));
/// }
/// assert!(evaluate(&model, &Preprocess::of(&data), &data, Some(&[2]), 1).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn evaluate(
    model: &Model,
    preprocess: &Preprocess,
    data: &Dataset,
    indices: Option<&[u32]>,
    threads: usize,
) -> Result<Evaluation, Error> {
    targets_fit(model, data, None)?;
    let outputs = predict(model, preprocess, data, indices, threads)?;
    judged(model, data, indices, &outputs, (&[], &preprocess.origin))
}

/// Scores `outputs`, which [`predict`] gave for the images at `indices` (`None`: all images). Of several labels an image
/// has those of a probability of a half and more.
///
/// # Errors
/// When the data do not fit the model, or there is not a row of outputs for each image.
pub fn judge(
    model: &Model,
    data: &Dataset,
    indices: Option<&[u32]>,
    outputs: &[f32],
) -> Result<Evaluation, Error> {
    judged(model, data, indices, outputs, (&[], &[]))
}

/// [`judge`] for a trained model: with its thresholds of labels, and what it adds to values.
///
/// # Errors
/// Those of [`judge`].
pub fn judge_saved(
    saved: &SavedModel,
    data: &Dataset,
    indices: Option<&[u32]>,
    outputs: &[f32],
) -> Result<Evaluation, Error> {
    judged(&saved.model, data, indices, outputs, (&saved.training.thresholds, &saved.preprocess.origin))
}

fn judged(
    model: &Model,
    data: &Dataset,
    indices: Option<&[u32]>,
    outputs: &[f32],
    (thresholds, origin): (&[f32], &[f64]),
) -> Result<Evaluation, Error> {
    targets_fit(model, data, None)?;
    indices_fit(data, indices.unwrap_or_default())?;
    let all = || (0..u32::try_from(data.len()).unwrap_or(u32::MAX)).collect();
    let indices: Cow<'_, [u32]> = indices.map_or_else(|| Cow::Owned(all()), Cow::Borrowed);
    let indices = &indices[..];
    if outputs.len() != indices.len() * model.outputs() {
        return Err(Error::Predictions {
            data: data.name().to_owned(),
            images: indices.len(),
            outputs: model.outputs(),
            found: outputs.len(),
        });
    }
    Ok(match data.targets() {
        Targets::Classes { labels, names } => {
            Evaluation::Classes(class_scores(&logits(model, outputs), labels, names, indices))
        }
        Targets::Values { values, names } => {
            Evaluation::Values(value_scores(outputs, values, names, (indices, origin)))
        }
        Targets::Labels { values, names } => {
            let likely = probabilities(model, outputs);
            Evaluation::Labels(label_scores(&likely, (values, names), indices, thresholds))
        }
    })
}

/// The outputs of a classifier as logits.
pub(crate) fn logits<'a>(model: &Model, outputs: &'a [f32]) -> Cow<'a, [f32]> {
    if !model.ends_in_softmax() && !model.ends_in_sigmoid() {
        return Cow::Borrowed(outputs);
    }
    // The softmax of the logarithms of probabilities is these probabilities again.
    Cow::Owned(outputs.iter().map(|p| p.max(f32::MIN_POSITIVE).ln()).collect())
}

/// Outputs as probabilities, row by row, whether the model ends in softmax or not. A model that ends in a sigmoid gives
/// each label its own probability already.
///
/// ```
/// let model = foveal_nn::Sequential::new([1, 1, 1]).flatten().dense(2).build(0)?;
/// assert_eq!(foveal_train::probabilities(&model, &[0.0, 0.0, 5.0, 5.0]), [0.5; 4]);
/// # Ok::<(), foveal_nn::Error>(())
/// ```
pub fn probabilities(model: &Model, outputs: &[f32]) -> Vec<f32> {
    let mut p = outputs.to_vec();
    if !model.ends_in_softmax() && !model.ends_in_sigmoid() {
        p.chunks_exact_mut(model.outputs()).for_each(softmax);
    }
    p
}

pub(crate) fn softmax(row: &mut [f32]) {
    let top = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    row.iter_mut().for_each(|v| *v = (*v - top).exp());
    let total: f32 = row.iter().sum();
    row.iter_mut().for_each(|v| *v /= total);
}

/// The share of samples whose largest output is that of their class.
pub(crate) fn accuracy(outputs: &[f32], data: &Dataset, indices: &[u32]) -> f64 {
    let Some(labels) = data.labels() else { return 0.0 };
    let rows = outputs.chunks_exact(outputs.len() / indices.len().max(1));
    let correct = rows.zip(indices).filter(|(row, i)| top(row) == labels[**i as usize] as usize).count();
    correct as f64 / indices.len().max(1) as f64
}

/// The index of the largest, the first of equals.
fn top(row: &[f32]) -> usize {
    (1..row.len()).fold(0, |best, i| if row[i] > row[best] { i } else { best })
}

/// The place of a class among all by their numbers; the first of equals comes first.
fn rank(row: &[f32], label: usize) -> usize {
    let own = row[label];
    row.iter().enumerate().filter(|&(i, &v)| v > own || v == own && i < label).count()
}

/// The logarithm of the sum of exponentials.
fn log_sum(row: &[f32]) -> f64 {
    let top = f64::from(row.iter().copied().fold(f32::NEG_INFINITY, f32::max));
    row.iter().map(|&v| (f64::from(v) - top).exp()).sum::<f64>().ln() + top
}

/// Loss and accuracy of `outputs`, one row for each index; a regression has no accuracy, and of several labels all must
/// be right. Classes count in the loss as the recipe says. `scaled` are the target values of the data set in the units of the outputs; they are there for a
/// regression.
pub(crate) fn score(
    outputs: &[f32],
    data: &Dataset,
    scaled: Option<&[f32]>,
    indices: &[u32],
    recipe: &Recipe,
) -> (f64, Option<f64>) {
    let n = indices.len() as f64;
    let width = outputs.len() / indices.len();
    let rows = outputs.chunks_exact(width).zip(indices);
    match (data.targets(), recipe.loss) {
        (Targets::Classes { labels, .. }, _) => {
            let (mut sum, mut total, mut correct) = (0.0, 0.0, 0usize);
            for (row, &i) in rows {
                let label = labels[i as usize] as usize;
                let weight = recipe.class_weights.as_ref().map_or(1.0, |weights| f64::from(weights[label]));
                sum += weight * (log_sum(row) - f64::from(row[label]));
                total += weight;
                correct += usize::from(top(row) == label);
            }
            // Where none of the classes counts, there is nothing to be wrong about.
            (if total > 0.0 { sum / total } else { 0.0 }, Some(correct as f64 / n))
        }
        (Targets::Labels { values, .. }, _) => {
            let (mut sum, mut correct) = (0.0, 0usize);
            for (row, &i) in rows {
                let own = row.iter().zip(&values[i as usize * width..]);
                sum +=
                    own.clone().map(|(&y, &t)| f64::from(binary_cross_entropy(y, t as f32).0)).sum::<f64>();
                correct += usize::from(own.into_iter().all(|(&y, &t)| (y > 0.0) == (t > 0.5)));
            }
            (sum / (n * width as f64), Some(correct as f64 / n))
        }
        (Targets::Values { .. }, loss) => {
            let values = scaled.unwrap_or_default();
            let kind = match loss {
                Loss::Huber { delta } => Regression::Huber(delta),
                _ => Regression::MeanSquared,
            };
            let sum: f64 = rows
                .flat_map(|(row, &i)| row.iter().zip(&values[i as usize * width..]))
                .map(|(&y, &t)| f64::from(kind.value(y - t).0))
                .sum();
            (sum / (n * width as f64), None)
        }
    }
}

fn class_scores(outputs: &[f32], labels: &[u32], names: &[String], indices: &[u32]) -> ClassScores {
    let k = names.len();
    let mut confusion = vec![vec![0u64; k]; k];
    let (mut loss, mut ranks) = (0.0, vec![0u64; k]);
    let answers = outputs.chunks_exact(k).zip(indices).map(|(row, &i)| {
        let (label, said) = (labels[i as usize] as usize, top(row));
        let total = log_sum(row);
        confusion[label][said] += 1;
        loss += total - f64::from(row[label]);
        ranks[rank(row, label)] += 1;
        ((f64::from(row[said]) - total).exp(), said == label)
    });
    let reliability = Reliability::of(answers);
    let share = |a: u64, b: u64| if b == 0 { 0.0 } else { a as f64 / b as f64 };
    let per_class: Vec<PerClass> = (0..k)
        .map(|c| {
            let hit = confusion[c][c];
            let support: u64 = confusion[c].iter().sum();
            let predicted: u64 = confusion.iter().map(|row| row[c]).sum();
            let f1 = share(2 * hit, support + predicted);
            let (precision, recall) = (share(hit, predicted), share(hit, support));
            PerClass { class: names[c].clone(), precision, recall, f1, support }
        })
        .collect();
    let n = indices.len().max(1) as f64;
    let correct: u64 = (0..k).map(|c| confusion[c][c]).sum();
    let f1 = per_class.iter().map(|c| c.f1).sum::<f64>();
    let (loss, accuracy) = (loss / n, correct as f64 / n);
    let mut scores = ClassScores { loss, accuracy, macro_f1: 0.0, per_class, confusion, ranks, reliability };
    scores.macro_f1 = f1 / scores.occurring().max(1) as f64;
    scores
}

/// `origin` is what is added to the outputs; none where it is empty.
fn value_scores(
    outputs: &[f32],
    values: &[f64],
    names: &[String],
    (indices, origin): (&[u32], &[f64]),
) -> ValueScores {
    let width = names.len();
    let added = |k: usize| origin.get(k).copied().unwrap_or(0.0);
    let pairs: Vec<(f64, f64)> = outputs
        .chunks_exact(width)
        .zip(indices)
        .flat_map(|(row, &i)| row.iter().zip(&values[i as usize * width..]).enumerate())
        .map(|(k, (&y, &t))| (f64::from(y) + added(k), t))
        .collect();
    let n = (pairs.len() / width).max(1) as f64;
    let target = |k: usize| {
        let column = || pairs.iter().skip(k).step_by(width);
        let squares: f64 = column().map(|(y, t)| (y - t).powi(2)).sum();
        let mean = column().map(|(_, t)| t).sum::<f64>() / n;
        let spread: f64 = column().map(|(_, t)| (t - mean).powi(2)).sum();
        let varied = column().any(|(_, t)| *t != pairs[k].1);
        PerTarget {
            name: names[k].clone(),
            mae: column().map(|(y, t)| (y - t).abs()).sum::<f64>() / n,
            rmse: (squares / n).sqrt(),
            r2: (varied && spread > 0.0).then(|| 1.0 - squares / spread),
        }
    };
    let per_target: Vec<PerTarget> = (0..width).map(target).collect();
    let mean = |of: &dyn Fn(&PerTarget) -> f64| per_target.iter().map(of).sum::<f64>() / width as f64;
    let loss = mean(&|target| target.rmse.powi(2));
    ValueScores {
        loss,
        mae: mean(&|target| target.mae),
        rmse: loss.sqrt(),
        r2: per_target.iter().map(|target| target.r2).sum::<Option<f64>>().map(|sum| sum / width as f64),
        per_target,
    }
}

#[cfg(test)]
mod tests {
    use super::{class_scores, value_scores, wilson};

    #[test]
    fn absent_classes_have_no_f1_and_constant_targets_no_r2() {
        // scikit-learn: f1_score([0, 0, 1], [0, 0, 1], average="macro") is 1 whatever other classes there may be.
        let names: Vec<String> = ["a", "b", "c", "d"].map(str::to_owned).to_vec();
        let rows = [9.0, 0.0, 0.0, 0.0, 9.0, 0.0, 0.0, 0.0, 0.0, 9.0, 0.0, 0.0];
        let scores = class_scores(&rows, &[0, 0, 1], &names, &[0, 1, 2]);
        assert_eq!((scores.macro_f1, scores.occurring()), (1.0, 2));
        // A class that is said where it is not counts, with an F1 of 0.
        let rows = [9.0, 0.0, 0.0, 0.0, 0.0, 0.0, 9.0, 0.0, 0.0, 9.0, 0.0, 0.0];
        let scores = class_scores(&rows, &[0, 0, 1], &names, &[0, 1, 2]);
        assert_eq!((scores.macro_f1, scores.occurring()), ((2.0 / 3.0 + 1.0) / 3.0, 3));
        let names = ["x".to_owned(), "y".to_owned()];
        let scores = value_scores(&[1.0, 5.0, 2.0, 6.0], &[1.0, 5.0, 3.0, 5.0], &names, (&[0, 1], &[]));
        let [x, y] = &scores.per_target[..] else { panic!("{scores:?}") };
        assert_eq!((x.r2, y.r2, scores.r2), (Some(0.5), None, None));
        assert_eq!((x.mae, y.rmse, scores.mae), (0.5, 0.5f64.sqrt(), 0.5));
    }

    #[test]
    fn wilsons_interval_is_that_of_the_textbook() {
        // Newcombe 1998, table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
        for (k, n, low, high) in [
            (81.0, 263.0, 0.2553, 0.3662),
            (15.0, 148.0, 0.0624, 0.1605),
            (0.0, 20.0, 0.0, 0.1611),
            (1.0, 29.0, 0.0061, 0.1718),
        ] {
            let [a, b] = wilson(k / n, n);
            assert!((a - low).abs() < 5e-5 && (b - high).abs() < 5e-5, "{k} of {n}: {a}, {b}");
        }
        assert_eq!(wilson(0.0, 0.0), [0.0, 1.0]);
    }
}

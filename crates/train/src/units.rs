use foveal_data::{Dataset, Targets};
use foveal_nn::Model;

/// A deviation that is so many times the spread of most values is made by a few others.
const OUTLYING: f64 = 4.0;

/// The values of a regression in units that suit training: each output in standard deviations from its mean over the
/// training images. After training the last dense layer is rescaled, so that the model gives values in the data's own
/// units.
pub(crate) struct Units {
    /// The mean of each output, less the origin that is added to what the model gives.
    mean: Vec<f64>,
    deviation: Vec<f64>,
    /// All of the data set's values in these units.
    pub(crate) values: Vec<f32>,
}

impl Units {
    /// `None` for classes. For labels, and for a model that does not end in a dense layer that is trained, the data's own
    /// units. With `robust` (for a loss that bears outliers) the median and the spread about it take the place of mean and
    /// deviation where a few values make the deviation much larger than that spread.
    /// `origin` is what will be added to the outputs: [`crate::Preprocess::origin`].
    pub(crate) fn new(
        model: &Model,
        data: &Dataset,
        train: &[u32],
        robust: bool,
        origin: &[f64],
    ) -> Option<Self> {
        let (values, names, scaled) = match data.targets() {
            Targets::Classes { .. } => return None,
            Targets::Values { values, names } => (values, names, true),
            Targets::Labels { values, names } => (values, names, false),
        };
        let k = names.len();
        let trained = |dense: [(usize, bool); 2]| dense.iter().all(|&(p, _)| model.params()[p].trainable);
        if !scaled || !last_dense(model).is_some_and(trained) {
            return Self::own(data, origin);
        }
        let n = train.len() as f64;
        let moment = |j: usize, of: &dyn Fn(f64) -> f64| -> f64 {
            train.iter().map(|&i| of(values[i as usize * k + j])).sum::<f64>() / n
        };
        let mean: Vec<f64> = (0..k).map(|j| moment(j, &|v| v)).collect();
        let deviation = (0..k).map(|j| {
            let deviation = moment(j, &|v| (v - mean[j]).powi(2)).sqrt();
            if deviation > 0.0 && deviation.is_finite() { deviation } else { 1.0 }
        });
        let mut deviation: Vec<f64> = deviation.collect();
        let mut mean = mean;
        for j in (0..k).filter(|_| robust) {
            let column: Vec<f64> = train.iter().map(|&i| values[i as usize * k + j]).collect();
            let middle = median(column.clone());
            // As the deviation of a normal distribution.
            let spread = 1.4826 * median(column.into_iter().map(|v| (v - middle).abs()).collect());
            if spread > 0.0 && deviation[j] > OUTLYING * spread {
                (mean[j], deviation[j]) = (middle, spread);
            }
        }
        let scaled = values.iter().enumerate();
        let scaled: Vec<f32> = scaled.map(|(i, &v)| ((v - mean[i % k]) / deviation[i % k]) as f32).collect();
        mean.iter_mut().enumerate().for_each(|(j, mean)| *mean -= added(origin, j));
        Some(Self { mean, deviation, values: scaled })
    }

    /// The data's own units.
    pub(crate) fn own(data: &Dataset, origin: &[f64]) -> Option<Self> {
        let (Targets::Values { values, names } | Targets::Labels { values, names }) = data.targets() else {
            return None;
        };
        let k = names.len();
        let values = values.iter().enumerate().map(|(i, &v)| (v - added(origin, i % k)) as f32).collect();
        Some(Self { mean: vec![0.0; k], deviation: vec![1.0; k], values })
    }

    /// The model in the data's own units.
    pub(crate) fn restore(&self, mut model: Model) -> Model {
        self.each(&mut model, |v, deviation, shift| v * deviation + shift);
        model
    }

    /// A model that gives values in the data's own units, rescaled to these units.
    pub(crate) fn adopt(&self, mut model: Model) -> Model {
        self.each(&mut model, |v, deviation, shift| (v - shift) / deviation);
        model
    }

    /// Changes each weight of the last dense layer; `change` gets the weight, the deviation of its output and, for a
    /// bias, the mean (else 0).
    fn each(&self, model: &mut Model, change: impl Fn(f64, f64, f64) -> f64) {
        let k = self.mean.len();
        for (index, bias) in last_dense(model).into_iter().flatten() {
            for (i, v) in model.params_mut()[index].values.iter_mut().enumerate() {
                let shift = if bias { self.mean[i % k] } else { 0.0 };
                *v = change(f64::from(*v), self.deviation[i % k], shift) as f32;
            }
        }
    }
}

/// What is added to output `j`.
fn added(origin: &[f64], j: usize) -> f64 {
    origin.get(j).copied().unwrap_or(0.0)
}

/// The middle value; 0 of none.
fn median(mut values: Vec<f64>) -> f64 {
    let middle = values.len() / 2;
    values.sort_by(f64::total_cmp);
    values.get(middle).copied().unwrap_or(0.0)
}

/// The parameters of the dense layer, with a bias, that a model ends in: the index of each, and whether it is the bias.
fn last_dense(model: &Model) -> Option<[(usize, bool); 2]> {
    let last = model.nodes().len() - 1;
    match model.nodes()[model.head().filter(|&head| head == last)?].params[..] {
        [weights, bias] => Some([(weights, false), (bias, true)]),
        _ => None,
    }
}

//! Several models that answer as one model.

use crate::probabilities;
use foveal_nn::Model;

/// The outputs of an ensemble: the mean of the outputs of its members, all of the same kind as `model`. For `classes`
/// the mean is over probabilities, but the result is in the form that one model would give: [`probabilities`] of it are
/// the mean of the members' probabilities.
///
/// # Panics
/// When there is no member or they have different numbers of outputs.
pub fn combine(model: &Model, members: &[Vec<f32>], classes: bool) -> Vec<f32> {
    let raw = |outputs: &Vec<f32>| if classes { probabilities(model, outputs) } else { outputs.clone() };
    let mut sum = vec![0.0f64; members[0].len()];
    for outputs in members {
        assert_eq!(outputs.len(), sum.len(), "as many outputs from each member");
        sum.iter_mut().zip(raw(outputs)).for_each(|(s, v)| *s += f64::from(v));
    }
    let mean = sum.into_iter().map(|s| s / members.len() as f64);
    // Softmax turns logarithms of probabilities back into these probabilities. The logarithm of 0 is kept finite.
    let logs = classes && !model.ends_in_softmax() && !model.ends_in_sigmoid();
    mean.map(|m| if logs { m.max(f64::from(f32::MIN_POSITIVE)).ln() as f32 } else { m as f32 }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use foveal_nn::ModelSpec;

    fn model(end: &str) -> Model {
        let text = format!("input.shape = [1, 2, 1]\nlayer = [{{ kind = \"flatten\" }}{end}]");
        Model::new(&ModelSpec::from_toml(&text).unwrap(), 0).unwrap()
    }

    #[test]
    fn probabilities_of_the_ensemble_are_the_mean_of_the_members() {
        let members = vec![vec![0.2, -1.0, 3.0, 3.0], vec![2.0, 0.0, -300.0, 90.0]];
        for model in [model(", { kind = \"dense\", units = 2 }"), model(", { kind = \"softmax\" }")] {
            let softmax = model.ends_in_softmax();
            let members: Vec<Vec<f32>> = if softmax {
                vec![vec![0.1, 0.9, 1.0, 0.0], vec![0.5, 0.5, 0.2, 0.8]]
            } else {
                members.clone()
            };
            let found = probabilities(&model, &combine(&model, &members, true));
            let all: Vec<Vec<f32>> = members.iter().map(|m| probabilities(&model, m)).collect();
            for (i, &p) in found.iter().enumerate() {
                assert!((p - (all[0][i] + all[1][i]) / 2.0).abs() < 1e-6, "{found:?}");
            }
        }
    }

    #[test]
    fn values_are_averaged_and_one_member_is_itself() {
        let model = model(", { kind = \"dense\", units = 2 }");
        assert_eq!(combine(&model, &[vec![1.0, -4.0], vec![3.0, 0.0]], false), [2.0, -2.0]);
        assert_eq!(combine(&model, &[vec![1.0, -4.0]], false), [1.0, -4.0]);
    }
}

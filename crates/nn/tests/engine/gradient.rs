//! The gradient of one value with respect to another, against central differences of the f64 interpreter.

use crate::interpreter::forward_from;
use crate::{build, models};
use foveal_nn::spec::LayerKind;
use foveal_nn::{Model, ModelSpec};
use foveal_testkit::Random;
use ndarray::Array4;

const STEP: f64 = 1e-6;
/// Numbers moved in each value.
const MOVED: usize = 12;

fn arrays(dim: (usize, usize, usize, usize), random: &mut Random) -> Array4<f64> {
    // What a f32 holds as well, so that both sides start from the same numbers.
    Array4::from_shape_simple_fn(dim, || f64::from(random.normal() as f32))
}

/// The worst error of the gradient of value `of` with respect to value `at`, relative to its largest number.
fn check(
    model: &Model,
    values: &[Array4<f64>],
    [of, at]: [usize; 2],
    random: &mut Random,
    bends: &mut usize,
) -> f64 {
    let d = arrays(values[of].dim(), random);
    let narrow: Vec<Array4<f32>> = values.iter().map(|v| v.mapv(|v| v as f32)).collect();
    let found = model.gradient(&narrow, of, at, d.mapv(|v| v as f32).view()).unwrap();
    assert_eq!(found.dim(), values[at].dim());
    let scalar = |moved: Array4<f64>| {
        let start = values[..at].iter().cloned().chain([moved]).collect();
        (&forward_from(model, start, false)[of] * &d).sum()
    };
    let largest = found.iter().fold(1e-3f64, |m, v| m.max(f64::from(*v).abs()));
    let mut worst = 0.0f64;
    for _ in 0..MOVED.min(found.len()) {
        let place = random.int(0, found.len() - 1);
        let moved = |by: f64| {
            let mut value = values[at].clone();
            value.as_slice_mut().unwrap()[place] += by;
            scalar(value)
        };
        let (above, here, below) = (moved(STEP), moved(0.0), moved(-STEP));
        let (right, left) = ((above - here) / STEP, (here - below) / STEP);
        let got = f64::from(found.as_slice().unwrap()[place]);
        // Where equal numbers meet in a maximum the two sides differ, and anything between is a slope.
        let bend = (right - left).abs() > 1e-3 * largest;
        let numeric = if bend { got.clamp(left.min(right), left.max(right)) } else { (right + left) / 2.0 };
        let error = (got - numeric).abs() / largest;
        assert!(error <= 1e-4, "value {of} by {at}, number {place}: {got} where {numeric}");
        *bends += usize::from(bend);
        worst = worst.max(error);
    }
    worst
}

#[test]
fn gradients_of_every_layer_are_differences() {
    let (mut pairs, mut worst, mut bends) = (0, 0.0f64, 0);
    let mut kinds = std::collections::BTreeSet::new();
    for (k, (name, toml, _)) in models::all().into_iter().chain(models::with_dropout()).enumerate() {
        let mut random = Random::new(900 + k as u64);
        let model = build(&toml, &mut random);
        let [h, w, c] = model.input_shape();
        let mut input = arrays((2, h, w, c), &mut random);
        if let Some(rows) = model.vocabulary() {
            input.mapv_inplace(|_| random.int(0, rows - 1) as f64);
        }
        let values = forward_from(&model, vec![input], false);
        let last = model.nodes().len();
        kinds.extend(model.nodes().iter().map(|n| n.kind.name()));
        for at in 0..=last {
            worst = worst.max(check(&model, &values, [last, at], &mut random, &mut bends));
            pairs += 1;
        }
        // Between two values in the middle, which need not have to do with each other.
        let (a, b) = (random.int(0, last), random.int(0, last));
        worst = worst.max(check(&model, &values, [a.max(b), a.min(b)], &mut random, &mut bends));
        println!("{name}: {last} layers");
    }
    println!("{pairs} gradients, {bends} bends, worst {worst:.1e}");
    assert!(bends < pairs / 2, "{bends} bends");
    let missing: Vec<_> = LayerKind::NAMES.iter().filter(|name| !kinds.contains(*name)).collect();
    assert!(missing.is_empty(), "no model of this test has {missing:?}");
}

#[test]
fn values_have_names_and_the_logits_stand_before_a_softmax() {
    let toml = "input.shape = [2, 2, 1]\nlayer = [{ kind = \"flatten\" }, { kind = \"dense\", units = 3 }, \
                { kind = \"softmax\" }]";
    let model = Model::new(&ModelSpec::from_toml(toml).unwrap(), 0).unwrap();
    assert_eq!(model.logits(), 2);
    assert!(matches!(model.nodes()[1].kind, LayerKind::Dense(_)));
    assert_eq!(["input", "dense_1", "nothing"].map(|n| model.value_named(n)), [Some(0), Some(2), None]);
    assert_eq!([0, 3].map(|v| model.value_name(v)), ["input", "softmax_1"]);
    let values = model.activations(Array4::ones((1, 2, 2, 1)).view()).unwrap();
    let d = Array4::ones((1, 1, 1, 3));
    assert!(model.gradient(&values, 3, 0, d.view()).is_ok());
    for (of, at) in [(4, 0), (2, 3), (usize::MAX, 0)] {
        assert!(model.gradient(&values, of, at, d.view()).is_err());
    }
    assert!(model.gradient(&values[1..], 2, 0, d.view()).is_err());
    let message = model.gradient(&values, 1, 0, d.view()).unwrap_err().to_string();
    assert!(message.contains("[1, 1, 1, 4]") && message.contains("[1, 1, 1, 3]"), "{message}");
}

//! Frozen layers keep their bits, the others' gradients stay right, and what is not needed is not computed.

use super::{BATCHES, LAYOUTS, batch, build, check_step, models, options};
use foveal_nn::builtin;
use foveal_nn::engine::{Engine, describe};
use foveal_nn::loss::Loss;
use foveal_nn::{Isa, Model};
use foveal_testkit::Random;

/// Whether the layer of the parameter called `name` is frozen.
pub fn is(model: &Model, name: &str) -> bool {
    let index = model.params().iter().position(|p| p.name == name).unwrap();
    let node = model.nodes().iter().find(|n| n.params.contains(&index)).unwrap();
    node.params.iter().all(|&p| !model.params()[p].trainable)
}

fn layers(model: &Model) -> Vec<String> {
    model.nodes().iter().filter(|n| !n.params.is_empty()).map(|n| n.name.clone()).collect()
}

#[test]
fn a_step_changes_what_is_not_frozen_by_minus_its_gradient() {
    let (mut steps, mut worst) = (0, 0f64);
    for (k, (name, toml, loss)) in models::all().into_iter().enumerate() {
        let mut random = Random::new((500 + k) as u64);
        let all = layers(&build(&toml, &mut random));
        if all.len() < 2 {
            continue;
        }
        // The first layers, the last ones, and any.
        for draw in 0..3 {
            let count = random.int(1, all.len() - 1);
            let frozen: Vec<String> = match draw {
                0 => all[..count].to_vec(),
                1 => all[all.len() - count..].to_vec(),
                _ => {
                    let spared = random.int(0, all.len() - 1);
                    let free = |i: usize, random: &mut Random| i == spared || random.int(0, 1) == 0;
                    let keep = (0..all.len()).filter(|&i| !free(i, &mut random));
                    keep.map(|i| all[i].clone()).collect()
                }
            };
            let mut model = build(&toml, &mut random);
            model.freeze(&frozen).unwrap();
            let isas = Isa::available();
            let isa = isas[(k + draw) % isas.len()];
            for layout in LAYOUTS {
                let options = options(&model, Some(loss), isa, 1 + k % 3);
                let mut engine = Engine::laid_out(&model, options, Some(layout)).unwrap();
                let named = format!("{name} on {}, {layout:?}, frozen {frozen:?}", isa.name());
                for n in [BATCHES[0], 5] {
                    let batch = batch(&model, n, loss, &mut random);
                    worst = worst.max(check_step(&named, &model, &mut engine, &batch, loss));
                    steps += 1;
                }
            }
        }
    }
    println!("{steps} steps with frozen layers, worst gradient {worst:.1e}");
}

#[test]
fn frozen_layers_are_passed_by_on_the_way_back() {
    let spec = builtin::fitted("residual", [32, 32, 3], 4).unwrap();
    let mut model = Model::new(&spec, 1).unwrap();
    let loss = Some(Loss::default());
    let whole = describe(&model, &options(&model, loss, Isa::best(), 1)).unwrap();
    let head = model.nodes()[model.head().unwrap()].name.clone();
    let frozen: Vec<String> = layers(&model).into_iter().filter(|name| *name != head).collect();
    model.freeze(&frozen).unwrap();
    let part = describe(&model, &options(&model, loss, Isa::best(), 1)).unwrap();
    let backward =
        |steps: &[foveal_nn::engine::PlannedStep]| -> u64 { steps.iter().map(|s| s.backward_flops).sum() };
    assert!(backward(&part.steps) < backward(&whole.steps) / 100, "{}", backward(&part.steps));
    // No normalization needs the whole batch any more, and no gradient has a place.
    assert!(part.arenas < whole.arenas && part.arena_bytes < whole.arena_bytes * 2 / 3);
}

#[test]
fn what_cannot_be_frozen_is_named() {
    let toml = "input.shape = [2, 2, 1]\nlayer = [{ kind = \"flatten\" }, { kind = \"dense\", units = 2 }]";
    let mut model = build(toml, &mut Random::new(1));
    let message = model.freeze(&["dense_2"]).unwrap_err().to_string();
    assert!(message.contains("`dense_2`") && message.contains("dense_1"), "{message}");
    model.freeze(&["dense_1"]).unwrap();
    let refused =
        Engine::new(&model, options(&model, Some(Loss::MeanSquared), Isa::best(), 1)).err().unwrap();
    assert!(refused.to_string().contains("nothing is left to train"), "{refused}");
    assert!(Engine::new(&model, options(&model, None, Isa::best(), 1)).is_ok());
}

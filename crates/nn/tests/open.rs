//! Gradients in the open, losses and layers of a program's own: what they give is what the engine's own steps give.

use foveal_nn::engine::{Engine, Example, Options, Pixels, Rates, Target, clip_by_norm, norm};
use foveal_nn::init::Init;
use foveal_nn::layers::{Conv2d, Custom, CustomGradients, CustomLayer, CustomParam, Dropout, ParamRole};
use foveal_nn::loss::Loss;
use foveal_nn::optim::Optimizer;
use foveal_nn::{Error, Isa, Model, Sequential, ops};
use ndarray::{Array4, ArrayView4, ArrayViewD, Axis};

const N: usize = 37;
const SIZE: usize = 6 * 6 * 2;

fn options(threads: usize, loss: Loss) -> Options {
    Options {
        batch_size: N,
        threads,
        loss: Some(loss),
        optimizer: Optimizer::default(),
        seed: 3,
        scale: vec![1.0; 2],
        shift: vec![0.0; 2],
        isa: Isa::best(),
    }
}

fn numbers() -> Vec<f32> {
    (0..N * SIZE).map(|i| ((i * 37 + i / 11) % 101) as f32 / 50.0 - 1.0).collect()
}

fn labels() -> Vec<u32> {
    (0..N as u32).map(|i| i * 7 % 3).collect()
}

fn net() -> Sequential {
    Sequential::new([6, 6, 2]).layer(Conv2d::new(5, 3).same()).relu().max_pool(2)
}

fn plain() -> Model {
    net().flatten().dense(3).build(1).unwrap()
}

fn normed() -> Model {
    net()
        .layer(Conv2d::new(4, 3).same())
        .batch_norm()
        .relu()
        .flatten()
        .dropout(0.3)
        .dense(3)
        .build(1)
        .unwrap()
}

fn step(engine: &mut Engine, x: &[f32], labels: &[u32], lr: Option<f32>) -> f64 {
    let example = |i: usize| Example {
        pixels: Pixels::F32(&x[i * SIZE..(i + 1) * SIZE]),
        target: Target::Class(labels[i]),
        weight: 1.0,
    };
    match lr {
        Some(lr) => engine.step(labels.len(), lr, example).loss,
        None => engine.gather(labels.len(), example).loss,
    }
}

#[test]
fn gathering_and_applying_is_a_step_to_the_bit() {
    let (x, labels) = (numbers(), labels());
    for model in [plain(), normed()] {
        for threads in [1, 2] {
            let [mut fused, mut open] =
                [(); 2].map(|()| Engine::new(&model, options(threads, Loss::default())).unwrap());
            for _ in 0..4 {
                let loss = step(&mut fused, &x, &labels, Some(0.01));
                assert_eq!(step(&mut open, &x, &labels, None), loss);
                open.apply(0.01);
                assert_eq!(fused.state(), open.state());
            }
            // Without anything gathered nothing happens.
            open.update_by(|_| {});
            let before = open.values().to_vec();
            open.forget();
            open.update_by(|u| assert!(u.gradient.iter().all(|&g| g == 0.0) && !u.name.is_empty()));
            assert_eq!(open.values(), before);
        }
    }
}

#[test]
fn a_loss_of_ones_own_has_the_gradients_of_the_engines() {
    let (x, labels) = (numbers(), labels());
    for model in [plain(), normed()] {
        let mut engine = Engine::new(&model, options(1, Loss::default())).unwrap();
        step(&mut engine, &x, &labels, None);
        let mut all = Vec::new();
        for threads in [1, 2, 3] {
            let mut own = Engine::for_own_loss(&model, options(threads, Loss::MeanSquared)).unwrap();
            let mut loss = |y: ndarray::ArrayView2<f32>| {
                let (loss, d) =
                    ops::softmax_cross_entropy(y, &labels, 0.0, None).map_err(|e| e.to_string())?;
                Ok((f64::from(loss), d))
            };
            let pixels = |i: usize| Pixels::F32(&x[i * SIZE..(i + 1) * SIZE]);
            let (_, outputs) = own.gather_by(N, pixels, &mut loss).unwrap();
            assert_eq!(outputs.dim(), (N, 3));
            assert_eq!(own.gathered().len(), engine.gathered().len());
            for (a, b) in own.gathered().iter().zip(engine.gathered()) {
                assert!((a - b).abs() <= 1e-5 * (1.0 + b.abs()), "{a} {b}");
            }
            all.push(own.gathered().to_vec());
            let error = own.gather_by(N, pixels, &mut |_| Err("no".into())).unwrap_err();
            assert_eq!(error, Error::Loss("no".into()));
            let short = own.gather_by(N, pixels, &mut |_| Ok((0.0, ndarray::Array2::zeros((1, 3)))));
            assert!(short.unwrap_err().to_string().contains("[1, 3]"));
        }
        assert!(all.windows(2).all(|pair| pair[0] == pair[1]), "any number of threads has the same bits");
    }
}

#[test]
fn groups_have_rates_and_norms_are_cut() {
    let (x, labels, model) = (numbers(), labels(), plain());
    let mut engine = Engine::new(&model, options(2, Loss::default())).unwrap();
    engine.set_rates(0, Rates { lr: 0.0, decay: None });
    step(&mut engine, &x, &labels, Some(0.01));
    let after = engine.model();
    assert_eq!(after.params()[0], model.params()[0]);
    assert_ne!(after.params()[2], model.params()[2]);
    step(&mut engine, &x, &labels, None);
    let before = norm(engine.gathered());
    assert_eq!(clip_by_norm(engine.gathered_mut(), 1e-3), before);
    assert!((norm(engine.gathered()) - 1e-3).abs() < 1e-8);
    assert!(engine.gradient(0).is_some_and(|g| g.len() == 90) && engine.gradient(99).is_none());
}

/// Doubles its input and adds a number for each channel; fails when it is told to.
#[derive(Debug)]
struct Twice {
    fails: bool,
}

impl CustomLayer for Twice {
    fn kind(&self) -> &'static str {
        "twice"
    }

    fn shape(&self, inputs: &[[usize; 3]]) -> Result<[usize; 3], String> {
        if inputs[0][2] > 64 { Err(format!("{inputs:?} has too many channels")) } else { Ok(inputs[0]) }
    }

    fn params(&self, inputs: &[[usize; 3]]) -> Vec<CustomParam> {
        let init = Init::Constant(0.5);
        vec![CustomParam { what: "more", shape: vec![inputs[0][2]], init, role: ParamRole::Offsets }]
    }

    fn forward(&self, x: &[ArrayView4<f32>], p: &[ArrayViewD<f32>]) -> Result<Array4<f32>, String> {
        if self.fails {
            return Err("told to fail".into());
        }
        let mut y = 2.0 * &x[0];
        y += &p[0];
        Ok(y)
    }

    fn backward(
        &self,
        _: &[ArrayView4<f32>],
        _: &[ArrayViewD<f32>],
        _: ArrayView4<f32>,
        d: ArrayView4<f32>,
    ) -> Result<CustomGradients, String> {
        let more = d.sum_axis(Axis(0)).sum_axis(Axis(0)).sum_axis(Axis(0)).into_dyn();
        Ok(CustomGradients { inputs: vec![2.0 * &d], params: vec![more] })
    }
}

/// The net with the own layer, and one that does the same with a depthwise convolution.
fn twins() -> [Model; 2] {
    let own =
        net().batch_norm().layer(Custom::new(Twice { fails: false })).flatten().dense(3).build(1).unwrap();
    let known = net().batch_norm().layer(Conv2d::new(5, 1).groups(5)).flatten().dense(3);
    let known = Model::with_params(known.spec(), |name, shape| {
        Ok(match name {
            "conv2d_2.filter" => vec![2.0; shape.iter().product()],
            "conv2d_2.bias" => vec![0.5; 5],
            _ => own.param(name).ok_or(name)?.values.clone(),
        })
    });
    [own, known.unwrap()]
}

#[test]
fn an_own_layer_is_trained_and_asked_like_any_other() {
    let (x, labels, [own, mut known]) = (numbers(), labels(), twins());
    known.freeze(&["max_pool_1"]).unwrap();
    let mut engines = [&own, &known].map(|model| Engine::new(model, options(2, Loss::default())).unwrap());
    let filter = known.params().iter().position(|p| p.name == "conv2d_2.filter").unwrap();
    engines[1].set_rates(filter, Rates { lr: 0.0, decay: None });
    for _ in 0..5 {
        let losses = engines.each_mut().map(|engine| step(engine, &x, &labels, Some(0.01)));
        assert!((losses[0] - losses[1]).abs() < 1e-4, "{losses:?}");
    }
    let [own, known] = engines.each_ref().map(|engine| engine.model());
    let (a, b) = (&own.param("twice_1.more").unwrap().values, &known.param("conv2d_2.bias").unwrap().values);
    assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-3) && a.iter().any(|v| (v - 0.5).abs() > 1e-3));
    // One image, a few, many; and the interpreter.
    for count in [1, 3, N] {
        let rows =
            engines.each_mut().map(|e| e.predict(count, |i| Pixels::F32(&x[i * SIZE..(i + 1) * SIZE])));
        assert!(rows[0].iter().zip(&rows[1]).all(|(a, b)| (a - b).abs() < 1e-2), "{count}");
        let batch = ArrayView4::from_shape((count, 6, 6, 2), &x[..count * SIZE]).unwrap();
        let said = own.predict(batch).unwrap();
        assert!(said.iter().zip(&rows[0]).all(|(a, b)| (a - b).abs() < 1e-4), "{count}");
    }
    let profile = engines[0].profile(1, |i| Example {
        pixels: Pixels::F32(&x[i * SIZE..(i + 1) * SIZE]),
        target: Target::Class(labels[i]),
        weight: 1.0,
    });
    assert!(profile.seconds > 0.0);
    assert_eq!(own.spec().to_toml().unwrap_err(), Error::CustomSaved { kind: "twice" });
}

#[test]
fn own_layers_that_fail_say_so() {
    let model = net().layer(Custom::new(Twice { fails: true })).flatten().dense(3).build(1).unwrap();
    let (x, labels) = (numbers(), labels());
    let mut engine = Engine::new(&model, options(2, Loss::default())).unwrap();
    let before = engine.values().to_vec();
    assert!(step(&mut engine, &x, &labels, Some(0.01)).is_nan());
    assert_eq!(engine.values(), before);
    let fault = engine.fault().unwrap();
    assert!(fault.to_string().contains("told to fail"), "{fault}");
    assert_eq!(engine.fault(), None);
    for count in [1, N] {
        let rows = engine.predict(count, |i| Pixels::F32(&x[i * SIZE..(i + 1) * SIZE]));
        assert!(rows.iter().all(|v| v.is_nan()) && engine.fault().is_some());
    }
    let wide = Sequential::new([2, 2, 65]).layer(Custom::new(Twice { fails: false })).build(0).unwrap_err();
    assert!(wide.to_string().contains("`twice_1`") && wide.to_string().contains("too many"), "{wide}");
}

#[test]
fn batches_gathered_for_one_step_drop_other_numbers() {
    let model = Sequential::new([6, 6, 2]).flatten().layer(Dropout { rate: 0.5 }).dense(3).build(0).unwrap();
    let (x, labels) = (numbers(), labels());
    let mut engine = Engine::new(&model, options(1, Loss::default())).unwrap();
    step(&mut engine, &x, &labels, None);
    let first = engine.gathered().to_vec();
    step(&mut engine, &x, &labels, None);
    let second: Vec<f32> = engine.gathered().iter().zip(&first).map(|(all, first)| all - first).collect();
    assert!(first.iter().zip(&second).any(|(a, b)| (a - b).abs() > 1e-4));
}

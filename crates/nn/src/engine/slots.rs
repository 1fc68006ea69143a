//! What the optimizer keeps, parameter by parameter: for those who keep the state of a training by names.

use super::core::Engine;
use crate::optim::Optimizer;

impl Engine {
    /// The two moments of parameter `p`, an index into [`crate::Model::params`]; `None` if training does not change it.
    pub fn moments(&self, p: usize) -> Option<[&[f32]; 2]> {
        let at = self.place(p)?;
        let [m, v] = &self.moments;
        Some([m.get(at.clone())?, v.get(at)?])
    }

    /// The two moments of parameter `p`, to be changed.
    pub fn moments_mut(&mut self, p: usize) -> Option<[&mut [f32]; 2]> {
        let at = self.place(p)?;
        let [m, v] = &mut self.moments;
        Some([m.get_mut(at.clone())?, v.get_mut(at)?])
    }

    fn place(&self, p: usize) -> Option<std::ops::Range<usize>> {
        let param = self.model.params().get(p).filter(|param| param.trainable)?;
        let first = self.plan.places.offsets[p];
        Some(first..first + param.values.len())
    }

    /// Goes on as after so many steps.
    pub fn set_steps(&mut self, steps: u64) {
        self.steps = steps;
    }

    /// Takes other numbers for the optimizer from the next step on.
    pub fn set_optimizer(&mut self, optimizer: Optimizer) {
        self.options.optimizer = optimizer;
    }
}

#[cfg(test)]
mod tests {
    use crate::engine::{Engine, Example, Options, Pixels, Target};
    use crate::loss::Loss;
    use crate::optim::Optimizer;
    use crate::{Isa, Model, builtin};

    /// An engine that is given parameters and moments by their names goes on to the same bits.
    #[test]
    fn a_training_goes_on_from_its_parameters_and_moments() {
        let model = Model::new(&builtin::spec("lab-11-1").unwrap(), 3).unwrap();
        let options = Options {
            batch_size: 4,
            threads: 1,
            loss: Some(Loss::default()),
            optimizer: Optimizer::default(),
            seed: 1,
            scale: vec![1.0],
            shift: vec![0.0],
            isa: Isa::best(),
        };
        let images: Vec<Vec<f32>> =
            (0..4).map(|i| (0..784).map(|j| ((i * 7 + j) % 11) as f32 / 11.0).collect()).collect();
        let step = |engine: &mut Engine| {
            engine.step(4, 1e-3, |i| Example {
                pixels: Pixels::F32(&images[i]),
                target: Target::Class(i as u32),
                weight: 1.0,
            })
        };
        let mut first = Engine::new(&model, options.clone()).unwrap();
        for _ in 0..3 {
            step(&mut first);
        }
        let mut second = Engine::new(&first.model(), options).unwrap();
        second.set_steps(first.steps());
        for p in 0..model.params().len() {
            let ([m, v], [to_m, to_v]) = (first.moments(p).unwrap(), second.moments_mut(p).unwrap());
            assert!(m.iter().chain(v).any(|x| *x != 0.0));
            to_m.copy_from_slice(m);
            to_v.copy_from_slice(v);
        }
        assert_eq!(step(&mut first), step(&mut second));
        assert_eq!(first.model().params(), second.model().params());
        let optimizer = Optimizer::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-2, decay: 0.0 };
        second.set_optimizer(optimizer);
        step(&mut first);
        step(&mut second);
        assert_ne!(first.model().params(), second.model().params());
    }
}

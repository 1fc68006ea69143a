//! Optimizers, one parameter vector at a time, as PyTorch defines them.

/// Stochastic gradient descent with momentum.
///
/// `g += weight_decay p; b = momentum b + g` (the first `b` is `g`);
/// the step is `g + momentum b` with Nesterov, else `b`; `p -= lr step`.
#[derive(Clone, Debug, Default)]
pub struct Sgd {
    /// The learning rate.
    pub lr: f64,
    /// The momentum; 0 for none.
    pub momentum: f64,
    /// Nesterov's look ahead.
    pub nesterov: bool,
    /// L2 penalty, added to the gradient.
    pub weight_decay: f64,
    velocity: Vec<f64>,
}

impl Sgd {
    /// An optimizer that has not stepped.
    #[must_use]
    pub fn new(lr: f64, momentum: f64, nesterov: bool, weight_decay: f64) -> Sgd {
        Sgd { lr, momentum, nesterov, weight_decay, velocity: Vec::new() }
    }

    /// One update in place.
    pub fn step(&mut self, parameters: &mut [f64], gradients: &[f64]) {
        self.velocity.resize(parameters.len(), 0.0);
        for ((p, g), b) in parameters.iter_mut().zip(gradients).zip(&mut self.velocity) {
            let g = g + self.weight_decay * *p;
            *b = self.momentum * *b + g;
            let step = if self.nesterov { g + self.momentum * *b } else { *b };
            *p -= self.lr * step;
        }
    }
}

/// Adam, and AdamW if the decay is decoupled.
///
/// `m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2;`
/// `p -= lr (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + epsilon)`: epsilon is
/// outside the root. Coupled decay adds `weight_decay p` to `g`; decoupled
/// decay first does `p *= 1 - lr weight_decay`.
#[derive(Clone, Debug)]
pub struct Adam {
    /// The learning rate.
    pub lr: f64,
    /// The decays of the two moments.
    pub betas: [f64; 2],
    /// Added to the root.
    pub epsilon: f64,
    /// The weight decay.
    pub weight_decay: f64,
    /// AdamW's decay, apart from the gradient.
    pub decoupled: bool,
    moments: Vec<[f64; 2]>,
    steps: i32,
}

impl Adam {
    /// An optimizer that has not stepped.
    #[must_use]
    pub fn new(lr: f64, betas: [f64; 2], epsilon: f64, weight_decay: f64, decoupled: bool) -> Adam {
        Adam { lr, betas, epsilon, weight_decay, decoupled, moments: Vec::new(), steps: 0 }
    }

    /// One update in place.
    pub fn step(&mut self, parameters: &mut [f64], gradients: &[f64]) {
        self.moments.resize(parameters.len(), [0.0; 2]);
        self.steps += 1;
        let [b1, b2] = self.betas;
        let unbias = self.betas.map(|b| 1.0 - b.powi(self.steps));
        for ((p, &g), [m, v]) in parameters.iter_mut().zip(gradients).zip(&mut self.moments) {
            let mut g = g;
            if self.decoupled {
                *p *= 1.0 - self.lr * self.weight_decay;
            } else {
                g += self.weight_decay * *p;
            }
            *m = b1 * *m + (1.0 - b1) * g;
            *v = b2 * *v + (1.0 - b2) * g * g;
            *p -= self.lr * (*m / unbias[0]) / ((*v / unbias[1]).sqrt() + self.epsilon);
        }
    }
}

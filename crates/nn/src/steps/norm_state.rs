//! Statistics of a batch.

/// A batch normalization's numbers for the present batch.
pub struct NormState {
    pub mean: Vec<f32>,
    pub scale: Vec<f32>,
    pub shift: Vec<f32>,
    /// One by the deviation.
    pub inverse: Vec<f64>,
    /// Numbers that the statistics are of.
    pub count: f64,
    /// Factors of the gradient, of the input, and what is added.
    pub backward: Vec<[f32; 3]>,
}

impl NormState {
    pub fn new(channels: usize) -> Self {
        Self {
            mean: vec![0.0; channels],
            scale: vec![0.0; channels],
            shift: vec![0.0; channels],
            inverse: vec![0.0; channels],
            count: 0.0,
            backward: vec![[0.0; 3]; channels],
        }
    }

    /// Scale and shift from statistics.
    pub fn set(&mut self, c: usize, mean: f64, variance: f64, epsilon: f32, gamma: f32, beta: f32) {
        let inverse = 1.0 / (variance + f64::from(epsilon)).sqrt();
        self.mean[c] = mean as f32;
        self.inverse[c] = inverse;
        self.scale[c] = (f64::from(gamma) * inverse) as f32;
        self.shift[c] = (f64::from(beta) - mean * f64::from(gamma) * inverse) as f32;
    }
}

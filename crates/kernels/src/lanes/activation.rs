//! Activations: each is one entry of the list below, with its value, its slope and whether the slope can be told
//! from the value alone. They do not care for the layout, so the operators on NHWC arrays use them as well.

mod functions;

use crate::dispatch::{Isa, TRAINING, WITHOUT};
use crate::simd::{Kernel, Simd, exp, exp_minus_1};
use functions::{clip, normal, sigmoid, sigmoids, softplus, tanh};

/// Makes of the list the type [`Activation`], the choice of value and slope, and a loop for each function, so that
/// the choice is made outside of it.
macro_rules! activations {
    ($(
        $(#[$about:meta])*
        $name:ident $(($($number:ident: $type:ty),+))? {
            value($s:ident, $x:ident) $value:block
            slope($t:ident, $u:pat_param, $y:pat_param) $slope:block
            from_output: $told:expr
        }
    )+) => {
        /// An activation function.
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub enum Activation {
            $($(#[$about])* $name $(($($type),+))?,)+
        }

        impl Activation {
            #[inline(always)]
            pub(crate) fn value<S: Simd>(self, s: S, x: S::V) -> S::V {
                match self {
                    $(Activation::$name $(($($number),+))? => {
                        let ($s, $x) = (s, x);
                        $value
                    })+
                }
            }

            /// The slope at `x`, where the value is `y`; where `y` tells it, `x` may be `y`.
            #[inline(always)]
            #[allow(unused_variables)]
            fn slope<S: Simd>(self, s: S, x: S::V, y: S::V) -> S::V {
                match self {
                    $(Activation::$name $(($($number),+))? => {
                        let ($t, $u, $y) = (s, x, y);
                        $slope
                    })+
                }
            }

            /// Whether the slope can be computed from the value alone, so that the function may be applied in
            /// place: what [`Activation::backward_in_place`] asks for.
            #[allow(unused_variables)]
            pub fn slope_from_output(self) -> bool {
                match self {
                    $(Activation::$name $(($($number),+))? => $told,)+
                }
            }
        }

        impl Kernel for Map {
            type Output = ();

            #[inline(always)]
            fn run<S: Simd>(self, s: S) {
                match self.f {
                    $(Activation::$name $(($($number),+))? => {
                        self.each(s, Activation::$name $(($($number),+))?)
                    })+
                }
            }
        }
    };
}

/// Where a smooth activation is as good as its limits: numbers beyond are taken for this, so that no infinity is
/// multiplied by what should be 0.
const FAR: f32 = 90.0;

activations! {
    /// `max(x, 0)`.
    Relu {
        value(s, x) { s.max(s.splat(0.0), x) }
        slope(s, _, y) { s.keep(s.gt(y, s.splat(0.0)), s.splat(1.0)) }
        from_output: true
    }
    /// `x` where positive, else `alpha * x`.
    LeakyRelu(alpha: f32) {
        value(s, x) { s.select(s.gt(x, s.splat(0.0)), x, s.mul(x, s.splat(alpha))) }
        slope(s, x, _) { s.select(s.gt(x, s.splat(0.0)), s.splat(1.0), s.splat(alpha)) }
        from_output: alpha >= 0.0
    }
    /// `x`, but at least the first number and at most the second; the slope at both is 0.
    Clip(low: f32, high: f32) {
        value(s, x) { clip(s, x, low, high) }
        slope(s, _, y) { s.keep(s.gt(y, s.splat(low)), s.keep(s.gt(s.splat(high), y), s.splat(1.0))) }
        from_output: true
    }
    /// `1 / (1 + e^-x)`.
    Sigmoid {
        value(s, x) { sigmoid(s, x) }
        slope(s, _, y) { s.mul(y, s.sub(s.splat(1.0), y)) }
        from_output: true
    }
    /// `alpha * x + beta`, but at least 0 and at most 1; the slope at both is 0. PyTorch has (1/6, 1/2), Keras the
    /// same, ONNX (0.2, 0.5) unless told otherwise.
    HardSigmoid(alpha: f32, beta: f32) {
        value(s, x) { clip(s, s.mul_add(x, s.splat(alpha), s.splat(beta)), 0.0, 1.0) }
        slope(s, _, y) { s.keep(s.gt(y, s.splat(0.0)), s.keep(s.gt(s.splat(1.0), y), s.splat(alpha))) }
        from_output: true
    }
    /// The hyperbolic tangent.
    Tanh {
        value(s, x) { tanh(s, x) }
        slope(s, _, y) { s.sub(s.splat(1.0), s.mul(y, y)) }
        from_output: true
    }
    /// `x * Phi(x)` with the normal distribution's Phi (the exact form, not the tanh approximation).
    Gelu {
        value(s, x) { s.mul(x, normal(s, x).0) }
        slope(s, x, _) {
            let (cdf, density) = normal(s, x);
            // Beyond 20 the density is as good as 0, but not quite 0 in `exp`.
            s.mul_add(clip(s, x, -20.0, 20.0), density, cdf)
        }
        from_output: false
    }
    /// `x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))`, which is `x` times the sigmoid of twice that argument:
    /// the approximation of Hendrycks and Gimpel (2016).
    GeluTanh {
        value(s, x) { s.mul(s.max(s.splat(-20.0), x), sigmoids(s, gelu_argument(s, x).0).0) }
        slope(s, x, _) {
            let (argument, its_slope) = gelu_argument(s, x);
            let (above, below) = sigmoids(s, argument);
            s.mul_add(s.mul(s.mul(clip(s, x, -20.0, 20.0), its_slope), below), above, above)
        }
        from_output: false
    }
    /// `x * sigmoid(x)`, also called swish.
    Silu {
        value(s, x) { s.mul(s.max(s.splat(-FAR), x), sigmoids(s, x).0) }
        slope(s, x, _) {
            let (above, below) = sigmoids(s, x);
            s.mul_add(s.mul(clip(s, x, -FAR, FAR), below), above, above)
        }
        from_output: false
    }
    /// `x` times `x/6 + 1/2` between 0 and 1; the slope is 0 at -3 and 1 at 3.
    HardSwish {
        value(s, x) {
            let gate = clip(s, s.add(x, s.splat(3.0)), 0.0, 6.0);
            s.mul(s.max(s.splat(-3.0), x), s.mul(gate, s.splat(1.0 / 6.0)))
        }
        slope(s, x, _) {
            let between = s.mul_add(x, s.splat(1.0 / 3.0), s.splat(0.5));
            let slope = s.select(s.gt(s.splat(3.0), x), between, s.splat(1.0));
            s.keep(s.gt(x, s.splat(-3.0)), slope)
        }
        from_output: false
    }
    /// `x` where positive, else `alpha (e^x - 1)`.
    Elu(alpha: f32) {
        value(s, x) { s.select(s.gt(x, s.splat(0.0)), x, s.mul(s.splat(alpha), exp_minus_1(s, x))) }
        slope(s, x, y) { s.select(s.gt(x, s.splat(0.0)), s.splat(1.0), s.add(y, s.splat(alpha))) }
        from_output: alpha >= 0.0
    }
    /// `gamma x` where positive, else `gamma alpha (e^x - 1)`: `(alpha, gamma)`. Those of ONNX, TensorFlow and
    /// PyTorch are [`Activation::SELU`].
    Selu(alpha: f32, gamma: f32) {
        value(s, x) {
            let below = s.mul(s.splat(alpha), exp_minus_1(s, x));
            s.mul(s.splat(gamma), s.select(s.gt(x, s.splat(0.0)), x, below))
        }
        slope(s, x, y) {
            s.select(s.gt(x, s.splat(0.0)), s.splat(gamma), s.add(y, s.splat(alpha * gamma)))
        }
        from_output: alpha >= 0.0 && gamma > 0.0
    }
    /// `max(0, x) + min(0, alpha (e^(x / alpha) - 1))`; `alpha` must not be 0.
    Celu(alpha: f32) {
        value(s, x) {
            let below = s.mul(s.splat(alpha), exp_minus_1(s, s.div(x, s.splat(alpha))));
            s.select(s.gt(x, s.splat(0.0)), x, below)
        }
        slope(s, x, y) {
            let below = s.add(s.div(y, s.splat(alpha)), s.splat(1.0));
            s.select(s.gt(x, s.splat(0.0)), s.splat(1.0), below)
        }
        from_output: alpha > 0.0
    }
    /// `ln(1 + e^x)`.
    Softplus {
        value(s, x) { softplus(s, x) }
        slope(s, x, _) { sigmoids(s, x).0 }
        from_output: false
    }
    /// `x tanh(ln(1 + e^x))`.
    Mish {
        value(s, x) { s.mul(s.max(s.splat(-FAR), x), mish_gate(s, x).0) }
        slope(s, x, _) {
            let (gate, its_slope) = mish_gate(s, x);
            s.mul_add(clip(s, x, -FAR, FAR), its_slope, gate)
        }
        from_output: false
    }
}

/// The argument of the sigmoid in [`Activation::GeluTanh`] and its slope; from 20 on nothing changes any more.
#[inline(always)]
fn gelu_argument<S: Simd>(s: S, x: S::V) -> (S::V, S::V) {
    const TWICE_ROOT: f32 = 2.0 * 0.797_884_6;
    let x = clip(s, x, -20.0, 20.0);
    let square = s.mul(s.mul(x, x), s.splat(0.044_715 * TWICE_ROOT));
    let argument = s.mul(x, s.add(square, s.splat(TWICE_ROOT)));
    (argument, s.mul_add(square, s.splat(3.0), s.splat(TWICE_ROOT)))
}

/// `tanh(ln(1 + e^x))` and its slope, without a difference of large numbers: with `e = e^x` and `n = e (e + 2)`
/// they are `n / (n + 2)` and `4 e (1 + e) / (n + 2)^2`. From 20 on nothing changes any more.
#[inline(always)]
fn mish_gate<S: Simd>(s: S, x: S::V) -> (S::V, S::V) {
    let e = exp(s, s.min(s.splat(20.0), x));
    let n = s.mul(e, s.add(e, s.splat(2.0)));
    let inverse = s.div(s.splat(1.0), s.add(n, s.splat(2.0)));
    let above = s.mul(s.mul(s.splat(4.0), e), s.add(e, s.splat(1.0)));
    (s.mul(n, inverse), s.mul(s.mul(above, inverse), inverse))
}

impl Activation {
    /// SELU with the constants of Klambauer et al. (2017), as in ONNX, TensorFlow and PyTorch.
    pub const SELU: Self = Activation::Selu(1.673_263_2, 1.050_701);

    /// `y = f(x)`, element by element; both slices have one length.
    pub fn forward(self, isa: Isa, x: &[f32], y: &mut [f32]) {
        let n = x.len().min(y.len());
        isa.run(Map { n, f: self, pass: MapPass::Forward { x: x.as_ptr(), y: y.as_mut_ptr() } });
    }

    /// `x = f(x)`.
    pub fn forward_in_place(self, isa: Isa, x: &mut [f32]) {
        isa.run(Map { n: x.len(), f: self, pass: MapPass::Forward { x: x.as_mut_ptr(), y: x.as_mut_ptr() } });
    }

    /// `d *= f'(x)` from `y = f(x)` alone, for functions whose slope `y` tells; slices of one length.
    ///
    /// # Panics
    /// When [`Activation::slope_from_output`] says no.
    pub fn backward_in_place(self, isa: Isa, y: &[f32], d: &mut [f32]) {
        assert!(self.slope_from_output(), "the value does not tell the slope of {self:?}");
        let n = y.len().min(d.len());
        let (y, dx) = (y.as_ptr(), d.as_mut_ptr());
        let dy = dx.cast_const();
        isa.run(Map { n, f: self, pass: MapPass::Backward { x: y, y, dy, dx } });
    }

    /// `dx = dy * f'(x)`, where `y = f(x)`; all slices have one length.
    pub fn backward(self, isa: Isa, x: &[f32], y: &[f32], dy: &[f32], dx: &mut [f32]) {
        let n = x.len().min(y.len()).min(dy.len()).min(dx.len());
        isa.run(Map {
            n,
            f: self,
            pass: MapPass::Backward { x: x.as_ptr(), y: y.as_ptr(), dy: dy.as_ptr(), dx: dx.as_mut_ptr() },
        });
    }
}

enum MapPass {
    Forward { x: *const f32, y: *mut f32 },
    Backward { x: *const f32, y: *const f32, dy: *const f32, dx: *mut f32 },
}

struct Map {
    n: usize,
    f: Activation,
    pass: MapPass,
}

impl Map {
    #[inline(always)]
    fn each<S: Simd>(&self, s: S, f: Activation) {
        let mut i = 0;
        while i + S::LANES <= self.n {
            // SAFETY: `i + LANES <= n`, which is the shortest slice's length; a number is read before it is
            // written, also where both slices are one.
            unsafe {
                match self.pass {
                    MapPass::Forward { x, y } => s.store(y.add(i), f.value(s, s.load(x.add(i)))),
                    MapPass::Backward { x, y, dy, dx } if TRAINING => {
                        let slope = f.slope(s, s.load(x.add(i)), s.load(y.add(i)));
                        s.store(dx.add(i), s.mul(s.load(dy.add(i)), slope));
                    }
                    MapPass::Backward { .. } => panic!("{WITHOUT}"),
                }
            }
            i += S::LANES;
        }
        if i < self.n {
            let m = self.n - i;
            // SAFETY: as above, for the `m` numbers left.
            unsafe {
                match self.pass {
                    MapPass::Forward { x, y } => {
                        s.store_first(y.add(i), f.value(s, s.load_first(x.add(i), m)), m);
                    }
                    MapPass::Backward { x, y, dy, dx } if TRAINING => {
                        let slope = f.slope(s, s.load_first(x.add(i), m), s.load_first(y.add(i), m));
                        let g = s.mul(s.load_first(dy.add(i), m), slope);
                        s.store_first(dx.add(i), g, m);
                    }
                    MapPass::Backward { .. } => panic!("{WITHOUT}"),
                }
            }
        }
    }
}

use crate::each;
use foveal_kernels::Isa;
use foveal_kernels::lanes::elementwise::{self, Activation, dropout_mask};
use foveal_kernels::simd::{Kernel, Simd, exp};
use foveal_testkit::Random;
use foveal_testkit::reference::activation::Activation as Reference;

/// Functions, with what they should be.
fn functions() -> Vec<(Activation, Reference)> {
    let leak = 0.2f32;
    let hard = |alpha: f32, beta: f32| {
        let reference = Reference::HardSigmoid { alpha: f64::from(alpha), beta: f64::from(beta) };
        (Activation::HardSigmoid(alpha, beta), reference)
    };
    let selu = |alpha: f32, gamma: f32| {
        let reference = Reference::Selu { alpha: f64::from(alpha), gamma: f64::from(gamma) };
        (Activation::Selu(alpha, gamma), reference)
    };
    let elu = |alpha: f32| (Activation::Elu(alpha), Reference::Elu { alpha: f64::from(alpha) });
    let celu = |alpha: f32| (Activation::Celu(alpha), Reference::Celu { alpha: f64::from(alpha) });
    vec![
        (Activation::Relu, Reference::Relu),
        (Activation::LeakyRelu(leak), Reference::LeakyRelu { alpha: f64::from(leak) }),
        (Activation::LeakyRelu(-0.5), Reference::LeakyRelu { alpha: -0.5 }),
        (Activation::Clip(0.0, 6.0), Reference::Clip { min: 0.0, max: 6.0 }),
        (Activation::Clip(-1.5, 0.75), Reference::Clip { min: -1.5, max: 0.75 }),
        (Activation::Sigmoid, Reference::Sigmoid),
        (Activation::Tanh, Reference::Tanh),
        (Activation::Gelu, Reference::Gelu),
        (Activation::GeluTanh, Reference::GeluTanh),
        (Activation::Silu, Reference::Silu),
        (Activation::HardSwish, Reference::HardSwish),
        hard(1.0 / 6.0, 0.5),
        hard(0.2, 0.5),
        hard(-0.375, 0.25),
        hard(0.0, 0.5),
        elu(1.0),
        elu(0.4),
        elu(-0.75),
        selu(1.673_263_2, 1.050_701),
        selu(0.5, -1.25),
        celu(1.0),
        celu(0.3),
        celu(2.5),
        (Activation::Softplus, Reference::Softplus),
        (Activation::Mish, Reference::Mish),
    ]
}

/// 1e-6 relative or 2e-7 absolute, whichever is more.
fn close(what: &str, x: f32, ours: f32, want: f64, worst: &mut f64) {
    if ours == want as f32 {
        return;
    }
    let error = (f64::from(ours) - want).abs();
    assert!(error <= 2e-7 || error <= 1e-6 * want.abs(), "{what} at {x}: {ours} where {want}");
    *worst = worst.max(error / want.abs().max(0.2));
}

fn points(random: &mut Random) -> Vec<f32> {
    let mut x: Vec<f32> = (-4000..=4000).map(|i| i as f32 / 200.0).collect();
    x.extend((0..4001).map(|_| (random.normal() * 3.0) as f32));
    x.extend([0.0, -0.0, 1e-30, -1e-30, 87.0, -87.0, 100.0, -100.0, f32::MAX, f32::MIN]);
    x
}

#[test]
fn activations() {
    each(|isa| {
        let x = points(&mut Random::new(10));
        for (f, reference) in functions() {
            let name = format!("{} {f:?}", isa.name());
            let mut worst = [0f64; 2];
            let mut y = vec![0.0; x.len()];
            f.forward(isa, &x, &mut y);
            let wide = ndarray::Array1::from_iter(x.iter().map(|&v| f64::from(v)));
            let (want, ones) = (reference.forward(&wide), wide.mapv(|_| 1.0));
            let slope = reference.backward(&ones, &wide);
            let mut in_place = x.clone();
            f.forward_in_place(isa, &mut in_place);
            assert_eq!(in_place, y, "{name}");
            let d = vec![1.0f32; x.len()];
            let mut dx = vec![9.0; x.len()];
            f.backward(isa, &x, &y, &d, &mut dx);
            for i in 0..x.len() {
                close(&name, x[i], y[i], want[i], &mut worst[0]);
                // At the ends f64 has no slope either.
                if slope[i].is_finite() {
                    close(&format!("{name} slope"), x[i], dx[i], slope[i], &mut worst[1]);
                }
            }
            if f.slope_from_output() {
                let mut d = vec![1.0; x.len()];
                f.backward_in_place(isa, &y, &mut d);
                for i in (0..x.len()).filter(|&i| x[i].abs() > 1e-20) {
                    assert_eq!(d[i], dx[i], "{name} in place at {}", x[i]);
                }
            }
            println!("{name}: worst {:.1e}, slope {:.1e}", worst[0], worst[1]);
        }
    });
}

#[test]
fn which_slopes_the_output_tells() {
    // Where it does not, two numbers have one value and two slopes, or so near that f32 cannot tell.
    let not = [
        Activation::LeakyRelu(-0.5),
        Activation::LeakyRelu(f32::NAN),
        Activation::Gelu,
        Activation::GeluTanh,
        Activation::Silu,
        Activation::HardSwish,
        Activation::Elu(-0.75),
        Activation::Selu(0.5, -1.25),
        Activation::Selu(-0.5, 1.25),
        Activation::Celu(-1.0),
        Activation::Softplus,
        Activation::Mish,
    ];
    for (f, _) in functions() {
        assert_eq!(f.slope_from_output(), !not.contains(&f), "{f:?}");
    }
    assert!(not.iter().all(|f| !f.slope_from_output()));
    assert!(Activation::Elu(0.0).slope_from_output() && Activation::SELU.slope_from_output());
}

#[test]
fn infinities_give_limits() {
    each(|isa| {
        let x = [f32::NEG_INFINITY, f32::INFINITY];
        let limits = [
            (Activation::Silu, [0.0, f32::INFINITY], [0.0, 1.0]),
            (Activation::GeluTanh, [0.0, f32::INFINITY], [0.0, 1.0]),
            (Activation::HardSwish, [0.0, f32::INFINITY], [0.0, 1.0]),
            (Activation::HardSigmoid(0.2, 0.5), [0.0, 1.0], [0.0, 0.0]),
            (Activation::Elu(0.5), [-0.5, f32::INFINITY], [0.0, 1.0]),
            (Activation::Selu(0.5, 2.0), [-1.0, f32::INFINITY], [0.0, 2.0]),
            (Activation::Celu(0.5), [-0.5, f32::INFINITY], [0.0, 1.0]),
            (Activation::Celu(-0.5), [f32::NEG_INFINITY, f32::INFINITY], [f32::INFINITY, 1.0]),
            (Activation::Softplus, [0.0, f32::INFINITY], [0.0, 1.0]),
            (Activation::Mish, [0.0, f32::INFINITY], [0.0, 1.0]),
        ];
        for (f, values, slopes) in limits {
            let (mut y, mut dx) = ([9.0; 2], [9.0; 2]);
            f.forward(isa, &x, &mut y);
            f.backward(isa, &x, &y, &[1.0; 2], &mut dx);
            let near = |a: f32, b: f32| a == b || (a - b).abs() < 1e-30;
            for i in 0..2 {
                assert!(near(y[i], values[i]), "{} {f:?} of {}: {}", isa.name(), x[i], y[i]);
                assert!(near(dx[i], slopes[i]), "{} {f:?} slope at {}: {}", isa.name(), x[i], dx[i]);
            }
        }
    });
}

#[test]
fn small_numbers_keep_their_digits() {
    each(|isa| {
        let x: Vec<f32> = (1..=60).map(|i| -(10f32.powf(-0.5 * i as f32))).collect();
        for (f, reference) in [
            (Activation::Elu(1.0), Reference::Elu { alpha: 1.0 }),
            (Activation::Celu(0.5), Reference::Celu { alpha: 0.5 }),
            (Activation::Silu, Reference::Silu),
            (Activation::Mish, Reference::Mish),
        ] {
            let mut y = vec![0.0; x.len()];
            f.forward(isa, &x, &mut y);
            let want = reference.forward(&ndarray::Array1::from_iter(x.iter().map(|&v| f64::from(v))));
            for (i, (&y, want)) in y.iter().zip(want).enumerate() {
                let error = (f64::from(y) - want).abs() / want.abs();
                assert!(error < 1e-6, "{} {f:?} at {}: {y} where {want}", isa.name(), x[i]);
            }
        }
        // Far below zero softplus is e^x.
        let x: Vec<f32> = (4..=160).map(|i| -0.5 * i as f32).collect();
        let mut y = vec![0.0; x.len()];
        Activation::Softplus.forward(isa, &x, &mut y);
        for (&x, y) in x.iter().zip(y) {
            let want = f64::from(x).exp().ln_1p();
            assert!((f64::from(y) - want).abs() < 1e-6 * want, "{} softplus at {x}: {y}", isa.name());
        }
    });
}

#[test]
fn not_a_number_spreads_through_activations() {
    each(|isa| {
        let x = vec![f32::NAN; 37];
        for (f, _) in functions() {
            let mut y = vec![0.0; x.len()];
            f.forward(isa, &x, &mut y);
            assert!(y.iter().all(|v| v.is_nan()), "{} {f:?}: {}", isa.name(), y[0]);
        }
    });
}

#[test]
fn lengths_that_are_no_vectors() {
    each(|isa| {
        for n in 0..70 {
            let x: Vec<f32> = (0..n).map(|i| i as f32 - 20.0).collect();
            let mut y = vec![-5.0; n + 3];
            Activation::Relu.forward(isa, &x, &mut y[..n]);
            assert!(x.iter().zip(&y).all(|(x, y)| *y == x.max(0.0)));
            assert_eq!(y[n..], [-5.0; 3], "{}", isa.name());
            let mut sum = y[..n].to_vec();
            elementwise::add_assign(isa, &x, &mut sum);
            assert!((0..n).all(|i| sum[i] == x[i] + y[i]));
            elementwise::multiply(isa, &x, &y[..n], &mut sum);
            assert!((0..n).all(|i| sum[i] == x[i] * y[i]));
        }
    });
}

#[test]
fn exponential() {
    struct Exp<'a>(&'a [f32], &'a mut Vec<f32>);
    impl Kernel for Exp<'_> {
        type Output = ();
        fn run<S: Simd>(self, s: S) {
            for x in self.0.chunks_exact(S::LANES) {
                let mut y = vec![0.0; S::LANES];
                // SAFETY: both hold LANES numbers.
                unsafe { s.store(y.as_mut_ptr(), exp(s, s.load(x.as_ptr()))) };
                self.1.extend(y);
            }
        }
    }
    each(|isa| {
        let x: Vec<f32> = (-87 * 512..=88 * 512 - 1).map(|i| i as f32 / 512.0).collect();
        let mut y = Vec::new();
        isa.run(Exp(&x, &mut y));
        let error = |(x, y): (&f32, &f32)| {
            let want = f64::from(*x).exp();
            (f64::from(*y) - want).abs() / want
        };
        let worst = x.iter().zip(&y).map(error).fold(0.0, f64::max);
        println!("{:>8} exp: worst {worst:.1e}", isa.name());
        assert!(worst < 3e-7, "{}: {worst:e}", isa.name());
    });
}

fn mask(isa: Isa, seed: u64, rate: f32, n: usize) -> Vec<f32> {
    let mut mask = vec![9.0; n];
    dropout_mask(isa, seed, rate, &mut mask);
    mask
}

#[test]
fn dropout_masks() {
    let sets = Isa::available();
    for rate in [0.0, 0.1, 0.3, 0.5, 0.9] {
        let first = mask(sets[0], 42, rate, 100_003);
        for isa in &sets {
            assert_eq!(mask(*isa, 42, rate, 100_003), first, "{}", isa.name());
            // Number i does not depend on how many there are.
            assert_eq!(mask(*isa, 42, rate, 1001), first[..1001]);
        }
        let kept = first.iter().filter(|v| **v != 0.0).count() as f32 / first.len() as f32;
        assert!((kept - (1.0 - rate)).abs() < 0.006, "rate {rate}: {kept}");
        assert!(first.iter().all(|&v| v == 0.0 || v == 1.0 / (1.0 - rate)));
        if rate > 0.0 {
            let other = mask(sets[0], 43, rate, 100_003);
            let both = first.iter().zip(&other).filter(|(a, b)| **a != 0.0 && **b != 0.0).count() as f32;
            let share = both / first.len() as f32;
            assert!((share - (1.0 - rate) * (1.0 - rate)).abs() < 0.006, "seeds go their own ways: {share}");
        }
    }
}

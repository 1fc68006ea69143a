use crate::each;
use foveal_kernels::Isa;
use foveal_kernels::lanes::elementwise::{self, Activation, dropout_mask};
use foveal_kernels::simd::{Kernel, Simd, exp};
use foveal_testkit::Random;
use foveal_testkit::reference::activation::Activation as Reference;

/// Functions, with what they should be.
fn functions() -> [(Activation, Reference); 8] {
    let leak = 0.2f32;
    [
        (Activation::Relu, Reference::Relu),
        (Activation::LeakyRelu(leak), Reference::LeakyRelu { alpha: f64::from(leak) }),
        (Activation::LeakyRelu(-0.5), Reference::LeakyRelu { alpha: -0.5 }),
        (Activation::Clip(0.0, 6.0), Reference::Clip { min: 0.0, max: 6.0 }),
        (Activation::Clip(-1.5, 0.75), Reference::Clip { min: -1.5, max: 0.75 }),
        (Activation::Sigmoid, Reference::Sigmoid),
        (Activation::Tanh, Reference::Tanh),
        (Activation::Gelu, Reference::Gelu),
    ]
}

/// 1e-6 relative or 2e-7 absolute, whichever is more.
fn close(what: &str, x: f32, ours: f32, want: f64, worst: &mut f64) {
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
            if f != Activation::Gelu && f != Activation::LeakyRelu(-0.5) {
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

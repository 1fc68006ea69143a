//! Two inputs, number by number, with NumPy's broadcasting.

use super::Grid;
use super::fold::{AddSum, Terms, fold};
use super::map::{Adding, Function, map};
use super::walk::{Extents, View};
use crate::dispatch::Isa;
use crate::simd::Simd;

/// A function of two numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binary {
    /// `a + b`.
    Add,
    /// `a - b`.
    Subtract,
    /// `a b`.
    Multiply,
    /// The larger; of equal ones the first gets the gradient. Not-a-number spreads.
    Maximum,
    /// The smaller; of equal ones the first gets the gradient. Not-a-number spreads.
    Minimum,
}

impl Binary {
    /// The operator's name.
    pub fn name(self) -> &'static str {
        match self {
            Binary::Add => "add",
            Binary::Subtract => "subtract",
            Binary::Multiply => "multiply",
            Binary::Maximum => "maximum",
            Binary::Minimum => "minimum",
        }
    }

    pub(super) fn reads_input(self) -> bool {
        !matches!(self, Binary::Add | Binary::Subtract)
    }
}

/// A function as a type, so that the choice is made outside of the loops.
trait Of: Copy {
    fn value<S: Simd>(s: S, a: S::V, b: S::V) -> S::V;
    /// The gradient of input `K` (0 or 1) from that of the output.
    fn slope<S: Simd, const K: usize>(s: S, a: S::V, b: S::V, d: S::V) -> S::V;
}

macro_rules! functions_of_two {
    ($($name:ident: |$s:ident, $a:ident, $b:ident, $d:ident| $value:expr, $first:expr, $second:expr;)*) => {$(
        #[derive(Clone, Copy)]
        struct $name;
        impl Of for $name {
            #[inline(always)]
            fn value<S: Simd>($s: S, $a: S::V, $b: S::V) -> S::V {
                $value
            }
            #[inline(always)]
            fn slope<S: Simd, const K: usize>($s: S, $a: S::V, $b: S::V, $d: S::V) -> S::V {
                // Some functions look at neither input.
                let _ = ($s, $a, $b);
                if K == 0 { $first } else { $second }
            }
        }
    )*};
}

functions_of_two! {
    Add: |s, a, b, d| s.add(a, b), d, d;
    Subtract: |s, a, b, d| s.sub(a, b), d, s.sub(s.splat(0.0), d);
    Multiply: |s, a, b, d| s.mul(a, b), s.mul(d, b), s.mul(d, a);
    Maximum: |s, a, b, d| chosen(s, s.gt(b, a), b, a, b), chosen(s, s.gt(b, a), b, d, s.splat(0.0)),
        chosen(s, s.gt(b, a), b, s.splat(0.0), d);
    Minimum: |s, a, b, d| chosen(s, s.gt(a, b), b, a, b), chosen(s, s.gt(a, b), b, d, s.splat(0.0)),
        chosen(s, s.gt(a, b), b, s.splat(0.0), d);
}

/// The first, or the second where `second` holds or the second input is not a number.
#[inline(always)]
fn chosen<S: Simd>(s: S, second: S::M, b: S::V, of_first: S::V, of_second: S::V) -> S::V {
    s.select(second, of_second, s.select(s.eq(b, b), of_first, of_second))
}

/// The value of an [`Of`].
#[derive(Clone, Copy)]
struct Value<F>(F);

impl<F: Of> Function<2> for Value<F> {
    const READS: bool = false;
    #[inline(always)]
    fn at<S: Simd>(self, s: S, _: S::V, [a, b]: [S::V; 2]) -> S::V {
        F::value(s, a, b)
    }
}

/// The gradient of input `K`, from `[dy, a, b]`, or `[dy]` where the inputs do not matter.
#[derive(Clone, Copy)]
struct Slope<F, const K: usize>(F);

impl<F: Of, const K: usize> Function<3> for Slope<F, K> {
    const READS: bool = false;
    #[inline(always)]
    fn at<S: Simd>(self, s: S, _: S::V, [d, a, b]: [S::V; 3]) -> S::V {
        F::slope::<S, K>(s, a, b, d)
    }
}

impl<F: Of, const K: usize> Function<1> for Slope<F, K> {
    const READS: bool = false;
    #[inline(always)]
    fn at<S: Simd>(self, s: S, _: S::V, [d]: [S::V; 1]) -> S::V {
        F::slope::<S, K>(s, d, d, d)
    }
}

impl<F: Of, const K: usize> Terms<3, 1> for Slope<F, K> {
    #[inline(always)]
    fn at<S: Simd>(self, s: S, [d, a, b]: [S::V; 3]) -> [S::V; 1] {
        [F::slope::<S, K>(s, a, b, d)]
    }
}

impl<F: Of, const K: usize> Terms<1, 1> for Slope<F, K> {
    #[inline(always)]
    fn at<S: Simd>(self, s: S, [d]: [S::V; 1]) -> [S::V; 1] {
        [F::slope::<S, K>(s, d, d, d)]
    }
}

pub(super) fn forward(f: Binary, isa: Isa, gx: [&Grid; 2], x: [&[f32]; 2], (y, gy): (&mut [f32], &Grid)) {
    let (extents, to) = (Extents::of(gy), (y, View::of(gy)));
    let from = [(x[0], View::of(gx[0])), (x[1], View::of(gx[1]))];
    match f {
        Binary::Add => map(isa, extents, to, from, Value(Add)),
        Binary::Subtract => map(isa, extents, to, from, Value(Subtract)),
        Binary::Multiply => map(isa, extents, to, from, Value(Multiply)),
        Binary::Maximum => map(isa, extents, to, from, Value(Maximum)),
        Binary::Minimum => map(isa, extents, to, from, Value(Minimum)),
    }
}

/// What a backward pass needs beside the function.
struct Backward<'a, const N: usize> {
    isa: Isa,
    extents: Extents,
    from: [(&'a [f32], View); N],
    dx: (&'a mut [f32], &'a Grid),
}

impl<const N: usize> Backward<'_, N> {
    /// Adds the gradient, summed where the input was broadcast.
    fn run<F: Function<N> + Terms<N, 1>>(self, f: F) {
        let (dx, gdx) = self.dx;
        let own = [gdx.height, gdx.width, gdx.channels, gdx.lanes];
        let over = [0, 1, 2, 3].map(|i| own[i] != self.extents.0[i]);
        if over == [false; 4] {
            map(self.isa, self.extents, (dx, View::of(gdx)), self.from, Adding(f));
        } else {
            fold(self.isa, self.extents, over, ([dx], View::of(gdx)), self.from, f, AddSum);
        }
    }
}

pub(super) fn backward(
    f: Binary,
    isa: Isa,
    k: usize,
    gx: [&Grid; 2],
    x: [&[f32]; 2],
    (dy, gdy): (&[f32], &Grid),
    dx: (&mut [f32], &Grid),
) {
    let (extents, d) = (Extents::of(gdy), (dy, View::of(gdy)));
    match (f, k) {
        (Binary::Add, _) => return Backward { isa, extents, from: [d], dx }.run(Slope::<_, 0>(Add)),
        (Binary::Subtract, 0) => return Backward { isa, extents, from: [d], dx }.run(Slope::<_, 0>(Add)),
        (Binary::Subtract, _) => {
            return Backward { isa, extents, from: [d], dx }.run(Slope::<_, 1>(Subtract));
        }
        _ => {}
    }
    let from = [d, (x[0], View::of(gx[0])), (x[1], View::of(gx[1]))];
    let backward = Backward { isa, extents, from, dx };
    match (f, k) {
        (Binary::Multiply, 0) => backward.run(Slope::<_, 0>(Multiply)),
        (Binary::Multiply, _) => backward.run(Slope::<_, 1>(Multiply)),
        (Binary::Maximum, 0) => backward.run(Slope::<_, 0>(Maximum)),
        (Binary::Maximum, _) => backward.run(Slope::<_, 1>(Maximum)),
        (Binary::Minimum, 0) => backward.run(Slope::<_, 0>(Minimum)),
        (Binary::Minimum, _) => backward.run(Slope::<_, 1>(Minimum)),
        (Binary::Add | Binary::Subtract, _) => unreachable!("done above"),
    }
}

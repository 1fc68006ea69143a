//! Number by number: arithmetic, comparisons, logic.

use super::constant::{Constant, Data, range};
use super::walk::{each, spread, together};
use super::{Call, Room, of_batch};
use crate::proto::kind;

pub(super) fn compute<'g>(call: &Call<'_, 'g>, room: &mut Room) -> Result<Constant<'g>, String> {
    match call.node.operator.as_str() {
        "Add" | "Sub" | "Mul" | "Div" | "Mod" | "Pow" => arithmetic(call, room),
        "Sum" | "Mean" | "Max" | "Min" => several(call, room),
        "Equal" | "Less" | "LessOrEqual" | "Greater" | "GreaterOrEqual" => compare(call, room),
        "And" | "Or" => logic(call, room),
        "Where" => choose(call, room),
        "Clip" => clip(call, room),
        _ => single(call, room),
    }
}

/// `f` of the numbers of two arrays that are spread over `dims`.
fn zip<T: Copy, R>(
    (a, b): (&Constant, &Constant),
    dims: &[usize],
    (x, y): (&[T], &[T]),
    mut f: impl FnMut(T, T) -> R,
) -> Vec<R> {
    let mut all = Vec::with_capacity(dims.iter().product());
    let (by_a, by_b) = (spread(a.dims(), dims), spread(b.dims(), dims));
    each(dims, [&by_a, &by_b], [0, 0], |[i, j], n, [s, t]| {
        all.extend((0..n as isize).map(|k| f(x[(i + k * s) as usize], y[(j + k * t) as usize])));
    });
    all
}

/// What an operator does to two numbers of each kind.
struct Pair {
    f32: fn(f32, f32) -> f32,
    f64: fn(f64, f64) -> f64,
    int: fn(i64, i64) -> Option<i64>,
}

/// A whole number divided, where the batch leaves no rest.
fn divided(x: i64, y: i64) -> Option<i64> {
    if of_batch(y) || (of_batch(x) && x.checked_rem(y) != Some(0)) { None } else { x.checked_div(y) }
}

fn power(x: i64, y: i64) -> Option<i64> {
    u32::try_from(y).ok().and_then(|y| x.checked_pow(y))
}

fn pair(operator: &str, fmod: bool) -> Option<Pair> {
    let same = |f32, f64, int| Some(Pair { f32, f64, int });
    match operator {
        "Add" | "Sum" => same(|x, y| x + y, |x, y| x + y, i64::checked_add),
        "Sub" => same(|x, y| x - y, |x, y| x - y, i64::checked_sub),
        "Mul" => same(|x, y| x * y, |x, y| x * y, i64::checked_mul),
        "Div" => same(|x, y| x / y, |x, y| x / y, divided),
        "Pow" => same(f32::powf, f64::powf, power),
        "Max" => same(f32::max, f64::max, |x, y| Some(x.max(y))),
        "Min" => same(f32::min, f64::min, |x, y| Some(x.min(y))),
        // With `fmod` the sign is the first number's, without it the second's.
        "Mod" if fmod => same(|x, y| x % y, |x, y| x % y, i64::checked_rem),
        "Mod" => same(
            |_, _| f32::NAN,
            |_, _| f64::NAN,
            |x, y| {
                let rest = x.checked_rem(y)?;
                Some(if rest != 0 && (rest < 0) != (y < 0) { rest + y } else { rest })
            },
        ),
        _ => None,
    }
}

fn two<'g>(a: &Constant<'g>, b: &Constant<'g>, with: &Pair, room: &mut Room) -> Result<Constant<'g>, String> {
    let dims = together(a.dims(), b.dims())?;
    room.take(&dims)?;
    let data = match (&*a.data()?, &*b.data()?) {
        (Data::F32(x), Data::F32(y)) => Data::F32(zip((a, b), &dims, (x, y), with.f32)),
        (Data::F64(x), Data::F64(y)) => Data::F64(zip((a, b), &dims, (x, y), with.f64)),
        (Data::Int(x, k), Data::Int(y, l)) if k == l => {
            let [least, most] = range(*k).ok_or("computes with a type that is not supported")?;
            let inside = |v: &i64| (least..=most).contains(v);
            let all = zip((a, b), &dims, (x, y), with.int);
            let all: Option<Vec<i64>> = all.into_iter().map(|v| v.filter(inside)).collect();
            Data::Int(all.ok_or("computes beyond its type, by 0, or with the size of the batch")?, *k)
        }
        (x, y) => return Err(unlike(x, y)),
    };
    Ok(Constant::computed(dims, data))
}

fn unlike(x: &Data, y: &Data) -> String {
    format!("computes with constants of types {} and {}", x.kind(), y.kind())
}

fn arithmetic<'g>(call: &Call<'_, 'g>, room: &mut Room) -> Result<Constant<'g>, String> {
    let (a, b) = (call.input(0)?, call.input(1)?);
    let operator = call.node.operator.as_str();
    let fmod = operator == "Mod" && call.attributes.int("fmod", 0)? != 0;
    if operator == "Mod" && !fmod && a.has_floats() {
        return Err("the rest of floats needs fmod = 1".into());
    }
    let with = pair(operator, fmod).ok_or("is not computed")?;
    // An exponent may be of another type.
    if operator == "Pow" && a.kind() != b.kind() {
        let exponent = super::cast::to(b, a.kind(), room)?;
        return two(a, &exponent, &with, room);
    }
    two(a, b, &with, room)
}

fn several<'g>(call: &Call<'_, 'g>, room: &mut Room) -> Result<Constant<'g>, String> {
    let operator = call.node.operator.as_str();
    let with = pair(if operator == "Mean" { "Sum" } else { operator }, false).ok_or("is not computed")?;
    let mut all = call.input(0)?.clone();
    for i in 1..call.inputs.len() {
        all = two(&all, call.input(i)?, &with, room)?;
    }
    if operator != "Mean" {
        return Ok(all);
    }
    let n = Constant::computed(vec![], Data::F32(vec![call.inputs.len() as f32]));
    let n = super::cast::to(&n, all.kind(), room)?;
    two(&all, &n, &pair("Div", false).ok_or("is not computed")?, room)
}

fn compare<'g>(call: &Call<'_, 'g>, room: &mut Room) -> Result<Constant<'g>, String> {
    let (a, b) = (call.input(0)?, call.input(1)?);
    let dims = together(a.dims(), b.dims())?;
    room.take(&dims)?;
    let operator = call.node.operator.as_str();
    macro_rules! compared {
        ($x:expr, $y:expr) => {
            match operator {
                "Equal" => zip((a, b), &dims, ($x, $y), |x, y| x == y),
                "Less" => zip((a, b), &dims, ($x, $y), |x, y| x < y),
                "LessOrEqual" => zip((a, b), &dims, ($x, $y), |x, y| x <= y),
                "Greater" => zip((a, b), &dims, ($x, $y), |x, y| x > y),
                _ => zip((a, b), &dims, ($x, $y), |x, y| x >= y),
            }
        };
    }
    let found = match (&*a.data()?, &*b.data()?) {
        (Data::F32(x), Data::F32(y)) => compared!(x, y),
        (Data::F64(x), Data::F64(y)) => compared!(x, y),
        (Data::Int(x, _), Data::Int(y, _)) => {
            // Whether a batch is of one size cannot be said; that its size is no negative number can.
            let told = |x: i64, y: i64| !of_batch(x) || of_batch(y) || y <= 0;
            if !zip((a, b), &dims, (x, y), |x, y| told(x, y) && told(y, x)).into_iter().all(|t| t) {
                return Err("compares the size of the batch, which is open".into());
            }
            compared!(x, y)
        }
        (Data::Bool(x), Data::Bool(y)) if operator == "Equal" => zip((a, b), &dims, (x, y), |x, y| x == y),
        (x, y) => return Err(unlike(x, y)),
    };
    Ok(Constant::computed(dims, Data::Bool(found)))
}

fn logic<'g>(call: &Call<'_, 'g>, room: &mut Room) -> Result<Constant<'g>, String> {
    let (a, b) = (call.input(0)?, call.input(1)?);
    let dims = together(a.dims(), b.dims())?;
    room.take(&dims)?;
    let (Data::Bool(x), Data::Bool(y)) = (&*a.data()?, &*b.data()?) else {
        return Err("its constants must be truth values".into());
    };
    let and = call.node.operator == "And";
    let found = zip((a, b), &dims, (x, y), |x, y| if and { x && y } else { x || y });
    Ok(Constant::computed(dims, Data::Bool(found)))
}

fn choose<'g>(call: &Call<'_, 'g>, room: &mut Room) -> Result<Constant<'g>, String> {
    let (which, a, b) = (call.input(0)?, call.input(1)?, call.input(2)?);
    let dims = together(which.dims(), &together(a.dims(), b.dims())?)?;
    room.take(&dims)?;
    let Data::Bool(which_is) = &*which.data()? else {
        return Err("its condition must be truth values".into());
    };
    let by = [which, a, b].map(|c| spread(c.dims(), &dims));
    macro_rules! chosen {
        ($x:expr, $y:expr) => {{
            let mut all = Vec::with_capacity(dims.iter().product());
            each(&dims, [&by[0], &by[1], &by[2]], [0; 3], |[i, j, k], n, [r, s, t]| {
                all.extend((0..n as isize).map(|at| {
                    if which_is[(i + at * r) as usize] {
                        $x[(j + at * s) as usize]
                    } else {
                        $y[(k + at * t) as usize]
                    }
                }));
            });
            all
        }};
    }
    let data = match (&*a.data()?, &*b.data()?) {
        (Data::F32(x), Data::F32(y)) => Data::F32(chosen!(x, y)),
        (Data::F64(x), Data::F64(y)) => Data::F64(chosen!(x, y)),
        (Data::Int(x, k), Data::Int(y, l)) if k == l => Data::Int(chosen!(x, y), *k),
        (Data::Bool(x), Data::Bool(y)) => Data::Bool(chosen!(x, y)),
        (x, y) => return Err(unlike(x, y)),
    };
    Ok(Constant::computed(dims, data))
}

fn clip<'g>(call: &Call<'_, 'g>, room: &mut Room) -> Result<Constant<'g>, String> {
    let mut all = call.input(0)?.clone();
    for (i, attribute, operator) in [(1, "min", "Max"), (2, "max", "Min")] {
        let bound = match (call.optional(i), call.attributes.given(attribute)) {
            (Some(bound), _) => bound.clone(),
            (None, true) => {
                Constant::computed(vec![], Data::F32(vec![call.attributes.float(attribute, 0.0)?]))
            }
            (None, false) => continue,
        };
        all = two(&all, &bound, &pair(operator, false).ok_or("is not computed")?, room)?;
    }
    Ok(all)
}

fn single<'g>(call: &Call<'_, 'g>, room: &mut Room) -> Result<Constant<'g>, String> {
    let from = call.input(0)?;
    room.take(from.dims())?;
    let operator = call.node.operator.as_str();
    let data = match (&*from.data()?, operator) {
        (Data::Bool(v), "Not") => Data::Bool(v.iter().map(|v| !v).collect()),
        (Data::Int(v, kind), "Neg" | "Abs" | "Sign") => {
            let each = |&v: &i64| match operator {
                "Neg" => v.checked_neg(),
                "Abs" => v.checked_abs(),
                _ => Some(v.signum()),
            };
            let all: Option<Vec<i64>> = v.iter().map(each).collect();
            Data::Int(all.ok_or("computes beyond its type")?, *kind)
        }
        (Data::F32(v), _) => {
            let (f, _) = function(operator).ok_or_else(|| not_computed(kind::FLOAT))?;
            Data::F32(v.iter().map(|&v| f(v)).collect())
        }
        (Data::F64(v), _) => {
            let (_, f) = function(operator).ok_or_else(|| not_computed(kind::DOUBLE))?;
            Data::F64(v.iter().map(|&v| f(v)).collect())
        }
        (other, _) => return Err(not_computed(other.kind())),
    };
    Ok(Constant::computed(from.dims().to_vec(), data))
}

fn not_computed(kind: i64) -> String {
    format!("is not computed of constants of type {kind}")
}

type Function = (fn(f32) -> f32, fn(f64) -> f64);

fn function(operator: &str) -> Option<Function> {
    Some(match operator {
        "Abs" => (f32::abs, f64::abs),
        "Ceil" => (f32::ceil, f64::ceil),
        "Exp" => (f32::exp, f64::exp),
        "Floor" => (f32::floor, f64::floor),
        "Log" => (f32::ln, f64::ln),
        "Neg" => (|v| -v, |v| -v),
        "Reciprocal" => (|v| 1.0 / v, |v| 1.0 / v),
        "Round" => (f32::round_ties_even, f64::round_ties_even),
        "Sigmoid" => (|v| 1.0 / (1.0 + (-v).exp()), |v| 1.0 / (1.0 + (-v).exp())),
        "Sign" => (|v| if v == 0.0 { 0.0 } else { v.signum() }, |v| if v == 0.0 { 0.0 } else { v.signum() }),
        "Sqrt" => (f32::sqrt, f64::sqrt),
        "Tanh" => (f32::tanh, f64::tanh),
        _ => return None,
    })
}

//! Numbers at other places: slices, padding, blocks and depth, permutations. `x` is `[n, h, w, c]`; what is said of
//! axes means h, w and c.

use ndarray::Array4;

/// What stands in padded cells.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fill {
    /// This number.
    Constant(f64),
    /// Mirrored, the edge not repeated.
    Reflect,
    /// The edge.
    Edge,
    /// The image again.
    Wrap,
}

fn shape(a: &Array4<f64>) -> [usize; 4] {
    let (n, h, w, c) = a.dim();
    [n, h, w, c]
}

/// The adjoint of a rearrangement: each number of `d_y` goes back to where `forward` takes it from, and adds up.
/// `forward` is asked where by an array of places; numbers that it makes up must be -1.
///
/// # Panics
/// If `forward` does not give an array of the shape of `d_y`.
#[must_use]
pub fn rearrange_backward(
    d_y: &Array4<f64>,
    x: [usize; 4],
    forward: impl Fn(&Array4<f64>) -> Array4<f64>,
) -> Array4<f64> {
    let count = x.iter().product::<usize>();
    let places = Array4::from_shape_vec(x, (0..count).map(|i| i as f64).collect()).expect("as many");
    let from = forward(&places);
    assert_eq!(from.shape(), d_y.shape());
    let mut d_x = vec![0.0; count];
    for (&from, &d) in from.iter().zip(d_y).filter(|(from, _)| **from >= 0.0) {
        d_x[from as usize] += d;
    }
    Array4::from_shape_vec(x, d_x).expect("as many")
}

/// `size` cells of each axis from `begin` on, `step` apart.
///
/// # Panics
/// If they leave `x`.
#[must_use]
pub fn slice(x: &Array4<f64>, begin: [usize; 3], size: [usize; 3], step: [i64; 3]) -> Array4<f64> {
    let mut y = x.clone();
    for a in 0..3 {
        let indices: Vec<usize> = (0..size[a])
            .map(|i| (begin[a] as i64 + step[a] * i as i64).try_into().expect("inside"))
            .collect();
        y = y.select(ndarray::Axis(a + 1), &indices);
    }
    y
}

/// Cells before and after each axis.
#[must_use]
pub fn pad(x: &Array4<f64>, cells: [[usize; 2]; 3], fill: Fill) -> Array4<f64> {
    let [n, h, w, c] = shape(x);
    let extent = |a: usize, inside: usize| cells[a][0] + inside + cells[a][1];
    Array4::from_shape_fn((n, extent(0, h), extent(1, w), extent(2, c)), |(image, i, j, k)| {
        let mut at = [0; 3];
        for (a, (o, n)) in [(i, h), (j, w), (k, c)].into_iter().enumerate() {
            let mut i = o as i64 - cells[a][0] as i64;
            let n = n as i64;
            while !(0..n).contains(&i) {
                i = match fill {
                    Fill::Constant(v) => return v,
                    Fill::Reflect if n == 1 => 0,
                    Fill::Reflect if i < 0 => -i,
                    Fill::Reflect => 2 * (n - 1) - i,
                    Fill::Edge => i.max(0).min(n - 1),
                    Fill::Wrap if i < 0 => i + n,
                    Fill::Wrap => i - n,
                };
            }
            at[a] = i as usize;
        }
        x[[image, at[0], at[1], at[2]]]
    })
}

/// Channels as `[groups, c / groups]`, transposed.
///
/// # Panics
/// If `groups` does not divide the channels.
#[must_use]
pub fn channel_shuffle(x: &Array4<f64>, groups: usize) -> Array4<f64> {
    let [n, h, w, c] = shape(x);
    let split = x.to_shape((n, h, w, groups, c / groups)).expect("groups divide the channels");
    let swapped = split.permuted_axes([0, 1, 2, 4, 3]);
    swapped.to_shape((n, h, w, c)).expect("as many").to_owned()
}

/// Channels to blocks of cells. `channel_first`: channel `(i * block + bh) * block + bw` (PyTorch's pixel shuffle),
/// else `(bh * block + bw) * channels + i` (TensorFlow's `depth_to_space`).
///
/// # Panics
/// If a block does not divide the channels.
#[must_use]
pub fn depth_to_space(x: &Array4<f64>, block: usize, channel_first: bool) -> Array4<f64> {
    let [n, h, w, c] = shape(x);
    let channels = c / (block * block);
    let (split, order) = if channel_first {
        ((n * h, w, channels, block * block), [0, 3, 1, 2])
    } else {
        ((n * h, w, block * block, channels), [0, 2, 1, 3])
    };
    // [n * h, block * block, w, channels]
    let cells = x.to_shape(split).expect("blocks divide").permuted_axes(order);
    let cells = cells.as_standard_layout();
    let cells = cells.to_shape((n * h * block, block, w, channels)).expect("as many");
    let cells = cells.permuted_axes([0, 2, 1, 3]);
    cells.to_shape((n, h * block, w * block, channels)).expect("as many").to_owned()
}

/// The inverse of [`depth_to_space`].
#[must_use]
pub fn space_to_depth(x: &Array4<f64>, block: usize, channel_first: bool) -> Array4<f64> {
    let [n, h, w, c] = shape(x);
    let mut y = Array4::zeros((n, h / block, w / block, c * block * block));
    for ((image, i, j, k), &v) in x.indexed_iter() {
        let cell = i % block * block + j % block;
        let deep = if channel_first { k * block * block + cell } else { cell * c + k };
        y[[image, i / block, j / block, deep]] = v;
    }
    y
}

/// Axes h, w, c in another order: the result's axis `i` is `x`'s `order[i]`.
#[must_use]
pub fn transpose(x: &Array4<f64>, order: [usize; 3]) -> Array4<f64> {
    let [a, b, c] = order.map(|a| a + 1);
    x.view().permuted_axes([0, a, b, c]).as_standard_layout().to_owned()
}

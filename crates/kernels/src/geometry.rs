//! The one shape function: options and shapes in, checked geometry out.
//!
//! With `n` the input extent, `k` the kernel's, `s` the stride, `d` the dilation and
//! `e = (k - 1) * d + 1` the extent the kernel covers:
//!
//! | padding | output extent | padding added |
//! |---|---|---|
//! | VALID | `floor((n - e) / s) + 1` | none |
//! | SAME | `ceil(n / s)` | `p = max((ceil(n / s) - 1) * s + e - n, 0)`; `p / 2` before, the rest after |
//! | explicit | `floor((n + before + after - e) / s) + 1` | as given |
//!
//! Source: TensorFlow's `tf.nn.convolution` documentation and "Notes on padding".

mod transpose;

pub use transpose::{Conv2dTransposeGeometry, Conv2dTransposeOptions, MAX_STRIDE_CELLS};

use std::fmt;

/// No array that foveal makes may hold more bytes than this (2 GiB).
pub const MAX_ARRAY_BYTES: u64 = 1 << 31;

/// How the border of an image is treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Padding {
    /// Only positions where the whole kernel lies inside the image.
    #[default]
    Valid,
    /// As many outputs as strides fit: `ceil(n / s)`. An odd row or column of padding goes to the
    /// bottom or the right.
    Same,
    /// Rows and columns added at the top, bottom, left and right.
    Explicit([i64; 4]),
}

impl fmt::Display for Padding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Padding::Valid => f.write_str("VALID"),
            Padding::Same => f.write_str("SAME"),
            Padding::Explicit([t, b, l, r]) => write!(f, "{t},{b},{l},{r}"),
        }
    }
}

/// The options of a convolution. Extents are signed so that a bad value can be refused by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conv2dOptions {
    /// Step between windows, `[height, width]`.
    pub strides: [i64; 2],
    /// Step between the filter's cells, `[height, width]`.
    pub dilations: [i64; 2],
    /// Border treatment.
    pub padding: Padding,
    /// Channels are split into this many groups, each with filters of its own.
    pub groups: i64,
}

impl Default for Conv2dOptions {
    fn default() -> Self {
        Self { strides: [1, 1], dilations: [1, 1], padding: Padding::Valid, groups: 1 }
    }
}

/// The options of a pooling operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool2dOptions {
    /// The window, `[height, width]`.
    pub ksize: [i64; 2],
    /// Step between windows, `[height, width]`.
    pub strides: [i64; 2],
    /// Border treatment.
    pub padding: Padding,
}

impl Pool2dOptions {
    /// A window of `ksize` with strides of the same size and VALID padding.
    pub fn new(ksize: [i64; 2]) -> Self {
        Self { ksize, strides: ksize, padding: Padding::Valid }
    }
}

/// What is wrong with an operator's arguments: names the operator, the argument and the shapes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{operator}: {problem}")]
pub struct GeometryError {
    /// The operator, such as `conv2d`.
    pub operator: &'static str,
    /// The problem, with the offending value and both shapes.
    pub problem: String,
}

impl GeometryError {
    /// An error of `operator`.
    pub fn new(operator: &'static str, problem: impl Into<String>) -> Self {
        Self { operator, problem: problem.into() }
    }
}

/// One spatial axis of a checked geometry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Axis {
    /// Input extent.
    pub input: usize,
    /// Output extent.
    pub output: usize,
    /// Kernel extent.
    pub kernel: usize,
    /// Step between windows.
    pub stride: usize,
    /// Step between kernel cells.
    pub dilation: usize,
    /// Padding before the first cell.
    pub before: usize,
    /// Padding after the last cell that a window can reach (as given, for explicit padding).
    pub after: usize,
}

impl Axis {
    /// The extent the kernel covers: `(kernel - 1) * dilation + 1`.
    pub fn reach(&self) -> usize {
        (self.kernel - 1) * self.dilation + 1
    }

    /// The input index under kernel cell `k` of output `o`, or `None` where that is padding.
    pub fn source(&self, o: usize, k: usize) -> Option<usize> {
        (o * self.stride + k * self.dilation).checked_sub(self.before).filter(|&i| i < self.input)
    }

    /// The kernel cells that reach input indices `p + i * stride`, each with the output index at `i = 0`
    /// (which may lie before the first or after the last output).
    pub fn residue(&self, p: usize) -> Vec<(usize, isize)> {
        let stride = self.stride as isize;
        (0..self.kernel)
            .filter_map(|k| {
                let at = (p + self.before) as isize - (k * self.dilation) as isize;
                (at.rem_euclid(stride) == 0).then_some((k, at.div_euclid(stride)))
            })
            .collect()
    }
}

/// Checks one axis; the caller words the error from the returned reason.
fn axis(n: usize, k: usize, s: i64, d: i64, padding: Option<(i64, i64)>, same: bool) -> Result<Axis, String> {
    let (n, k, s, d) = (n as i128, k as i128, s as i128, d as i128);
    let reach = (k - 1) * d + 1;
    let (output, before, after) = if same {
        let output = (n + s - 1) / s;
        let total = ((output - 1) * s + reach - n).max(0);
        (output, total / 2, total - total / 2)
    } else {
        let (before, after) = padding.map_or((0, 0), |(b, a)| (b as i128, a as i128));
        let room = n + before + after - reach;
        if room < 0 {
            return Err(format!("covers {reach} but the padded input has {}", n + before + after));
        }
        (room / s + 1, before, after)
    };
    let limit = MAX_ARRAY_BYTES as i128;
    if [output, before, after, reach, s, d].iter().any(|&v| v > limit) {
        return Err("is too large".into());
    }
    let u = |v: i128| v as usize;
    Ok(Axis {
        input: u(n),
        output: u(output),
        kernel: u(k),
        stride: u(s),
        dilation: u(d),
        before: u(before),
        after: u(after),
    })
}

/// The checks that convolution and pooling share.
struct Check {
    operator: &'static str,
    shapes: String,
}

impl Check {
    fn fail<T>(&self, problem: impl fmt::Display) -> Result<T, GeometryError> {
        Err(GeometryError::new(self.operator, format!("{problem} ({})", self.shapes)))
    }

    fn positive(&self, what: &str, values: &[i64]) -> Result<(), GeometryError> {
        if values.iter().all(|&v| v >= 1) {
            return Ok(());
        }
        self.fail(format_args!("{what} must be at least 1, got {values:?}"))
    }

    fn extents(&self, what: &str, shape: &[usize], free: usize) -> Result<(), GeometryError> {
        if shape[free..].contains(&0) {
            return self.fail(format_args!("{what} has an empty extent"));
        }
        self.bytes(what, shape)
    }

    fn bytes(&self, what: &str, shape: &[usize]) -> Result<(), GeometryError> {
        // An empty batch is judged by one image: its extents must make sense too.
        let bytes = shape.iter().try_fold(4u64, |a, &v| a.checked_mul(v.max(1) as u64));
        match bytes {
            Some(b) if b <= MAX_ARRAY_BYTES => Ok(()),
            _ => self.fail(format_args!(
                "{what} {shape:?} would need more than the limit of {MAX_ARRAY_BYTES} bytes"
            )),
        }
    }

    fn axes(
        &self,
        input: [usize; 2],
        kernel: [usize; 2],
        strides: [i64; 2],
        dilations: [i64; 2],
        padding: Padding,
    ) -> Result<[Axis; 2], GeometryError> {
        let (explicit, same) = match padding {
            Padding::Valid => ([None, None], false),
            Padding::Same => ([None, None], true),
            Padding::Explicit(p) => {
                if p.iter().any(|&v| v < 0) {
                    return self.fail(format_args!("padding must not be negative, got {p:?}"));
                }
                ([Some((p[0], p[1])), Some((p[2], p[3]))], false)
            }
        };
        let one = |i: usize, name: &str| {
            axis(input[i], kernel[i], strides[i], dilations[i], explicit[i], same).or_else(|why| {
                self.fail(format_args!(
                    "the window's {name} {why}: kernel {kernel:?}, dilations {dilations:?}, padding {padding}"
                ))
            })
        };
        Ok([one(0, "height")?, one(1, "width")?])
    }
}

/// A convolution whose shapes are known to fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conv2dGeometry {
    /// Images in the batch; may be 0.
    pub batch: usize,
    /// The vertical axis.
    pub h: Axis,
    /// The horizontal axis.
    pub w: Axis,
    /// Channels of the input.
    pub in_channels: usize,
    /// Channels of the output: the number of filters.
    pub out_channels: usize,
    /// Groups that the channels are split into.
    pub groups: usize,
}

impl Conv2dGeometry {
    /// Checks `input` `[n, h, w, c]` and `filter` `[kh, kw, c / groups, o]` against `options`.
    ///
    /// # Errors
    /// Names `operator`, the offending argument and both shapes when a rank, an extent, a channel count or
    /// an option does not fit, or when an array would be larger than [`MAX_ARRAY_BYTES`].
    ///
    /// ```
    /// use foveal_kernels::{Conv2dGeometry, Conv2dOptions, Padding};
    /// let same = Conv2dOptions { padding: Padding::Same, strides: [2, 2], ..Default::default() };
    /// let g = Conv2dGeometry::new("conv2d", &[1, 28, 28, 1], &[3, 3, 1, 5], &same)?;
    /// assert_eq!(g.output_shape(), [1, 14, 14, 5]);
    /// assert_eq!((g.h.before, g.h.after), (0, 1)); // the odd row goes to the bottom
    /// # Ok::<(), foveal_kernels::GeometryError>(())
    /// ```
    pub fn new(
        operator: &'static str,
        input: &[usize],
        filter: &[usize],
        options: &Conv2dOptions,
    ) -> Result<Self, GeometryError> {
        let check = Check { operator, shapes: format!("input {input:?}, filter {filter:?}") };
        let (&[batch, ih, iw, c], &[kh, kw, fc, o]) = (input, filter) else {
            return check.fail("input must be [n, h, w, c] and filter [h, w, c / groups, o]");
        };
        check.positive("strides", &options.strides)?;
        check.positive("dilations", &options.dilations)?;
        check.positive("groups", &[options.groups])?;
        check.extents("input", input, 1)?;
        check.extents("filter", filter, 0)?;
        let groups = options.groups as u64;
        if !(c as u64).is_multiple_of(groups) || (c as u64) / groups != fc as u64 {
            return check.fail(format_args!(
                "filter depth {fc} must be the input's {c} channels over {groups} group(s)"
            ));
        }
        if !(o as u64).is_multiple_of(groups) {
            return check.fail(format_args!("{o} filters cannot be split into {groups} groups"));
        }
        let [h, w] = check.axes([ih, iw], [kh, kw], options.strides, options.dilations, options.padding)?;
        check.bytes("output", &[batch, h.output, w.output, o])?;
        Ok(Self { batch, h, w, in_channels: c, out_channels: o, groups: groups as usize })
    }

    /// `[n, h, w, c]` of the input.
    pub fn input_shape(&self) -> [usize; 4] {
        [self.batch, self.h.input, self.w.input, self.in_channels]
    }

    /// `[kh, kw, c / groups, o]` of the filter.
    pub fn filter_shape(&self) -> [usize; 4] {
        [self.h.kernel, self.w.kernel, self.in_channels / self.groups, self.out_channels]
    }

    /// `[n, h, w, o]` of the output.
    pub fn output_shape(&self) -> [usize; 4] {
        [self.batch, self.h.output, self.w.output, self.out_channels]
    }

    /// Floating-point operations of one forward pass, a multiply-add counted as two.
    pub fn flops(&self) -> u64 {
        let [n, h, w, o] = self.output_shape().map(|v| v as u64);
        let [kh, kw, c, _] = self.filter_shape().map(|v| v as u64);
        2 * n * h * w * o * kh * kw * c
    }
}

/// A pooling operator whose shapes are known to fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool2dGeometry {
    /// Images in the batch; may be 0.
    pub batch: usize,
    /// The vertical axis.
    pub h: Axis,
    /// The horizontal axis.
    pub w: Axis,
    /// Channels, the same in input and output.
    pub channels: usize,
}

impl Pool2dGeometry {
    /// Checks `input` `[n, h, w, c]` against `options`.
    ///
    /// # Errors
    /// As [`Conv2dGeometry::new`]; also when explicit padding is as large as the window, since a window
    /// could then lie wholly in the padding and have no value.
    pub fn new(
        operator: &'static str,
        input: &[usize],
        options: &Pool2dOptions,
    ) -> Result<Self, GeometryError> {
        let check = Check { operator, shapes: format!("input {input:?}, ksize {:?}", options.ksize) };
        let &[batch, ih, iw, channels] = input else {
            return check.fail("input must be [n, h, w, c]");
        };
        check.positive("ksize", &options.ksize)?;
        check.positive("strides", &options.strides)?;
        check.extents("input", input, 1)?;
        if let Padding::Explicit([t, b, l, r]) = options.padding {
            let [kh, kw] = options.ksize;
            if t >= kh || b >= kh || l >= kw || r >= kw {
                return check
                    .fail(format_args!("padding {} must be smaller than the window", options.padding));
            }
        }
        let kernel = options.ksize.map(|k| usize::try_from(k).unwrap_or(usize::MAX));
        let [h, w] = check.axes([ih, iw], kernel, options.strides, [1, 1], options.padding)?;
        check.bytes("output", &[batch, h.output, w.output, channels])?;
        Ok(Self { batch, h, w, channels })
    }

    /// `[n, h, w, c]` of the input.
    pub fn input_shape(&self) -> [usize; 4] {
        [self.batch, self.h.input, self.w.input, self.channels]
    }

    /// `[n, h, w, c]` of the output.
    pub fn output_shape(&self) -> [usize; 4] {
        [self.batch, self.h.output, self.w.output, self.channels]
    }
}

//! The shapes of a transposed convolution.
//!
//! It is the gradient of a convolution with respect to that convolution's input: what the convolution reads is made
//! here, and what it makes is read. With `n` the input extent, `s` the stride, `e` the extent the dilated kernel covers
//! and `p` the output padding:
//!
//! | padding | output extent |
//! |---|---|
//! | VALID | `(n - 1) * s + e + p`; at least `n * s` where `p` is 0 |
//! | SAME | `n * s` |
//! | explicit | `(n - 1) * s + e - before - after + p` |
//!
//! Source: Keras's `Conv2DTranspose` (VALID and SAME), PyTorch's `ConvTranspose2d` (explicit).

use super::{Axis, Check, Conv2dGeometry, GeometryError, MAX_ARRAY_BYTES, Padding};

/// Strides of more cells than this (rows times columns) are refused: each cell of a stride is work of its own.
pub const MAX_STRIDE_CELLS: usize = 1 << 16;

/// The options of a transposed convolution. Extents are signed so that a bad value can be refused by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conv2dTransposeOptions {
    /// Step between the places that neighbouring inputs write to, `[height, width]`.
    pub strides: [i64; 2],
    /// Step between the filter's cells, `[height, width]`.
    pub dilations: [i64; 2],
    /// Border treatment: rows and columns that explicit padding names are cut off the output.
    pub padding: Padding,
    /// Rows added at the bottom and columns added at the right; below the stride or the dilation. Not with SAME.
    pub output_padding: [i64; 2],
    /// Channels are split into this many groups, each with filters of its own.
    pub groups: i64,
}

impl Default for Conv2dTransposeOptions {
    fn default() -> Self {
        Self {
            strides: [1, 1],
            dilations: [1, 1],
            padding: Padding::Valid,
            output_padding: [0, 0],
            groups: 1,
        }
    }
}

/// A transposed convolution whose shapes are known to fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conv2dTransposeGeometry {
    /// The convolution that this is the input gradient of: it goes from this operator's output to its input, with the
    /// same filter.
    pub convolution: Conv2dGeometry,
}

impl Conv2dTransposeGeometry {
    /// Checks `input` `[n, h, w, c]` and `filter` `[kh, kw, o / groups, c]` against `options`.
    ///
    /// # Errors
    /// Names `operator`, the offending argument and both shapes when a rank, an extent, a channel count or an option
    /// does not fit, when an array would be larger than [`MAX_ARRAY_BYTES`], or a stride than [`MAX_STRIDE_CELLS`].
    ///
    /// ```
    /// use foveal_kernels::{Conv2dTransposeGeometry, Conv2dTransposeOptions, Padding};
    /// let twice = Conv2dTransposeOptions { strides: [2, 2], padding: Padding::Same, ..Default::default() };
    /// let g = Conv2dTransposeGeometry::new("conv2d_transpose", &[1, 14, 14, 8], &[3, 3, 4, 8], &twice)?;
    /// assert_eq!(g.output_shape(), [1, 28, 28, 4]);
    /// # Ok::<(), foveal_kernels::GeometryError>(())
    /// ```
    pub fn new(
        operator: &'static str,
        input: &[usize],
        filter: &[usize],
        options: &Conv2dTransposeOptions,
    ) -> Result<Self, GeometryError> {
        let check = Check { operator, shapes: format!("input {input:?}, filter {filter:?}") };
        let (&[batch, ih, iw, c], &[kh, kw, depth, fc]) = (input, filter) else {
            return check.fail("input must be [n, h, w, c] and filter [h, w, o / groups, c]");
        };
        check.positive("strides", &options.strides)?;
        check.positive("dilations", &options.dilations)?;
        check.positive("groups", &[options.groups])?;
        check.extents("input", input, 1)?;
        check.extents("filter", filter, 0)?;
        check.output_padding(options)?;
        let groups = options.groups as u64;
        if c != fc {
            return check
                .fail(format_args!("the filter's last extent {fc} must be the input's {c} channels"));
        }
        if !(c as u64).is_multiple_of(groups) {
            return check.fail(format_args!("{c} channels cannot be split into {groups} groups"));
        }
        // At most the input's channels, so a small number.
        let groups = groups as usize;
        let Some(filters) = depth.checked_mul(groups) else {
            return check.fail(format_args!("{groups} groups of {depth} channels are too many"));
        };
        let [h, w] = check.transposed([ih, iw], [kh, kw], options)?;
        check.bytes("output", &[batch, h.input, w.input, filters])?;
        if h.stride.min(h.input).saturating_mul(w.stride.min(w.input)) > MAX_STRIDE_CELLS {
            return check.fail(format_args!(
                "strides {:?} have more than {MAX_STRIDE_CELLS} cells; resize instead",
                options.strides
            ));
        }
        let convolution = Conv2dGeometry { batch, h, w, in_channels: filters, out_channels: c, groups };
        Ok(Self { convolution })
    }

    /// `[n, h, w, c]` of the input.
    pub fn input_shape(&self) -> [usize; 4] {
        self.convolution.output_shape()
    }

    /// `[kh, kw, o / groups, c]` of the filter.
    pub fn filter_shape(&self) -> [usize; 4] {
        self.convolution.filter_shape()
    }

    /// `[n, h, w, o]` of the output.
    pub fn output_shape(&self) -> [usize; 4] {
        self.convolution.input_shape()
    }

    /// Floating-point operations of one forward pass, a multiply-add counted as two; products that explicit padding
    /// cuts off count too.
    pub fn flops(&self) -> u64 {
        self.convolution.flops()
    }
}

impl Check {
    fn output_padding(&self, options: &Conv2dTransposeOptions) -> Result<(), GeometryError> {
        let p = options.output_padding;
        if p.iter().any(|&v| v < 0) {
            return self.fail(format_args!("output padding must not be negative, got {p:?}"));
        }
        if options.padding == Padding::Same && p != [0, 0] {
            return self.fail(format_args!(
                "output padding {p:?} has no place with SAME, which makes input times stride; name explicit padding"
            ));
        }
        let (s, d) = (options.strides, options.dilations);
        if (0..2).any(|i| p[i] >= s[i].max(d[i])) {
            return self.fail(format_args!(
                "output padding {p:?} must be below the strides {s:?} or the dilations {d:?}"
            ));
        }
        Ok(())
    }

    /// The axes of the convolution from the output to `input`.
    fn transposed(
        &self,
        input: [usize; 2],
        kernel: [usize; 2],
        options: &Conv2dTransposeOptions,
    ) -> Result<[Axis; 2], GeometryError> {
        let explicit = match options.padding {
            Padding::Explicit(p) if p.iter().any(|&v| v < 0) => {
                return self.fail(format_args!("padding must not be negative, got {p:?}"));
            }
            Padding::Explicit([t, b, l, r]) => [Some([t, b]), Some([l, r])],
            _ => [None, None],
        };
        let one = |i: usize, name: &str| {
            let [s, d, more] = [options.strides, options.dilations, options.output_padding].map(|v| v[i]);
            let same = options.padding == Padding::Same;
            axis(input[i], kernel[i], [s, d, more], explicit[i], same).or_else(|why| {
                self.fail(format_args!(
                    "the output's {name} {why}: strides {:?}, dilations {:?}, padding {}",
                    options.strides, options.dilations, options.padding
                ))
            })
        };
        Ok([one(0, "height")?, one(1, "width")?])
    }
}

/// One axis, of an input of `n` and a kernel of `k`, whose extents have been checked; the caller words the error.
fn axis(
    n: usize,
    k: usize,
    [s, d, more]: [i64; 3],
    explicit: Option<[i64; 2]>,
    same: bool,
) -> Result<Axis, String> {
    let [n, k] = [n, k].map(|v| v as i128);
    let [s, d, more] = [s, d, more].map(i128::from);
    let reach = (k - 1) * d + 1;
    let whole = (n - 1) * s + reach + more;
    let (output, before, after) = match explicit.map(|p| p.map(i128::from)) {
        Some([before, after]) => (whole - before - after, before, after),
        None if same => {
            let total = (reach - s).max(0);
            (n * s, total / 2, total - total / 2)
        }
        None if more == 0 => (whole.max(n * s), 0, 0),
        None => (whole, 0, 0),
    };
    if output < 1 {
        return Err(format!("has {whole} cells, of which the padding cuts off all"));
    }
    let limit = MAX_ARRAY_BYTES as i128;
    if [output, before, after, reach, s, d].iter().any(|&v| v > limit) {
        return Err("is too large".into());
    }
    let u = |v: i128| v as usize;
    Ok(Axis {
        input: u(output),
        output: u(n),
        kernel: u(k),
        stride: u(s),
        dilation: u(d),
        before: u(before),
        after: u(after),
    })
}

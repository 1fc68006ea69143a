//! Numbers at other places, as they are: a table of runs, made once, whatever the rearrangement.

use super::Grid;
use crate::dispatch::Isa;
use crate::simd::{Kernel, Simd};

/// Which number goes where. Extents and indices are `[h, w, c]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rearrangement {
    /// `y[i] = x[begin + i * step]`; a negative step walks back.
    Slice {
        /// The first index.
        begin: [usize; 3],
        /// How many.
        size: [usize; 3],
        /// From one index to the next.
        step: [i64; 3],
    },
    /// Cells around the image.
    Pad {
        /// How many before and after, for each axis.
        cells: [[usize; 2]; 3],
        /// What stands in them.
        mode: PadMode,
    },
    /// Channels, seen as `[groups, c / groups]`, transposed: `torch.nn.ChannelShuffle`.
    ChannelShuffle {
        /// Must divide the channels.
        groups: usize,
    },
    /// Channels to blocks of `block` x `block` cells.
    DepthToSpace {
        /// Rows and columns of a block.
        block: usize,
        /// Which channel goes to which cell.
        order: DepthOrder,
    },
    /// The other way.
    SpaceToDepth {
        /// Rows and columns of a block.
        block: usize,
        /// Which cell goes to which channel.
        order: DepthOrder,
    },
    /// Rows and columns by their indices in the input: cell `(i, j)` is the input's `(rows[i], columns[j])`.
    Nearest {
        /// An index for each output row.
        rows: Vec<usize>,
        /// An index for each output column.
        columns: Vec<usize>,
    },
    /// Axes in another order, as `numpy.transpose`: output axis `i` is the input's `order[i]`.
    Transpose {
        /// A permutation of 0, 1, 2.
        order: [usize; 3],
    },
}

/// What stands in padded cells; the names are NumPy's and ONNX's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PadMode {
    /// One number.
    Constant,
    /// The image mirrored, its edge not repeated; mirrored again where that is not enough.
    Reflect,
    /// The edge repeated.
    Edge,
    /// The image repeated.
    Wrap,
}

/// How `block * block * c` channels stand for blocks of cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DepthOrder {
    /// Channel `(bh * block + bw) * c + i`: TensorFlow's `tf.nn.depth_to_space` and `space_to_depth`, ONNX's
    /// SpaceToDepth and DepthToSpace in mode DCR.
    BlockFirst,
    /// Channel `(i * block + bh) * block + bw`: `torch.nn.PixelShuffle` and `PixelUnshuffle`, ONNX's DepthToSpace in
    /// mode CRD.
    ChannelFirst,
}

impl Rearrangement {
    /// The operator's name.
    pub fn name(&self) -> &'static str {
        match self {
            Rearrangement::Slice { .. } => "slice",
            Rearrangement::Pad { .. } => "pad",
            Rearrangement::ChannelShuffle { .. } => "channel_shuffle",
            Rearrangement::DepthToSpace { .. } => "depth_to_space",
            Rearrangement::SpaceToDepth { .. } => "space_to_depth",
            Rearrangement::Nearest { .. } => "nearest",
            Rearrangement::Transpose { .. } => "transpose",
        }
    }

    /// The cell of an input of shape `x` that goes to output cell `o`, if one does; `o` must lie in the output.
    pub fn source(&self, x: [usize; 3], o: [usize; 3]) -> Option<[usize; 3]> {
        let [h, w, c] = o;
        Some(match self {
            Rearrangement::Slice { begin, step, .. } => {
                [0, 1, 2].map(|a| (begin[a] as i64 + o[a] as i64 * step[a]) as usize)
            }
            Rearrangement::Pad { cells, mode } => {
                let i = [0, 1, 2].map(|a| mode.index(o[a] as i64 - cells[a][0] as i64, x[a] as i64));
                [i[0]?, i[1]?, i[2]?]
            }
            Rearrangement::ChannelShuffle { groups } => [h, w, c % groups * (x[2] / groups) + c / groups],
            Rearrangement::DepthToSpace { block, order } => {
                let channels = x[2] / (block * block);
                [h / block, w / block, order.channel(*block, channels, [h % block, w % block, c])]
            }
            Rearrangement::SpaceToDepth { block, order } => {
                let [bh, bw, i] = order.cell(*block, x[2], c);
                [h * block + bh, w * block + bw, i]
            }
            Rearrangement::Nearest { rows, columns } => [rows[h], columns[w], c],
            Rearrangement::Transpose { order } => {
                let mut i = [0; 3];
                (0..3).for_each(|a| i[order[a]] = o[a]);
                i
            }
        })
    }
}

impl PadMode {
    /// The index of `0..n` that stands at `i`.
    fn index(self, i: i64, n: i64) -> Option<usize> {
        let inside = match self {
            PadMode::Constant => return (0..n).contains(&i).then_some(i as usize),
            PadMode::Reflect if n == 1 => 0,
            PadMode::Reflect => {
                let i = i.rem_euclid(2 * (n - 1));
                i.min(2 * (n - 1) - i)
            }
            PadMode::Edge => i.clamp(0, n - 1),
            PadMode::Wrap => i.rem_euclid(n),
        };
        Some(inside as usize)
    }
}

impl DepthOrder {
    /// The deep channel of channel `i` at a block's cell.
    fn channel(self, block: usize, channels: usize, [bh, bw, i]: [usize; 3]) -> usize {
        match self {
            DepthOrder::BlockFirst => (bh * block + bw) * channels + i,
            DepthOrder::ChannelFirst => (i * block + bh) * block + bw,
        }
    }

    /// The block's cell and the channel of a deep channel.
    fn cell(self, block: usize, channels: usize, deep: usize) -> [usize; 3] {
        match self {
            DepthOrder::BlockFirst => [deep / channels / block, deep / channels % block, deep % channels],
            DepthOrder::ChannelFirst => [deep / block % block, deep % block, deep / (block * block)],
        }
    }
}

/// Numbers that go together, counted in vectors of a grid's lanes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    to: u32,
    /// [`FILL`] where nothing goes.
    from: u32,
    count: u32,
}

const FILL: u32 = u32::MAX;

/// A rearrangement from one grid to another.
#[derive(Clone, Debug)]
pub(super) struct Table {
    lanes: usize,
    runs: Vec<Run>,
}

impl Table {
    pub(super) fn new(how: &Rearrangement, x: &Grid, y: &Grid) -> Self {
        let lanes = y.lanes;
        assert!(x.end().max(y.end()) / lanes < FILL as usize, "no table holds {x:?} and {y:?}");
        let mut runs: Vec<Run> = Vec::new();
        let mut push = |o: [usize; 3]| {
            let to = (y.at(o[0], o[1], o[2]) / lanes) as u32;
            let from = how.source(x.shape(), o).map_or(FILL, |[h, w, c]| (x.at(h, w, c) / lanes) as u32);
            if let Some(last) = runs.last_mut()
                && to == last.to + last.count
                && (from == FILL) == (last.from == FILL)
                && (from == FILL || from == last.from + last.count)
            {
                last.count += 1;
            } else {
                runs.push(Run { to, from, count: 1 });
            }
        };
        // In the order of the output's places, so that runs are long.
        let [height, width, channels] = y.shape();
        if y.channel < y.column {
            (0..height * width * channels)
                .for_each(|i| push([i / channels / width, i / channels % width, i % channels]));
        } else {
            (0..height * width * channels)
                .for_each(|i| push([i / width % height, i % width, i / width / height]));
        }
        runs.shrink_to_fit();
        Self { lanes, runs }
    }

    pub(super) fn forward(&self, isa: Isa, x: &[f32], fill: f32, y: &mut [f32]) {
        struct Copy<'a>(&'a Table, &'a [f32], f32, &'a mut [f32]);
        impl Kernel for Copy<'_> {
            type Output = ();
            #[inline(always)]
            fn run<S: Simd>(self, _: S) {
                let Copy(table, x, fill, y) = self;
                for run in &table.runs {
                    if run.count == 1 && table.lanes == 1 {
                        // A call to copy one number takes longer than the number.
                        y[run.to as usize] = if run.from == FILL { fill } else { x[run.from as usize] };
                        continue;
                    }
                    let y = &mut y[table.range(run.to, run.count)];
                    if run.from == FILL {
                        y.fill(fill);
                    } else {
                        y.copy_from_slice(&x[table.range(run.from, run.count)]);
                    }
                }
            }
        }
        isa.run(Copy(self, x, fill, y));
    }

    /// Adds each number of `dy` to the place in `dx` that it came from.
    pub(super) fn backward(&self, isa: Isa, dy: &[f32], dx: &mut [f32]) {
        struct Add<'a>(&'a Table, &'a [f32], &'a mut [f32]);
        impl Kernel for Add<'_> {
            type Output = ();
            #[inline(always)]
            fn run<S: Simd>(self, _: S) {
                let Add(table, dy, dx) = self;
                for run in table.runs.iter().filter(|r| r.from != FILL) {
                    if run.count == 1 && table.lanes == 1 {
                        dx[run.from as usize] += dy[run.to as usize];
                        continue;
                    }
                    let dx = &mut dx[table.range(run.from, run.count)];
                    for (dx, dy) in dx.iter_mut().zip(&dy[table.range(run.to, run.count)]) {
                        *dx += dy;
                    }
                }
            }
        }
        isa.train(Add(self, dy, dx));
    }

    #[inline(always)]
    fn range(&self, at: u32, count: u32) -> std::ops::Range<usize> {
        let start = at as usize * self.lanes;
        start..start + count as usize * self.lanes
    }
}

//! Direct convolution against Winograd's transforms, images in lanes and one image with channels in lanes, one thread:
//! the tables of docs/performance.md behind `Winograd::faster`. `cargo run --release -p foveal-kernels --example winograd`; `FOVEAL_ISA=avx2` for a narrower set.

use foveal_kernels::lanes::{Correlation, Finish, Frame, Winograd, WinogradFilter};
use foveal_kernels::nhwc::{After, Layout, Prepared};
use foveal_kernels::{Aligned, Conv2dGeometry, Conv2dOptions, Isa, Padding};
use std::time::{Duration, Instant};

/// Rows and columns, channels, filters.
const SHAPES: [[usize; 3]; 8] = [
    [14, 8, 16],
    [7, 16, 16],
    [14, 16, 32],
    [14, 32, 64],
    [28, 64, 64],
    [14, 128, 128],
    [7, 128, 128],
    [8, 256, 256],
];

/// The same for one image.
const SINGLE: [[usize; 3]; 9] = [
    [112, 16, 16],
    [112, 32, 32],
    [56, 32, 64],
    [56, 64, 64],
    [28, 64, 128],
    [28, 128, 128],
    [14, 128, 128],
    [14, 256, 256],
    [7, 512, 512],
];

/// How long each side of a pair is repeated; the fastest run counts.
const LONG: Duration = Duration::from_millis(300);

fn main() {
    let isa = Isa::best();
    println!("{}; effective GFLOP/s, times direct, difference relative to the largest number", isa.name());
    for [size, c, o] in SHAPES {
        let g = geometry([size, c, o]);
        println!("{c:4} -> {o:<4} {size}x{size}: {}", passes(isa, &g).join(" | "));
    }
    println!("one image, channels side by side");
    for [size, c, o] in SINGLE {
        let g = geometry([size, c, o]);
        println!("{c:4} -> {o:<4} {size}x{size}: {}", single(isa, &g));
    }
}

/// One image, both ways.
fn single(isa: Isa, g: &Conv2dGeometry) -> String {
    let from = Layout::plain([g.h.input, g.w.input, g.in_channels]);
    let to = Layout::plain([g.h.output, g.w.output, g.out_channels]);
    let mut random = Random(1);
    let x: Vec<f32> = (0..from.numbers()).map(|_| random.next()).collect();
    let filter: Vec<f32> = (0..9 * g.in_channels * g.out_channels).map(|_| random.next()).collect();
    let after = After::default();
    let mut ways = [Prepared::without_transforms, Prepared::new].map(|way| way(isa, g, &after, from, to));
    ways.iter_mut().for_each(|way| way.load(&filter, None));
    let mut scratch = Aligned::zeros(ways[1].scratch());
    let [direct, tiles] = &ways;
    let row = compare(
        g.flops() as f64,
        to.numbers(),
        |y| direct.run(None, &x, None, &mut [], y),
        |y| tiles.run(None, &x, None, &mut scratch, y),
    );
    format!("{row} {}", tiles.kernel())
}

/// A convolution of one image that keeps its size.
fn geometry([size, c, o]: [usize; 3]) -> Conv2dGeometry {
    let options = Conv2dOptions { padding: Padding::Same, ..Conv2dOptions::default() };
    Conv2dGeometry::new("conv2d", &[1, size, size, c], &[3, 3, c, o], &options).expect("the shapes fit")
}

/// The three passes, each both ways.
fn passes(isa: Isa, g: &Conv2dGeometry) -> [String; 3] {
    let [halo, gradient] = Winograd::halos(g);
    let plain = |channels| Frame::plain(channels, g.h.output, g.w.output);
    let input = Frame { halo, ..plain(g.in_channels) };
    let d_output = Frame { halo: gradient, ..plain(g.out_channels) };
    let [output, d_input] = [plain(g.out_channels), plain(g.in_channels)];
    let mut random = Random(1);
    let (x, dy) = (random.planes(isa, &input), random.planes(isa, &d_output));
    let filter: Vec<f32> = (0..9 * g.in_channels * g.out_channels).map(|_| random.next()).collect();
    let operations = (g.flops() * isa.lanes() as u64) as f64;

    let (direct, tiles) = (Correlation::forward(g, &input, &output), Winograd::forward(g, &input, &output));
    let mut scratch = Aligned::zeros(tiles.scratch(isa));
    let size = output.vectors() * isa.lanes();
    let forward = compare(
        operations,
        size,
        |y| direct.run(isa, &x, &filter, None, y, Finish::Store),
        |y| tiles.run(isa, &x, &filter, None, y, Finish::Store, &mut scratch),
    );

    let walks = Correlation::backward_input(g, &d_output, &d_input);
    let tiles = Winograd::backward_input(g, &d_output, &d_input);
    let mut scratch = Aligned::zeros(tiles.scratch(isa));
    let inputs = compare(
        operations,
        d_input.vectors() * isa.lanes(),
        |dx| walks.iter().for_each(|walk| walk.run(isa, &dy, &filter, None, dx, Finish::Store)),
        |dx| tiles.run(isa, &dy, &filter, None, dx, Finish::Store, &mut scratch),
    );

    let tiles = WinogradFilter::new(g, &input, &d_output);
    let mut scratch = Aligned::zeros(tiles.scratch(isa));
    let filters = compare(
        operations,
        filter.len(),
        |d| direct.backward_weights(isa, &x, &dy, &d_output, d),
        |d| tiles.run(isa, &x, &dy, d, &mut scratch),
    );
    [forward, inputs, filters]
}

/// Both ways to `size` numbers. The first answers are compared, the fastest of many runs timed.
fn compare(
    operations: f64,
    size: usize,
    mut direct: impl FnMut(&mut [f32]),
    mut tiles: impl FnMut(&mut [f32]),
) -> String {
    let (mut a, mut b) = (Aligned::zeros(size), Aligned::zeros(size));
    direct(&mut a);
    tiles(&mut b);
    let largest = a.iter().fold(0.0_f32, |most, v| most.max(v.abs()));
    let error = a.iter().zip(b.iter()).fold(0.0_f32, |most, (a, b)| most.max((a - b).abs())) / largest;
    let (slow, fast) = (fastest(|| direct(&mut a)), fastest(|| tiles(&mut b)));
    format!("{:4.0} {:.2}x {error:.1e}", operations / fast / 1e9, slow / fast)
}

fn fastest(mut run: impl FnMut()) -> f64 {
    let (begun, mut best) = (Instant::now(), f64::INFINITY);
    while begun.elapsed() < LONG {
        let start = Instant::now();
        run();
        best = best.min(start.elapsed().as_secs_f64());
    }
    best
}

/// A linear congruential generator: numbers from -1 to 1.
struct Random(u64);

impl Random {
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f32 / (1 << 23) as f32 - 1.0
    }

    /// Planes of numbers with zeros around.
    fn planes(&mut self, isa: Isa, f: &Frame) -> Aligned {
        let mut planes = Aligned::zeros(f.vectors() * isa.lanes());
        for channel in 0..f.channels {
            for row in 0..f.height {
                let at = (channel * f.plane() + f.origin() + row * f.row()) * isa.lanes();
                planes[at..at + f.width * isa.lanes()].fill_with(|| self.next());
            }
        }
        planes
    }
}

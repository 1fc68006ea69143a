use crate::frames::{Case, UNTOUCHED, assert_halo_untouched, eighths, frame, pack, padding, signed, unpack};
use crate::{Worst, each};
use foveal_kernels::lanes::{ConvPool, Convolution};
use foveal_kernels::{Pool2dGeometry, Pool2dOptions};
use foveal_testkit::reference::{self as r, activation::Activation::Relu};
use foveal_testkit::{Pad, Random};
use ndarray::Array1;

#[derive(Clone, Copy, Debug)]
struct Pool {
    k: [usize; 2],
    s: [usize; 2],
    pad: Pad,
}

impl Pool {
    fn geometry(&self, input: [usize; 4]) -> Option<Pool2dGeometry> {
        let options =
            Pool2dOptions { ksize: signed(self.k), strides: signed(self.s), padding: padding(self.pad) };
        Pool2dGeometry::new("max_pool", &input, &options).ok().filter(ConvPool::fits)
    }
}

fn check(case: &Case, pool: &Pool, random: &mut Random, worst: &mut [Worst; 4]) -> bool {
    let isa = worst[0].isa;
    let (g, n) = (case.of_one(), case.x[0]);
    let Some(p) = pool.geometry(g.output_shape()) else { return false };
    let relu = random.int(0, 2) > 0;
    let with_bias = random.int(0, 1) == 1;
    let what = (case, pool, relu, with_bias);
    let [_, oh, ow, o] = p.output_shape();
    let extents = [case.x[3], case.x[1], case.x[2]];
    let input = frame(random, extents, Convolution::halos(&g)[0]);
    let d_input = frame(random, extents, [0; 4]);
    let [output, gradient] = [0; 2].map(|_| frame(random, [o, oh, ow], [0; 4]));
    let (x, x64) = eighths(random, case.x);
    let (w, w64) = eighths(random, case.w);
    let bias64 = Array1::from_shape_simple_fn(o, || random.int(0, 16) as f64 / 8.0 - 1.0);
    let bias = bias64.mapv(|v| v as f32);
    let (dy, dy64) = random.array_f32([n, oh, ow, o]);

    let (s, d, pad, groups) = (case.strides, case.dilations, case.pad, case.groups);
    let z = r::conv2d(&x64, &w64, with_bias.then_some(&bias64), s, d, pad, groups);
    let a = if relu { Relu.forward(&z) } else { z.clone() };
    let y64 = r::max_pool(&a, pool.k, pool.s, pool.pad);
    let da = r::max_pool_backward(&dy64, &a, pool.k, pool.s, pool.pad);
    let dz = if relu { Relu.backward(&da, &z) } else { da };
    let dx64 = r::conv2d_backward_input(&dz, &w64, case.x, s, d, pad, groups);
    let dw64 = r::conv2d_backward_filter(&dz, &x64, case.w, s, d, pad, groups);
    let db64 = r::conv2d_backward_bias(&dz);

    let plan = ConvPool::new(isa, &g, &p, &input, &d_input, &output, relu);
    let x = pack(isa, &input, &x, 0.0);
    let w = w.as_slice().unwrap();
    let mut y = vec![UNTOUCHED; output.vectors() * isa.lanes()];
    let mut places = vec![77; plan.places() * isa.lanes()];
    let mut strip = vec![f32::NAN; plan.scratch(isa)];
    let b = with_bias.then(|| bias.as_slice().unwrap());
    plan.forward(isa, &x, w, b, &mut y, &mut places, &mut strip);
    assert_halo_untouched(isa, &output, &y);
    worst[0].check(&what, &unpack(isa, &output, &y, n), &y64);

    let dy = pack(isa, &gradient, &dy, 0.0);
    let mut expanded = vec![0.0; plan.expanded_vectors() * isa.lanes()];
    let (before, before64) = random.array_f32(case.x);
    let (first_w, first_w64) = random.array_f32(case.w);
    // The memory of the expanded gradients serves one step after the other.
    for asked in [None, Some(false), Some(true)] {
        let mut dw = first_w.clone().into_raw_vec_and_offset().0;
        let mut db = vec![0.5; o];
        let mut dx = pack(isa, &d_input, &before, UNTOUCHED);
        let d_bias = with_bias.then_some(&mut db[..]);
        let wanted = asked.map(|accumulate| (&mut dx[..], accumulate));
        plan.backward(
            isa,
            &x,
            w,
            &gradient,
            &dy,
            &places,
            &mut expanded,
            &mut dw,
            d_bias,
            wanted,
            &mut strip,
        );
        worst[1].check(&what, &dw, &(&dw64 + &first_w64));
        if with_bias {
            worst[2].check(&what, &db, &db64.mapv(|v| v + 0.5));
        }
        assert_halo_untouched(isa, &d_input, &dx);
        let expected = match asked {
            None => before64.clone(),
            Some(false) => dx64.clone(),
            Some(true) => &before64 + &dx64,
        };
        worst[3].check(&what, &unpack(isa, &d_input, &dx, n), &expected);
    }
    true
}

#[test]
fn conv_pool() {
    each(|isa| {
        let mut random = Random::new(5);
        let names = ["conv_pool forward", "conv_pool d_filter", "conv_pool d_bias", "conv_pool d_input"];
        let mut worst = names.map(|what| Worst::new(isa, what));
        let mut ran = 0;
        while ran < 250 {
            let n = random.int(1, isa.lanes());
            let case = Case::random(&mut random, n);
            let k = random.pick(&[[2, 2], [3, 3], [2, 3], [1, 2], [3, 1], [1, 1]]);
            let more = if random.int(0, 2) == 0 { [random.int(0, 2), random.int(0, 2)] } else { [0, 0] };
            let pad = match random.int(0, 3) {
                0 => Pad::Valid,
                1 => Pad::Explicit([0, k[0] - 1, 0, k[1] - 1]),
                _ => Pad::Same,
            };
            let pool = Pool { k, s: [k[0] + more[0], k[1] + more[1]], pad };
            ran += usize::from(check(&case, &pool, &mut random, &mut worst));
        }
        // Channels whose expanded gradients do not fit the cache at once.
        let plain =
            Case { x: [0; 4], w: [0; 4], strides: [1, 1], dilations: [1, 1], pad: Pad::Same, groups: 1 };
        let pool = Pool { k: [2, 2], s: [2, 2], pad: Pad::Same };
        for (c, o) in [(1, 32), (2, 17), (3, 30)] {
            let case = Case { x: [isa.lanes() - 1, 28, 28, c], w: [3, 3, c, o], ..plain };
            assert!(check(&case, &pool, &mut random, &mut worst));
        }
        // Windows of so many cells that gradients are sparse, one over all cells as over a text among them.
        for (h, w, c, o) in [(1, 39, 64, 20), (1, 21, 17, 33), (9, 7, 8, 5), (11, 12, 9, 16)] {
            for (k, w_k) in [([h, w], [1, 3]), ([4, 5], [3, 2])] {
                for (strides, dilations, pad) in
                    [([1, 1], [1, 1], Pad::Same), ([1, 1], [2, 1], Pad::Valid), ([1, 2], [1, 1], Pad::Same)]
                {
                    let kernel = [w_k[0].min(h), w_k[1], c, o];
                    let case =
                        Case { x: [isa.lanes() - 1, h, w, c], w: kernel, strides, dilations, pad, groups: 1 };
                    check(&case, &Pool { k, s: k, pad: Pad::Same }, &mut random, &mut worst);
                    check(&case, &Pool { k, s: k, pad: Pad::Valid }, &mut random, &mut worst);
                }
            }
        }
        // Windows that are Winograd's tiles, some of them cut off or left out at the end.
        for (h, w, c, o) in [(8, 8, 16, 16), (7, 9, 17, 20), (5, 6, 16, 33)] {
            for pad in [Pad::Same, Pad::Valid] {
                let case = Case { x: [isa.lanes() - 1, h, w, c], w: [3, 3, c, o], pad, ..plain };
                let kept = Pool { pad: Pad::Valid, ..pool };
                assert!(check(&case, &pool, &mut random, &mut worst));
                assert!(check(&case, &kept, &mut random, &mut worst));
            }
        }
    });
}

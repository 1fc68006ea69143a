use crate::frames::{UNTOUCHED, assert_halo_untouched, frame, pack, unpack};
use crate::{Worst, each};
use foveal_kernels::lanes::embedding::{Lookup, backward, row};
use foveal_testkit::Random;
use foveal_testkit::reference as r;
use ndarray::{Array2, Array4};

/// Numbers below `rows`, as the kernels and the reference take them.
fn ids(random: &mut Random, [n, h, w]: [usize; 3], rows: usize) -> (Array4<f32>, Array4<f64>) {
    let ids = Array4::from_shape_simple_fn((n, h, w, 1), || random.int(0, rows - 1) as f32);
    let wide = ids.mapv(f64::from);
    (ids, wide)
}

#[test]
fn lookup_and_its_gradient() {
    each(|isa| {
        let mut random = Random::new(21);
        let mut worst = ["embedding forward", "embedding backward"].map(|what| Worst::new(isa, what));
        for _ in 0..200 {
            let (h, w) = (random.int(1, 3), random.int(1, 9));
            let (rows, size) = (random.int(1, 40), random.int(1, 7));
            let input = frame(&mut random, [1, h, w], [0; 4]);
            let output = frame(&mut random, [size, h, w], [0; 4]);
            let gradient = frame(&mut random, [size, h, w], [0; 4]);
            let (table, table64) = random.array_f32((rows, size));
            let lookup = Lookup { input, output, rows, lanes: isa.lanes() };
            let groups = random.int(1, 3);
            let mut kept = Vec::new();
            let mut expected = Array2::zeros((rows, size));
            let case = (h, w, rows, size, groups);
            for _ in 0..groups {
                // What is no image has the number 0 and no gradient.
                let n = random.int(1, isa.lanes());
                let (x, x64) = ids(&mut random, [n, h, w], rows);
                let (dy, dy64) = random.array_f32([n, h, w, size]);
                let x = pack(isa, &input, &x, 0.0);
                let mut y = vec![UNTOUCHED; output.vectors() * isa.lanes()];
                lookup.forward(&x, table.as_slice().unwrap(), &mut y);
                assert_halo_untouched(isa, &output, &y);
                worst[0].check(&case, &unpack(isa, &output, &y, n), &r::embedding(&x64, &table64));
                let dy = pack(isa, &gradient, &dy, 0.0);
                let (mut own, mut own_dy) =
                    (vec![UNTOUCHED; lookup.ids()], vec![UNTOUCHED; lookup.ids() * size]);
                lookup.keep(&x, &dy, &gradient, &mut own, &mut own_dy);
                expected += &r::embedding_backward(&dy64, &x64, rows);
                kept.push((own, own_dy));
            }
            // All rows at once, and cut in two.
            for cut in [rows, random.int(1, rows)] {
                let mut found = vec![UNTOUCHED; rows * size];
                let (first, second) = found.split_at_mut(cut * size);
                let group = |g: usize| (&kept[g].0[..], &kept[g].1[..]);
                backward(groups, group, [rows, size], 0, first);
                backward(groups, group, [rows, size], cut, second);
                worst[1].check(&case, &found, &expected);
            }
        }
    });
}

#[test]
fn no_number_is_outside_the_table() {
    let numbers = [-1.0, f32::NAN, f32::NEG_INFINITY, 0.9, 65_535.0, 65_534.0, 1e9, f32::INFINITY];
    let rows: Vec<usize> = numbers.iter().map(|&v| row(v, 65_536)).collect();
    assert_eq!(rows, [0, 0, 0, 0, 65_535, 65_534, 65_535, 65_535]);
}

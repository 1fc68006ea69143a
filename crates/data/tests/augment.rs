//! Augmentation: nothing when off, the same for the same picture, as spread as it says, exact against f64.

use foveal_data::Augment;
use foveal_data::augment::{Key, Map, NUMBERS, Scratch};

const SHAPE: [usize; 3] = [28, 28, 1];

fn noise(n: usize) -> Vec<u8> {
    (0..n as u64).map(|i| (i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8).collect()
}

fn all() -> Augment {
    Augment {
        crop: 0.2,
        brightness: 0.1,
        contrast: 0.2,
        cutout: 4,
        mixup: 0.4,
        flip: true,
        ..Augment::digits()
    }
}

fn map(augment: Augment, shape: [usize; 3], i: u64) -> Map {
    augment.change(shape, Key::new(5, 1, i)).map.expect("it moves")
}

#[test]
fn off_it_changes_nothing() {
    let none = Augment::default();
    assert!(none.is_none() && none.check().is_ok());
    let picture = noise(28 * 28);
    let (mut out, mut room) = (Vec::new(), Scratch::default());
    for i in 0..20 {
        let key = Key::new(1, 2, i);
        assert_eq!(none.apply(SHAPE, (key, &picture), (key, &[]), &mut out, &mut room), 1.0);
        assert_eq!(out, picture);
    }
}

#[test]
fn it_depends_on_seed_epoch_and_picture_alone() {
    let (picture, other) = (noise(28 * 28), vec![200; 28 * 28]);
    let made = |key: Key, room: &mut Scratch<u8>| {
        let mut out = vec![9; 3];
        all().apply(SHAPE, (key, &picture), (Key::new(9, 9, 9), &other), &mut out, room);
        out
    };
    // What an earlier picture left in the memory has no effect.
    let mut room = Scratch::default();
    let first = made(Key::new(1, 2, 3), &mut room);
    made(Key::new(7, 7, 7), &mut room);
    assert_eq!(made(Key::new(1, 2, 3), &mut room), first);
    assert_eq!(made(Key::new(1, 2, 3).turn(0), &mut Scratch::default()), first);
    let others = [Key::new(2, 2, 3), Key::new(1, 3, 3), Key::new(1, 2, 4), Key::new(1, 2, 3).turn(1)];
    for key in others {
        assert_ne!(made(key, &mut room), first);
    }
}

/// Bilinear, in f64, beyond the edge as at the edge.
fn reference(picture: &[f64], [height, width, channels]: [usize; 3], map: &Map, out: [usize; 3]) -> f64 {
    let [y, x] = map.place(out[0] as f64, out[1] as f64);
    let (y, x) = (y.clamp(0.0, height as f64 - 1.0), x.clamp(0.0, width as f64 - 1.0));
    let at = |y: f64, x: f64| {
        let (y, x) = ((y as usize).min(height - 1), (x as usize).min(width - 1));
        picture[(y * width + x) * channels + out[2]]
    };
    let (fy, fx) = (y.fract(), x.fract());
    let (y, x) = (y.floor(), x.floor());
    (1.0 - fy) * ((1.0 - fx) * at(y, x) + fx * at(y, x + 1.0))
        + fy * ((1.0 - fx) * at(y + 1.0, x) + fx * at(y + 1.0, x + 1.0))
}

#[test]
fn the_warp_is_bilinear_to_the_last_bit_of_a_byte() {
    let augment = Augment {
        shift: 3.0,
        rotate: 40.0,
        scale: 0.3,
        shear: 20.0,
        flip: true,
        crop: 0.3,
        ..Augment::default()
    };
    let mut worst = [0.0f64; 2];
    for (k, shape) in
        [[28, 28, 1], [9, 14, 3], [5, 3, 2], [1, 7, 1], [4, 1, 3], [1, 1, 1]].into_iter().enumerate()
    {
        let n = shape.iter().product();
        let bytes = noise(n);
        let numbers: Vec<f32> = bytes.iter().map(|&v| f32::from(v) / 64.0 - 2.0).collect();
        for i in 0..40 {
            let change = augment.change(shape, Key::new(k as u64, 1, i));
            let (mut as_bytes, mut as_numbers) = (vec![0; n], vec![0.0; n]);
            change.apply(&bytes, &mut as_bytes, &mut Vec::new());
            change.apply(&numbers, &mut as_numbers, &mut Vec::new());
            let map = change.map.unwrap();
            for at in 0..n {
                let cell = [at / shape[2] / shape[1], at / shape[2] % shape[1], at % shape[2]];
                let wide = |v: &[f32]| v.iter().map(|&v| f64::from(v)).collect::<Vec<_>>();
                let byte =
                    reference(&bytes.iter().map(|&v| f64::from(v)).collect::<Vec<_>>(), shape, &map, cell);
                let number = reference(&wide(&numbers), shape, &map, cell);
                worst[0] = worst[0].max((f64::from(as_bytes[at]) - byte).abs());
                worst[1] = worst[1].max((f64::from(as_numbers[at]) - number).abs());
            }
        }
    }
    assert!(worst[0] <= 0.5 + 1e-3 && worst[1] <= 1e-5, "{worst:?}");
}

/// Mean, deviation, least and greatest.
fn spread(values: impl Iterator<Item = f64> + Clone) -> [f64; 4] {
    let n = values.clone().count() as f64;
    let mean = values.clone().sum::<f64>() / n;
    let deviation = (values.clone().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt();
    [mean, deviation, values.clone().fold(f64::MAX, f64::min), values.fold(f64::MIN, f64::max)]
}

/// Values that are even from -most to most.
fn even(what: &str, most: f64, values: impl Iterator<Item = f64> + Clone) {
    let [mean, deviation, low, high] = spread(values);
    assert!(mean.abs() < 0.03 * most, "{what}: mean {mean}");
    assert!((deviation / most - 1.0 / 3f64.sqrt()).abs() < 0.02, "{what}: deviation {deviation}");
    assert!(-most <= low && low < -0.99 * most && 0.99 * most < high && high <= most, "{what}: {low} {high}");
}

#[test]
fn every_range_is_filled_evenly() {
    const N: u64 = 6000;
    let off = Augment::default;
    let maps = |augment: Augment| (0..N).map(move |i| map(augment, SHAPE, i));
    let shift = Augment { shift: 2.0, ..off() };
    even("shift down", 2.0, maps(shift).map(|m| -m.row[2]));
    even("shift right", 2.0, maps(shift).map(|m| -m.column[2]));
    let product = maps(shift).map(|m| m.row[2] * m.column[2]);
    assert!(spread(product)[0].abs() < 0.06, "the two are independent");
    even("rotate", 10.0, maps(Augment { rotate: 10.0, ..off() }).map(|m| m.column[0].asin().to_degrees()));
    even("scale", 0.2, maps(Augment { scale: 0.2, ..off() }).map(|m| 1.0 / m.row[0] - 1.0));
    even("shear", 15.0, maps(Augment { shear: 15.0, ..off() }).map(|m| -m.column[0].atan().to_degrees()));
    let changes = |augment: Augment| (0..N).map(move |i| augment.change(SHAPE, Key::new(5, 1, i)));
    even("brightness", 0.25, changes(Augment { brightness: 0.25, ..off() }).map(|c| f64::from(c.light)));
    even("contrast", 0.5, changes(Augment { contrast: 0.5, ..off() }).map(|c| f64::from(c.gain) - 1.0));
    let flipped = maps(Augment { flip: true, ..off() }).filter(|m| m.column[1] < 0.0).count();
    assert!((2850..3150).contains(&flipped), "{flipped}");
    // The middle stays where it is, however a picture is turned.
    for m in maps(Augment { rotate: 30.0, scale: 0.3, shear: 20.0, flip: true, ..off() }) {
        let [y, x] = m.place(13.5, 13.5);
        assert!((y - 13.5).abs() < 1e-9 && (x - 13.5).abs() < 1e-9);
    }
    let crop = Augment { crop: 0.4, ..off() };
    let kept = maps(crop).map(|m| m.row[0]);
    let [mean, _, low, high] = spread(kept);
    assert!((mean - 0.8).abs() < 0.01 && low >= 0.6 && high <= 1.0, "{mean} {low} {high}");
    for m in maps(crop) {
        for corner in [m.place(-0.5, -0.5), m.place(27.5, 27.5)] {
            assert!(corner.iter().all(|v| (-0.5001..=27.5001).contains(v)), "{corner:?}");
        }
    }
}

#[test]
fn mixing_follows_beta() {
    for (alpha, mean) in [(1.0, 0.75), (0.2, 0.8988)] {
        let augment = Augment { mixup: alpha, ..Augment::default() };
        let shares = (0..8000).map(|i| f64::from(augment.share(Key::new(0, 1, i))));
        let [found, _, low, high] = spread(shares);
        // E max(x, 1 - x) of Beta(a, a): 1/2 + 2^(-2a) / (a B(a, a)).
        assert!((found - mean).abs() < 0.006, "{alpha}: {found}");
        assert!(low >= 0.5 && high <= 1.0);
    }
    let augment = Augment { mixup: 0.2, ..Augment::default() };
    let mut drawn = [0; 5];
    (0..5000).for_each(|i| drawn[augment.partner(Key::new(0, 1, i), 5)] += 1);
    assert!(drawn.iter().all(|n| (900..1100).contains(n)), "{drawn:?}");
    let (a, b) = ([100u8; 4], [200u8; 4]);
    let (mut out, mut room) = (Vec::new(), Scratch::default());
    // With so small an exponent most shares are nearly 1.
    let key = (0..9).map(|i| Key::new(0, 1, i)).find(|&key| augment.share(key) < 0.9).unwrap();
    let share = augment.apply([2, 2, 1], (key, &a), (key, &b), &mut out, &mut room);
    assert!(share < 1.0);
    assert_eq!(out, [(200.0 - 100.0 * share).round() as u8; 4]);
}

#[test]
fn light_and_holes() {
    let picture: Vec<u8> = (0..64).map(|i| if i % 2 == 0 { 100 } else { 140 }).collect();
    let mut out = vec![0; 64];
    for i in 0..50 {
        let change = Augment { brightness: 0.2, contrast: 0.5, ..Augment::default() };
        let change = change.change([8, 8, 1], Key::new(0, 1, i));
        change.apply(&picture, &mut out, &mut Vec::new());
        for (v, p) in out.iter().zip(&picture) {
            let want = (f32::from(*p) - 120.0) * change.gain + 120.0 + change.light * 255.0;
            assert!((f32::from(*v) - want).abs() <= 0.51, "{v} where {want}");
        }
        let change = Augment { cutout: 4, ..Augment::default() }.change([8, 8, 1], Key::new(0, 1, i));
        change.apply(&picture, &mut out, &mut Vec::new());
        let [rows, columns] = change.hole.unwrap();
        let inside = |at: usize| {
            (rows[0]..rows[1]).contains(&(at / 8)) && (columns[0]..columns[1]).contains(&(at % 8))
        };
        assert!(rows[1] - rows[0] <= 4 && columns[1] - columns[0] <= 4 && rows[1] > rows[0]);
        (0..64).for_each(|at| assert_eq!(out[at], if inside(at) { 120 } else { picture[at] }));
    }
    // Numbers have the range of their own picture; NaN stays NaN and nothing panics.
    let change =
        Augment { brightness: 1.0, cutout: 9, ..Augment::digits() }.change([2, 2, 1], Key::new(0, 1, 3));
    let mut out = [0.0; 4];
    change.apply(&[f32::NAN, 1.0, f32::INFINITY, -1.0], &mut out, &mut Vec::new());
    change.apply(&[f32::MAX, f32::MIN, 0.0, 0.0], &mut out, &mut Vec::new());
}

#[test]
fn no_size_is_too_small() {
    for shape in [[0, 0, 1], [0, 5, 1], [5, 0, 3], [3, 3, 0], [1, 1, 1], [1, 9, 2]] {
        let n = shape.iter().product();
        let picture = noise(n);
        let key = Key::new(0, 1, 1);
        let (mut out, mut room) = (Vec::new(), Scratch::default());
        all().apply(shape, (key, &picture), (key, &picture), &mut out, &mut room);
        assert_eq!(out.len(), n);
    }
}

#[test]
fn text_is_read_as_it_is_written() {
    for augment in [Augment::default(), Augment::digits(), Augment::photos(), all()] {
        assert_eq!(augment.to_string().parse(), Ok(augment), "{augment}");
    }
    assert_eq!(Augment::default().to_string(), "none");
    assert_eq!("shift=2, rotate=10".parse(), Ok(Augment { shift: 2.0, rotate: 10.0, ..Augment::default() }));
    assert_eq!("digits,none,flip".parse(), Ok(Augment { flip: true, ..Augment::default() }));
    let refused = |text: &str, words: &[&str]| {
        let why = text.parse::<Augment>().unwrap_err();
        assert!(words.iter().all(|w| why.contains(w)), "{text}: {why}");
    };
    refused("rotat=10", &["rotat", "rotate", "flip", "photos"]);
    refused("mirror", &["mirror", "flip"]);
    refused("shift", &["shift needs a number", "shift=2"]);
    refused("shift=two", &["shift", "`two`"]);
    refused("flip=1", &["flip", "alone"]);
    refused("digits=1", &["digits", "alone"]);
    refused("cutout=1.5", &["cutout", "whole", "1.5"]);
    refused("", &["missing"]);
    refused("shift=1,,flip", &["missing"]);
    refused("mixup=0.01", &["mixup", "0.05", "0.01"]);
    for (name, most) in NUMBERS {
        refused(&format!("{name}=-1"), &[name]);
        refused(&format!("{name}={}", most * 2.0 + 1.0), &[name, &most.to_string()]);
        if name != "cutout" {
            refused(&format!("{name}=NaN"), &[name, "NaN"]);
        }
    }
}

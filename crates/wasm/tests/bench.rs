//! The bench on the host: the lecture's numbers, arithmetic that adds up, links, sizes that do not fit.

use foveal::nn::init::Random;
use foveal_wasm::bench::*;

fn preset(key: &str) -> Setting {
    presets().into_iter().find(|p| p.key == key).unwrap_or_else(|| panic!("no preset {key}")).setting
}

fn answer(s: &Setting) -> Answer {
    match run(s) {
        Outcome::Fits { answer } => answer,
        Outcome::Refused { refusal } => panic!("{refusal:?}"),
    }
}

fn refusal(s: &Setting) -> Refusal {
    match run(s) {
        Outcome::Fits { answer } => panic!("{:?}", answer.shape),
        Outcome::Refused { refusal } => refusal,
    }
}

#[test]
fn presets_give_the_lectures_numbers() {
    let values = |key| answer(&preset(key)).values;
    assert_eq!(values("valid"), [12.0, 16.0, 24.0, 28.0]);
    assert_eq!(values("same"), [12.0, 16.0, 9.0, 24.0, 28.0, 15.0, 15.0, 17.0, 9.0]);
    assert_eq!(values("three-filters")[..6], [12.0, 120.0, -12.0, 16.0, 160.0, -16.0]);
    assert_eq!(values("max-pool"), [4.0]);
    assert_eq!(values("max-pool-same"), [4.0, 3.0, 2.0, 1.0]);
    assert_eq!(values("negatives"), [-1.0; 4]);
    assert_eq!(answer(&preset("digit")).shape, [14, 14, 5]);
    assert_eq!(answer(&preset("digit-pool")).shape, [7, 7, 5]);
    let lopsided = answer(&preset("lopsided"));
    assert_eq!(
        [lopsided.rows.before, lopsided.rows.after, lopsided.columns.before, lopsided.columns.after],
        [0, 1, 0, 1]
    );
    assert_eq!(values("average")[0], 4.0);
}

#[test]
fn the_digit_is_mnists_first() {
    let pixels = foveal_mnist::train_images(1);
    let want: Vec<f32> = pixels[..784].iter().map(|&p| f32::from(p) / 255.0).collect();
    assert_eq!(preset("digit").values, want);
}

/// A printed number in units of the 24th decimal.
fn exact(text: &str) -> i128 {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    sign * format!("{whole}{fraction:0<24}").parse::<i128>().unwrap_or_else(|_| panic!("{text}"))
}

#[test]
fn shown_terms_of_every_cell_add_up() {
    let mut cells = 0;
    for preset in presets() {
        let s = preset.setting;
        let Outcome::Fits { answer: a } = run(&s) else {
            assert_eq!(preset.key, "too-large");
            continue;
        };
        for k in 0..a.values.len() {
            let at = [k / a.shape[2] / a.shape[1], k / a.shape[2] % a.shape[1], k % a.shape[2]];
            let c = cell(&s, at).unwrap();
            let value: f32 = c.value.parse().unwrap();
            assert!((value - a.values[k]).abs() <= a.values[k].abs() * 1e-3, "{} {at:?}", preset.key);
            match &c.total {
                Some(total) => {
                    let products = c.parts.iter().map(|p| exact(p.product.as_deref().unwrap()));
                    assert_eq!(products.sum::<i128>(), exact(total), "{} {at:?}", preset.key);
                }
                None => assert_eq!(c.parts.iter().filter(|p| p.largest && p.input == c.value).count(), 1),
            }
            cells += 1;
        }
        assert_eq!(cell(&s, [a.shape[0], 0, 0]), None);
    }
    assert!(cells > 1000, "{cells}");
}

/// Some setting within the limits, whether it fits or not.
fn any(random: &mut Random) -> Setting {
    let mut whole = |least: usize, most: usize| least + (random.bits() % (most - least + 1) as u64) as usize;
    let operator = [Operator::Conv2d, Operator::MaxPool, Operator::AvgPool][whole(0, 2)];
    let padding = [Pad::Valid, Pad::Same, Pad::Explicit][whole(0, 2)];
    let explicit = if padding == Pad::Explicit { [0; 4].map(|_: usize| whole(0, 3)) } else { [0; 4] };
    let input = [whole(1, 9), whole(1, 9), whole(1, 3)];
    let (kernel, filters) = ([whole(1, 4), whole(1, 4)], whole(1, 3));
    let (strides, dilations) = ([whole(1, 4), whole(1, 4)], [whole(1, 3), whole(1, 3)]);
    let weights = kernel[0] * kernel[1] * input[2] * filters;
    let values = random.normals(input.iter().product(), 3.0);
    let weights = random.normals(weights, 1.0);
    Setting { operator, input, values, kernel, filters, weights, strides, dilations, padding, explicit }
}

#[test]
fn links_lead_back() {
    let mut random = Random::new(1);
    let settings = presets().into_iter().map(|p| p.setting).chain((0..300).map(|_| any(&mut random)));
    for s in settings {
        assert_eq!(decode(&encode(&s)).as_ref(), Ok(&s), "{}", encode(&s));
    }
    assert_eq!(encode(&preset("same")), "conv2d;x=3x3x1:1,2,3,4,5,6,7,8,9;f=2x2x1:1*4;s=1x1;d=1x1;p=SAME");
}

#[test]
fn bad_links_are_refused() {
    for text in [
        "",
        "conv3d",
        "conv2d",
        "conv2d;x=0x3x1:1;f=1x1x1:1;s=1x1;d=1x1;p=SAME",
        "conv2d;x=1x1x1:1*99999999999999999999;f=1x1x1:1;s=1x1;d=1x1;p=SAME",
        "conv2d;x=1x1x1:1*18446744073709551615;f=1x1x1:1;s=1x1;d=1x1;p=SAME",
        "conv2d;x=1x1x1:nan;f=1x1x1:1;s=1x1;d=1x1;p=SAME",
        "conv2d;x=1x1x1:1;f=1x1x1:inf;s=1x1;d=1x1;p=SAME",
        "conv2d;x=1x1x1:1;f=1x1x1:1;s=0x1;d=1x1;p=SAME",
        "conv2d;x=1x1x1:1;f=1x1x1:1;s=1x1;d=1x1;p=1,2,3",
        "conv2d;x=29x29x1:1*841;f=1x1x1:1;s=1x1;d=1x1;p=SAME",
        "conv2d;x=1x1x1:1;f=1x1x1:1;s=1x1;d=1x1;p=SAME;more=1",
    ] {
        assert!(decode(text).is_err(), "{text}");
    }
    // Whatever is read is sound, and gives a result or a reason.
    let (mut random, good) = (Random::new(2), encode(&preset("explicit")).into_bytes());
    let letters = b"0123456789x:;,*-.=sdfpeSAMVLID";
    let mut read = 0;
    for _ in 0..20_000 {
        let mut text = good.clone();
        for _ in 0..1 + random.bits() % 3 {
            let at = (random.bits() % text.len() as u64) as usize;
            text[at] = letters[(random.bits() % letters.len() as u64) as usize];
        }
        if let Ok(s) = decode(&String::from_utf8(text).unwrap()) {
            assert!(s.sound());
            run(&s);
            read += 1;
        }
    }
    assert!(read > 100, "{read}");
}

#[test]
fn what_does_not_fit_says_why() {
    let Refusal::Window { side: Side::Height, line } = refusal(&preset("too-large")) else { panic!() };
    assert_eq!((line.input, line.reach, line.before, line.after), (3, 4, 0, 0));
    let wide = Setting {
        kernel: [3, 5],
        weights: vec![1.0; 15],
        padding: Pad::Explicit,
        explicit: [0, 0, 1, 0],
        ..preset("valid")
    };
    assert!(
        matches!(refusal(&wide), Refusal::Window { side: Side::Width, line } if line.reach == 5 && line.before == 1)
    );
    let outside = Setting { padding: Pad::Explicit, explicit: [2, 0, 0, 0], ..preset("max-pool") };
    assert!(matches!(refusal(&outside), Refusal::Padding { side: Side::Height, .. }));
    let spread = Setting { dilations: [1, 3], ..preset("valid") };
    assert!(matches!(refusal(&spread), Refusal::Window { side: Side::Width, line } if line.reach == 4));
    let many = Setting { filters: 8, weights: vec![1.0; 72], strides: [1, 1], ..preset("lopsided") };
    assert!(matches!(refusal(&many), Refusal::Cells { cells: 6272, .. }));
    let unsound = Setting { values: vec![], ..preset("valid") };
    assert!(matches!(refusal(&unsound), Refusal::Other { .. }));
    // Every refusal of a sound setting has a reason of its own.
    let mut random = Random::new(3);
    let mut refused = 0;
    for _ in 0..2000 {
        if let Outcome::Refused { refusal } = run(&any(&mut random)) {
            assert!(!matches!(refusal, Refusal::Other { .. }), "{refusal:?}");
            refused += 1;
        }
    }
    assert!(refused > 100, "{refused}");
}

#[test]
fn other_extents_keep_what_has_a_place() {
    let wide = reshape(&preset("three-filters"), [4, 2, 2], [2, 3], 2);
    assert!(wide.sound());
    assert_eq!(
        wide.values.iter().step_by(2).copied().collect::<Vec<_>>()[..6],
        [1.0, 2.0, 4.0, 5.0, 7.0, 8.0]
    );
    assert_eq!(wide.weights[..2], [1.0, 10.0]);
    let beyond = reshape(&preset("valid"), [0, 99, 99], [0, 99], 99);
    assert!(beyond.sound());
    assert_eq!((beyond.input, beyond.kernel, beyond.filters), ([1, 28, 6], [1, 12], 8));
}

#[test]
fn patterns_fill_what_they_name() {
    let s = preset("channels");
    let rows = |p| fill(&s, p, 7);
    assert_eq!(rows(Pattern::InputCount).values[..3], [1.0, 2.0, 3.0]);
    let random = rows(Pattern::InputRandom);
    assert_eq!(random.weights, s.weights);
    assert!(random.values.iter().all(|v| v.fract() == 0.0 && v.abs() <= 9.0));
    assert_ne!(random.values, fill(&s, Pattern::InputRandom, 8).values);
    let identity = Setting { padding: Pad::Same, ..fill(&preset("same"), Pattern::FilterIdentity, 0) };
    assert_eq!(answer(&identity).values, identity.values);
    let edge = answer(&preset("edges"));
    let (upright, level): (Vec<f32>, Vec<f32>) = edge.values.chunks(2).map(|v| (v[0], v[1])).unzip();
    assert!(upright[8 + 1..8 + 7].iter().any(|&v| v >= 27.0));
    assert!(level[8 + 1..16 + 7].iter().all(|&v| v == 0.0));
}

//! Data read as they are meant: what is learnt, on what scale, in what shape, and that it is said.

use crate::harness::Bench;
use crate::npz_file::{floats, npz};
use image::{DynamicImage, ImageBuffer, Luma, Rgb};
use std::fmt::Write;

/// A digit of noise, from 0 to `most`.
fn noise(seed: u32, most: u32) -> u32 {
    (seed.wrapping_mul(2_654_435_761) ^ seed >> 7).wrapping_mul(2_246_822_519) >> 16 & 0xffff & most
}

/// Picture `i` of 8x8: bright on the left (class 0) or on the right (class 1), bytes.
fn halves(i: usize) -> Vec<u8> {
    let cell = |at: usize| {
        let bright = (at % 8 < 4) == i.is_multiple_of(2);
        (noise((i * 64 + at) as u32, 63) + if bright { 150 } else { 20 }) as u8
    };
    (0..64).map(cell).collect()
}

const N: usize = 120;

fn labels() -> Vec<u8> {
    (0..N).map(|i| (i % 2) as u8).collect()
}

const TRAIN: &str = "--epochs 6 --batch-size 16 --lr 0.005 --no-report --json";

#[test]
fn every_scale_learns_the_same_and_answers_the_same_picture() {
    let bench = Bench::new();
    let raw: Vec<u8> = (0..N).flat_map(halves).collect();
    let (shape, y) = (vec![N, 8, 8], ("y", "|u1", vec![N], labels()));
    let put = |name: &str, kind: &'static str, bytes: Vec<u8>| {
        npz(&bench, name, &[("x", kind, shape.clone(), bytes), y.clone()]);
    };
    put("bytes.npz", "|u1", raw.clone());
    put("unit.npz", "<f4", floats(raw.iter().map(|&v| f32::from(v) / 255.0)));
    put("signed.npz", "<f4", floats(raw.iter().map(|&v| f32::from(v) / 127.5 - 1.0)));
    put("16-bit.npz", "<u2", raw.iter().flat_map(|&v| (u16::from(v) * 257).to_le_bytes()).collect());
    let mut table = String::from("file,label\n");
    for i in 0..N {
        let picture = ImageBuffer::<Luma<u8>, _>::from_raw(8, 8, halves(i)).unwrap();
        picture.save(bench.path(&format!("{i}.png"))).unwrap();
        writeln!(table, "{i}.png,{}", i % 2).unwrap();
    }
    bench.file("folder.csv", table);
    let mut answers = Vec::new();
    for (name, scale) in [
        ("bytes.npz", "scale bytes"),
        ("unit.npz", "scale unit"),
        ("signed.npz", "scale signed"),
        ("16-bit.npz", "scale 16-bit"),
        ("folder.csv", ""),
    ] {
        let run = bench.run(&format!("train {name} --out run-{name} {TRAIN}")).good();
        assert!(run.stderr.contains(scale) && run.stderr.contains("2 classes (0, 1)"), "{}", run.told());
        let predicted = bench.run(&format!("predict run-{name} 5.png --json")).good().json();
        let p = predicted["predictions"][0]["probabilities"][0].as_f64().unwrap();
        answers.push(p);
        // The array and the pictures of the table are one and the same to each model.
        let own = bench.run(&format!("eval run-{name} {name} --json")).good().json();
        let other = bench.run(&format!("eval run-{name} folder.csv --json")).good().json();
        let apart = (own["loss"].as_f64().unwrap() - other["loss"].as_f64().unwrap()).abs();
        assert!(apart < 1e-5 && own["accuracy"] == other["accuracy"], "{name}: {own} {other}");
        assert!(own["accuracy"].as_f64().unwrap() > 0.97, "{own}");
    }
    assert!(answers.iter().all(|p| (p - answers[0]).abs() < 1e-3), "{answers:?}");
    // An array of another scale than the model's is put on it.
    let crossed = bench.run("eval run-unit.npz bytes.npz --json").good();
    assert!(crossed.stderr.contains("put from scale bytes on unit"), "{}", crossed.told());
    assert!(crossed.json()["accuracy"].as_f64().unwrap() > 0.97);
    bench.array("one.npy", &[8, 8], halves(0).into_iter().map(f32::from));
    bench.run("predict run-unit.npz one.npy").refused(&["one.npy", "scale unit"]);
}

#[test]
fn two_scales_in_one_file_are_refused_and_other_numbers_take_no_pictures() {
    let bench = Bench::new();
    let raw: Vec<u8> = (0..N).flat_map(halves).collect();
    let unit = floats(raw.iter().map(|&v| f32::from(v) / 255.0));
    let (x, y) = (vec![N, 8, 8], ("y_train", "|u1", vec![N], labels()));
    let test = [
        ("x_test", "<f4", x.clone(), floats(raw.iter().map(|&v| f32::from(v)))),
        ("y_test", "|u1", vec![N], labels()),
    ];
    npz(
        &bench,
        "two.npz",
        &[("x_train", "<f4", x.clone(), unit), y.clone(), test[0].clone(), test[1].clone()],
    );
    bench.run(&format!("train two.npz {TRAIN}")).refused(&["two scales", "0.0", "--scale"]);
    let standard = floats(raw.iter().map(|&v| (f32::from(v) - 100.0) / 40.0));
    npz(&bench, "other.npz", &[("x", "<f4", x, standard), ("y", "|u1", vec![N], labels())]);
    let run = bench.run(&format!("train other.npz --out run {TRAIN}")).good();
    assert!(run.stderr.contains("scale other"), "{}", run.told());
    ImageBuffer::<Luma<u8>, _>::from_raw(8, 8, halves(0)).unwrap().save(bench.path("a.png")).unwrap();
    bench.run("predict run a.png").refused(&["scale other", "array"]);
}

#[test]
fn channels_first_are_recognized_said_and_can_be_overruled() {
    let bench = Bench::new();
    // Red halves: the channels of one picture follow each other.
    let x = (0..N).flat_map(|i| [halves(i), vec![0; 64], vec![0; 64]].concat()).collect();
    npz(&bench, "first.npz", &[("x", "|u1", vec![N, 3, 8, 8], x), ("y", "|u1", vec![N], labels())]);
    let checked = bench.run("data check first.npz --json").good().json();
    assert_eq!(checked["shape"], serde_json::json!([8, 8, 3]));
    let run = bench.run(&format!("train first.npz --out run --model stack {TRAIN}")).good();
    assert!(run.stderr.contains("layout nchw") && run.stderr.contains("--layout nhwc"), "{}", run.told());
    let asked = bench.run("data check first.npz --layout nhwc --json").good().json();
    assert_eq!(asked["shape"], serde_json::json!([3, 8, 8]));
    bench.array(
        "one.npy",
        &[3, 8, 8],
        [halves(0), vec![0; 64], vec![0; 64]].concat().into_iter().map(f32::from),
    );
    assert_eq!(bench.run("predict run one.npy --json").good().json()["predictions"][0]["class"], "0");
}

#[test]
fn low_contrast_and_twelve_bits_are_learnt() {
    let bench = Bench::new();
    // Mid-grey, four levels apart; and 12 bits in a file of 16, of which the upper eight say nothing.
    for i in 0..200u32 {
        let left = |x: u32| (x < 8) == i.is_multiple_of(2);
        let low = ImageBuffer::from_fn(16, 16, |x, y| {
            let level = if left(x) { 128 } else { 124 };
            Luma([(level + noise(i * 256 + y * 16 + x, 1)) as u8])
        });
        let deep = ImageBuffer::from_fn(16, 16, |x, y| {
            let level = if left(x) { 300 } else { 200 };
            Luma([(level + noise(i * 256 + y * 16 + x, 63)) as u16])
        });
        for (folder, picture) in [("low", DynamicImage::from(low)), ("deep", DynamicImage::ImageLuma16(deep))]
        {
            std::fs::create_dir_all(bench.path(&format!("{folder}/{}", i % 2))).unwrap();
            picture.save(bench.path(&format!("{folder}/{}/{i}.png", i % 2))).unwrap();
        }
    }
    for (folder, words) in [("low", "low contrast"), ("deep", "16 bits")] {
        let run = bench
            .run(&format!("train {folder} --out run-{folder} --epochs 8 --validation 50 --no-report --json"));
        let run = run.good();
        assert!(run.stderr.contains(words) && run.stderr.contains("standardized"), "{}", run.told());
        assert!(run.json()["validation_accuracy"].as_f64().unwrap() >= 0.97, "{}", run.told());
        let judged = bench.run(&format!("eval run-{folder} {folder} --json")).good().json();
        assert!(judged["accuracy"].as_f64().unwrap() >= 0.97, "{judged}");
        let predicted = bench.run(&format!("predict run-{folder} {folder}/1/1.png --json")).good().json();
        assert_eq!(predicted["predictions"][0]["class"], "1");
    }
    // Without it nothing is learnt, and that is said.
    let run = bench
        .run("train low --out flat --standardize no --lr 0.00001 --epochs 1 --validation 50 --no-report")
        .good();
    assert!(run.stderr.contains("no better than always answering"), "{}", run.told());
}

#[test]
fn shapes_are_told_and_kept_if_that_is_asked_for() {
    let bench = Bench::new();
    // A square or a bar of twice its length, in frames of four shapes.
    for i in 0..160u32 {
        let (w, h) = [(24, 16), (16, 24), (20, 20), (30, 15)][(i / 2 % 4) as usize];
        let long = i % 2;
        let picture = ImageBuffer::from_fn(w, h, |x, y| {
            let (x0, y0) = (w / 2 - 4 - i % 3, h / 2 - 4);
            let inside = (x0..x0 + 7).contains(&x) && (y0..y0 + 7 - 3 * long).contains(&y);
            Rgb([if inside { 220u8 } else { 30 + noise(i * 997 + y * w + x, 15) as u8 }; 3])
        });
        let path = bench.path(&format!("shapes/{long}/{i}.png"));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        picture.save(path).unwrap();
    }
    let train = "train shapes --model stack --epochs 2 --no-report --json --out";
    let run = bench.run(&format!("{train} run")).good();
    assert!(run.stderr.contains("width / height 0.67 to 2.00: stretched"), "{}", run.told());
    assert!(run.stderr.contains("--fit pad"), "{}", run.told());
    let korean = bench.run(&format!("{train} ko --lang ko")).good();
    assert!(korean.stderr.contains("모양이 많이 다름"), "{}", korean.told());
    let padded = bench
        .run("train shapes --fit pad --model stack --image-size 24 --epochs 40 --no-report --json --out pad");
    let padded = padded.good();
    assert!(padded.stderr.contains("padded to 24x24"), "{}", padded.told());
    assert!(padded.json()["validation_accuracy"].as_f64().unwrap() >= 0.93, "{}", padded.told());
    // The model keeps what was asked for: eval and predict agree.
    let judged = bench.run("eval pad shapes --json").good().json();
    let predicted = bench.run("predict pad shapes --json").good().json();
    let right = predicted["predictions"].as_array().unwrap().iter();
    let right = right
        .filter(|p| p["input"].as_str().unwrap().contains(&format!("/{}/", p["class"].as_str().unwrap())));
    assert!((right.count() as f64 / 160.0 - judged["accuracy"].as_f64().unwrap()).abs() < 1e-9);
}

#[test]
fn the_task_is_said_and_bad_cells_are_rows() {
    let bench = Bench::new();
    let mut table = String::from("file,size\n");
    for i in 0..30 {
        ImageBuffer::<Luma<u8>, _>::from_raw(8, 8, halves(i))
            .unwrap()
            .save(bench.path(&format!("{i}.png")))
            .unwrap();
        writeln!(table, "{i}.png,{}", if i == 7 { "NA".into() } else { format!("{}.5", i % 9) }).unwrap();
    }
    bench.file("bad.csv", &table);
    bench.run(&format!("train bad.csv {TRAIN}")).refused(&["line 9 \"NA\"", "--task classification"]);
    bench.file("good.csv", table.replace("NA", "1.25"));
    let run = bench.run(&format!("train good.csv --out run {TRAIN}")).good();
    assert!(run.stderr.contains("regression of size"), "{}", run.told());
    let bytes = std::fs::read(bench.path("run/model.safetensors")).unwrap();
    let saved = foveal::train::SavedModel::from_bytes(&bytes, "run").unwrap();
    assert!(
        saved
            .preprocess
            .told
            .iter()
            .any(|[english, korean]| english.contains("regression of size") && korean.contains("회귀"))
    );
}

/// Squares and bars in frames of four shapes, 80x80 among them: squashed they are hardly told apart, with the option that
/// the program names they are.
#[test]
fn mixed_aspect_ratios_are_learnt_with_the_option_that_is_named() {
    let bench = Bench::new();
    for i in 0..480u32 {
        let (w, h) = [(96, 64), (64, 96), (80, 80), (120, 60)][(i / 2 % 4) as usize];
        let (long, side) = (i % 2, 26 + i % 5);
        let (x0, y0) = (6 + noise(i, 15), 6 + noise(i + 99, 15));
        let (wide, high) = [(side, side), (side * 4 / 3, side * 3 / 4)][long as usize];
        let picture = ImageBuffer::from_fn(w, h, |x, y| {
            let inside = (x0..x0 + wide).contains(&x) && (y0..y0 + high).contains(&y);
            Luma([(noise(i * 9973 + y * w + x, 15) + if inside { 210 } else { 30 }) as u8])
        });
        let path = bench.path(&format!("frames/{}/{i}.png", ["square", "bar"][long as usize]));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        picture.save(path).unwrap();
    }
    let train = "train frames --image-size 48 --epochs 25 --test 0.25 --no-report --json --out";
    let run = bench.run(&format!("{train} squashed --epochs 1").replace("--epochs 25 ", "")).good();
    assert!(run.stderr.contains("--fit pad"), "{}", run.told());
    let padded = bench.run(&format!("{train} padded --fit pad")).good();
    assert!(padded.json()["test_accuracy"].as_f64().unwrap() >= 0.97, "{}", padded.told());
}

/// Values near 1e9 that differ by 2 in single precision are one number.
#[test]
fn targets_of_any_magnitude_are_learnt_and_told_apart() {
    let bench = Bench::new();
    let (mut large, mut small) = (String::from("file,time\n"), String::from("file,size\n"));
    for i in 0..160u32 {
        let side = 3 + i % 9;
        let picture = ImageBuffer::from_fn(12, 12, |x, y| {
            Luma([(noise(i * 144 + y * 12 + x, 31) + if x < side && y < side { 200 } else { 0 }) as u8])
        });
        picture.save(bench.path(&format!("{i}.png"))).unwrap();
        writeln!(large, "{i}.png,{}.5", 1_000_000_000 + side).unwrap();
        writeln!(small, "{i}.png,{side}.5e-9").unwrap();
    }
    bench.file("large.csv", large);
    bench.file("small.csv", small);
    let train = "--epochs 40 --batch-size 16 --lr 0.005 --test 0.2 --json --out";
    for (name, unit) in [("large", 1.0), ("small", 1e-9)] {
        let run = bench.run(&format!("train {name}.csv {train} {name}")).good();
        let judged = bench.run(&format!("eval {name} {name}.csv --json")).good().json();
        assert!(judged["r2"].as_f64().unwrap() > 0.9, "{name}: {judged}");
        assert!(judged["mae"].as_f64().unwrap() < 0.6 * unit, "{name}: {judged}");
        let figures = run.json().to_string();
        assert!(figures.contains(&judged["r2"].to_string()), "{figures}: {judged}");
        let told = run.stderr.contains("which is added to what the model says");
        assert_eq!(told, name == "large", "{}", run.told());
        let predicted = bench.run(&format!("predict {name} 5.png --json")).good().json();
        let value = predicted["predictions"][0]["values"][0].as_f64().unwrap();
        let wanted = if name == "large" { 1e9 + 8.5 } else { 8.5e-9 };
        assert!((value - wanted).abs() < 1.5 * unit, "{predicted}");
        let table = std::fs::read_to_string(bench.path(&format!("{name}/predictions.csv"))).unwrap();
        let row: Vec<&str> = table.lines().nth(1).unwrap().split(',').collect();
        let [truth, said] = [row[2], row[3]].map(|cell| cell.parse::<f64>().unwrap());
        assert!((truth - said).abs() < 2.5 * unit, "{table}");
    }
    // The model goes on, and is exported, in the same units; the file's sums are doubles.
    bench.run("train large.csv --from large --epochs 1 --no-report --out more").good();
    let more = bench.run("eval more large.csv --json").good().json();
    assert!(more["r2"].as_f64().unwrap() > 0.8, "{more}");
    bench.run("export large large.onnx").good();
    bench.run("import large.onnx again.safetensors").good();
    let value = |model: &str| {
        let json = bench.run(&format!("predict {model} 5.png --json")).good().json();
        json["predictions"][0]["values"][0].as_f64().unwrap()
    };
    assert!((value("again.safetensors") - value("large")).abs() < 1e-4);
}

//! Splits that mean something: by class and by group, by the seed, equal samples on one side, folds.

use crate::ct::slice;
use crate::harness::Bench;
use image::{ImageBuffer, Luma};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// An 8x8 picture: bright on the left (class 0) or on the right (class 1), with noise of its own.
fn picture(bench: &Bench, path: &str, class: usize, seed: u32) {
    let picture = ImageBuffer::from_fn(8, 8, |x, y| {
        let noise = (seed * 64 + y * 8 + x).wrapping_mul(2_654_435_761) >> 26;
        Luma([(noise + if (x < 4) == (class == 0) { 150 } else { 20 }) as u8])
    });
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bench.file(path, bytes.into_inner());
}

/// Part, name and true class of each judged sample of a run.
fn judged(bench: &Bench, run: &str) -> Vec<[String; 3]> {
    let bytes = std::fs::read(bench.path(&format!("{run}/predictions.csv"))).unwrap();
    let mut csv = csv::Reader::from_reader(&bytes[..]);
    let row = |row: csv::StringRecord| [0, 1, 2].map(|i| row[i].to_owned());
    csv.records().map(|r| row(r.unwrap())).collect()
}

const QUICK: &str = "--epochs 2 --batch-size 8 --no-report";

/// Twelve patients of three slices, every other one ill.
fn patients(bench: &Bench) {
    for patient in 0..12 {
        for k in 0..3 {
            let (class, dense) = if patient % 2 == 1 { ("ill", 200) } else { ("well", 0) };
            bench.file(&format!("scans/{class}/{patient}-{k}.dcm"), slice(patient, k, dense).bytes());
        }
    }
}

fn of_patients(rows: &[[String; 3]]) -> BTreeSet<String> {
    let name = |path: &String| path.rsplit('/').next().unwrap().split('-').next().unwrap().to_owned();
    rows.iter().map(|[_, path, _]| name(path)).collect()
}

#[test]
fn twelve_patients_have_both_classes_in_every_part_by_the_seed() {
    let bench = Bench::new();
    patients(&bench);
    let mut seen = Vec::new();
    for seed in 0..3 {
        let run =
            bench.run(&format!("train scans --window 0,800 --seed {seed} --out run-{seed} {QUICK} --json"));
        let run = run.good();
        assert!(
            run.stderr.contains(
                "divided by patient: 8 for training, 2 for validation, 2 for the test (24, 6 and 6 samples)"
            ),
            "{}",
            run.told()
        );
        let rows = judged(&bench, &format!("run-{seed}"));
        let classes: BTreeSet<&String> = rows.iter().map(|[_, _, class]| class).collect();
        assert_eq!((rows.len(), classes.len(), rows[0][0].as_str()), (6, 2, "test"), "{rows:?}");
        assert_eq!(of_patients(&rows).len(), 2, "a patient is divided: {rows:?}");
        // eval finds the same test part again.
        let eval = bench.run(&format!("eval run-{seed} scans --json")).good();
        assert!(eval.stderr.contains("the test part that the training drew"), "{}", eval.told());
        assert_eq!(eval.json()["accuracy"], run.json()["test_accuracy"]);
        seen.push(of_patients(&rows));
    }
    assert!(seen[0] != seen[1] || seen[0] != seen[2], "the seed changes nothing: {seen:?}");
}

#[test]
fn folds_report_by_patient_and_stay_as_an_ensemble() {
    let bench = Bench::new();
    patients(&bench);
    let train = "train scans --window 0,800 --folds 4 --test 0 --epochs 20 --batch-size 8 --out folds";
    let run = bench.run(train).good();
    for word in ["patients", "mean", "deviation", "all folds together", "by patient: accuracy", "of 12"] {
        assert!(run.stdout.contains(word), "{word}: {}", run.told());
    }
    // Each slice is tested once, by patient, and each fold has both classes.
    let rows = judged(&bench, "folds");
    assert_eq!(rows.len(), 36);
    let mut folds: BTreeMap<&str, Vec<[String; 3]>> = BTreeMap::new();
    rows.iter().for_each(|row| folds.entry(&row[0]).or_default().push(row.clone()));
    assert_eq!(folds.keys().copied().collect::<Vec<_>>(), ["fold-1", "fold-2", "fold-3", "fold-4"]);
    for rows in folds.values() {
        assert_eq!(of_patients(rows).len(), 3, "{rows:?}");
        assert_eq!(rows.iter().map(|[_, _, class]| class).collect::<BTreeSet<_>>().len(), 2);
    }
    let table = std::fs::read_to_string(bench.path("folds/folds.csv")).unwrap();
    assert_eq!(table.lines().count(), 7, "{table}");
    assert!(table.starts_with("fold,train,validation,test,test_groups,accuracy"), "{table}");
    // The members answer together.
    let predicted = bench.run("predict folds scans/ill/1-0.dcm --json").good().json();
    assert_eq!(predicted["predictions"][0]["class"], "ill");
    assert!(bench.run("eval folds scans --json").good().json()["accuracy"].as_f64().unwrap() > 0.9);
    let json: Value = bench.run(&format!("{train}-json --json --lang ko --no-report")).good().json();
    assert_eq!((json["folds"].as_array().unwrap().len(), json["group"].as_str()), (4, Some("patient")));
    let mean =
        json["folds"].as_array().unwrap().iter().map(|f| f["figures"][0].as_f64().unwrap()).sum::<f64>()
            / 4.0;
    assert!((json["mean"][0].as_f64().unwrap() - mean).abs() < 1e-12);
    assert_eq!(json["folds"][0]["groups"], 3);
    bench.run("train scans -q --folds 13 --test 0 --epochs 1 --out many").refused(&["number of folds", "12"]);
    bench.run("train mnist -q --folds 3 --epochs 1 --out many").refused(&["--folds", "mnist"]);
}

#[test]
fn fractions_groups_and_equal_samples() {
    let bench = Bench::new();
    // Ten scenes of each class, four pictures of each; half of the pictures are there twice under another name.
    for class in 0..2usize {
        for scene in 0..10u32 {
            for k in 0..4u32 {
                let seed = (class as u32 * 10 + scene) * 4 + k;
                picture(
                    &bench,
                    &format!("scenes/{class}/s{class}{scene}/s{class}{scene}_{k}.png"),
                    class,
                    seed,
                );
                picture(&bench, &format!("flat/{class}/s{class}{scene}_{k}.png"), class, seed);
                picture(&bench, &format!("twice/{class}/a{seed}.png"), class, seed);
                if k < 2 {
                    picture(&bench, &format!("twice/{class}/b{seed}.png"), class, seed);
                }
            }
        }
    }
    for (data, group) in [("scenes", "folder"), ("flat", "prefix")] {
        let options = format!("--group {group} --validation 0.2 --test 20% --out {data}-run {QUICK}");
        let run = bench.run(&format!("train {data} {options}")).good();
        let told = format!(
            "divided by {group}: 12 for training, 4 for validation, 4 for the test (48, 16 and 16 samples)"
        );
        assert!(run.stderr.contains(&told), "{}", run.told());
        let rows = judged(&bench, &format!("{data}-run"));
        let scenes = |[_, path, _]: &[String; 3]| path.rsplit('/').next().unwrap()[..3].to_owned();
        let scenes: BTreeSet<String> = rows.iter().map(scenes).collect();
        assert_eq!((rows.len(), scenes.len()), (16, 4), "{rows:?}");
        let eval = bench.run(&format!("eval {data}-run {data} --json")).good();
        assert!(eval.stderr.contains("16 samples"), "{}", eval.told());
    }
    bench
        .run(&format!("train flat -q --group folder {QUICK} --out no"))
        .refused(&["--group folder", "prefix"]);
    bench.run(&format!("train flat --group patient {QUICK} --out no")).refused(&["--group patient"]);
    bench
        .run(&format!("train flat -q --validation 0.7 --test 0.3 {QUICK} --out no"))
        .refused(&["none of the 80"]);
    // Of equal samples none stands on the other side.
    let run = bench.run(&format!("train twice --validation 0.3 --out twice-run {QUICK}")).good();
    assert!(run.stderr.contains("40 samples repeat another one exactly"), "{}", run.told());
    let rows = judged(&bench, "twice-run");
    let names: BTreeSet<&str> = rows.iter().map(|[_, path, _]| path.rsplit('/').next().unwrap()).collect();
    for name in names.iter().filter(|name| name.starts_with('b')) {
        assert!(names.contains(&*name.replace('b', "a")), "{name} is here, its equal is not: {names:?}");
    }
    assert!(names.iter().any(|name| name.starts_with('b')) && (30..44).contains(&rows.len()), "{names:?}");
    let pairs = names.iter().filter(|name| name.starts_with('a'));
    let odd = |name: &&&str| name[1..name.len() - 4].parse::<u32>().unwrap() % 4 < 2;
    assert_eq!(pairs.filter(odd).count(), names.iter().filter(|name| name.starts_with('b')).count());
}

#[test]
fn columns_group_rows_and_own_parts_stay() {
    let bench = Bench::new();
    let mut table = String::from("file,label,site\n");
    for i in 0..48u32 {
        picture(&bench, &format!("{i}.png"), (i % 2) as usize, i);
        table += &format!("{i}.png,{},{}\n", i % 2, i / 4);
    }
    bench.file("sites.csv", &table);
    let run = bench.run(&format!("train sites.csv --group site --test 0.25 --out run {QUICK}")).good();
    assert!(run.stderr.contains("divided by site:"), "{}", run.told());
    let rows = judged(&bench, "run");
    let sites: BTreeSet<u32> =
        rows.iter().map(|[_, path, _]| path.trim_end_matches(".png").parse::<u32>().unwrap() / 4).collect();
    assert_eq!(rows.len(), 4 * sites.len(), "a site is divided: {rows:?}");
    // A model that was grouped judges other data, which have no groups.
    picture(&bench, "own/train/0/1.png", 0, 1);
    picture(&bench, "own/train/1/1.png", 1, 2);
    picture(&bench, "own/test/0/1.png", 0, 3);
    picture(&bench, "own/test/1/1.png", 1, 4);
    bench.run("eval run own").good();
    bench
        .run(&format!("train own -q --test 0.2 --out no {QUICK}"))
        .refused(&["--test 0.2", "test part of its own"]);
    bench.run(&format!("train mnist --test 0.2 --out no {QUICK}")).refused(&["--test 0.2", "mnist"]);
    // What a part lacks is said.
    for i in 0..30u32 {
        picture(&bench, &format!("rare/{}/{i}.png", i % 2), (i % 2) as usize, i);
    }
    picture(&bench, "rare/2/a.png", 0, 99);
    let run = bench.run(&format!("train rare --validation 0.2 --out rare-run {QUICK}")).good();
    assert!(run.stderr.contains("validation: no sample of class 2"), "{}", run.told());
    assert!(run.stdout.contains("no sample of class 2"), "{}", run.told());
    let korean = bench.run(&format!("train rare --validation 0.2 --out rare-ko --lang ko {QUICK}")).good();
    assert!(korean.stderr.contains("검증: 클래스 2의 표본이 없음"), "{}", korean.told());
}

/// Pictures with brightened copies of each: a copy stands where its original does.
#[test]
fn near_copies_stay_in_one_part() {
    let bench = Bench::new();
    for i in 0..60u32 {
        let cell = |x: u32, y: u32| {
            let mixed = (i * 64 + y / 2 * 8 + x / 2).wrapping_mul(2_654_435_761);
            (mixed ^ mixed >> 15).wrapping_mul(2_246_822_519) >> 25
        };
        for (name, scale, add) in [("a", 1, 0), ("b", 2, 60)] {
            let picture = ImageBuffer::from_fn(16, 16, |x, y| Luma([(cell(x, y) / scale + add) as u8]));
            let path = format!("near/{}/{name}{i}.png", i % 2);
            std::fs::create_dir_all(bench.path(&path).parent().unwrap()).unwrap();
            picture.save(bench.path(&path)).unwrap();
        }
    }
    let run = bench.run(&format!("train near --validation 0.3 --out run {QUICK}")).good();
    assert!(run.stderr.contains("60 samples are almost another one"), "{}", run.told());
    let rows = judged(&bench, "run");
    let names: BTreeSet<&str> = rows.iter().map(|[_, path, _]| path.rsplit('/').next().unwrap()).collect();
    assert!((30..45).contains(&names.len()), "{names:?}");
    for name in &names {
        let other = if let Some(rest) = name.strip_prefix('a') {
            format!("b{rest}")
        } else {
            format!("a{}", &name[1..])
        };
        assert!(names.contains(&*other), "{name} is here, {other} is not: {names:?}");
    }
    let korean = bench.run(&format!("train near --validation 0.3 --out ko --lang ko {QUICK}")).good();
    assert!(korean.stderr.contains("거의 같은 표본 60개"), "{}", korean.told());
}

#[test]
fn texts_and_arrays_are_grouped_by_columns_too() {
    let bench = Bench::new();
    let line = |i: usize| {
        let (label, word) = [("good", "fine"), ("bad", "poor")][i % 2];
        (label, format!("Text {i} about {} is {word}", ["films", "songs", "meals"][i % 3]), i / 6)
    };
    let rows = (0..96).map(line);
    let csv: String = rows.clone().map(|(l, t, a)| format!("{l},\"{t}, they say\",a{a}\n")).collect();
    let tsv: String = rows.map(|(l, t, a)| format!("a{a}\t{l}\t{t}\n")).collect();
    bench.file("said.csv", format!("label,text,author\n{csv}"));
    bench.file("said.tsv", format!("author\tlabel\ttext\n{tsv}"));
    for file in ["said.csv", "said.tsv"] {
        let run =
            bench.run(&format!("train {file} --group author --test 0.25 --out {file}-run {QUICK}")).good();
        assert!(run.stderr.contains("divided by author:"), "{}", run.told());
        let of: BTreeSet<usize> = judged(&bench, &format!("{file}-run"))
            .iter()
            .map(|[_, place, _]| (place.rsplit(':').next().unwrap().parse::<usize>().unwrap() - 2) / 6)
            .collect();
        assert_eq!(
            6 * of.len(),
            judged(&bench, &format!("{file}-run")).len(),
            "an author is divided: {of:?}"
        );
        let eval = bench.run(&format!("eval {file}-run {file}")).good();
        assert!(eval.stderr.contains("the test part that the training drew"), "{}", eval.told());
        bench
            .run(&format!("train {file} --group prefix --out no -q {QUICK}"))
            .refused(&["--group prefix", "column"]);
        bench.run(&format!("train {file} --group writer --out no -q {QUICK}")).refused(&["writer", "author"]);
    }
    let n = 96usize;
    let pixels = (0..n * 64).map(|k| ((k * 37 + k / 64 * 11) % 251) as u8).collect();
    let byte = |of: &dyn Fn(usize) -> usize| (0..n).map(|i| of(i) as u8).collect::<Vec<u8>>();
    crate::npz_file::npz(
        &bench,
        "arrays.npz",
        &[
            ("x", "|u1", vec![n, 8, 8], pixels),
            ("y", "|u1", vec![n], byte(&|i| i % 2)),
            ("patient", "|u1", vec![n], byte(&|i| i / 6)),
        ],
    );
    let run = bench.run(&format!("train arrays.npz --group patient --folds 4 --out run {QUICK}")).good();
    assert!(
        run.stderr.contains("divided by patient:") && run.stdout.contains("  patient  "),
        "{}",
        run.told()
    );
    bench
        .run(&format!("train arrays.npz --group site --out no -q {QUICK}"))
        .refused(&["site", "patient.npy"]);
}

#[test]
fn folds_have_a_report_of_their_own() {
    let bench = Bench::new();
    patients(&bench);
    let train = "train scans --window 0,800 --folds 4 --test 0 --epochs 2 --batch-size 8";
    let run = bench.run(&format!("{train} --out run")).good();
    assert!(run.stdout.contains("report in run/report.html"), "{}", run.told());
    let html = std::fs::read_to_string(bench.path("run/report.html")).unwrap();
    for words in
        ["Cross-validation", "교차 검증", "Fold by fold", "mean of 4 folds", "환자", "by patient: accuracy"]
    {
        assert!(html.contains(words), "no `{words}` in the report of the folds");
    }
    for k in 1..=4 {
        let own = format!("member-{k}/report.html");
        assert!(html.contains(&format!("href=\"{own}\"")), "no link to {own}");
        assert!(bench.path(&format!("run/{own}")).exists(), "{own}");
    }
    // What the table says stands there, too.
    let mean = run.stdout.lines().find(|line| line.trim_start().starts_with("mean")).unwrap();
    let mean = mean.split_whitespace().nth(1).unwrap();
    assert!(html.contains(mean), "no {mean}");
    bench.run(&format!("{train} --out run --overwrite --no-report")).good();
    assert!(!bench.path("run/report.html").exists());
}

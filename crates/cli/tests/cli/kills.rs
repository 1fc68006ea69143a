//! Trainings of every kind of data and in every mode, killed and interrupted at random moments: each goes on to the bytes
//! of one that never stopped. `make kills` does sixty kills and twenty-six interrupts.

use crate::ct::slice;
use crate::harness::{Bench, Run};
use crate::npz_file::npz;
use crate::training::dataset;
use image::{ImageBuffer, Rgb};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// Each kind: its name, how it is trained, and what makes its data.
type Kind = (&'static str, &'static str, fn(&Bench));

const KINDS: [Kind; 13] = [
    ("mnist", "train mnist --epochs 3 --validation 58000", |_| {}),
    ("idx", "train set --model net.toml --epochs 60 --batch-size 20 --augment shift=1,mixup=0.4", |bench| {
        dataset(bench, "set");
    }),
    ("colour folder", "train colour --from scratch --epochs 12 --batch-size 8", colour),
    ("table", "train colour/kinds.csv --from scratch --epochs 12 --batch-size 8 --balanced-sampling", colour),
    ("regression", "train colour/values.csv --epochs 30 --batch-size 8 --loss huber", colour),
    ("npz", "train small.npz --epochs 60 --batch-size 8", arrays),
    ("texts", "train said.tsv --epochs 20 --batch-size 8 --optimizer adamw --schedule cosine", texts),
    ("ct", "train scans --window 0,800 --epochs 30 --batch-size 4", scans),
    ("features and head", "train colour --image-size 64 --epochs 60", colour),
    ("fine-tuning", "train colour --image-size 64 --preset balanced --epochs 3 --batch-size 8", colour),
    ("folds", "train small.npz --folds 3 --epochs 20 --batch-size 8", arrays),
    ("ensemble", "train small.npz --ensemble 2 --epochs 30 --batch-size 8", arrays),
    ("from a model", "train set --from base --freeze all-but-head --epochs 60 --batch-size 20", |bench| {
        dataset(bench, "set");
        bench.run("train set --model net.toml --epochs 2 --out base -q").good();
    }),
];

/// Forty pictures in colour of two classes, with tables of classes and of values.
fn colour(bench: &Bench) {
    let (mut kinds, mut values) = ("path,kind\n".to_owned(), "path,size\n".to_owned());
    for i in 0..40u32 {
        let side = 6 + i % 9;
        let picture = ImageBuffer::from_fn(32, 32, |x, y| {
            let noise = (i * 1024 + y * 32 + x).wrapping_mul(2_654_435_761) >> 27;
            let on = (x / side + y / side).is_multiple_of(2);
            let level = noise as u8 + if on { 180 } else { 20 };
            if i % 2 == 1 { Rgb([level, 20, 90]) } else { Rgb([30, level, level / 2]) }
        });
        let class = ["left", "right"][i as usize % 2];
        let path = bench.path(&format!("colour/{class}/{i}.png"));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        picture.save(path).unwrap();
        kinds += &format!("{class}/{i}.png,{class}\n");
        values += &format!("{class}/{i}.png,{side}.5\n");
    }
    bench.file("colour/kinds.csv", kinds);
    bench.file("colour/values.csv", values);
}

/// Grey pictures of 8x8, of two classes.
fn arrays(bench: &Bench) {
    let n = 90usize;
    let cell = |i: usize, at: usize| {
        let noise = ((i * 64 + at) as u32).wrapping_mul(2_654_435_761) >> 26;
        (noise + if (at % 8 < 4) == i.is_multiple_of(2) { 150 } else { 20 }) as u8
    };
    let pixels = (0..n * 64).map(|k| cell(k / 64, k % 64)).collect();
    let labels = (0..n).map(|i| (i % 2) as u8).collect();
    npz(bench, "small.npz", &[("x", "|u1", vec![n, 8, 8], pixels), ("y", "|u1", vec![n], labels)]);
}

fn texts(bench: &Bench) {
    let line = |i: usize| {
        let (label, word) = [("good", "fine"), ("bad", "poor")][i % 2];
        format!("{label}\tText number {i} about {} is {word}.\n", ["films", "songs", "meals"][i % 3])
    };
    bench.file("said.tsv", (0..120).map(line).collect::<String>());
}

fn scans(bench: &Bench) {
    for patient in 0..10 {
        for k in 0..2 {
            bench.file(&format!("scans/dense/{patient}-{k}"), slice(patient, k, 200).bytes());
            bench.file(&format!("scans/thin/{patient}-{k}.dcm"), slice(patient, 9 - k, 0).bytes());
        }
    }
}

/// What must be the same: models, predictions and tables, of members too.
fn results(folder: &Path, found: &mut BTreeMap<String, Vec<u8>>, under: &str) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = format!("{under}/{}", path.file_name().unwrap().to_str().unwrap());
        if path.is_dir() {
            results(&path, found, &name);
        } else if ["model.safetensors", "predictions.csv", "folds.csv", "ensemble.json"]
            .iter()
            .any(|own| name.ends_with(own))
        {
            found.insert(name, std::fs::read(&path).unwrap());
        }
    }
}

fn all_results(bench: &Bench, folder: &str) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    results(&bench.path(folder), &mut found, "");
    found
}

/// Moments, by a generator of its own.
struct Moments(u32);

impl Moments {
    /// The next of the moments up to `most` seconds.
    fn next(&mut self, most: f64) -> Duration {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        Duration::from_secs_f64(most * f64::from(self.0 >> 8) / f64::from(1 << 24))
    }
}

fn wanted(variable: &str, otherwise: usize) -> usize {
    std::env::var(variable).map_or(otherwise, |n| n.parse::<usize>().unwrap().div_ceil(KINDS.len()))
}

/// Lets a run of `command` go for some moments and ends it each time with `signal`; at last it ends by itself. Gives the
/// number of times that it was ended before its end.
fn ended(
    bench: &Bench,
    command: &str,
    (signal, times): (&str, usize),
    most: f64,
    moments: &mut Moments,
) -> usize {
    let mut done = 0;
    for turn in 0.. {
        let threads = 1 + moments.0 % 3;
        let command = format!("{command} --threads {threads}");
        let mut child =
            bench.command(&command).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        if done == times || turn > 8 * times {
            Run::new(&command, child.wait_with_output().unwrap()).good();
            return done;
        }
        std::thread::sleep(moments.next(most));
        let before = child.try_wait().unwrap().is_none();
        let _ = std::process::Command::new("kill").args([signal, &child.id().to_string()]).output();
        let run = Run::new(&command, child.wait_with_output().unwrap());
        match run.code {
            // It was done before it could be ended: there is nothing to go on from, so it begins anew.
            Some(0) => std::fs::remove_dir_all(bench.path("run")).unwrap(),
            None if signal == "-KILL" && before => done += 1,
            Some(130) if signal == "-INT" && before => {
                assert!(!run.stderr.contains("error"), "{}", run.told());
                done += 1;
            }
            // The signal came before the program listened to it.
            None if signal == "-INT" && run.stderr.is_empty() => {}
            _ => panic!("{signal}: {}", run.told()),
        }
    }
    done
}

fn goes_on((name, command, data): &Kind) {
    let bench = Bench::new();
    data(&bench);
    let command = format!("{command} --no-report -q");
    let start = Instant::now();
    bench.run(&format!("{command} --out whole")).good();
    let seconds = start.elapsed().as_secs_f64();
    let whole = all_results(&bench, "whole");
    assert!(!whole.is_empty(), "{name}");
    let mut moments = Moments(name.len() as u32 * 7919);
    let mut told = format!("{name}: {seconds:.1} s");
    for (signal, times) in [("-KILL", wanted("FOVEAL_KILLS", 1)), ("-INT", wanted("FOVEAL_INTERRUPTS", 1))] {
        let _ = std::fs::remove_dir_all(bench.path("run"));
        let done =
            ended(&bench, &format!("{command} --out run --resume"), (signal, times), seconds, &mut moments);
        let found = all_results(&bench, "run");
        let names = |all: &BTreeMap<String, Vec<u8>>| all.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&found), names(&whole), "{name}: {signal}");
        let other: Vec<&String> = whole.keys().filter(|key| found[*key] != whole[*key]).collect();
        assert!(other.is_empty(), "{name}: other bytes after {done} times {signal}: {other:?}");
        told += &format!(", {done} times {signal}");
    }
    println!("{told}: the same bytes");
}

#[test]
fn killed_trainings_of_pictures_go_on_to_the_same_bytes() {
    KINDS[..3].iter().for_each(goes_on);
}

#[test]
fn killed_trainings_of_tables_and_arrays_go_on_to_the_same_bytes() {
    KINDS[3..6].iter().for_each(goes_on);
}

#[test]
fn killed_trainings_of_texts_and_ct_go_on_to_the_same_bytes() {
    KINDS[6..8].iter().for_each(goes_on);
}

#[test]
fn killed_transfers_go_on_to_the_same_bytes() {
    KINDS[8..10].iter().for_each(goes_on);
}

#[test]
fn killed_folds_and_ensembles_go_on_to_the_same_bytes() {
    KINDS[10..].iter().for_each(goes_on);
}

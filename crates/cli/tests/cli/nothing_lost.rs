//! What is there is not lost: runs in a folder, files that are not foveal's, answers beside those that fail.

use crate::harness::{Bench, Run};
use crate::training::{dataset, trained};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const TRAIN: &str = "train set --model net.toml --epochs 3 --batch-size 20 --lr 0.01 -q";

fn names(bench: &Bench, folder: &str) -> Vec<String> {
    let all = std::fs::read_dir(bench.path(folder)).unwrap();
    let mut names: Vec<String> = all.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Waits until the run has so many lines of metrics.
fn wait_for_lines(bench: &Bench, child: &mut Child, lines: usize) {
    let start = Instant::now();
    let count =
        || std::fs::read_to_string(bench.path("run/metrics.csv")).map_or(0, |text| text.lines().count());
    while count() < lines {
        assert!(child.try_wait().unwrap().is_none() && start.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_run_is_not_written_over_unless_that_is_asked_for() {
    let bench = Bench::new();
    dataset(&bench, "set");
    bench.run(&format!("{TRAIN} --out run --tensorboard")).good();
    let before = std::fs::read(bench.path("run/model.safetensors")).unwrap();
    let words = ["run: a run is there already", "--resume", "--overwrite"];
    bench.run(&format!("{TRAIN} --out run --seed 4")).refused(&words);
    bench.run(&format!("{TRAIN} --out run --ensemble 2")).refused(&words);
    assert!(std::fs::read(bench.path("run/model.safetensors")).unwrap() == before);
    bench.file("run/notes.txt", "mine");
    bench.run(&format!("{TRAIN} --out run --overwrite --no-report --seed 4")).good();
    assert!(std::fs::read(bench.path("run/model.safetensors")).unwrap() != before);
    // Nothing of the run before is left, and nothing else is gone.
    let expected = [
        "checkpoint.safetensors",
        "config.toml",
        "metrics.csv",
        "model-card.md",
        "model.safetensors",
        "notes.txt",
        "predictions.csv",
    ];
    assert_eq!(names(&bench, "run"), expected);
    assert_eq!(bench.run(&format!("{TRAIN} --out run --overwrite --resume")).code, Some(2));
    // Without a checkpoint there is nothing to go on from, and the model stays.
    std::fs::remove_file(bench.path("run/checkpoint.safetensors")).unwrap();
    bench
        .run(&format!("{TRAIN} --out run --resume --seed 4"))
        .refused(&["has learnt for 3 epochs", "--overwrite"]);
}

#[test]
fn files_that_foveal_did_not_write_are_left_alone() {
    let bench = Bench::new();
    dataset(&bench, "set");
    for (name, text) in [("report.html", "mine"), ("config.toml", "theme = 1"), ("metrics.csv", "")] {
        bench.file(&format!("mine/{name}"), text);
        for options in ["", "--overwrite", "--resume"] {
            let run = bench.run(&format!("{TRAIN} --out mine {options}"));
            run.refused(&[&format!("mine/{name}"), "not of a run of foveal"]);
        }
        assert_eq!(std::fs::read_to_string(bench.path(&format!("mine/{name}"))).unwrap(), text);
        std::fs::remove_file(bench.path(&format!("mine/{name}"))).unwrap();
    }
    assert!(names(&bench, "mine").is_empty(), "{:?}", names(&bench, "mine"));
}

#[test]
fn two_runs_do_not_share_a_folder_and_a_dead_ones_lock_is_taken_over() {
    let bench = Bench::new();
    dataset(&bench, "set");
    let long = TRAIN.replace("--epochs 3", "--epochs 100000 --patience 0");
    let command = format!("{long} --out run");
    let mut child = bench.command(&command).stdout(Stdio::null()).spawn().unwrap();
    // The table grows with the run.
    wait_for_lines(&bench, &mut child, 4);
    for options in ["", "--resume", "--overwrite"] {
        let run = bench.run(&format!("{TRAIN} --out run {options}"));
        run.refused(&["another run writes there now", &child.id().to_string()]);
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(names(&bench, "run").contains(&"run.lock".to_owned()));
    let again = bench.run(&format!("{TRAIN} --out run --overwrite").replace(" -q", "")).good();
    assert!(again.stderr.contains("which has ended, is taken over"), "{}", again.stderr);
    assert!(!names(&bench, "run").contains(&"run.lock".to_owned()));
}

/// Every way to end that a program can see coming.
#[test]
fn no_half_written_file_stays_after_an_end_that_can_be_caught() {
    let bench = Bench::new();
    dataset(&bench, "set");
    let long = TRAIN.replace("--epochs 3", "--epochs 100000 --patience 0");
    for signals in [&["INT"][..], &["TERM"], &["HUP"], &["INT", "INT"], &["TERM", "TERM"]] {
        // The checkpoint that is waited for is this run's.
        let _ = std::fs::remove_dir_all(bench.path("run"));
        let command = format!("{long} --out run --no-report");
        let mut child = bench.command(&command).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let start = Instant::now();
        while !bench.path("run/checkpoint.safetensors").exists() {
            assert!(start.elapsed() < Duration::from_secs(60) && child.try_wait().unwrap().is_none());
            std::thread::sleep(Duration::from_millis(1));
        }
        for signal in signals {
            let id = child.id().to_string();
            assert!(Command::new("kill").args([&format!("-{signal}"), &id]).status().unwrap().success());
        }
        assert_eq!(child.wait().unwrap().code(), Some(130), "{signals:?}");
        let left = names(&bench, "run");
        assert!(!left.iter().any(|n| n.ends_with(".part")), "{signals:?} {left:?}");
    }
    // A limit on the size of files is the error of a write.
    let program = env!("CARGO_BIN_EXE_foveal");
    let shell = format!("ulimit -f 4; exec {program} {TRAIN} --out limited");
    let output = Command::new("sh").args(["-c", &shell]).current_dir(bench.path(".")).output().unwrap();
    Run::new(&shell, output).refused(&["cannot write limited/", "larger than a file may be", "ulimit -f"]);
    let left = names(&bench, "limited");
    assert!(!left.iter().any(|n| n.ends_with(".part")), "{left:?}");
}

#[test]
fn good_inputs_are_answered_in_spite_of_bad_ones() {
    let bench = trained();
    bench.waves("good.npy", &[8, 8, 1]);
    bench.file("bad.png", "no picture");
    let run = bench.run("predict run good.npy bad.png missing.png --csv out.csv --json");
    assert_eq!(run.code, Some(1), "{}", run.told());
    let found = run.json()["predictions"].clone();
    assert!(found[0]["class"].is_string() && found[0]["error"].is_null(), "{found}");
    assert_eq!((&found[1]["input"], &found[2]["input"]), (&"bad.png".into(), &"missing.png".into()));
    assert!(found[2]["error"].as_str().unwrap().contains("no such file"), "{found}");
    let line = "error: 2 of 3 inputs cannot be read, the others are answered; the first: bad.png";
    assert!(run.stderr.lines().last().unwrap().starts_with(line), "{}", run.stderr);
    let table = std::fs::read_to_string(bench.path("out.csv")).unwrap();
    let rows: Vec<&str> = table.lines().collect();
    assert_eq!((rows.len(), rows[0]), (4, "input,class,0,1,2,error"));
    assert!(rows[1].starts_with("good.npy,") && rows[1].ends_with(','), "{table}");
    assert!(rows[3].starts_with("missing.png,,,,,") && rows[3].contains("no such file"), "{table}");
    // Many inputs get a line each.
    let many = bench.run(&format!("predict run {}", "good.npy ".repeat(9))).good().stdout;
    assert!(many.lines().count() == 9 && many.ends_with(" %\n"), "{many}");
    let bars = bench.run(&format!("predict run {} --top 2", "good.npy ".repeat(9))).good().stdout;
    assert!(bars.contains('█'), "{bars}");
    // Values have a table too.
    bench.file(
        "line.toml",
        "input.shape = [8, 8, 1]\nlayer = [{ kind = \"flatten\" }, { kind = \"dense\", units = 2 }]",
    );
    bench.file("t.csv", "path,a,b\n0.png,1.5,2\n1.png,2.5,3\n2.png,3.25,5\n");
    for i in 0..3u8 {
        image::GrayImage::from_pixel(8, 8, image::Luma([i * 60]))
            .save(bench.path(&format!("{i}.png")))
            .unwrap();
    }
    bench.run("train t.csv --model line.toml --epochs 1 --validation 0 --out values -q --no-report").good();
    bench.run("predict values 0.png --csv values.csv").good();
    let table = std::fs::read_to_string(bench.path("values.csv")).unwrap();
    assert!(table.starts_with("input,value_1,value_2,error\n0.png,"), "{table}");
}

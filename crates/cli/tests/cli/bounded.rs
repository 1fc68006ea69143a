//! Memory and time have bounds, whatever a file is: large, endless, or a pipe; and where there is little memory.

use crate::harness::{Bench, Run};
use crate::training::trained;
use std::fs::File;
use std::process::Command;
use std::time::{Duration, Instant};

/// Commands that read a file of each kind; `@` stands for the file.
const READERS: [(&str, &str); 13] = [
    ("png", "predict run @"),
    ("npy", "predict run @"),
    ("dcm", "predict run @"),
    ("npy", "conv2d @ w.npy"),
    ("npy", "conv2d x.npy w.npy --bias @"),
    ("toml", "summary @"),
    ("toml", "train mnist --model @ --out new"),
    ("safetensors", "predict @ x.npy"),
    ("onnx", "import @ out.safetensors"),
    ("npz", "train @ --out new"),
    ("csv", "train @ --out new"),
    ("tsv", "train @ --out new"),
    ("safetensors", "train mnist --from @ --out new"),
];

fn refused_soon(bench: &Bench, command: &str) {
    let start = Instant::now();
    // 700 MB of address space hold the program, its stacks and what it may read.
    let shell = format!("ulimit -v 700000; exec {} {command} --threads 2", env!("CARGO_BIN_EXE_foveal"));
    let output = Command::new("sh").args(["-c", &shell]).current_dir(bench.path(".")).output().unwrap();
    let run = Run::new(command, output).refused(&[]);
    assert!(!run.stderr.contains("memory"), "{}", run.told());
    assert!(start.elapsed() < Duration::from_secs(10), "{command}: {:?}", start.elapsed());
}

#[cfg(unix)]
#[test]
fn huge_files_devices_and_pipes_are_refused_before_they_are_read() {
    let bench = trained();
    for (kind, command) in READERS {
        let huge = bench.path(&format!("huge.{kind}"));
        File::create(&huge).unwrap().set_len(5 << 30).unwrap();
        refused_soon(&bench, &command.replace('@', &format!("huge.{kind}")));
        // One that begins as it should is too large all the same.
        let begin: &[u8] = match kind {
            "npy" => &std::fs::read(bench.path("x.npy")).unwrap(),
            "png" => b"\x89PNG\r\n\x1a\n",
            "npz" => b"PK\x03\x04",
            "onnx" => &[8, 8],
            "safetensors" => b"\x40\0\0\0\0\0\0\0{\"a\":1}",
            _ => b"a,b\n",
        };
        std::fs::write(&huge, begin).unwrap();
        File::options().write(true).open(&huge).unwrap().set_len(5 << 30).unwrap();
        refused_soon(&bench, &command.replace('@', &format!("huge.{kind}")));
        std::fs::remove_file(&huge).unwrap();
        for special in ["zero", "fifo"] {
            let path = bench.path(&format!("{special}.{kind}"));
            let _ = std::fs::remove_file(&path);
            match special {
                "zero" => std::os::unix::fs::symlink("/dev/zero", &path).unwrap(),
                _ => assert!(Command::new("mkfifo").arg(&path).status().unwrap().success()),
            }
            refused_soon(&bench, &command.replace('@', &format!("{special}.{kind}")));
        }
    }
    bench.run("predict run /dev/random").refused(&["/dev/random", "a pipe or a device"]);
    assert!(!bench.path("new").exists(), "a run that could not begin left its folder");
}

/// `checks/memory.sh` does the same in finer steps.
#[cfg(target_os = "linux")]
#[test]
fn with_little_memory_there_is_an_answer_or_one_line() {
    let bench = trained();
    bench.waves("sample.npy", &[8, 8, 1]);
    bench.run("export run m.onnx").good();
    let (mut good, mut bad) = (0, 0);
    for command in [
        "train set --model net.toml --epochs 1 --overwrite --out little -q",
        "predict run sample.npy",
        "summary lab-11-2",
        "import m.onnx out.safetensors",
        "conv2d x.npy w.npy",
    ] {
        for megabytes in [96, 128, 192, 256, 512, 1024] {
            let program = env!("CARGO_BIN_EXE_foveal");
            let shell = format!("ulimit -v {}; exec {program} {command}", megabytes << 10);
            let output = Command::new("sh").args(["-c", &shell]).current_dir(bench.path(".")).output();
            let run = Run::new(&shell, output.unwrap());
            match run.code {
                Some(0) => good += 1,
                _ => {
                    run.refused(&["memory"]);
                    bad += 1;
                }
            }
        }
    }
    assert!(good > 5, "{good} good, {bad} refused");
}

#[test]
fn a_summary_takes_as_many_layers_as_a_model_may_have_and_makes_no_weights() {
    let bench = Bench::new();
    let layers = |n: usize| {
        let all = "[[layer]]\nkind = \"relu\"\n".repeat(n - 1);
        format!("[input]\nshape = [8, 8, 1]\n{all}[[layer]]\nkind = \"flatten\"\n")
    };
    bench.file("deep.toml", layers(10_000));
    let start = Instant::now();
    let deep = bench.run("summary deep.toml --json").good().json();
    assert_eq!(deep["layers"].as_array().unwrap().len(), 10_000);
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    bench.file("deeper.toml", layers(10_001));
    bench.run("summary deeper.toml").refused(&["10001 layers", "10000"]);
    // 1.6 GB of weights would have to be made for it.
    bench.file("wide.toml", "input.shape = [1, 1, 20000]\nlayer = [{ kind = \"dense\", units = 20000 }]");
    let start = Instant::now();
    let wide = bench.run("summary wide.toml").good().stdout;
    assert!(wide.contains("400,020,000") && wide.contains("20000·20000 + 20000"), "{wide}");
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    bench.file("wider.toml", "input.shape = [1, 1, 20000]\nlayer = [{ kind = \"dense\", units = 20000 }, { kind = \"dense\", units = 20000 }]");
    bench.run("summary wider.toml").refused(&["536870912 parameters"]);
}

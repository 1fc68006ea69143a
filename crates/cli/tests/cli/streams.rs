//! What goes where: pure JSON, no escape codes, readers that go away, languages.

use crate::harness::{Bench, Run};
use std::io::Read;
use std::process::Stdio;

const COMMANDS: [&str; 8] = [
    "conv2d x.npy w.npy",
    "max-pool x.npy --ksize 2",
    "avg-pool x.npy --ksize 2",
    "explain conv2d x.npy w.npy --at 0,0,0,0",
    "summary fast",
    "data list",
    "data check mnist",
    "lab",
];

#[test]
fn nothing_is_painted_when_nobody_looks() {
    let bench = Bench::new();
    for command in COMMANDS.into_iter().chain(["--help", "nonsense", "conv2d missing.npy w.npy"]) {
        let run = bench.run(command);
        assert!(!run.told().contains(['\x1b', '\r']), "{}", run.told());
    }
}

#[test]
fn json_is_one_object_and_nothing_else() {
    let bench = Bench::new();
    for command in COMMANDS {
        let run = bench.run(&format!("{command} --json")).good();
        run.json();
        assert_eq!(run.stderr, "", "{command}");
    }
    bench.run("conv2d missing.npy w.npy --json").refused(&["missing.npy"]);
}

#[test]
fn the_language_comes_from_the_environment() {
    let bench = Bench::new();
    let run = |variables: &[(&str, &str)], arguments: &str| {
        let mut command = bench.command(arguments);
        command.envs(variables.iter().copied());
        Run::new(arguments, command.output().unwrap()).good().stdout
    };
    let korean = |text: String| text.contains("파라미터");
    assert!(korean(run(&[("LANG", "ko_KR.UTF-8")], "summary fast")));
    assert!(korean(run(&[("LC_MESSAGES", "ko_KR.UTF-8")], "summary fast")));
    assert!(!korean(run(&[("LANG", "ko_KR.UTF-8"), ("LC_ALL", "C")], "summary fast")));
    assert!(!korean(run(&[("LANG", "ko_KR.UTF-8")], "summary fast --lang en")));
    assert!(korean(run(&[], "--lang ko summary fast")));
}

#[test]
fn a_reader_may_go_away() {
    let bench = Bench::new();
    bench.array("long.npy", &[1, 200, 200, 8], (0..320_000).map(|v| v as f32));
    for command in ["max-pool long.npy --ksize 1 --json", "lab", "completions zsh", "--help"] {
        let mut child = bench.command(command).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut out = child.stdout.take().unwrap();
        out.read_exact(&mut [0; 1]).unwrap();
        drop(out);
        let output = child.wait_with_output().unwrap();
        assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]), "{command}");
    }
    // The reader is gone from the start.
    let mut child = bench.command("lab").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
}

#[test]
fn results_do_not_depend_on_threads() {
    let bench = Bench::new();
    bench.waves("i.npy", &[2, 9, 9, 6]);
    bench.waves("f.npy", &[3, 3, 6, 8]);
    let one = bench.run("conv2d i.npy f.npy --json --threads 1").good().stdout;
    assert_eq!(bench.run("conv2d i.npy f.npy --json --threads 3").good().stdout, one);
}

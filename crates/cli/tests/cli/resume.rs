//! Training that is killed, interrupted or cannot save, and goes on.

use crate::harness::{Bench, Run};
use crate::training::dataset;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// Long enough to be killed in the middle.
const LONG: &str = "train set --model net.toml --epochs 250 --batch-size 20 --lr 0.01 --augment shift=1,mixup=0.4 --no-report -q --patience 0";
/// How long to wait for a checkpoint.
const PATIENCE: Duration = Duration::from_secs(60);

fn bench() -> Bench {
    let bench = Bench::new();
    dataset(&bench, "set");
    bench
}

fn bytes(bench: &Bench, name: &str) -> Vec<u8> {
    std::fs::read(bench.path(name)).unwrap()
}

fn spawn(bench: &Bench, arguments: &str) -> Child {
    bench.command(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Waits until the run in `folder` has a checkpoint; false if the program ends before.
fn wait_for_checkpoint(bench: &Bench, child: &mut Child, folder: &str) -> bool {
    let start = Instant::now();
    let file = bench.path(&format!("{folder}/checkpoint.safetensors"));
    while !file.exists() {
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        assert!(start.elapsed() < PATIENCE, "no checkpoint");
        std::thread::sleep(Duration::from_millis(1));
    }
    true
}

/// A run in `run`, killed when it has a checkpoint.
fn killed() -> Bench {
    let bench = bench();
    let mut child = spawn(&bench, &format!("{} --out run", LONG.replace("250", "100000")));
    assert!(wait_for_checkpoint(&bench, &mut child, "run"));
    child.kill().unwrap();
    child.wait().unwrap();
    bench
}

/// FOVEAL_KILLS says how many; `make kills` does fifty.
#[test]
fn a_killed_training_goes_on_to_the_same_bytes() {
    let wanted: usize = std::env::var("FOVEAL_KILLS").map_or(4, |n| n.parse().unwrap());
    let bench = bench();
    let start = Instant::now();
    bench.run(&format!("{LONG} --out whole")).good();
    let whole_time = start.elapsed().as_secs_f64();
    let whole = bytes(&bench, "whole/model.safetensors");
    let (mut kills, mut with_checkpoint, mut runs, mut random) = (0, 0, 0, 0x9e37_79b9_u32);
    while kills < wanted {
        runs += 1;
        let folder = format!("run{runs}");
        let checkpoint = bench.path(&format!("{folder}/checkpoint.safetensors"));
        loop {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let threads = 1 + random % 3;
            let mut child = spawn(&bench, &format!("{LONG} --out {folder} --resume --threads {threads}"));
            // Every other run is killed at a random moment, the others when there is a checkpoint.
            if kills % 2 == 1 {
                wait_for_checkpoint(&bench, &mut child, &folder);
            }
            std::thread::sleep(Duration::from_secs_f64(
                whole_time * 0.7 * f64::from(random >> 8) / f64::from(1 << 24),
            ));
            if kills == wanted || child.try_wait().unwrap().is_some() {
                assert!(child.wait().unwrap().success());
                break;
            }
            child.kill().unwrap();
            child.wait().unwrap();
            kills += 1;
            with_checkpoint += usize::from(checkpoint.exists());
        }
        assert!(
            bytes(&bench, &format!("{folder}/model.safetensors")) == whole,
            "other bytes after {kills} kills"
        );
    }
    println!("{kills} kills in {runs} runs, {with_checkpoint} with a checkpoint, one model");
    assert!(with_checkpoint > 0);
}

#[test]
fn an_interrupted_training_says_how_to_go_on_and_does() {
    let bench = bench();
    let arguments = LONG.replace(" -q", "");
    bench.run(&format!("{arguments} --out whole")).good();
    let command = format!("{arguments} --out run --resume");
    let mut child = bench.command(&command).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    assert!(wait_for_checkpoint(&bench, &mut child, "run"));
    std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let first = Run::new(&command, child.wait_with_output().unwrap());
    // On a very slow machine the run may be done before it is interrupted.
    if first.code != Some(0) {
        assert_eq!(first.code, Some(130), "{}", first.told());
        assert!(
            first.stderr.starts_with("no checkpoint in run: beginning at the beginning\n"),
            "{}",
            first.stderr
        );
        assert!(first.stderr.contains("train with --out run --resume"), "{}", first.stderr);
    }
    let again = bench.run(&command).good();
    assert!(again.stderr.starts_with("going on after epoch "), "{}", again.stderr);
    assert!(bytes(&bench, "run/model.safetensors") == bytes(&bench, "whole/model.safetensors"));
    // All epochs are in the metrics, and resuming a finished run changes nothing.
    assert_eq!(std::fs::read_to_string(bench.path("run/metrics.csv")).unwrap().lines().count(), 251);
    let korean = bench.run(&format!("{command} --lang ko --tensorboard").replace(" --no-report", "")).good();
    assert!(korean.stderr.starts_with("전체 250에포크 중 250에포크까지 마친 곳에서"), "{}", korean.stderr);
    assert!(bytes(&bench, "run/model.safetensors") == bytes(&bench, "whole/model.safetensors"));
    assert!(std::fs::read_to_string(bench.path("run/report.html")).unwrap().contains("data-count"));
}

#[test]
fn a_checkpoint_that_is_of_no_use_is_refused_and_left_alone() {
    let bench = killed();
    let (checkpoint, config) =
        (bytes(&bench, "run/checkpoint.safetensors"), bytes(&bench, "run/config.toml"));
    let command = format!("{} --out run --resume", LONG.replace("250", "100000"));
    let file = "run/checkpoint.safetensors";
    for (change, words) in [
        (command.replace("0.01", "0.02"), "recipe.lr was 0.01 and is 0.02"),
        (command.replace("--epochs 100000", "--epochs 9"), "recipe.epochs was 100000 and is 9"),
        (format!("{command} --seed 4"), "recipe.seed was 0 and is 4"),
        (format!("{command} --validation 20"), "data.validation was 30 and is 20"),
    ] {
        bench.run(&change).refused(&[file, words, "take --overwrite instead of --resume"]);
    }
    assert!(bytes(&bench, file) == checkpoint && bytes(&bench, "run/config.toml") == config);
    bench.run("predict run/checkpoint.safetensors x.npy").refused(&["this is a checkpoint"]);
    for cut in [0, 7, 100, checkpoint.len() / 2, checkpoint.len() - 1] {
        bench.file(file, &checkpoint[..cut]);
        bench.run(&command).refused(&[
            file,
            "not a whole checkpoint",
            "take --overwrite instead of --resume",
        ]);
    }
    let mut damaged = checkpoint.clone();
    let last = damaged.len() - 200;
    damaged[last] ^= 4;
    bench.file(file, &damaged);
    bench.run(&command).refused(&[file, "damaged", "take --overwrite instead of --resume"]);
    bench.file(file, vec![0; 70 << 20]);
    bench.run(&command).refused(&[file, "too many"]);
    let usage = bench.run("train set --resume");
    assert_eq!(usage.code, Some(2), "{}", usage.told());
    bench.run(&format!("{LONG} --out run")).refused(&["--resume", "--overwrite"]);
    // With --overwrite the checkpoint is removed, and so are half-written files of the killed run.
    bench.file("run/.checkpoint.safetensors.123.part", "half");
    bench.file("run/.notes.123.part", "of someone else");
    bench.run(&format!("{LONG} --epochs 3 --out run").replace("--epochs 250 ", "--overwrite ")).good();
    assert!(bytes(&bench, file).len() < 70 << 20);
    let left = std::fs::read_dir(bench.path("run")).unwrap().map(|e| e.unwrap().file_name());
    let parts: Vec<_> = left.filter(|n| n.to_string_lossy().ends_with(".part")).collect();
    assert_eq!(parts, [".notes.123.part"]);
}

/// A limit on the size of files plays the full disk: setting it needs no privileges.
#[test]
fn a_full_disk_is_told_at_once_and_the_last_good_checkpoint_stays() {
    let bench = killed();
    let checkpoint = bytes(&bench, "run/checkpoint.safetensors");
    let command = format!("{} --out run --resume", LONG.replace("250", "100000"));
    let program = env!("CARGO_BIN_EXE_foveal");
    for (blocks, model) in [(2, false), (10, true)] {
        let _ = std::fs::remove_file(bench.path("run/model.safetensors"));
        let shell = format!("trap '' XFSZ; ulimit -f {blocks}; exec {program} {command}");
        let output =
            std::process::Command::new("sh").args(["-c", &shell]).current_dir(bench.path(".")).output();
        let run = Run::new(&command, output.unwrap());
        let run = run.refused(&["cannot write run/checkpoint.safetensors", "--resume goes on after epoch"]);
        assert_eq!(
            run.stderr.contains("what was learnt is in run/model.safetensors"),
            model,
            "{}",
            run.stderr
        );
        assert_eq!(bench.path("run/model.safetensors").exists(), model);
        assert!(bytes(&bench, "run/checkpoint.safetensors") == checkpoint, "another checkpoint");
    }
}

/// As `a_full_disk_...`, where the folder has become read-only.
#[test]
fn a_read_only_folder_is_told_at_once_and_the_last_good_checkpoint_stays() {
    use std::os::unix::fs::PermissionsExt;
    let bench = killed();
    let checkpoint = bytes(&bench, "run/checkpoint.safetensors");
    let command = format!("{} --out run --resume", LONG.replace("250", "100000"));
    let allow = |mode| {
        std::fs::set_permissions(bench.path("run"), std::fs::Permissions::from_mode(mode)).unwrap();
    };
    allow(0o555);
    let run = if std::fs::write(bench.path("run/probe"), "").is_err() {
        bench.run(&command)
    } else {
        // Root may write everywhere except on a read-only mount, which only this program sees.
        let program = env!("CARGO_BIN_EXE_foveal");
        let shell =
            format!("mount --bind run run && mount -o remount,ro,bind run && exec {program} {command}");
        let mut unshare = std::process::Command::new("unshare");
        let output = unshare.args(["-m", "sh", "-c", &shell]).current_dir(bench.path(".")).output();
        let Some(output) = output.ok().filter(|o| !String::from_utf8_lossy(&o.stderr).contains("mount"))
        else {
            println!("this machine lets nobody mount: a read-only folder is left to other machines");
            return allow(0o755);
        };
        Run::new(&command, output)
    };
    run.refused(&["cannot write run/run.lock"]);
    allow(0o755);
    assert!(bytes(&bench, "run/checkpoint.safetensors") == checkpoint, "another checkpoint");
}

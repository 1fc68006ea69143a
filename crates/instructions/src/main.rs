#![forbid(unsafe_code)]
//! Counts the instructions of a few kernels and of a training step with valgrind's callgrind, and compares
//! them with the committed numbers. Instructions do not depend on how busy the machine is, and, since the
//! instruction set is forced, hardly on which machine it is.
//!
//! `check` compares, `renew` writes the numbers anew.

mod cases;
mod counts;

use counts::{Counts, FILE};
use foveal_kernels::Isa;
use std::path::Path;
use std::process::{Command, ExitCode};

/// The instruction sets that are counted; valgrind does not know AVX-512.
const SETS: [&str; 2] = ["avx2", "portable"];

/// How far a number may lie from the committed one. The same program counts the same number each time; a change
/// elsewhere can move what the compiler inlines, which was seen to make 3 %.
const TOLERANCE: f64 = 0.05;

/// The same if another compiler made the program: then only large changes mean something.
const BETWEEN_COMPILERS: f64 = 0.25;

/// The function whose instructions are counted, with all it calls.
#[inline(never)]
fn counted_region(work: &mut dyn FnMut()) {
    work();
    // Keeps the call above from being the function's last jump.
    std::hint::black_box(());
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words[..] {
        ["run", set, case] => run(set, case).map(|()| true),
        ["check"] => check(),
        ["renew"] => renew().map(|()| true),
        _ => Err("usage: foveal-instructions check | renew".into()),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::FAILURE
        }
    }
}

/// Does one case's work, under valgrind.
fn run(set: &str, case: &str) -> Result<(), String> {
    let isa = Isa::best().name();
    if isa != set {
        return Err(format!("asked for {set}, got {isa}"));
    }
    // Everything on this one thread: only its instructions are counted.
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread().build_global();
    pool.map_err(|e| e.to_string())?;
    let (_, ready) = cases::ALL.iter().find(|c| c.0 == case).ok_or_else(|| format!("no case `{case}`"))?;
    let mut work = ready();
    // The first run does what happens only once, and is not counted.
    work();
    counted_region(&mut *work);
    Ok(())
}

/// Instructions of a case on an instruction set.
fn count(set: &str, case: &str) -> Result<u64, String> {
    let exe = std::env::current_exe().map_err(|e| e.to_string())?;
    let out = std::env::temp_dir().join(format!("foveal-instructions-{}-{set}-{case}", std::process::id()));
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--collect-atstart=no", "--toggle-collect=*counted_region*"])
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(exe)
        .args(["run", set, case])
        .env("FOVEAL_ISA", set)
        .output()
        .map_err(|e| format!("valgrind: {e}"))?;
    let text = std::fs::read_to_string(&out).unwrap_or_default();
    let _ = std::fs::remove_file(&out);
    let total = text.lines().find_map(|l| l.strip_prefix("totals: ")).and_then(|n| n.trim().parse().ok());
    match total {
        Some(n) if n > 0 && output.status.success() => Ok(n),
        _ => {
            Err(format!("{set} {case}: nothing counted\n{}", String::from_utf8_lossy(&output.stderr).trim()))
        }
    }
}

/// Why nothing can be counted here, if so.
fn obstacle() -> Option<String> {
    if !cfg!(target_arch = "x86_64") {
        return Some("the committed numbers are for x86-64".into());
    }
    match Command::new("valgrind").arg("--version").output() {
        Ok(output) if output.status.success() => None,
        _ => Some("valgrind is not installed (apt-get install valgrind)".into()),
    }
}

/// The instruction sets that this CPU has, and a word about the others.
fn sets() -> Vec<&'static str> {
    let here: Vec<&str> = Isa::available().iter().map(|i| i.name()).collect();
    for set in SETS.iter().filter(|s| !here.contains(s)) {
        println!("this CPU has no {set}: not counted");
    }
    SETS.into_iter().filter(|s| here.contains(s)).collect()
}

fn compiler() -> Result<String, String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or("rustc".into());
    let output = Command::new(rustc).arg("--version").output().map_err(|e| format!("rustc: {e}"))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Whether all numbers are as committed.
fn check() -> Result<bool, String> {
    if let Some(why) = obstacle() {
        println!("instruction counts: NOT CHECKED, {why}");
        return Ok(true);
    }
    let text = std::fs::read_to_string(path()).map_err(|e| format!("{FILE}: {e}"))?;
    let committed = Counts::read(&text)?;
    let compiler = compiler()?;
    let same = compiler == committed.compiler;
    if !same {
        println!("the committed numbers were counted with {}, this is {compiler}", committed.compiler);
    }
    let tolerance = if same { TOLERANCE } else { BETWEEN_COMPILERS };
    let mut good = true;
    println!("instruction      set       case                        committed         now");
    for set in sets() {
        for (case, _) in cases::ALL {
            let now = count(set, case)?;
            let verdict = committed.verdict(set, case, now, tolerance);
            good &= verdict.is_ok();
            let (mark, text) = match verdict {
                Ok(text) => ("ok", text),
                Err(text) => ("NOT OK", text),
            };
            println!("{mark:<15}  {set:<8}  {case:<24} {text}");
        }
    }
    if !good {
        println!(
            "more than {:.0} % away from {FILE}; if that is meant, renew it: make renew-instructions",
            100.0 * tolerance
        );
    }
    Ok(good)
}

fn renew() -> Result<(), String> {
    if let Some(why) = obstacle() {
        return Err(why);
    }
    let mut counts = Counts { compiler: compiler()?, rows: Vec::new() };
    for set in sets() {
        for (case, _) in cases::ALL {
            counts.rows.push((set.into(), case.into(), count(set, case)?));
        }
    }
    std::fs::write(path(), counts.text()).map_err(|e| format!("{FILE}: {e}"))?;
    println!("{} numbers written to {FILE}", counts.rows.len());
    Ok(())
}

fn path() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(FILE)
}

//! Files that are not there, not whole, or cannot be written.

use crate::harness::Bench;
use insta::assert_snapshot;

#[test]
fn inputs_that_cannot_be_read_are_named() {
    let bench = Bench::new();
    let whole = std::fs::read(bench.path("x.npy")).unwrap();
    bench.file("cut.npy", &whole[..whole.len() - 5]);
    bench.file("long.npy", [&whole[..], b"more"].concat());
    bench.file("text.npy", "hello");
    bench.file("empty.npy", "");
    bench.file("folder/a", "");
    let mut told = String::new();
    for name in ["missing.npy", "cut.npy", "long.npy", "text.npy", "empty.npy", "folder"] {
        let run = bench.run(&format!("conv2d {name} w.npy")).refused(&[name]);
        told += &run.stderr;
    }
    assert_snapshot!("unreadable", told);
}

#[test]
fn outputs_that_cannot_be_written_are_named() {
    let bench = Bench::new();
    bench.file("folder/a", "");
    let mut told = String::new();
    for name in ["nowhere/y.npy", "folder", "x.npy/y.npy", "folder/.."] {
        let run = bench.run(&format!("conv2d x.npy w.npy -o {name}")).refused(&["cannot write"]);
        told += &run.stderr;
    }
    assert_snapshot!("unwritable", told);
}

#[cfg(unix)]
#[test]
fn a_read_only_folder_is_named_and_left_alone() {
    use std::os::unix::fs::PermissionsExt;
    let bench = Bench::new();
    bench.file("locked/a", "");
    let locked = bench.path("locked");
    std::fs::set_permissions(&locked, std::fs::Permissions::from_mode(0o555)).unwrap();
    // Root may write everywhere, so only the file system itself can refuse.
    let root = std::fs::write(locked.join("probe"), "").is_ok();
    let folder = if root { "/proc/self" } else { "locked" };
    bench.run(&format!("conv2d x.npy w.npy -o {folder}/y.npy")).refused(&["cannot write", folder]);
    bench.run(&format!("lab --out {folder}/figures")).refused(&["folder", folder]);
    bench.run(&format!("train mnist --out {folder}/run")).refused(&["folder", folder]);
    std::fs::set_permissions(&locked, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[cfg(unix)]
#[test]
fn a_link_keeps_pointing_where_it_does() {
    let bench = Bench::new();
    bench.file("real/y.npy", "old");
    std::os::unix::fs::symlink(bench.path("real/y.npy"), bench.path("y.npy")).unwrap();
    bench.run("conv2d x.npy w.npy -o y.npy").good();
    assert!(std::fs::symlink_metadata(bench.path("y.npy")).unwrap().is_symlink());
    assert!(std::fs::read(bench.path("real/y.npy")).unwrap().starts_with(b"\x93NUMPY"));
}

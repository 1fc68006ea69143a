#!/usr/bin/env python3
"""`foveal train mnist` against the same net, epochs and batch in PyTorch, by turns on this machine.

Builds a virtual environment outside the tree (FOVEAL_BENCH_VENV, by default ~/.cache/foveal-bench) and prints
medians and ratios of whole processes, from start to printed test accuracy.
Usage: python3 bench/mnist.py [--runs 5]     (or: make bench)
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
VENV = pathlib.Path(os.environ.get("FOVEAL_BENCH_VENV", pathlib.Path.home() / ".cache" / "foveal-bench"))


def python():
    exe = VENV / "bin" / "python"
    if not exe.exists():
        subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
    if subprocess.run([exe, "-c", "import torch, zstandard"], capture_output=True).returncode:
        subprocess.run([exe, "-m", "pip", "install", "-q", "torch", "numpy", "zstandard"], check=True)
    return str(exe)


def program():
    """The program as users get it, built."""
    subprocess.run(["cargo", "build", "--release", "--locked"], cwd=ROOT, check=True)
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    return str(target / "release" / "foveal")


def timed(command):
    begin = time.perf_counter()
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    wall = time.perf_counter() - begin
    return wall, json.loads(done.stdout.strip().splitlines()[-1])


def main():
    args = argparse.ArgumentParser()
    args.add_argument("--runs", type=int, default=5)
    runs = args.parse_args().runs
    out = VENV.parent / "foveal-bench-run"
    ours = [program(), "train", "mnist", "--json", "--no-report", "--out", str(out)]
    theirs = [python(), str(ROOT / "bench" / "torch_mnist.py"), str(ROOT / "crates" / "mnist" / "data")]
    rows = []
    for i in range(runs + 1):
        a, b = timed(ours), timed(theirs)
        if i:  # the first pair warms the caches
            rows.append((a, b))
    median = lambda values: statistics.median(list(values))
    for name, pick in [
        ("whole process, s", lambda r: r[0]),
        ("training, s", lambda r: r[1]["train_seconds"]),
        ("test accuracy", lambda r: r[1]["test_accuracy"]),
    ]:
        f, t = median(pick(a) for a, _ in rows), median(pick(b) for _, b in rows)
        ratios = sorted(pick(b) / pick(a) for a, b in rows)
        print(f"{name:18} foveal {f:.3f}  PyTorch {t:.3f}  PyTorch/foveal {median(ratios):.2f}"
              f" ({ratios[0]:.2f} to {ratios[-1]:.2f}, {runs} runs)")
    print("PyTorch", rows[0][1][1]["torch"])


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Training speed of four nets, batch 128: foveal and PyTorch (both layouts) by turns. Prints medians and ratios.

Uses the virtual environment of bench/mnist.py. Usage: python3 bench/training.py [--runs 5]
"""
import argparse
import json
import statistics
import subprocess

from mnist import ROOT, VENV, program, python

NETS = ["8-16", "16-32-128", "lab-11-1", "lab-11-2"]


def run(command):
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)["images_per_second"]


def main():
    args = argparse.ArgumentParser()
    args.add_argument("--runs", type=int, default=5)
    runs = args.parse_args().runs
    foveal, exe, peer = program(), python(), str(ROOT / "bench" / "torch_training.py")
    print(f"images a second, medians of {runs} by turns; ratio to PyTorch's better layout of each turn")
    for net in NETS:
        file = ROOT / "bench" / "models" / f"{net}.toml"
        model = str(file) if file.exists() else net
        ours = [foveal, "train", "mnist", "--model", model, "--epochs", "1",
                "--batch-size", "128", "--lr", "0.001", "--json", "--no-report", "--out", str(VENV.parent / "foveal-bench-run")]
        rows = [(run(ours), run([exe, peer, net, "nchw"]), run([exe, peer, net, "channels_last"])) for _ in range(runs)]
        f, a, b = (statistics.median(r[i] for r in rows) for i in range(3))
        ratios = sorted(r[0] / max(r[1:]) for r in rows)
        print(f"{net:10} foveal {f:8.0f}  PyTorch NCHW {a:8.0f}  channels_last {b:8.0f}"
              f"  ratio {statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})")


main()

#!/usr/bin/env python3
"""foveal against its peers on this machine, all by turns in one run: the tables of docs/performance.md.

Builds the programs and, outside the tree, the peers' virtual environment (FOVEAL_BENCH_VENV, by default
~/.cache/foveal-bench). Prints each table; writes it to docs/performance.md and its raw numbers to
bench/results.json, unless --quick.
Usage: python3 bench/run.py [--runs 5] [--only TABLE]... [--quick]     (or: make bench)
"""
import argparse
import dataclasses
import datetime
import platform
import subprocess
import sys
import time

from harness import document, environment
from harness.side import Sides
from harness.turns import table
from tables import latency, networks, operators, process, serve, training, wide

TABLES = {
    "training": training.run,
    "operators": operators.run,
    "latency": latency.run,
    "networks": networks.run,
    "wide": wide.run,
    "serve": serve.run,
    "process": process.run,
    "accuracy": process.run_accuracy,
    "avx2": training.run_avx2,
    "im2col": operators.run_im2col,
}


@dataclasses.dataclass
class Options:
    runs: int
    quick: bool
    seconds: float
    cores: int
    program: str


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5, help="turns of each side, after one that does not count")
    parser.add_argument("--only", action="append", choices=TABLES, help="this table only; may be given again")
    parser.add_argument("--quick", action="store_true", help="two short turns, printed and not written")
    return parser.parse_args()


def machine(sides, cores, load):
    """The machine and the versions that the figures were measured with."""
    foveal, torch = sides.foveal(), sides.torch()
    about, pytorch, keras = foveal.ask("about"), torch.ask("about"), sides.keras().ask("about")
    peaks = [max(foveal.ask("peak", n, 0.3)["gflops"] for _ in range(3)) for n in (1, cores)]
    rustc = subprocess.run(["rustc", "--version"], capture_output=True, text=True).stdout.split()
    system = f"{platform.system()} {platform.release()}"
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=environment.ROOT, capture_output=True, text=True).stdout.strip()
    return [
        f"- {environment.processor()}, {cores} cores, {system}; foveal {commit or 'without git'} on "
        f"{about['isa']}, rustc {' '.join(rustc[1:2])}, the plain release build",
        f"- FMA peak on registers alone: {peaks[0]:.0f} GFLOP/s on one core, {peaks[1]:.0f} on all",
        f"- PyTorch {pytorch['version']} from PyPI (eager, oneDNN {pytorch['onednn']}, {pytorch['capability']}, graphics cards "
        f"hidden), TensorFlow {keras['tensorflow']} with Keras {keras['keras']}, "
        f"ONNX Runtime {sides.onnx().ask('about')['version']}, Python {platform.python_version()}",
        f"- {datetime.date.today()}; load average at the start {load:.1f}",
    ]


def main():
    args = arguments()
    if args.runs < 1:
        raise SystemExit(f"--runs must be at least 1, got {args.runs}")
    if args.runs < 5 and not args.quick:
        print("fewer than 5 turns: the spread says little")
    runs = min(args.runs, 2) if args.quick else args.runs
    start, load = time.time(), environment.load()
    program, native = environment.build()
    cores = environment.cores()
    sides = Sides(native, environment.python(), cores)
    options = Options(runs, args.quick, 0.25 if args.quick else 1.2, cores, program)
    about = machine(sides, cores, load)
    print("\n".join(about))
    if load > cores / 4:
        print(f"the machine is busy (load {load:.1f}): what needs all cores will come out wrong", file=sys.stderr)
    headlines = []
    for name in args.only or TABLES:
        lines, raw, heads = TABLES[name](sides, options)
        turns = "one run each" if name == "accuracy" else f"medians of {runs} turns"
        lines += ["", f"({datetime.date.today()}, {turns}; `python3 bench/run.py --only {name} --runs {runs}`)"]
        print(f"\n{name}\n" + "\n".join(lines), flush=True)
        headlines += heads
        if not args.quick:
            document.put(name, lines)
            document.keep(name, raw)
    sides.close()
    targets = table(["what", "target", "reached"], headlines)
    print("\n" + "\n".join(targets))
    if not args.quick and not args.only:
        document.put("machine", about)
        document.put("targets", targets)
    print(f"\n{(time.time() - start) / 60:.1f} minutes")


if __name__ == "__main__":
    main()

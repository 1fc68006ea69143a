"""Whole processes: `foveal train mnist`, the same run in PyTorch, and the time to import the frameworks."""
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

from harness.environment import BENCH
from harness.turns import cell, digits, median, ratio, ratios, table, turns

SEEDS = range(30)
WANTED = 0.99


def timed(*command):
    """Wall time, peak memory in MB and the JSON on the last line of stdout, if there is any."""
    quiet = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    with tempfile.TemporaryFile("w+") as out:
        begin = time.perf_counter()
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.DEVNULL, env=quiet)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
        out.seek(0)
        lines = out.read().splitlines()
    megabytes = usage.ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)
    return {"wall": wall, "megabytes": megabytes, **(json.loads(lines[-1]) if lines else {})}


def run(sides, options):
    with tempfile.TemporaryDirectory() as folder:
        config = pathlib.Path(folder) / "config.toml"
        imports = lambda name: lambda: timed(sides.python, "-c", f"import {name}")
        todo = {
            "foveal": lambda: timed(options.program, "train", "mnist", "--no-report", "--json", "--out", folder),
            "torch run": lambda: timed(sides.python, str(BENCH / "peers" / "torch_mnist.py"), str(config)),
            "import torch": imports("torch"),
            "import tensorflow": imports("tensorflow"),
        }
        # The PyTorch run reads what foveal leaves.
        todo["foveal"]()
        runs = turns(options.runs, todo, "whole processes")
    wall = {name: [r["wall"] for r in found] for name, found in runs.items()}
    over = {name: ratios(wall["foveal"], wall[name]) for name in wall}
    train = {name: [r["train_seconds"] for r in runs[name]] for name in ("foveal", "torch run")}
    accuracy = {name: median(r["test_accuracy"] for r in runs[name]) for name in train}
    memory = {name: max(r["megabytes"] for r in found) for name, found in runs.items()}
    titles = {
        "foveal": "`foveal train mnist`, start to printed test accuracy",
        "torch run": "the same net, epochs, batch and schedule in PyTorch channels_last",
        "import torch": '`python -c "import torch"`',
        "import tensorflow": '`python -c "import tensorflow"`',
    }
    rows = []
    for name, title in titles.items():
        trained = name in train
        rows.append([
            title, cell(wall[name]), ratio(over[name]) if name != "foveal" else "", cell(train[name]) if trained else "",
            f"{100 * accuracy[name]:.2f} %" if trained else "", f"{digits(memory[name])} MB"])
    head = ["process", "wall, s", "foveal / this", "training alone, s", "test accuracy", "peak memory"]
    headlines = [
        ("start to printed test accuracy, of `import tensorflow`", "<= 0.5", ratio(over["import tensorflow"])),
        ("start to printed test accuracy, of `import torch`", "<= 0.5 (stretch)", ratio(over["import torch"])),
        ("peak memory of `train mnist`", "<= 200 MB", f"{digits(memory['foveal'])} MB"),
    ]
    return table(head, rows), runs, headlines


def run_accuracy(_, options):
    """The built-in recipe's test accuracy over seeds, with the usual validation images and with none."""
    seeds = SEEDS if not options.quick else SEEDS[:3]
    raw, rows, headlines = {}, [], []
    for title, extra in [("55,000 (the default)", []), ("all 60,000 (`--validation 0`)", ["--validation", "0"])]:
        with tempfile.TemporaryDirectory() as folder:
            found = [
                timed(options.program, "train", "mnist", "--no-report", "--json", "--out", folder, "--seed", str(seed), *extra)["test_accuracy"]
                for seed in seeds]
        print(f"  accuracy, {title}", file=sys.stderr, flush=True)
        mean, deviation = statistics.fmean(found), statistics.stdev(found)
        passed = sum(a >= WANTED for a in found)
        raw[title] = found
        rows.append([title, f"{100 * mean:.3f} %", f"{100 * deviation:.3f}", f"{100 * min(found):.2f} to {100 * max(found):.2f} %",
                     f"{passed} of {len(found)}"])
        headlines.append((f"test accuracy, {len(found)} seeds, trained on {title}",
                          "mean >= 99.05 %, 90 % of the seeds at or above 99.0 %",
                          f"mean {100 * mean:.2f} %, {100 * passed / len(found):.0f} %"))
    head = ["trained on", "mean", "standard deviation, points", "lowest to highest", "at or above 99.00 %"]
    return table(head, rows), raw, headlines

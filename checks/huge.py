#!/usr/bin/env python3
"""Every command that reads a file, given files of 5 GB, devices without end and pipes: exit status 1 with one line,
within 300 MB of memory and 2 seconds. PROGRAM is the program to try; a slow build may be given more SECONDS."""

import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import threading
import time

MEGABYTES, SECONDS = 300, float(os.environ.get("SECONDS_EACH", "2"))
HUGE = 5 << 30
PROGRAM = os.path.realpath(os.environ.get("PROGRAM", "target/release/foveal"))

# How a file of each kind begins.
BEGINS = {
    "npy": b"\x93NUMPY\x01\x00\x76\x00{'descr': '<f4', 'fortran_order': False, 'shape': (1, 36000, 36000, 1), }"
    + b" " * 43 + b"\n",
    "npz": b"PK\x03\x04", "zip": b"PK\x03\x04", "gz": b"\x1f\x8b\x08\x00",
    "png": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x10\0\0\0\x10\0\x08\0\0\0\0", "jpg": b"\xff\xd8\xff\xe0\x00\x10JFIF",
    "gif": b"GIF89a\x10\0\x10\0", "bmp": b"BM", "webp": b"RIFF\xff\xff\xff\xffWEBPVP8 ", "tiff": b"II*\0\x08\0\0\0",
    "dcm": b"\0" * 128 + b"DICM", "csv": b"path,target\n", "tsv": b"good\tA text.\n", "txt": b"1 2\n",
    "toml": b"[input]\nshape = [8, 8, 1]\n", "safetensors": b"\x40\0\0\0\0\0\0\0{\"a\":1}", "onnx": b"\x08\x08",
    "idx": struct.pack(">4B3I", 0, 0, 8, 3, 60000, 300, 300), "bin": b"",
}

# Commands, and the kinds of files that they are given: `@` stands for the file.
PICTURES = "png jpg gif bmp webp tiff npy npz zip dcm txt csv bin gz"
DATA = "npz csv tsv npy zip txt idx png bin"
READERS = [
    ("predict run @", PICTURES), ("show run @", "png npy dcm"), ("explain run @ --layer conv2d_1 --at 0,0,0", "png npy"),
    ("predict said @", "txt png npy"), ("predict @ x.npy", "safetensors onnx toml bin"), ("export @ out.onnx", "safetensors bin"),
    ("conv2d @ w.npy", "npy txt csv bin"), ("conv2d x.npy @", "npy txt csv"), ("conv2d x.npy w.npy --bias @", "npy txt csv"),
    ("max-pool @ --ksize 2,2", "npy txt csv"), ("avg-pool @ --ksize 2,2", "npy txt csv"),
    ("explain conv2d @ w.npy --at 0,0,0,0", "npy txt"), ("explain max-pool @ --ksize 2,2 --at 0,0,0,0", "npy"),
    ("summary @", "toml safetensors onnx txt bin"), ("train mnist --model @ --out new", "toml txt"),
    ("train mnist --config @ --out new", "toml"), ("train mnist --from @ --out new", "safetensors onnx"),
    ("train @ --out new", DATA), ("data check @", DATA), ("data show @ -o sheet.png", DATA), ("eval run @", DATA),
    ("eval @ mnist", "safetensors"), ("import @ out.safetensors", "onnx bin txt"),
    ("import m.onnx out.safetensors --classes @@", "txt"), ("compare @ run", "safetensors toml"),
    ("serve @ --port 0", "safetensors"), ("train scans --labels @ --out new", "csv txt"),
    # Folders in which the file stands at a place of its own.
    ("train pictures:a/one.png --out new", "png jpg gif tiff"), ("data check pictures:a/one.png", "png"),
    ("train slices:a/one --out new", "dcm"), ("train texts:train.tsv --out new", "tsv"),
    ("train idx:train-images-idx3-ubyte --out new", "idx gz"), ("predict run pictures:one.png", "png"),
    ("predict model:model.safetensors x.npy", "safetensors"), ("predict many:ensemble.json x.npy", "toml"),
    ("compare judged:predictions.csv run", "csv"),
    ("train set --out going:checkpoint.safetensors --resume", "safetensors"),
]


def npy(path, shape, values):
    head = "{'descr': '<f4', 'fortran_order': False, 'shape': %s, }" % (shape,)
    head += " " * (63 - (10 + len(head)) % 64) + "\n"
    data = struct.pack("<%df" % len(values), *values)
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode() + data)


def prepare(folder):
    npy(folder / "x.npy", (1, 8, 8, 1), [i % 7 for i in range(64)])
    npy(folder / "w.npy", (3, 3, 1, 4), [1.0] * 36)
    digits = folder / "set"
    digits.mkdir()
    for part in ("train", "t10k"):
        n = 120
        pixels = bytes((i * 7 + p * 13) % 251 if p // 8 % 3 == i % 3 else 0 for i in range(n) for p in range(64))
        (digits / f"{part}-images-idx3-ubyte").write_bytes(struct.pack(">4B3I", 0, 0, 8, 3, n, 8, 8) + pixels)
        (digits / f"{part}-labels-idx1-ubyte").write_bytes(struct.pack(">4BI", 0, 0, 8, 1, n) + bytes(i % 3 for i in range(n)))
    lines = "".join(f"{'good' if i % 2 else 'bad'}\tText number {i} is {'fine' if i % 2 else 'poor'}.\n" for i in range(60))
    (folder / "said.tsv").write_text(lines)
    scans = folder / "scans" / "a"
    scans.mkdir(parents=True)
    (scans / "one").write_bytes(b"\0" * 128 + b"DICM")
    for command in ("train set --epochs 2 --out run", "train said.tsv --epochs 1 --out said", "export run m.onnx"):
        subprocess.run([PROGRAM, *command.split(), "-q"], cwd=folder, check=True, stdout=subprocess.DEVNULL)


def place(path, how, kind):
    """Makes the file: huge and empty, huge with a good beginning, a device, a pipe."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if how in ("hollow", "begun"):
        with open(path, "wb") as file:
            file.write(BEGINS[kind] if how == "begun" else b"")
            file.truncate(HUGE)
    elif how == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(how)


def measured(command, folder):
    """Exit status, what was said, megabytes at most, seconds."""
    start = time.monotonic()
    child = subprocess.Popen([PROGRAM, *command], cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    killer = threading.Timer(30, child.kill)
    killer.start()
    _, said = child.stdout.read(), child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    killer.cancel()
    child.returncode = os.waitstatus_to_exitcode(status)
    return child.returncode, said.decode(errors="replace"), usage.ru_maxrss / 1024, time.monotonic() - start


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        prepare(folder)
        tried, wrong, most, longest = 0, 0, (0, ""), (0, "")
        for command, kinds in READERS:
            for kind in kinds.split():
                for how in ("hollow", "begun", "/dev/zero", "/dev/urandom", "pipe"):
                    place_in = next((w for w in command.split() if ":" in w), None)
                    if place_in:
                        own, inner = place_in.split(":")
                        path = folder / own / inner
                        words = [own if w == place_in else w for w in command.split()]
                        root = folder / own
                    else:
                        path = root = folder / f"huge.{kind}"
                        words = [("@" if w == "@@" else "") + path.name if w in ("@", "@@") else w for w in command.split()]
                    place(path, how, kind)
                    code, said, megabytes, seconds = measured(words, folder)
                    subprocess.run(["rm", "-rf", str(root), str(folder / "new")], check=True)
                    tried += 1
                    told = f"{' '.join(words)} [{kind}, {how}]"
                    most, longest = max(most, (megabytes, told)), max(longest, (seconds, told))
                    lines = said.strip().splitlines()
                    good = code == 1 and lines and lines[-1].startswith("error: ") and sum(l.startswith("error: ") for l in lines) == 1
                    good = good and (len(lines) == 1 or all(l.startswith(("skipped", "warning", "seen")) for l in lines[:-1]))
                    if not good or megabytes > MEGABYTES or seconds > SECONDS:
                        wrong += 1
                        print(f"{told}: status {code}, {megabytes:.0f} MB, {seconds:.1f} s: {said.strip()[:300]}", flush=True)
        print(f"{tried} tried, {wrong} wrong; most memory {most[0]:.0f} MB ({most[1]}), longest {longest[0]:.2f} s ({longest[1]})")
        return 1 if wrong else 0


sys.exit(main())

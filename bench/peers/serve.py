"""The peers' side of the protocol of bench/native: each line is a request, each answer a line of JSON."""
import json
import pathlib
import statistics
import sys
import time

DATA = pathlib.Path(__file__).resolve().parent.parent.parent / "crates" / "mnist" / "data"


def serve(commands):
    """Answers each line of the input: the first word names a function of `commands`, the others are its arguments."""
    for line in sys.stdin:
        name, *words = line.split()
        print(json.dumps(commands[name](*words)), flush=True)


def frames(stem):
    """The bytes of one of the digits' files, unpacked."""
    import numpy as np
    import zstandard

    parts = sorted(DATA.glob(f"{stem}*.zst"))
    if not parts:
        raise SystemExit(f"no {stem}*.zst in {DATA}")
    out = b"".join(zstandard.ZstdDecompressor().decompressobj().decompress(p.read_bytes()) for p in parts)
    return np.frombuffer(out, dtype=np.uint8)


def median_seconds(call, seconds):
    """The median of the calls' times, for about `seconds` and at least three calls, after one that does not count."""
    call()
    times, start = [], time.perf_counter()
    while len(times) < 3 or time.perf_counter() - start < seconds:
        begin = time.perf_counter()
        call()
        times.append(time.perf_counter() - begin)
    return statistics.median_high(times)

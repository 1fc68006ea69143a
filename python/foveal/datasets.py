"""The data set that foveal brings."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from . import _foveal


class Digits(NamedTuple):
    """Images [n, 28, 28] of bytes, 0 black to 255 white, and their labels [n]."""

    images: np.ndarray
    labels: np.ndarray


class Mnist(NamedTuple):
    """60,000 digits to learn from, whose first 5,000 the course and the program set aside for validation, and 10,000
    to judge the result by."""

    train: Digits
    test: Digits


def mnist() -> Mnist:
    """MNIST's handwritten digits: `(x, y), (x_test, y_test) = foveal.mnist()`."""

    def part(name: str) -> Digits:
        images, labels = _foveal.digits(name)
        pixels = np.frombuffer(images, np.uint8).reshape(-1, 28, 28).copy()
        return Digits(pixels, np.frombuffer(labels, np.uint8).astype(np.int64))

    return Mnist(part("train"), part("test"))

"""`tensorflow.examples.tutorials.mnist.input_data`: the built-in digits, as the course reads them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np


class DataSet:
    """Images [n, 784] from 0 to 1, and labels."""

    def __init__(self, images: np.ndarray, labels: np.ndarray, rng: np.random.Generator) -> None:
        self.images, self.labels, self._rng = images, labels, rng
        self.epochs_completed, self._at = 0, 0
        self._order = np.arange(len(images))

    @property
    def num_examples(self) -> int:
        return len(self.images)

    def next_batch(self, batch_size: int, fake_data: bool = False, shuffle: bool = True) -> tuple[np.ndarray, np.ndarray]:
        """The next images and labels; each epoch goes through all in another order."""
        n = len(self.images)
        if not 1 <= batch_size <= n:
            raise ValueError(f"next_batch: from 1 to {n} examples can be given, not {batch_size}")
        if self._at == 0 and self.epochs_completed == 0 and shuffle:
            self._order = self._rng.permutation(n)
        at = self._order[self._at : self._at + batch_size]
        self._at += batch_size
        if self._at > n:
            self.epochs_completed += 1
            self._order = self._rng.permutation(n) if shuffle else np.arange(n)
            self._at -= n
            at = np.concatenate([at, self._order[: self._at]])
        return self.images[at], self.labels[at]


class Datasets(NamedTuple):
    """The three parts."""

    train: DataSet
    validation: DataSet
    test: DataSet


def read_data_sets(train_dir: Any = None, fake_data: bool = False, one_hot: bool = False, dtype: Any = np.float32,
                   reshape: bool = True, validation_size: int = 5000, seed: int | None = None, **_: Any) -> Datasets:
    """The digits that foveal brings; nothing is read from `train_dir` and nothing is downloaded. The first
    `validation_size` are for validation, as in TensorFlow 1."""
    from foveal import mnist

    from .graph import graph

    digits = mnist()
    if not 0 <= validation_size <= len(digits.train.images):
        raise ValueError(f"Validation size should be between 0 and {len(digits.train.images)}. Received: {validation_size}.")
    start = graph().seed if seed is None else seed
    rng = np.random.default_rng(start)

    def part(images: np.ndarray, labels: np.ndarray) -> DataSet:
        x = images.astype(np.float32) * np.float32(1 / 255)
        x = x.reshape(-1, 784) if reshape else x[..., None]
        y = np.eye(10)[labels] if one_hot else labels.astype(np.uint8)
        return DataSet(x, y, rng)

    (x, y), (x_test, y_test) = digits
    k = validation_size
    return Datasets(part(x[k:], y[k:]), part(x[:k], y[:k]), part(x_test, y_test))

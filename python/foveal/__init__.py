"""foveal: see every number of a convolutional network, train it, ship it.

| name | is |
|---|---|
| `foveal.ops` | the operators with their gradients, on NumPy arrays |
| `foveal.train` | trains a model on arrays, folders, tables or MNIST |
| `foveal.Model` | a model: predict, evaluate, explain, show, save, to_onnx |
| `foveal.mnist` | the built-in digits |
| `foveal.sklearn` | estimators for scikit-learn |
| `foveal.compat.tensorflow1` | TensorFlow 1 as the course "Deep Learning Zero to All" uses it |
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import ops
from ._foveal import __version__
from .history import History
from .model import Evaluation, Model
from .training import Interrupted, train

if TYPE_CHECKING:
    from .datasets import Mnist

__all__ = ["Evaluation", "History", "Interrupted", "Model", "__version__", "mnist", "ops", "train"]


def mnist() -> Mnist:
    """MNIST's handwritten digits: `(x, y), (x_test, y_test) = foveal.mnist()`."""
    from .datasets import mnist

    return mnist()

"""The operators, on NumPy arrays: activations [n, h, w, c], filters [h, w, c / groups, filters], float32.

They have TensorFlow's exact shapes and numbers. Whatever NumPy can read as an array of real numbers goes in.

>>> import numpy as np
>>> image = np.arange(1, 10).reshape(1, 3, 3, 1)
>>> conv2d(image, np.ones((2, 2, 1, 1))).ravel()
array([12., 16., 24., 28.], dtype=float32)
"""

from ._foveal import (
    avg_pool2d,
    avg_pool2d_backward,
    conv2d,
    conv2d_backward,
    conv2d_backward_filter,
    conv2d_backward_input,
    dense,
    dense_backward,
    dropout,
    max_pool2d,
    max_pool2d_backward,
    relu,
    relu_backward,
    softmax,
    softmax_cross_entropy,
)

__all__ = [
    "avg_pool2d",
    "avg_pool2d_backward",
    "conv2d",
    "conv2d_backward",
    "conv2d_backward_filter",
    "conv2d_backward_input",
    "dense",
    "dense_backward",
    "dropout",
    "max_pool2d",
    "max_pool2d_backward",
    "relu",
    "relu_backward",
    "softmax",
    "softmax_cross_entropy",
]

"""`tf.layers`."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import nn
from .graph import Tensor, TensorShape, graph
from .math import add, constant, matmul, reshape, tensor
from .variables import get_variable, xavier_initializer, zeros_initializer


def _pair(given: Any, what: str) -> list[int]:
    pair = [int(v) for v in np.atleast_1d(given)]
    if len(pair) == 1:
        pair *= 2
    if len(pair) != 2:
        raise ValueError(f"tf.layers: {what} must be a number or two, not {given!r}")
    return pair


def _name(kind: str, name: str | None) -> str:
    """conv2d, conv2d_1, … within the scope."""
    if name is not None:
        return name
    scope, n = "/".join(graph().scopes), 0
    while (tried := kind if n == 0 else f"{kind}_{n}") and "/".join([*([scope] if scope else []), tried]) + "/" in graph().names:
        n += 1
    return tried


def _parameters(kind: str, name: str | None, shape: list[int], units: int, use_bias: bool, kernel_initializer: Any,
                bias_initializer: Any) -> tuple[str, Tensor, Tensor | None]:
    name = _name(kind, name)
    with graph().scope(name) as scope:
        graph().names[scope + "/"] = 1
        w = get_variable("kernel", shape, initializer=kernel_initializer or xavier_initializer())
        b = get_variable("bias", [units], initializer=bias_initializer or zeros_initializer()) if use_bias else None
    return name, w, b


def conv2d(inputs: Any, filters: int, kernel_size: Any, strides: Any = (1, 1), padding: str = "valid",
           data_format: str = "channels_last", dilation_rate: Any = (1, 1), activation: Any = None, use_bias: bool = True,
           kernel_initializer: Any = None, bias_initializer: Any = None, name: str | None = None, **_: Any) -> Tensor:
    """A convolution with weights of its own."""
    if data_format != "channels_last" or _pair(dilation_rate, "dilation_rate") != [1, 1]:
        raise ValueError("tf.layers.conv2d: data_format must be channels_last and dilation_rate 1")
    x = tensor(inputs)
    channels = x.shape[-1]
    if channels is None:
        raise ValueError("The channel dimension of the inputs should be defined. Found `None`.")
    shape = [*_pair(kernel_size, "kernel_size"), int(channels), int(filters)]
    name, w, b = _parameters("conv2d", name, shape, int(filters), use_bias, kernel_initializer, bias_initializer)
    with graph().scope(name):
        y = nn.conv2d(x, w, [1, *_pair(strides, "strides"), 1], padding)
        y = y if b is None else add(y, b, "BiasAdd")
        return y if activation is None else activation(y)


def max_pooling2d(inputs: Any, pool_size: Any, strides: Any, padding: str = "valid", data_format: str = "channels_last",
                  name: str | None = None) -> Tensor:
    """The largest number of each window."""
    size, steps = _pair(pool_size, "pool_size"), _pair(strides, "strides")
    return nn.max_pool(inputs, [1, *size, 1], [1, *steps, 1], padding, name=name or "max_pooling2d/MaxPool")


def average_pooling2d(inputs: Any, pool_size: Any, strides: Any, padding: str = "valid",
                      data_format: str = "channels_last", name: str | None = None) -> Tensor:
    """The mean of each window's cells inside the image."""
    size, steps = _pair(pool_size, "pool_size"), _pair(strides, "strides")
    return nn.avg_pool(inputs, [1, *size, 1], [1, *steps, 1], padding, name=name or "average_pooling2d/AvgPool")


def dropout(inputs: Any, rate: float = 0.5, noise_shape: Any = None, seed: int | None = None, training: Any = False,
            name: str | None = None) -> Tensor:
    """Drops a share `rate` of the numbers while `training` is true."""
    keep = 1.0 - float(rate)
    if isinstance(training, Tensor):
        keeps = Tensor("cond_keep", [training], [], "float32", "dropout/keep", keep=keep)
    else:
        keeps = constant(np.float32(keep if training else 1.0))
    return nn.dropout(inputs, keeps, noise_shape, seed, name or "dropout")


def dense(inputs: Any, units: int, activation: Any = None, use_bias: bool = True, kernel_initializer: Any = None,
          bias_initializer: Any = None, name: str | None = None, **_: Any) -> Tensor:
    """Every input goes to every unit."""
    x = tensor(inputs)
    if x.shape.ndims != 2 or x.shape[1] is None:
        raise ValueError(f"tf.layers.dense: the inputs must be [n, numbers] with known numbers, not {x.shape}")
    shape = [int(x.shape[1]), int(units)]
    name, w, b = _parameters("dense", name, shape, int(units), use_bias, kernel_initializer, bias_initializer)
    with graph().scope(name):
        y = matmul(x, w)
        y = y if b is None else add(y, b, "BiasAdd")
        return y if activation is None else activation(y)


def flatten(inputs: Any, name: str | None = None) -> Tensor:
    """All numbers of each sample in a row."""
    x = tensor(inputs)
    rest = int(np.prod(TensorShape(x.shape.as_list()[1:]).extents()))
    return reshape(x, [-1, rest], name or "flatten/Reshape")

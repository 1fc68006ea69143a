"""`tf.nn`."""

from __future__ import annotations

from typing import Any

from .graph import Tensor, TensorShape
from .math import add, one_hot, sigmoid, tanh, tensor

__all__ = ["avg_pool", "bias_add", "conv2d", "dropout", "max_pool", "relu", "sigmoid", "softmax",
           "softmax_cross_entropy_with_logits", "softmax_cross_entropy_with_logits_v2",
           "sparse_softmax_cross_entropy_with_logits", "tanh"]


def _padding(padding: Any, operator: str) -> str:
    name = str(padding).upper()
    if name not in ("SAME", "VALID"):
        raise ValueError(f"{operator}: padding must be SAME or VALID, not {padding!r}")
    return name


def _window(given: Any, operator: str, what: str) -> tuple[int, int]:
    """Height and width out of [1, h, w, 1]."""
    try:
        one, h, w, last = (int(v) for v in given)
    except (TypeError, ValueError):
        raise ValueError(f"{operator}: {what} must be [1, height, width, 1], not {given!r}") from None
    if (one, last) != (1, 1) or h < 1 or w < 1:
        raise ValueError(f"{operator}: {what} must be [1, height, width, 1], not {list(given)}")
    return h, w


def extent(n: int | None, kernel: int | None, stride: int, padding: str, operator: str) -> int | None:
    """Outputs along an axis of `n` numbers."""
    if n is not None and padding == "SAME":
        return -(-n // stride)
    if n is None or kernel is None:
        return None
    if n < kernel:
        raise ValueError(f"Negative dimension size caused by subtracting {kernel} from {n} for '{operator}'.")
    return (n - kernel) // stride + 1


def _images(x: Any, operator: str) -> Tensor:
    x = tensor(x)
    if x.shape.dims is None:
        x.set_shape([None] * 4)
    if x.shape.ndims != 4:
        raise ValueError(f"Shape must be rank 4 but is rank {x.shape.ndims} for '{operator}' with input shape {x.shape}.")
    return x


def conv2d(input: Any, filter: Any = None, strides: Any = None, padding: Any = None,  # noqa: A002
           use_cudnn_on_gpu: bool = True, data_format: str = "NHWC", name: str | None = None,
           filters: Any = None) -> Tensor:
    """Two-dimensional convolution: `input` [n, h, w, c], `filter` [h, w, c, filters]."""
    if data_format != "NHWC":
        raise ValueError(f"Conv2D: data_format must be NHWC, not {data_format}")
    x, w = _images(input, "Conv2D"), tensor(filters if filter is None else filter)
    if w.shape.ndims != 4:
        raise ValueError(f"Shape must be rank 4 but is rank {w.shape.ndims} for 'Conv2D' with filter shape {w.shape}.")
    if None not in (x.shape[3], w.shape[2]) and x.shape[3] != w.shape[2]:
        raise ValueError(f"Dimensions must be equal, but are {x.shape[3]} and {w.shape[2]} for 'Conv2D' (op: 'Conv2D') "
                         f"with input shapes: {x.shape}, {w.shape}.")
    steps, how = _window(strides, "Conv2D", "strides"), _padding(padding, "Conv2D")
    h, wd = (extent(x.shape[i + 1], w.shape[i], steps[i], how, "Conv2D") for i in (0, 1))
    return Tensor("Conv2D", [x, w], [x.shape[0], h, wd, w.shape[3]], x.dtype, name, strides=steps, padding=how)


def _pool(kind: str, value: Any, ksize: Any, strides: Any, padding: Any, name: str | None) -> Tensor:
    x = _images(value, kind)
    size, steps, how = _window(ksize, kind, "ksize"), _window(strides, kind, "strides"), _padding(padding, kind)
    h, w = (extent(x.shape[i + 1], size[i], steps[i], how, kind) for i in (0, 1))
    return Tensor(kind, [x], [x.shape[0], h, w, x.shape[3]], x.dtype, name, ksize=size, strides=steps, padding=how)


def max_pool(value: Any, ksize: Any = None, strides: Any = None, padding: Any = None, data_format: str = "NHWC",
             name: str | None = None) -> Tensor:
    """The largest number of each window; padding never counts."""
    return _pool("MaxPool", value, ksize, strides, padding, name)


def avg_pool(value: Any, ksize: Any = None, strides: Any = None, padding: Any = None, data_format: str = "NHWC",
             name: str | None = None) -> Tensor:
    """The mean of each window's cells inside the image."""
    return _pool("AvgPool", value, ksize, strides, padding, name)


def relu(features: Any, name: str | None = None) -> Tensor:
    """The larger of each number and 0."""
    x = tensor(features)
    return Tensor("Relu", [x], x.shape, x.dtype, name)


def softmax(logits: Any, axis: int = -1, name: str | None = None) -> Tensor:
    x = tensor(logits)
    if axis not in (-1, None) and (x.shape.ndims is None or axis != x.shape.ndims - 1):
        raise ValueError(f"Softmax: the axis must be the last, not {axis}")
    return Tensor("Softmax", [x], x.shape, x.dtype, name)


def dropout(x: Any, keep_prob: Any = None, noise_shape: Any = None, seed: int | None = None, name: str | None = None,
            rate: Any = None) -> Tensor:
    """Keeps numbers with probability `keep_prob`, divided by it; the others become 0."""
    if noise_shape is not None:
        raise ValueError("dropout: noise_shape is not among what the course uses; leave it out")
    if keep_prob is None:
        if rate is None:
            raise ValueError("dropout: keep_prob must be given")
        keep_prob = 1 - rate
    x = tensor(x)
    return Tensor("dropout", [x, tensor(keep_prob, "float32")], x.shape, x.dtype, name, seed=seed)


def bias_add(value: Any, bias: Any, data_format: str | None = None, name: str | None = None) -> Tensor:
    return add(value, bias, name or "BiasAdd")


def softmax_cross_entropy_with_logits(_sentinel: Any = None, labels: Any = None, logits: Any = None, dim: int = -1,
                                      name: str | None = None) -> Tensor:
    """The cross-entropy of each row of `logits` [n, classes] with `labels` [n, classes]."""
    if _sentinel is not None or labels is None or logits is None:
        raise ValueError("Only call `softmax_cross_entropy_with_logits` with named arguments (labels=..., logits=..., ...)")
    z, y = tensor(logits), tensor(labels, "float32")
    shape = TensorShape(z.shape if z.shape.dims is not None else y.shape)
    return Tensor("softmax_cross_entropy_with_logits", [z, y], shape[:-1], z.dtype, name)


def softmax_cross_entropy_with_logits_v2(labels: Any = None, logits: Any = None, name: str | None = None) -> Tensor:
    return softmax_cross_entropy_with_logits(labels=labels, logits=logits, name=name)


def sparse_softmax_cross_entropy_with_logits(_sentinel: Any = None, labels: Any = None, logits: Any = None,
                                             name: str | None = None) -> Tensor:
    """The same with labels as whole numbers [n]."""
    z = tensor(logits)
    depth = z.shape[-1]
    if depth is None:
        raise ValueError("sparse_softmax_cross_entropy_with_logits: the number of classes must be known")
    return softmax_cross_entropy_with_logits(labels=one_hot(labels, int(depth)), logits=z, name=name)

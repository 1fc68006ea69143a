"""What each kind of tensor computes, and its gradient: NumPy for what only moves or adds numbers, foveal for the rest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from foveal import ops

Array = np.ndarray


class Kind(NamedTuple):
    """`value(run, tensor, *inputs)`, and `gradient(run, tensor, d_output, output, *inputs)`: one for each input, or None."""

    value: Callable[..., Any]
    gradient: Callable[..., Any] | None = None


def unbroadcast(d: Array, shape: tuple[int, ...]) -> Array:
    """A gradient summed over what was broadcast."""
    extra = d.ndim - len(shape)
    axes = (*range(extra), *(i + extra for i, n in enumerate(shape) if n == 1 and d.shape[i + extra] != 1))
    return d.sum(axes, keepdims=True).reshape(shape) if axes else d


def _float(x: Array, like: Any) -> Array:
    return x.astype(like.dtype.as_numpy_dtype, copy=False)


def _conv2d(run: Any, t: Any, x: Array, w: Array) -> Array:
    return _float(ops.conv2d(x, w, **t.attrs), t)


def _conv2d_gradient(run: Any, t: Any, d: Array, y: Array, x: Array, w: Array) -> list[Any]:
    needs_x, needs_w = (run.differentiates(i) for i in t.inputs)
    dx = ops.conv2d_backward_input(x.shape, w, d, **t.attrs) if needs_x else None
    return [dx, ops.conv2d_backward_filter(x, w.shape, d, **t.attrs) if needs_w else None]


def _max_pool(run: Any, t: Any, x: Array) -> Array:
    return _float(ops.max_pool2d(x, **t.attrs), t)


def _max_pool_gradient(run: Any, t: Any, d: Array, y: Array, x: Array) -> list[Any]:
    return [ops.max_pool2d_backward(x, d, **t.attrs)]


def _avg_pool(run: Any, t: Any, x: Array) -> Array:
    return _float(ops.avg_pool2d(x, **t.attrs), t)


def _avg_pool_gradient(run: Any, t: Any, d: Array, y: Array, x: Array) -> list[Any]:
    return [ops.avg_pool2d_backward(x.shape, d, **t.attrs)]


def _matmul(run: Any, t: Any, a: Array, b: Array) -> Array:
    return _float(ops.dense(a, b), t) if a.ndim == b.ndim == 2 and a.size and b.size and t.dtype.name == "float32" else a @ b


def _matmul_gradient(run: Any, t: Any, d: Array, y: Array, a: Array, b: Array) -> list[Any]:
    da, db, _ = ops.dense_backward(a, b, d)
    return [da, db]


def _relu_gradient(run: Any, t: Any, d: Array, y: Array, x: Array) -> list[Any]:
    return [np.where(y > 0, d, 0).astype(d.dtype, copy=False)]


def _dropout(run: Any, t: Any, x: Array, keep: Array) -> Array:
    share = float(keep)
    if not 0 < share <= 1:
        raise ValueError(f"{t.op_name}: keep_prob must be a scalar tensor or a float in the range (0, 1], got {share:g}")
    mask = run.kept[t] = None if share == 1 else run.dropout_mask(t, x.shape, np.float32(share))
    return x if mask is None else x * mask


def _dropout_gradient(run: Any, t: Any, d: Array, y: Array, x: Array, keep: Array) -> list[Any]:
    mask = run.kept[t]
    return [d if mask is None else d * mask, None]


def _cross_entropy(run: Any, t: Any, logits: Array, labels: Array) -> Array:
    z = logits.astype(np.float64)
    z = z - z.max(-1, keepdims=True)
    log = z - np.log(np.exp(z).sum(-1, keepdims=True))
    run.kept[t] = log
    return _float(-(labels * log).sum(-1), t)


def _cross_entropy_gradient(run: Any, t: Any, d: Array, y: Array, logits: Array, labels: Array) -> list[Any]:
    p = np.exp(run.kept[t])
    total = labels.sum(-1, keepdims=True)
    return [(d[..., None] * (p * total - labels)).astype(np.float32), None]


def _mean(run: Any, t: Any, x: Array) -> Array:
    exact = x.astype(np.float64) if x.dtype == np.float32 else x
    return np.asarray(exact.mean(t.attrs["axis"], keepdims=t.attrs["keepdims"]), t.dtype.as_numpy_dtype)


def _sum(run: Any, t: Any, x: Array) -> Array:
    return np.asarray(x.sum(t.attrs["axis"], keepdims=t.attrs["keepdims"]), t.dtype.as_numpy_dtype)


def _spread(t: Any, d: Array, x: Array) -> Array:
    axis = t.attrs["axis"]
    if axis is not None and not t.attrs["keepdims"]:
        d = np.expand_dims(d, axis)
    return np.broadcast_to(d, x.shape)


def _mean_gradient(run: Any, t: Any, d: Array, y: Array, x: Array) -> list[Any]:
    return [(_spread(t, d, x) / (x.size / max(y.size, 1))).astype(np.float32)]


def _reshape(run: Any, t: Any, x: Array, shape: Array) -> Array:
    try:
        return x.reshape([int(n) for n in np.atleast_1d(shape)])
    except ValueError:
        raise ValueError(f"{t.op_name}: cannot reshape a tensor of shape {list(x.shape)} to {shape.tolist()}") from None


def _two(value: Callable[..., Any], left: Callable[..., Any] | None = None, right: Callable[..., Any] | None = None) -> Kind:
    """An operation of two operands with broadcasting."""

    def compute(run: Any, t: Any, a: Array, b: Array) -> Array:
        return np.asarray(value(a, b), t.dtype.as_numpy_dtype)

    if left is None or right is None:
        return Kind(compute)

    def gradient(run: Any, t: Any, d: Array, y: Array, a: Array, b: Array) -> list[Any]:
        return [unbroadcast(np.asarray(left(d, a, b)), a.shape), unbroadcast(np.asarray(right(d, a, b)), b.shape)]

    return Kind(compute, gradient)


def _one(value: Callable[..., Any], slope: Callable[..., Any] | None = None) -> Kind:
    """An operation of each number."""

    def compute(run: Any, t: Any, x: Array) -> Array:
        return np.asarray(value(x), t.dtype.as_numpy_dtype)

    if slope is None:
        return Kind(compute)
    return Kind(compute, lambda run, t, d, y, x: [np.asarray(d * slope(x, y), np.float32)])


def _softmax_gradient(run: Any, t: Any, d: Array, y: Array, x: Array) -> list[Any]:
    return [y * (d - (d * y).sum(-1, keepdims=True))]


KINDS: dict[str, Kind] = {
    "Const": Kind(lambda run, t: t.attrs["value"]),
    "Placeholder": Kind(lambda run, t: run.unfed(t)),
    "Variable": Kind(lambda run, t: run.session.variable(t)),
    "Random": Kind(lambda run, t: run.session.draw(t)),
    "Conv2D": Kind(_conv2d, _conv2d_gradient),
    "MaxPool": Kind(_max_pool, _max_pool_gradient),
    "AvgPool": Kind(_avg_pool, _avg_pool_gradient),
    "MatMul": Kind(_matmul, _matmul_gradient),
    "Relu": Kind(lambda run, t, x: np.maximum(x, 0), _relu_gradient),
    "Softmax": Kind(lambda run, t, x: _float(ops.softmax(x), t), _softmax_gradient),
    "dropout": Kind(_dropout, _dropout_gradient),
    "softmax_cross_entropy_with_logits": Kind(_cross_entropy, _cross_entropy_gradient),
    "Mean": Kind(_mean, _mean_gradient),
    "Sum": Kind(_sum, lambda run, t, d, y, x: [np.array(_spread(t, d, x))]),
    "Reshape": Kind(_reshape, lambda run, t, d, y, x, shape: [d.reshape(x.shape), None]),
    "Transpose": Kind(lambda run, t, x: x.transpose(t.attrs["perm"]),
                      lambda run, t, d, y, x: [d.transpose(None if t.attrs["perm"] is None else np.argsort(t.attrs["perm"]))]),
    "ArgMax": Kind(lambda run, t, x: x.argmax(t.attrs["axis"])),
    "OneHot": Kind(lambda run, t, x: np.eye(t.attrs["depth"], dtype=np.float32)[x]),
    "Shape": Kind(lambda run, t, x: np.array(x.shape, np.int32)),
    "Cast": Kind(lambda run, t, x: x.astype(t.dtype.as_numpy_dtype),
                 lambda run, t, d, y, x: [d if x.dtype.kind == "f" else None]),
    "cond_keep": Kind(lambda run, t, training: np.float32(t.attrs["keep"] if bool(training) else 1.0)),
    "add": _two(np.add, lambda d, a, b: d, lambda d, a, b: d),
    "sub": _two(np.subtract, lambda d, a, b: d, lambda d, a, b: -d),
    "mul": _two(np.multiply, lambda d, a, b: d * b, lambda d, a, b: d * a),
    "truediv": _two(np.divide, lambda d, a, b: d / b, lambda d, a, b: -d * a / (b * b)),
    "Maximum": _two(np.maximum, lambda d, a, b: d * (a >= b), lambda d, a, b: d * (a < b)),
    "Minimum": _two(np.minimum, lambda d, a, b: d * (a <= b), lambda d, a, b: d * (a > b)),
    "Equal": _two(np.equal),
    "Greater": _two(np.greater),
    "Less": _two(np.less),
    "Neg": _one(np.negative, lambda x, y: -1),
    "Square": _one(np.square, lambda x, y: 2 * x),
    "Sqrt": _one(np.sqrt, lambda x, y: 0.5 / y),
    "Exp": _one(np.exp, lambda x, y: y),
    "Log": _one(np.log, lambda x, y: 1 / x),
    "Abs": _one(np.abs, lambda x, y: np.sign(x)),
    "Sigmoid": _one(lambda x: 1 / (1 + np.exp(-x)), lambda x, y: y * (1 - y)),
    "Tanh": _one(np.tanh, lambda x, y: 1 - y * y),
}

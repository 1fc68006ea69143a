"""Tensors of numbers: constants, arithmetic, reductions, shapes."""

from __future__ import annotations

from typing import Any

import numpy as np

from .graph import DType, Tensor, TensorShape, as_dtype


def tensor(given: Any, dtype: Any = None, name: str | None = None) -> Tensor:
    """`given` as a tensor: a variable or tensor as it is, anything else as a constant."""
    if isinstance(given, Tensor):
        return given
    return constant(given, dtype, name=name)


_tensor = tensor


def constant(value: Any, dtype: Any = None, shape: Any = None, name: str | None = None) -> Tensor:
    """A constant; Python's floats become float32, its whole numbers int32."""
    array = np.asarray(value)
    if dtype is not None:
        array = array.astype(as_dtype(dtype).as_numpy_dtype)
    elif not isinstance(value, (np.ndarray, np.generic)):
        array = array.astype({"f": np.float32, "i": np.int32}.get(array.dtype.kind, array.dtype))
    if array.dtype.kind not in "biuf":
        raise TypeError(f"tf.constant: {type(value).__name__} is no array of numbers that foveal's TensorFlow 1 takes")
    if shape is not None:
        array = np.broadcast_to(array, shape) if array.size == 1 else array.reshape(shape)
    # What is in the graph stays as it is, whatever happens to the caller's array.
    return Tensor("Const", [], array.shape, array.dtype, name, value=array.copy())


def _together(a: Any, b: Any) -> tuple[Tensor, Tensor]:
    """Two operands, a Python number in the dtype of the other."""
    of = a if isinstance(a, Tensor) else b
    dtype = of.dtype if isinstance(of, Tensor) else None
    a, b = (v if isinstance(v, Tensor) else constant(v, None if isinstance(v, np.ndarray) else dtype) for v in (a, b))
    if a.dtype != b.dtype:
        raise TypeError(f"Input 'y' has type {b.dtype.name} that does not match type {a.dtype.name} of 'x'.")
    return a, b


def _broadcast(a: TensorShape, b: TensorShape) -> Any:
    if a.dims is None or b.dims is None:
        return None
    n = max(len(a.dims), len(b.dims))
    rows = [(1,) * (n - len(dims)) + tuple(dims) for dims in (a.dims, b.dims)]
    together: list[int | None] = []
    for p, q in zip(*rows):
        if p is not None and q is not None and p != q and 1 not in (p, q):
            raise ValueError(f"Dimensions must be equal, but are {p} and {q} for shapes {a} and {b}.")
        together.append(q if p == 1 else p if q == 1 or q is None and p != 1 else q if p is None else p)
    return together


def _binary(kind: str, a: Any, b: Any, name: str | None, dtype: Any = None) -> Tensor:
    a, b = _together(a, b)
    return Tensor(kind, [a, b], _broadcast(a.shape, b.shape), dtype or a.dtype, name)


def add(x: Any, y: Any, name: str | None = None) -> Tensor:
    return _binary("add", x, y, name)


def subtract(x: Any, y: Any, name: str | None = None) -> Tensor:
    return _binary("sub", x, y, name)


def multiply(x: Any, y: Any, name: str | None = None) -> Tensor:
    return _binary("mul", x, y, name)


def divide(x: Any, y: Any, name: str | None = None) -> Tensor:
    return _binary("truediv", x, y, name)


def maximum(x: Any, y: Any, name: str | None = None) -> Tensor:
    return _binary("Maximum", x, y, name)


def minimum(x: Any, y: Any, name: str | None = None) -> Tensor:
    return _binary("Minimum", x, y, name)


def equal(x: Any, y: Any, name: str | None = None) -> Tensor:
    return _binary("Equal", x, y, name, "bool")


def greater(x: Any, y: Any, name: str | None = None) -> Tensor:
    return _binary("Greater", x, y, name, "bool")


def less(x: Any, y: Any, name: str | None = None) -> Tensor:
    return _binary("Less", x, y, name, "bool")


def _unary(kind: str, x: Any, name: str | None = None) -> Tensor:
    x = tensor(x)
    return Tensor(kind, [x], x.shape, x.dtype, name)


def negative(x: Any, name: str | None = None) -> Tensor:
    return _unary("Neg", x, name)


def square(x: Any, name: str | None = None) -> Tensor:
    return _unary("Square", x, name)


def sqrt(x: Any, name: str | None = None) -> Tensor:
    return _unary("Sqrt", x, name)


def exp(x: Any, name: str | None = None) -> Tensor:
    return _unary("Exp", x, name)


def log(x: Any, name: str | None = None) -> Tensor:
    return _unary("Log", x, name)


def abs(x: Any, name: str | None = None) -> Tensor:  # noqa: A001
    return _unary("Abs", x, name)


def sigmoid(x: Any, name: str | None = None) -> Tensor:
    return _unary("Sigmoid", x, name)


def tanh(x: Any, name: str | None = None) -> Tensor:
    return _unary("Tanh", x, name)


def matmul(a: Any, b: Any, name: str | None = None) -> Tensor:
    """The product of two matrices."""
    a, b = _together(a, b)
    if None not in (a.shape.ndims, b.shape.ndims):
        if (a.shape.ndims, b.shape.ndims) != (2, 2):
            raise ValueError(f"MatMul: both must be matrices, got shapes {a.shape} and {b.shape}.")
        if None not in (a.shape[1], b.shape[0]) and a.shape[1] != b.shape[0]:
            raise ValueError(f"Dimensions must be equal, but are {a.shape[1]} and {b.shape[0]} for 'MatMul' "
                             f"(op: 'MatMul') with input shapes: {a.shape}, {b.shape}.")
        return Tensor("MatMul", [a, b], [a.shape[0], b.shape[1]], a.dtype, name)
    return Tensor("MatMul", [a, b], [None, None], a.dtype, name)


def reshape(tensor: Any, shape: Any, name: str | None = None) -> Tensor:
    """The same numbers in another shape; one extent may be -1."""
    x, wanted = _tensor(tensor), _tensor(shape, "int32")
    if wanted.kind != "Const":
        return Tensor("Reshape", [x, wanted], None, x.dtype, name)
    dims = [int(n) for n in np.atleast_1d(wanted.attrs["value"])]
    if x.shape.is_fully_defined():
        size, rest = int(np.prod(x.shape.extents())), int(np.prod([n for n in dims if n != -1]))
        if -1 in dims and rest and size % rest or -1 not in dims and rest != size:
            raise ValueError(f"Cannot reshape a tensor with {size} elements to shape {dims}.")
        dims = [size // max(rest, 1) if n == -1 else n for n in dims]
    return Tensor("Reshape", [x, wanted], [None if n == -1 else n for n in dims], x.dtype, name)


def transpose(a: Any, perm: Any = None, name: str | None = None) -> Tensor:
    x = tensor(a)
    dims = x.shape.dims
    order = None if perm is None else list(perm)
    shape = None
    if dims is not None:
        order = list(range(len(dims)))[::-1] if order is None else order
        shape = [dims[i] for i in order]
    return Tensor("Transpose", [x], shape, x.dtype, name, perm=order)


def shape(input: Any, name: str | None = None) -> Tensor:  # noqa: A002
    x = tensor(input)
    return Tensor("Shape", [x], [x.shape.ndims], "int32", name)


def cast(x: Any, dtype: Any, name: str | None = None) -> Tensor:
    """The same numbers in another dtype."""
    x = tensor(x)
    return Tensor("Cast", [x], x.shape, dtype, name)


def one_hot(indices: Any, depth: int, name: str | None = None) -> Tensor:
    x = tensor(indices)
    return Tensor("OneHot", [x], None if x.shape.dims is None else [*x.shape.dims, depth], "float32", name, depth=depth)


def argmax(input: Any, axis: int | None = None, name: str | None = None, dimension: int | None = None) -> Tensor:  # noqa: A002
    """Where the largest number is along an axis; of equal ones the first."""
    x = tensor(input)
    at = dimension if axis is None else axis
    at = 0 if at is None else int(at)
    dims = x.shape.dims
    left = None if dims is None else [d for i, d in enumerate(dims) if i != at % len(dims)]
    return Tensor("ArgMax", [x], left, "int64", name, axis=at)


def _reduced(kind: str, x: Any, axis: Any, keepdims: bool, name: str | None) -> Tensor:
    x = tensor(x)
    over = tuple(axis) if isinstance(axis, (list, tuple)) else axis
    dims = x.shape.dims
    if over is None:
        left = [1] * len(dims) if keepdims and dims is not None else []
    elif dims is None:
        left = None
    else:
        axes = {a % len(dims) for a in (over if isinstance(over, tuple) else (over,))}
        left = [1 if i in axes else d for i, d in enumerate(dims) if keepdims or i not in axes]
    return Tensor(kind, [x], left, x.dtype, name, axis=over, keepdims=keepdims)


def reduce_mean(input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None,
                reduction_indices: Any = None, keep_dims: bool = False) -> Tensor:
    """The mean over some axes, or over all."""
    return _reduced("Mean", input_tensor, reduction_indices if axis is None else axis, keepdims or keep_dims, name)


def reduce_sum(input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None,
               reduction_indices: Any = None, keep_dims: bool = False) -> Tensor:
    """The sum over some axes, or over all."""
    return _reduced("Sum", input_tensor, reduction_indices if axis is None else axis, keepdims or keep_dims, name)


def zeros(shape: Any, dtype: Any = "float32", name: str | None = None) -> Tensor:
    return constant(np.zeros(shape, as_dtype(dtype).as_numpy_dtype), name=name or "zeros")


def ones(shape: Any, dtype: Any = "float32", name: str | None = None) -> Tensor:
    return constant(np.ones(shape, as_dtype(dtype).as_numpy_dtype), name=name or "ones")


def _random(how: str, shape: Any, dtype: Any, seed: int | None, name: str, *numbers: float) -> Tensor:
    wanted = as_dtype(dtype)
    dims = [int(d) for d in shape]
    return Tensor("Random", [], dims, wanted, name, how=how, numbers=numbers, seed=seed)


def random_normal(shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = "float32", seed: int | None = None,
                  name: str | None = None) -> Tensor:
    """Numbers of a normal distribution, drawn anew each time it is run."""
    return _random("normal", shape, dtype, seed, name or "random_normal", mean, stddev)


def truncated_normal(shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = "float32", seed: int | None = None,
                     name: str | None = None) -> Tensor:
    """As random_normal, with what is beyond two deviations drawn again."""
    return _random("truncated", shape, dtype, seed, name or "truncated_normal", mean, stddev)


def random_uniform(shape: Any, minval: float = 0.0, maxval: float = 1.0, dtype: Any = "float32", seed: int | None = None,
                   name: str | None = None) -> Tensor:
    """Numbers from `minval` to `maxval`, all alike likely."""
    return _random("uniform", shape, dtype, seed, name or "random_uniform", minval, maxval)


def placeholder(dtype: Any, shape: Any = None, name: str | None = None) -> Tensor:
    """A value that is given when the graph is run."""
    wanted: DType = as_dtype(dtype)
    return Tensor("Placeholder", [], shape, wanted, name)


def _operators() -> None:
    """Gives tensors Python's arithmetic."""
    for sign, op in {"add": add, "sub": subtract, "mul": multiply, "truediv": divide}.items():
        setattr(Tensor, f"__{sign}__", lambda self, other, op=op: op(self, other))
        setattr(Tensor, f"__r{sign}__", lambda self, other, op=op: op(other, self))
    setattr(Tensor, "__neg__", lambda self: negative(self))
    setattr(Tensor, "__matmul__", lambda self, other: matmul(self, other))


_operators()

"""The graph: tensors by their names, static shapes, dtypes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from .default import default_session


class DType:
    """A type of number: `tf.float32`."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.as_numpy_dtype = np.dtype(name).type

    def __repr__(self) -> str:
        return f"tf.{self.name}"

    def __eq__(self, other: object) -> bool:
        try:
            return self.name == as_dtype(other).name
        except TypeError:
            return False

    def __hash__(self) -> int:
        return hash(self.name)


DTYPES = {name: DType(name) for name in ["float16", "float32", "float64", "int8", "uint8", "int16", "int32", "int64", "bool"]}


def as_dtype(given: Any) -> DType:
    """A dtype as one of TensorFlow, NumPy or Python gives it."""
    if isinstance(given, DType):
        return given
    name = np.dtype(given).name
    if name not in DTYPES:
        raise TypeError(f"Cannot convert value {given!r} to a TensorFlow DType.")
    return DTYPES[name]


class Dimension(int):
    """An extent; TensorFlow 1's has a `value`."""

    @property
    def value(self) -> int:
        return int(self)


class TensorShape(Sequence):
    """Extents, None for those that are not known yet; `dims` None where not even their number is."""

    def __init__(self, dims: Any) -> None:
        if isinstance(dims, TensorShape):
            dims = dims.dims
        elif isinstance(dims, (int, np.integer)):
            dims = [dims]
        self.dims: tuple[Dimension | None, ...] | None = None if dims is None else tuple(None if d is None or d == -1 else Dimension(d) for d in dims)

    @property
    def ndims(self) -> int | None:
        return None if self.dims is None else len(self.dims)

    def as_list(self) -> list[int | None]:
        if self.dims is None:
            raise ValueError("as_list() is not defined on an unknown TensorShape.")
        return [None if d is None else int(d) for d in self.dims]

    def extents(self) -> list[int]:
        """All extents, where all are known."""
        known = [d for d in self.as_list() if d is not None]
        if len(known) < len(self.as_list()):
            raise ValueError(f"The shape {self} must be fully defined here.")
        return known

    def is_fully_defined(self) -> bool:
        return self.dims is not None and None not in self.dims

    def takes(self, shape: Sequence[int]) -> bool:
        """Whether a value of `shape` has this shape."""
        return self.dims is None or (
            len(shape) == len(self.dims) and all(d is None or d == s for d, s in zip(self.dims, shape)))

    def __len__(self) -> int:
        return len(self.as_list())

    def __getitem__(self, i: Any) -> Any:
        part = self.dims[i] if self.dims is not None else None
        return TensorShape(part) if isinstance(i, slice) else part

    def __iter__(self) -> Iterator[Any]:
        return iter(self.dims or ())

    def __eq__(self, other: object) -> bool:
        return other is not None and self.dims == TensorShape(other).dims

    def __hash__(self) -> int:
        return hash(self.dims)

    def __str__(self) -> str:
        if self.dims is None:
            return "<unknown>"
        inner = ", ".join("?" if d is None else str(int(d)) for d in self.dims)
        return f"({inner},)" if len(self.dims) == 1 else f"({inner})"

    def __repr__(self) -> str:
        if self.dims is None:
            return "TensorShape(None)"
        return f"TensorShape([{', '.join(f'Dimension({d})' for d in self.dims)}])"


class Graph:
    """Names that are taken, variables, the seed."""

    def __init__(self) -> None:
        self.names: dict[str, int] = {}
        self.variables: list[Tensor] = []
        self.shared: dict[str, Tensor] = {}
        self.scopes: list[str] = []
        self.seed: int | None = None
        self.count = 0

    def unique(self, name: str) -> str:
        """`name` within the scopes that are open, with a number if it is taken."""
        name = "/".join([*self.scopes, name])
        n = self.names.get(name, 0)
        self.names[name] = n + 1
        while n:
            tried = f"{name}_{n}"
            if tried not in self.names:
                self.names[name], self.names[tried] = n + 1, 1
                return tried
            n += 1
        return name

    @contextmanager
    def scope(self, name: str) -> Iterator[str]:
        """Names that are made meanwhile begin with `name/`."""
        self.scopes.append(name)
        try:
            yield "/".join(self.scopes)
        finally:
            self.scopes.pop()

    def get_tensor_by_name(self, name: str) -> Tensor:
        raise AttributeError("tf.Graph.get_tensor_by_name: foveal keeps no table of tensors; keep the Python object")


_graphs = [Graph()]


def graph() -> Graph:
    """The graph that is built now."""
    return _graphs[-1]


def reset_graph() -> None:
    _graphs[-1] = Graph()


class Operation:
    """What has no value: a training step, an initialization. `run` does it."""

    def __init__(self, kind: str, inputs: Sequence[Any] = (), name: str | None = None, **attrs: Any) -> None:
        self.graph, self.kind, self.inputs, self.attrs = graph(), kind, tuple(inputs), attrs
        self.name = self.graph.unique(name or kind)

    def run(self, feed_dict: Any = None, session: Any = None) -> None:
        (session or default_session()).run(self, feed_dict)

    def __repr__(self) -> str:
        return f"<tf.Operation '{self.name}' type={self.kind}>"


class Tensor:
    """A value of the graph."""

    __array_priority__ = 100

    def __init__(self, kind: str, inputs: Sequence[Tensor], shape: Any, dtype: Any, name: str | None = None,
                 **attrs: Any) -> None:
        self.graph, self.kind, self.inputs, self.attrs = graph(), kind, tuple(inputs), attrs
        self.shape, self.dtype = TensorShape(shape), as_dtype(dtype)
        self.op_name = self.graph.unique(name or kind)
        self.number = self.graph.count
        self.graph.count += 1

    @property
    def name(self) -> str:
        return f"{self.op_name}:0"

    @property
    def op(self) -> Tensor:
        return self

    def get_shape(self) -> TensorShape:
        return self.shape

    def set_shape(self, shape: Any) -> None:
        self.shape = TensorShape(shape)

    def eval(self, feed_dict: Any = None, session: Any = None) -> Any:
        return (session or default_session()).run(self, feed_dict)

    def __str__(self) -> str:
        shape = "" if self.shape.dims is None else f", shape={self.shape}"
        return f'Tensor("{self.name}"{shape}, dtype={self.dtype.name})'

    def __repr__(self) -> str:
        return f"<tf.Tensor '{self.name}' shape={self.shape} dtype={self.dtype.name}>"

    def __bool__(self) -> bool:
        raise TypeError("Using a `tf.Tensor` as a Python `bool` is not allowed. Its value is known when it is run.")

    def __iter__(self) -> Iterator[Any]:
        raise TypeError("Tensor objects are not iterable; run them to get numbers.")

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise NotImplementedError(f"Cannot convert a symbolic Tensor ({self.name}) to a numpy array; run it first.")

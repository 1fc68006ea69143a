"""Variables, and how they begin."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from .default import default_session
from .graph import Operation, Tensor, graph
from .math import random_normal, random_uniform, tensor, truncated_normal, zeros


class Variable(Tensor):
    """A tensor that keeps its value between runs."""

    def __init__(self, initial_value: Any = None, trainable: bool = True, name: str | None = None, dtype: Any = None,
                 **_: Any) -> None:
        if callable(initial_value):
            initial_value = initial_value()
        start = tensor(initial_value, dtype)
        super().__init__("Variable", [], start.shape, start.dtype, name)
        self.initial_value, self.trainable = start, trainable
        self.graph.variables.append(self)

    def __str__(self) -> str:
        return f"<tf.Variable '{self.name}' shape={self.shape} dtype={self.dtype.name}_ref>"

    __repr__ = __str__

    @property
    def initializer(self) -> Operation:
        return Operation("initialize", [self], variables=(self,))

    def initialized_value(self) -> Tensor:
        return self.initial_value

    def read_value(self) -> Tensor:
        return self

    def value(self) -> Tensor:
        return self

    def assign(self, value: Any) -> Operation:
        return Operation("Assign", [tensor(value, self.dtype)], variable=self)

    def load(self, value: Any, session: Any = None) -> None:
        (session or default_session()).set_variable(self, np.asarray(value))


def global_variables_initializer() -> Operation:
    """Draws all variables anew, each time it is run; what optimizers keep begins anew too."""
    return Operation("init", variables=None)


def variables_initializer(var_list: Any, name: str = "init") -> Operation:
    return Operation(name, variables=tuple(var_list))


def global_variables() -> list[Tensor]:
    return list(graph().variables)


def trainable_variables() -> list[Tensor]:
    return [v for v in graph().variables if getattr(v, "trainable", True)]


@contextmanager
def variable_scope(name_or_scope: Any, *_: Any, **__: Any) -> Iterator[Any]:
    """Names that are made within begin with its own."""
    with graph().scope(str(name_or_scope)) as name:
        yield name


@contextmanager
def name_scope(name: str, *_: Any, **__: Any) -> Iterator[str]:
    with graph().scope(name) as scope:
        yield scope


def xavier_initializer(uniform: bool = True, seed: int | None = None, dtype: Any = "float32") -> Any:
    """Glorot and Bengio's: a variance of 2 / (inputs + outputs)."""

    def draw(shape: Any, dtype: Any = dtype, **_: Any) -> Tensor:
        dims = [int(d) for d in shape]
        window = int(np.prod(dims[:-2])) if len(dims) > 2 else 1
        inputs, outputs = (dims[-2] * window, dims[-1] * window) if len(dims) > 1 else (dims[0], dims[0])
        deviation = np.sqrt(2.0 / (inputs + outputs))
        if uniform:
            reach = float(np.sqrt(3.0) * deviation)
            return random_uniform(dims, -reach, reach, dtype, seed)
        return truncated_normal(dims, 0.0, float(deviation / 0.8796256610342398), dtype, seed)

    return draw


def zeros_initializer(dtype: Any = "float32") -> Any:
    return lambda shape, dtype=dtype, **_: zeros(shape, dtype)


def random_normal_initializer(mean: float = 0.0, stddev: float = 1.0, seed: int | None = None, dtype: Any = "float32") -> Any:
    return lambda shape, dtype=dtype, **_: random_normal(shape, mean, stddev, dtype, seed)


def constant_initializer(value: float = 0.0, dtype: Any = "float32") -> Any:
    return lambda shape, dtype=dtype, **_: tensor(np.full(shape, value, "float32"))


def get_variable(name: str, shape: Any = None, dtype: Any = "float32", initializer: Any = None, trainable: bool = True,
                 **_: Any) -> Variable:
    """A variable of a name that nothing else has."""
    full = "/".join([*graph().scopes, name])
    if full in graph().shared:
        raise ValueError(f"Variable {full} already exists, disallowed. Did you mean to set reuse=True or "
                         "reuse=tf.AUTO_REUSE in VarScope? (tf.reset_default_graph() begins anew.)")
    if initializer is None:
        initializer = xavier_initializer()
    start = initializer(shape=[int(d) for d in np.atleast_1d(shape)], dtype=dtype) if callable(initializer) else initializer
    variable = Variable(start, trainable, name)
    graph().shared[full] = variable
    return variable

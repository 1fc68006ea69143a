"""TensorFlow 1, as the course "Deep Learning Zero to All" uses it in labs 11-0 to 11-5.

`python -m foveal.tf1 script.py` and the notebook kernel `foveal-tf1` put it in TensorFlow's place; it can also be
imported as it is: `import foveal.compat.tensorflow1 as tf`.
"""

from __future__ import annotations

import types as _types
from typing import Any as _Any

from . import errors, layers, nn, train
from .graph import DTYPES as _DTYPES
from .graph import DType, Graph, Operation, Tensor, TensorShape, reset_graph
from .graph import graph as _graph
from .math import (abs, add, argmax, cast, constant, divide, equal, exp, greater, less, log, matmul,  # noqa: A004
                   maximum, minimum, multiply, negative, one_hot, ones, placeholder, random_normal, random_uniform,
                   reduce_mean, reduce_sum, reshape, shape, sigmoid, sqrt, square, subtract, tanh, transpose,
                   truncated_normal, zeros)
from .mnist import read_data_sets as _read_data_sets
from .session import InteractiveSession, Session
from .variables import (Variable, constant_initializer, get_variable, global_variables, global_variables_initializer,
                        name_scope, random_normal_initializer, trainable_variables, variable_scope,
                        variables_initializer, xavier_initializer, zeros_initializer)

__version__ = "1.15.0"

float16, float32, float64 = _DTYPES["float16"], _DTYPES["float32"], _DTYPES["float64"]
int8, int16, int32, int64 = _DTYPES["int8"], _DTYPES["int16"], _DTYPES["int32"], _DTYPES["int64"]
uint8, bool = _DTYPES["uint8"], _DTYPES["bool"]  # noqa: A001
initialize_all_variables = global_variables_initializer
mul, sub, div, neg = multiply, subtract, divide, negative
reset_default_graph = reset_graph
get_default_graph = _graph


def set_random_seed(seed: int) -> None:
    """From now on what is random in the graph is the same in each new session."""
    _graph().seed = seed


def _module(name: str, **content: _Any) -> _types.ModuleType:
    module = _types.ModuleType(name, f"{name} of foveal's TensorFlow 1.")
    module.__dict__.update(content)
    module.__getattr__ = lambda wanted: _unknown(f"{name}.{wanted}", content)  # type: ignore[method-assign]
    return module


def _unknown(name: str, there: _Any) -> _Any:
    if name.rsplit(".", 1)[1].startswith("__"):
        raise AttributeError(name)
    known = ", ".join(sorted(n for n in there if not n.startswith("_")))
    raise AttributeError(f"{name} is not among what foveal's TensorFlow 1 has, which is what the course's labs 11-0 to "
                         f"11-5 use: {known}")


contrib = _module("tf.contrib", layers=_module("tf.contrib.layers", xavier_initializer=xavier_initializer))
_input_data = _module("tensorflow.examples.tutorials.mnist.input_data", read_data_sets=_read_data_sets)
examples = _module("tf.examples", tutorials=_module(
    "tf.examples.tutorials", mnist=_module("tf.examples.tutorials.mnist", input_data=_input_data)))


for _part in (nn, layers, train, errors):
    _short = "tf." + _part.__name__.rsplit(".", 1)[1]
    _there = [n for n, v in vars(_part).items() if getattr(v, "__module__", "").startswith(__name__) and not n.startswith("_")]
    setattr(_part, "__getattr__",
            lambda wanted, short=_short, there=tuple(_there): _unknown(f"{short}.{wanted}", there))


def __getattr__(name: str) -> _Any:
    if name.startswith("__"):
        raise AttributeError(name)
    _unknown(f"tf.{name}", __all__)


__all__ = ["DType", "Graph", "InteractiveSession", "Operation", "Session", "Tensor", "TensorShape", "Variable", "abs",
           "add", "argmax", "bool", "cast", "constant", "constant_initializer", "contrib", "div", "divide", "equal",
           "errors", "examples", "exp", "float16", "float32", "float64", "get_default_graph", "get_variable",
           "global_variables", "global_variables_initializer", "greater", "initialize_all_variables", "int16", "int32",
           "int64", "int8", "layers", "less", "log", "matmul", "maximum", "minimum", "mul", "multiply", "name_scope",
           "neg", "negative", "nn", "one_hot", "ones", "placeholder", "random_normal", "random_normal_initializer",
           "random_uniform", "reduce_mean", "reduce_sum", "reset_default_graph", "reshape", "set_random_seed", "shape",
           "sigmoid", "sqrt", "square", "sub", "subtract", "tanh", "train", "trainable_variables", "transpose",
           "truncated_normal", "uint8", "variable_scope", "variables_initializer", "zeros", "zeros_initializer"]

"""`tf.train`."""

from __future__ import annotations

from typing import Any

import numpy as np

from .graph import Operation, Tensor
from .variables import trainable_variables


class Optimizer:
    """How gradients change variables."""

    name = "Optimizer"

    def __init__(self, learning_rate: float) -> None:
        if isinstance(learning_rate, Tensor):
            raise TypeError(f"tf.train.{type(self).__name__}: the learning rate must be a number, not a tensor")
        self.learning_rate = float(learning_rate)

    def minimize(self, loss: Any, global_step: Any = None, var_list: Any = None, name: str | None = None, **_: Any) -> Operation:
        """A step that makes `loss` smaller, each time it is run."""
        if not isinstance(loss, Tensor):
            raise TypeError(f"tf.train.{type(self).__name__}.minimize: the loss must be a tensor, not {loss!r}")
        if global_step is not None:
            raise ValueError("minimize: global_step is not among what the course uses; leave it out")
        variables = list(var_list) if var_list is not None else trainable_variables()
        if not variables:
            raise ValueError("No variables to optimize.")
        return Operation("train", [loss], name or self.name, optimizer=self, cost=loss, variables_=variables)

    def update(self, values: dict[Tensor, Any], v: Tensor, g: Any, slots: dict[Tensor, Any], step: int) -> None:
        raise NotImplementedError


class GradientDescentOptimizer(Optimizer):
    """Each variable loses `learning_rate` times its gradient."""

    name = "GradientDescent"

    def __init__(self, learning_rate: float, use_locking: bool = False, name: str | None = None) -> None:
        super().__init__(learning_rate)

    def update(self, values: dict[Tensor, Any], v: Tensor, g: Any, slots: dict[Tensor, Any], step: int) -> None:
        values[v] = (values[v] - np.float32(self.learning_rate) * g).astype(values[v].dtype)


class AdamOptimizer(Optimizer):
    """Adam as TensorFlow 1 has it: epsilon stands beside the root of the uncorrected second moment, "epsilon hat" in
    Kingma and Ba's paper."""

    name = "Adam"

    def __init__(self, learning_rate: float = 0.001, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8,
                 use_locking: bool = False, name: str | None = None) -> None:
        super().__init__(learning_rate)
        self.beta1, self.beta2, self.epsilon = float(beta1), float(beta2), float(epsilon)

    def update(self, values: dict[Tensor, Any], v: Tensor, g: Any, slots: dict[Tensor, Any], step: int) -> None:
        one = np.float32(1)
        b1, b2 = np.float32(self.beta1), np.float32(self.beta2)
        if v not in slots:
            slots[v] = [np.zeros_like(values[v]), np.zeros_like(values[v])]
        m, s = slots[v]
        m = b1 * m + (one - b1) * g
        s = b2 * s + (one - b2) * (g * g)
        slots[v] = [m, s]
        rate = np.float32(self.learning_rate * np.sqrt(1 - float(b2) ** step) / (1 - float(b1) ** step))
        values[v] = values[v] - rate * m / (np.sqrt(s) + np.float32(self.epsilon))

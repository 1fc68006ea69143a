"""Sessions: values of variables, and runs of the graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .default import sessions
from .errors import FailedPreconditionError, InvalidArgumentError
from .fast import Plans
from .graph import Operation, Tensor, graph
from .kinds import KINDS


class Session:
    """Runs the graph. It keeps what variables hold, what optimizers keep, and where random numbers have come to."""

    def __init__(self, target: str = "", graph: Any = None, config: Any = None) -> None:
        self.values: dict[Tensor, np.ndarray] = {}
        #: What an optimizer keeps: of each variable two moments, and the steps done.
        self.slots: dict[Operation, dict[Tensor, list[np.ndarray]]] = {}
        self.steps: dict[Operation, int] = {}
        self.generators: dict[Tensor, np.random.Generator] = {}
        #: Grows whenever a value or a slot is changed here.
        self.version = 0
        self.plans = Plans(self)
        self.closed = False
        self._depth = 0

    # Variables.

    def variable(self, v: Tensor) -> np.ndarray:
        self.plans.pull()
        if v not in self.values:
            raise FailedPreconditionError(f"Attempting to use uninitialized value {v.op_name}")
        return self.values[v]

    def set_variable(self, v: Tensor, value: Any) -> None:
        self.plans.pull()
        array = np.array(value, v.dtype.as_numpy_dtype)
        if not v.shape.takes(array.shape):
            raise InvalidArgumentError(f"{v.op_name}: a value of shape {array.shape} cannot go to a variable of {v.shape}")
        self.values[v] = array
        self.version += 1

    def draw(self, t: Tensor) -> np.ndarray:
        """Random numbers of a tensor, other ones each time; with a seed the same ones in each new session."""
        if t not in self.generators:
            seed, own = t.graph.seed, t.attrs["seed"]
            entropy = None if seed is None and own is None else [seed or 0, own or 0, t.number]
            self.generators[t] = np.random.default_rng(entropy)
        rng, (a, b), shape = self.generators[t], t.attrs["numbers"], t.shape.extents()
        if t.attrs["how"] == "uniform":
            numbers = rng.random(shape) * (b - a) + a
        else:
            numbers = rng.standard_normal(shape)
            while t.attrs["how"] == "truncated" and (far := np.abs(numbers) > 2).any():
                numbers[far] = rng.standard_normal(int(far.sum()))
            numbers = numbers * b + a
        return np.asarray(numbers, t.dtype.as_numpy_dtype)

    # Runs.

    def run(self, fetches: Any, feed_dict: Any = None, options: Any = None, run_metadata: Any = None) -> Any:
        """The values of `fetches`, a tensor, an operation or a list, tuple or dict of them. An operation gives None."""
        if self.closed:
            raise RuntimeError("Attempted to use a closed Session.")
        flat: list[Any] = []
        shape = _flatten(fetches, flat)
        feeds = self._feeds(feed_dict)
        found = self.plans.run(flat, feeds)
        if found is None:
            found = Run(self, feeds).all(flat)
        return _unflatten(shape, iter(found))

    def _feeds(self, feed_dict: Any) -> dict[Tensor, np.ndarray]:
        feeds = {}
        for t, given in (feed_dict or {}).items():
            if not isinstance(t, Tensor):
                raise TypeError(f"The feed_dict's keys must be tensors of the graph, not {t!r}")
            if isinstance(given, Tensor):
                raise TypeError("The value of a feed cannot be a tf.Tensor object. Acceptable feed values include Python "
                                "scalars, strings, lists, numpy ndarrays.")
            value = np.asarray(given, t.dtype.as_numpy_dtype)
            if not t.shape.takes(value.shape):
                raise ValueError(f"Cannot feed value of shape {value.shape} for Tensor '{t.name}', which has shape "
                                 f"'{t.shape}'")
            feeds[t] = value
        return feeds

    def close(self) -> None:
        self.closed = True
        if self in sessions:
            sessions.remove(self)

    def as_default(self) -> Session:
        return self

    def __enter__(self) -> Session:
        sessions.append(self)
        self._depth += 1
        return self

    def __exit__(self, *_: Any) -> None:
        if self in sessions:
            sessions.reverse()
            sessions.remove(self)
            sessions.reverse()
        self._depth -= 1

    @property
    def graph(self) -> Any:
        return graph()


class InteractiveSession(Session):
    """A session that `eval` uses from now on."""

    def __init__(self, target: str = "", graph: Any = None, config: Any = None) -> None:
        super().__init__(target, graph, config)
        sessions.append(self)


def _flatten(fetches: Any, flat: list[Any]) -> Any:
    """The fetches in a row, and the shape that they had."""
    if isinstance(fetches, (Tensor, Operation)):
        flat.append(fetches)
        return None
    if isinstance(fetches, dict):
        return {key: _flatten(value, flat) for key, value in fetches.items()}
    if isinstance(fetches, (list, tuple)):
        return type(fetches)(*(_flatten(f, flat) for f in fetches)) if hasattr(fetches, "_fields") else [
            _flatten(f, flat) for f in fetches] if isinstance(fetches, list) else tuple(_flatten(f, flat) for f in fetches)
    raise TypeError(f"Fetch argument {fetches!r} has invalid type {type(fetches)}, must be a tensor or an operation, or a "
                    "list of them")


def _unflatten(shape: Any, values: Any) -> Any:
    if shape is None:
        return next(values)
    if isinstance(shape, dict):
        return {key: _unflatten(s, values) for key, s in shape.items()}
    return [_unflatten(s, values) for s in shape] if isinstance(shape, list) else tuple(_unflatten(s, values) for s in shape)


class Run:
    """One run of the graph by the interpreter: each tensor that is needed is computed once."""

    def __init__(self, session: Session, feeds: dict[Tensor, np.ndarray]) -> None:
        self.session = session
        self.feeds = feeds
        self.known: dict[Tensor, np.ndarray] = dict(feeds)
        #: What a value leaves for its gradient.
        self.kept: dict[Tensor, Any] = {}
        self.reached: set[Tensor] = set()
        self.wanted: Sequence[Any] = ()

    def all(self, fetches: Sequence[Any]) -> list[Any]:
        """Tensors first, then what changes variables, so that values are those from before."""
        self.wanted = fetches
        values = {f: self.value(f) for f in fetches if isinstance(f, Tensor)}
        for f in fetches:
            if isinstance(f, Operation):
                self.operate(f)
        return [_given(values[f]) if isinstance(f, Tensor) else None for f in fetches]

    def unfed(self, t: Tensor) -> Any:
        of = f" and shape [{', '.join('?' if d is None else str(d) for d in t.shape)}]" if t.shape.dims else ""
        raise InvalidArgumentError(f"You must feed a value for placeholder tensor '{t.op_name}' with dtype {t.dtype.name}{of}")

    def value(self, wanted: Tensor) -> np.ndarray:
        """The value of a tensor, without recursion: graphs may be deep."""
        open_ = [wanted]
        while open_:
            t = open_[-1]
            if t in self.known or self.session.plans.logits(t, self):
                open_.pop()
                continue
            missing = [i for i in t.inputs if i not in self.known]
            if missing:
                open_ += missing
                continue
            self.known[t] = self.compute(t)
            open_.pop()
        return self.known[wanted]

    def compute(self, t: Tensor) -> np.ndarray:
        try:
            return KINDS[t.kind].value(self, t, *(self.known[i] for i in t.inputs))
        except (ValueError, TypeError) as problem:
            if isinstance(problem, InvalidArgumentError):
                raise
            raise InvalidArgumentError(f"{problem} [node {t.op_name}]") from None

    def dropout_mask(self, t: Tensor, shape: tuple[int, ...], keep: np.float32) -> np.ndarray:
        mask = self.session.plans.dropout_mask(t, shape, self)
        if mask is None:
            key = ("dropout", t)
            if key not in self.session.generators:
                seed = t.graph.seed
                entropy = None if seed is None and t.attrs["seed"] is None else [seed or 0, t.attrs["seed"] or 0, t.number]
                self.session.generators[key] = np.random.default_rng(entropy)  # type: ignore[index]
            rng = self.session.generators[key]  # type: ignore[index]
            mask = (rng.random(shape) < keep).astype(np.float32) / keep
        return mask

    def operate(self, op: Operation) -> None:
        session = self.session
        if op.kind == "init" or op.kind.startswith("initialize") or "variables" in op.attrs:
            self.initialize(op.attrs.get("variables"))
        elif op.kind == "Assign":
            session.set_variable(op.attrs["variable"], self.value(op.inputs[0]))
        elif op.kind == "group":
            for part in op.inputs:
                self.operate(part) if isinstance(part, Operation) else self.value(part)
        elif op.kind != "NoOp":
            self.train(op)

    def initialize(self, variables: Any) -> None:
        """Draws variables. What optimizers keep of them begins anew."""
        session = self.session
        every = variables is None
        chosen: Any = graph().variables if every else variables
        fresh = Run(session, {})
        values = {v: np.array(fresh.value(v.initial_value)) for v in chosen}
        session.plans.pull()
        session.values.update(values)
        if every:
            session.slots.clear()
            session.steps.clear()
        session.version += 1

    # Gradients.

    def differentiates(self, t: Tensor) -> bool:
        return t in self.reached

    def gradients(self, cost: Tensor, variables: Sequence[Tensor]) -> dict[Tensor, np.ndarray]:
        """The gradients of `cost` with respect to variables that it depends on."""
        order = _order(cost)
        chosen = set(variables)
        self.reached = set()
        for t in order:
            if t in chosen or any(i in self.reached for i in t.inputs):
                self.reached.add(t)
        for t in order:
            self.value(t)
        d: dict[Tensor, np.ndarray] = {cost: np.ones_like(self.known[cost])}
        for t in reversed(order):
            if t not in d or t not in self.reached or not t.inputs:
                continue
            kind = KINDS[t.kind]
            if kind.gradient is None:
                continue
            each = kind.gradient(self, t, d[t], self.known[t], *(self.known[i] for i in t.inputs))
            for i, di in zip(t.inputs, each):
                if di is not None and i in self.reached:
                    d[i] = d[i] + di if i in d else di
        return {v: d[v] for v in variables if v in d}

    def train(self, op: Operation) -> None:
        optimizer, cost = op.attrs["optimizer"], op.attrs["cost"]
        session = self.session
        gradients = self.gradients(cost, op.attrs["variables_"])
        if not gradients:
            raise ValueError(f"No gradients provided for any variable of {cost.name}.")
        session.plans.pull()
        step = session.steps.get(op, 0) + 1
        slots = session.slots.setdefault(op, {})
        for v, g in gradients.items():
            optimizer.update(session.values, v, np.asarray(g, np.float32), slots, step)
        session.steps[op] = step
        session.version += 1


def _order(wanted: Tensor) -> list[Tensor]:
    """All that a tensor depends on, inputs first."""
    done: set[Tensor] = set()
    order: list[Tensor] = []
    open_ = [(wanted, False)]
    while open_:
        t, ready = open_.pop()
        if t in done:
            continue
        if ready:
            done.add(t)
            order.append(t)
        else:
            open_.append((t, True))
            open_ += [(i, False) for i in t.inputs if i not in done]
    return order


def _given(value: np.ndarray) -> Any:
    """A value for the caller, who may change it: a number, or an array of its own."""
    return value[()] if value.ndim == 0 else np.array(value)

"""The fast path: where a training step goes from a placeholder through layers to softmax's cross-entropy and Adam, a
foveal engine does it, and stays between runs.

What is run is the same: the engine's parameters are the session's variables, and whoever else looks at them or changes
them finds them as they are. What does not fit is left to the interpreter.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from foveal import _foveal, ops

from .graph import Operation, Tensor, TensorShape
from .train import AdamOptimizer

#: FOVEAL_TF1=interpreter leaves everything to the interpreter.
SWITCH = "FOVEAL_TF1"


class Unfit(Exception):
    """The graph is not one that the engine takes."""


class Layer:
    """A layer of the engine, and the tensor that is its output."""

    def __init__(self, tensor: Tensor, toml: str, variables: dict[str, Tensor] | None = None) -> None:
        self.tensor, self.toml, self.variables = tensor, toml, variables or {}


class Found:
    """A training step in the engine's words."""

    def __init__(self, op: Operation) -> None:
        if not isinstance(op.attrs.get("optimizer"), AdamOptimizer):
            raise Unfit
        cost: Tensor = op.attrs["cost"]
        if cost.kind != "Mean" or cost.attrs["axis"] is not None or cost.inputs[0].kind != "softmax_cross_entropy_with_logits":
            raise Unfit
        self.op, self.cost = op, cost
        self.logits, self.labels = cost.inputs[0].inputs
        if self.labels.kind != "Placeholder":
            raise Unfit
        self.layers: list[Layer] = []
        self.dropouts: list[Tensor] = []
        self.x, self.shape = self._back(self.logits)
        variables = [v for layer in self.layers for v in layer.variables.values()]
        wanted = set(op.attrs["variables_"])
        if len(set(variables)) != len(variables) or not set(variables) <= wanted or not variables:
            raise Unfit
        if any(v.dtype.name != "float32" for v in variables):
            raise Unfit

    def _back(self, logits: Tensor) -> tuple[Tensor, list[int]]:
        """The layers from the placeholder to the logits."""
        chain: list[Tensor] = []
        t = logits
        while t.kind != "Placeholder":
            chain.append(t)
            if not t.inputs:
                raise Unfit
            t = t.inputs[0]
        chain.reverse()
        start = t
        if start.dtype.name != "float32" or start.shape.ndims not in (2, 4) or None in start.shape.as_list()[1:]:
            raise Unfit
        shape = TensorShape(start.shape.as_list()[1:]).extents()
        if chain and chain[0].kind == "Reshape":
            shape = self._constant_shape(chain.pop(0), shape)
        if len(shape) == 1:
            shape = [1, 1, *shape]
        now, i = list(shape), 0
        while i < len(chain):
            t = chain[i]
            follower = chain[i + 1] if i + 1 < len(chain) else None
            bias = follower if follower is not None and follower.kind == "add" and self._is_bias(follower, t) else None
            now = self._layer(t, bias, now)
            i += 2 if bias is not None else 1
        return start, shape

    @staticmethod
    def _constant_shape(t: Tensor, shape: list[int]) -> list[int]:
        if t.inputs[1].kind != "Const":
            raise Unfit
        wanted = [int(n) for n in np.atleast_1d(t.inputs[1].attrs["value"])]
        size = int(np.prod(shape))
        if wanted[0] != -1 or -1 in wanted[1:] or int(np.prod(wanted[1:])) != size or len(wanted) not in (2, 4):
            raise Unfit
        return wanted[1:]

    @staticmethod
    def _is_bias(t: Tensor, of: Tensor) -> bool:
        b = t.inputs[1]
        units = of.shape[-1] if of.shape.dims else None
        return of.kind in ("Conv2D", "MatMul") and b.kind == "Variable" and b.shape.as_list() == [units]

    def _layer(self, t: Tensor, bias: Tensor | None, now: list[int]) -> list[int]:
        """Adds the layer that `t` is, and gives the shape after it."""
        name = f"l{len(self.layers)}"
        last = bias if bias is not None else t
        with_bias = "true" if bias is not None else "false"
        if t.kind in ("Conv2D", "MatMul") and t.inputs[1].kind != "Variable":
            raise Unfit
        if t.kind == "Conv2D":
            w = t.inputs[1]
            kh, kw, c, filters = w.shape.as_list()
            if c != now[2] or len(now) != 3:
                raise Unfit
            toml = (f'kind = "conv2d"\nfilters = {filters}\nkernel = [{kh}, {kw}]\nstrides = {list(t.attrs["strides"])}\n'
                    f'padding = "{t.attrs["padding"]}"\nbias = {with_bias}')
            variables = {"filter": w}
        elif t.kind == "MatMul":
            w = t.inputs[1]
            if w.shape.as_list()[0] != int(np.prod(now)):
                raise Unfit
            toml, variables = f'kind = "dense"\nunits = {w.shape.as_list()[1]}\nbias = {with_bias}', {"weights": w}
        elif t.kind == "MaxPool" or t.kind == "AvgPool":
            kind = "max_pool" if t.kind == "MaxPool" else "avg_pool"
            toml, variables = (f'kind = "{kind}"\nksize = {list(t.attrs["ksize"])}\nstrides = {list(t.attrs["strides"])}\n'
                               f'padding = "{t.attrs["padding"]}"'), {}
        elif t.kind == "Relu":
            toml, variables = 'kind = "relu"', {}
        elif t.kind == "Reshape":
            flat = self._constant_shape(t, now)
            if len(flat) != 1:
                raise Unfit
            toml, variables = 'kind = "flatten"', {}
        elif t.kind == "dropout":
            self.dropouts.append(t)
            toml, variables = 'kind = "dropout"\nrate = RATE' + str(len(self.dropouts) - 1) + "R", {}
        else:
            raise Unfit
        if bias is not None:
            variables["bias"] = bias.inputs[1]
        self.layers.append(Layer(last, f'[[layer]]\nname = "{name}"\n{toml}\n', {f"{name}.{k}": v for k, v in variables.items()}))
        dims = last.shape.as_list()[1:]
        if None in dims:
            raise Unfit
        known = TensorShape(dims).extents()
        return known if len(known) == 3 else [1, 1, known[0]]

    def toml(self, keeps: tuple[float, ...]) -> str:
        """The model, dropouts at their present rates."""
        text = f"[input]\nshape = {self.shape}\n" + "".join(layer.toml for layer in self.layers)
        for i, keep in enumerate(keeps):
            text = text.replace(f"RATE{i}R", repr(float(np.float32(1) - np.float32(keep))))
        return text

    def variables(self) -> dict[str, Tensor]:
        return {name: v for layer in self.layers for name, v in layer.variables.items()}


class Plan:
    """A training step and its engine."""

    def __init__(self, found: Found) -> None:
        self.found = found
        self.engine: Any = None
        self.key: Any = None
        #: The session's version that the engine has.
        self.version = -1
        self._seed: int | None = None

    def seed(self) -> int:
        """Seeds dropout: the graph's seed, or one of this session."""
        if self._seed is None:
            own = self.found.logits.graph.seed
            self._seed = (int(np.random.default_rng().integers(2**63)) if own is None else int(own)) % 2**64
        return self._seed

    @staticmethod
    def lanes() -> int:
        """Images that the engine computes side by side."""
        return _foveal.lanes()


class Plans:
    """The engines of a session."""

    def __init__(self, session: Any) -> None:
        self.session = session
        self.plans: dict[Operation, Plan | None] = {}
        self.of_logits: dict[Tensor, Plan] = {}
        #: The plan whose engine knows more than the session.
        self.ahead: Plan | None = None

    @property
    def off(self) -> bool:
        return os.environ.get(SWITCH) == "interpreter"

    def find(self, op: Operation) -> Plan | None:
        if op not in self.plans:
            try:
                plan = Plan(Found(op))
                self.of_logits[plan.found.logits] = plan
                self.plans[op] = plan
            except Unfit:
                self.plans[op] = None
        return self.plans[op]

    def run(self, fetches: list[Any], feeds: dict[Tensor, np.ndarray]) -> list[Any] | None:
        """A training step and its cost, if these are all that is wanted and the engine takes them."""
        ops_ = [f for f in fetches if isinstance(f, Operation)]
        if len(ops_) != 1 or ops_[0].kind != "train" or self.off:
            return None
        plan = self.find(ops_[0])
        if plan is None or any(f is not plan.found.cost for f in fetches if f is not ops_[0]):
            return None
        x, y = feeds.get(plan.found.x), feeds.get(plan.found.labels)
        keeps = self.keeps(plan, feeds)
        if x is None or y is None or keeps is None:
            return None
        if not self.ready(plan, keeps, len(x)):
            return None
        adam = plan.found.op.attrs["optimizer"]
        cost = plan.engine.step(x, y, adam.learning_rate, adam.beta1, adam.beta2, adam.epsilon)
        if cost is None:
            return None
        self.ahead = plan
        return [None if isinstance(f, Operation) else np.float32(cost) for f in fetches]

    def keeps(self, plan: Plan, feeds: dict[Tensor, np.ndarray]) -> tuple[float, ...] | None:
        """What each dropout keeps in this run; None if that is not told by a constant or a feed."""
        keeps = []
        for t in plan.found.dropouts:
            keep = t.inputs[1]
            if keep.kind == "cond_keep":
                fed = feeds.get(keep.inputs[0])
                value = None if fed is None else keep.attrs["keep"] if bool(fed) else 1.0
            else:
                value = feeds.get(keep, keep.attrs.get("value"))
            if value is None or np.size(value) != 1 or not 0 < float(value) <= 1:
                return None
            keeps.append(float(value))
        return tuple(keeps)

    def ready(self, plan: Plan, keeps: tuple[float, ...], batch: int) -> bool:
        """Whether the engine of `plan` stands at the session's values."""
        session, found = self.session, plan.found
        if any(v not in session.values for v in found.variables().values()):
            return False
        key = (keeps, os.getpid())
        if plan.engine is None or plan.key[:2] != key or plan.key[2] < batch:
            self.pull()
            plan.engine = _foveal.Trainer(found.toml(keeps), max(batch, 1), plan.seed())
            plan.key, plan.version = (*key, batch), -1
        if self.ahead is not None and self.ahead is not plan:
            self.pull()
        if plan.version != session.version:
            self.pull()
            slots = session.slots.get(found.op, {})
            state = {}
            for name, v in found.variables().items():
                value = session.values[v]
                moments = slots.get(v) or [np.zeros_like(value), np.zeros_like(value)]
                state[name] = [value, *moments]
            plan.engine.set_state(session.steps.get(found.op, 0), state)
            plan.version = session.version
        return True

    def pull(self) -> None:
        """Takes over what an engine has learnt."""
        plan, self.ahead = self.ahead, None
        if plan is None:
            return
        session, found = self.session, plan.found
        steps, state = plan.engine.state()
        slots = session.slots.setdefault(found.op, {})
        for name, v in found.variables().items():
            value, m, s = state[name]
            session.values[v], slots[v] = value, [m, s]
        session.steps[found.op] = steps
        session.version += 1
        plan.version = session.version

    def logits(self, t: Tensor, run: Any) -> bool:
        """Computes the logits of a plan by its engine, where nothing is dropped and no gradient is asked for."""
        plan = self.of_logits.get(t)
        if plan is None or self.off or any(isinstance(f, Operation) for f in run.wanted):
            return False
        found = plan.found
        x = run.feeds.get(found.x)
        if x is None or any(f.kind != "Placeholder" for f in run.feeds):
            return False
        keeps = self.keeps(plan, run.feeds)
        if keeps is None or any(keep != 1 for keep in keeps):
            return False
        # The engine that trains also predicts; a new one is made only where there is none.
        now, batch = (keeps, 128) if plan.engine is None or plan.key[1] != os.getpid() else (plan.key[0], 1)
        if not self.ready(plan, now, batch):
            return False
        run.known[t] = plan.engine.predict(x)
        return True

    def dropout_mask(self, t: Tensor, shape: tuple[int, ...], run: Any) -> np.ndarray | None:
        """What the engine would drop in this training step; None for others."""
        plan = next((p for p in map(self.find, self._trained(run)) if p is not None and t in p.found.dropouts), None)
        if plan is None or len(shape) not in (2, 4):
            return None
        place = next(i for i, layer in enumerate(plan.found.layers) if layer.tensor is t)
        keep = run.known[t.inputs[1]]
        rate = float(np.float32(1) - np.float32(keep))
        n, *inner = shape
        h, w, c = inner if len(inner) == 3 else (1, 1, inner[0])
        salt, lanes, steps = place * GOLDEN % 2**64, plan.lanes(), self.session.steps.get(plan.found.op, 0)
        groups = []
        for g in range(-(-n // lanes)):
            seed = _mix(plan.seed(), steps, g) ^ salt
            # The engine keeps [channel][row][column][image].
            mask = ops.dropout(np.ones((c, h, w, lanes), np.float32), rate, seed)[1]
            groups.append(mask.transpose(3, 1, 2, 0))
        return np.concatenate(groups)[:n].reshape(shape)

    @staticmethod
    def _trained(run: Any) -> list[Operation]:
        return [f for f in run.wanted if isinstance(f, Operation) and f.kind == "train"]


#: The 64-bit golden ratio, as the engine mixes with it.
GOLDEN = 0x9E3779B97F4A7C15


def _mix(seed: int, step: int, group: int) -> int:
    """The engine's seed for a group's dropout in a step."""
    z = seed ^ step * GOLDEN % 2**64 ^ group * 0xBF58476D1CE4E5B9 % 2**64
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 % 2**64
    z = (z ^ z >> 27) * 0x94D049BB133111EB % 2**64
    return z ^ z >> 31

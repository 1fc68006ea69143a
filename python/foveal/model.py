"""Models: from a spec, a file or a training; what they say, and why."""

from __future__ import annotations

import json
import tempfile
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import _foveal
from ._program import options, run
from .figures import Figure, Table
from .history import History

if TYPE_CHECKING:
    import numpy as np


class Model:
    """A convolutional network.

    `Model("lab-11-1")` is a built-in one, `Model("mine.toml")` one from a file, `Model(text)` one from TOML text: all
    untrained, with parameters drawn by `seed`. `Model.load` reads a trained one (.safetensors, a run folder or .onnx).
    Models are not changed: what trains them gives a new one.
    """

    #: Each epoch's figures, where the model comes from `foveal.train`.
    history: Any
    #: How its training ended.
    status: str
    #: What the program says about its training.
    result: dict[str, Any]

    def __init__(self, spec: str | PathLike[str], *, seed: int = 0, raw: bool = False, classes: Any = ()) -> None:
        """`raw`: numbers go in as they are, instead of pixels of 0 to 255. `classes`: their names."""
        text = fspath(spec)
        name, toml = text, _foveal.builtin_spec(text)
        if toml is None and "\n" in text:
            name, toml = "model", text
        if toml is None:
            path = Path(text)
            if not path.exists():
                raise ValueError(f"model: no built-in model is called `{text}` and there is no such file")
            name, toml = path.stem, path.read_text(encoding="utf-8")
        self._take(_foveal.Model.from_toml(toml, name, seed, raw, [str(c) for c in classes]))

    def _take(self, inner: Any) -> None:
        self._inner, self.history, self.status, self.result = inner, History(), "", {}

    @classmethod
    def _of(cls, inner: Any) -> Model:
        model = cls.__new__(cls)
        model._take(inner)
        return model

    @classmethod
    def _read(cls, path: Path) -> Model:
        return cls._of(_foveal.Model.from_bytes(path.read_bytes(), str(path)))

    @classmethod
    def load(cls, path: str | PathLike[str], **import_options: Any) -> Model:
        """A trained model: a .safetensors file, a run folder, an .onnx file or "pretrained".

        Options are for ONNX files, as the program's `foveal import` has them: classes=..., preprocess="imagenet", ...
        """
        name = fspath(path)
        if name.endswith(".onnx"):
            with tempfile.TemporaryDirectory(prefix="foveal-") as folder:
                to = Path(folder) / "model.safetensors"
                run(["import", name, str(to), *options(import_options)], quiet=True)
                return cls._read(to)
        return cls._of(_foveal.Model.load(name))

    def save(self, path: str | PathLike[str]) -> None:
        """Writes the model as one .safetensors file, which the program and `load` read."""
        _write(Path(path), self._file())

    def _file(self) -> bytes:
        return self._inner.to_bytes()

    def to_onnx(self, path: str | PathLike[str] | None = None, *, floats: bool = False,
                channels_first: bool = False) -> bytes:
        """The model as ONNX: raw pixels in, probabilities out. Written to `path` if one is given."""
        data = self._inner.to_onnx(floats, channels_first)
        if path is not None:
            _write(Path(path), data)
        return data

    def to_toml(self) -> str:
        """The model's layers as TOML."""
        return self._inner.to_toml()

    def __getstate__(self) -> dict[str, Any]:
        return {"file": self._file(), "history": self.history, "status": self.status, "result": self.result}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._take(_foveal.Model.from_bytes(state["file"], "pickle"))
        self.history, self.status, self.result = state["history"], state["status"], state["result"]

    def __copy__(self) -> Model:
        copy = Model._of(self._inner)
        copy.history, copy.status, copy.result = self.history, self.status, self.result
        return copy

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Model) and self._file() == other._file()

    def __hash__(self) -> int:
        return hash(self._file())

    def __repr__(self) -> str:
        total = sum(row[3] for row in self._inner.rows())
        return f"<foveal.Model {self.name}: input {self.input_shape}, {self.outputs} outputs, {total:,} parameters>"

    @property
    def name(self) -> str:
        """The name of the model's spec."""
        return self.about["training"]["model"]

    @property
    def about(self) -> dict[str, Any]:
        """Everything in the model file but the numbers: spec, preprocessing, classes, how it was trained."""
        return json.loads(self._inner.metadata())

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """Height, width, channels of one input."""
        return self._inner.input_shape

    @property
    def outputs(self) -> int:
        """Numbers that come out for one input."""
        return self._inner.outputs

    @property
    def classes(self) -> list[str]:
        """The classes' names in the outputs' order; none for a regression."""
        return self._inner.classes

    @property
    def scale(self) -> str:
        """What black and white are among inputs: bytes (0 to 255), unit (0 to 1), signed, 16-bit, or other."""
        return self._inner.scale

    @property
    def parameters(self) -> dict[str, np.ndarray]:
        """All parameters by their names, copied."""
        return self._inner.parameters()

    def with_parameters(self, **given: Any) -> Model:
        """The model with other numbers for some parameters, `.` in their names written `__`."""
        return Model._of(self._inner.with_parameters({name.replace("__", "."): v for name, v in given.items()}))

    def summary(self) -> Table:
        """The layers with shapes, parameters and operations."""
        rows = [[name, kind, "x".join(map(str, shape)), parameters, flops]
                for name, kind, shape, parameters, flops in self._inner.rows()]
        total, flops = sum(r[3] for r in rows), sum(r[4] for r in rows)
        note = f"{total:,} parameters, {flops / 1e6:.2f} million operations for one image"
        return Table(["layer", "kind", "output", "parameters", "operations"], rows, note)

    def predict(self, x: Any) -> np.ndarray:
        """What the model says: probabilities [n, classes], or values [n, values]; float32, and float64 where values were
        learnt that are no float32, such as 1e9 + 3.5.

        `x` is one image or several as an array on the model's own scale (`model.scale`); of floats where the model
        learnt from bytes, those from 0 to 1 are refused, since almost all would be black. A path, a folder or a list of
        those is read as the program reads them; of a model of texts, the texts themselves.
        """
        import numpy as np

        if isinstance(x, (str, PathLike)) or _are_names(x):
            dtype = np.float64 if self._inner.large else np.float32
            return np.array(self._named([x] if isinstance(x, (str, PathLike)) else list(x)), dtype)
        return self._inner.predict(self._images(x))

    def _images(self, x: Any) -> np.ndarray:
        from ._arrays import as_images

        x = as_images(x, self.input_shape)
        if self.scale == "bytes" and x.dtype != "u1" and not self._inner.takes_texts and x.size and 0 < x.max() <= 1:
            raise ValueError(
                "model: it learnt from pixels of 0 to 255, and these numbers go up to "
                f"{float(x.max()):.3g}; multiply them by 255"
            )
        return x

    def _named(self, names: list[Any]) -> list[list[float]]:
        with self._on_disk() as file:
            said = json.loads(run(["predict", file, *map(fspath, names), "--json"]))
        return [p.get("probabilities") or p["values"] for p in said["predictions"]]

    def classify(self, x: Any) -> list[str]:
        """The likeliest class of each image, by name."""
        if not self.classes:
            raise ValueError("model: it gives values and no classes; take predict")
        return [self.classes[i] for i in self.predict(x).argmax(1)]

    def evaluate(self, data: Any = None, targets: Any = None, **reading: Any) -> Evaluation:
        """How good the model is on the test part of a data set, or on samples with targets."""
        arrays = None
        if not isinstance(data, (str, PathLike)):
            from ._arrays import as_samples, as_targets

            if targets is None:
                raise TypeError("evaluate: arrays of samples need targets: evaluate(x, y)")
            pair = (as_samples(data, "evaluate", "samples"), as_targets(targets, "evaluate", "targets"))
            arrays, data = {"train": pair, "test": pair}, "arrays"
        with self._on_disk() as file:
            return Evaluation(json.loads(run(["eval", file, fspath(data), *options(reading), "--json"], arrays=arrays)))

    def activations(self, x: Any) -> dict[str, np.ndarray]:
        """What every layer makes of the images, by the layers' names; `input` is what the first layer sees."""
        return self._inner.activations(self._images(x))

    def grad_cam(self, x: Any, class_: int | None = None, layer: str | None = None) -> np.ndarray:
        """Where in an image the model saw a class (without one the likeliest): a heat map in the image's size."""
        return self._inner.grad_cam(self._images(x), class_, layer)[0]

    def explain(self, x: Any, layer: str, at: tuple[int, ...], *, lang: str | None = None) -> Figure:
        """Why one cell of a layer has its value: at=(row, column, channel), every product and the sum."""
        with self._on_disk() as file, self._input(x) as sample:
            place = ",".join(str(int(v)) for v in at)
            line = ["explain", file, sample, "--layer", layer, f"--at={place}", *options({"lang": lang})]
            return _drawn(line, Path(file).parent)

    def show(self, x: Any, layer: str | None = None, *, lang: str | None = None) -> Figure:
        """Everything the model makes of one image: every layer's maps, filters, Grad-CAM."""
        with self._on_disk() as file, self._input(x) as sample:
            line = ["show", file, sample, *options({"layer": layer, "lang": lang})]
            return _drawn(line, Path(file).parent)

    def _on_disk(self) -> _File:
        return _File("model.safetensors", self._file())

    def _input(self, x: Any) -> _File:
        if isinstance(x, (str, PathLike)):
            return _File(fspath(x), None)
        import io

        import numpy as np

        x = self._images(x)
        if len(x) != 1:
            raise ValueError(f"model: one image is looked at, not {len(x)}")
        data = io.BytesIO()
        np.save(data, x[0])
        return _File("image.npy", data.getvalue())


class Evaluation(dict[str, Any]):
    """What the program says about a model on data: `accuracy`, `loss`, ... as attributes and keys."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"evaluation: there is no `{name}`; there are {', '.join(self)}") from None

    def __repr__(self) -> str:
        plain = {k: v for k, v in self.items() if isinstance(v, (int, float))}
        return "\n".join(f"{name}: {value:.4f}" if isinstance(value, float) else f"{name}: {value}"
                         for name, value in plain.items())


class _File:
    """A file for the program to read, in a folder that is removed again; without data, one that is there."""

    def __init__(self, name: str, data: bytes | None) -> None:
        self._name, self._data = name, data
        self._folder = tempfile.TemporaryDirectory(prefix="foveal-") if data is not None else None

    def __enter__(self) -> str:
        if self._folder is None:
            return self._name
        path = Path(self._folder.name) / self._name
        path.write_bytes(self._data or b"")
        return str(path)

    def __exit__(self, *_: object) -> None:
        if self._folder is not None:
            self._folder.cleanup()


def _drawn(line: list[str], folder: Path) -> Figure:
    """The text and the picture that a command of the program makes."""
    png, svg = folder / "figure.png", folder / "figure.svg"
    text = run([*line, "--graphics=none"], quiet=True)
    run([*line, "-o", str(png), "--json"], quiet=True)
    run([*line, "-o", str(svg), "--json"], quiet=True)
    return Figure(text.strip(), png.read_bytes(), svg.read_text(encoding="utf-8"))


def _are_names(x: Any) -> bool:
    return isinstance(x, (list, tuple)) and bool(x) and all(isinstance(v, (str, PathLike)) for v in x)


def _write(path: Path, data: bytes) -> None:
    """Writes a file whole or not at all."""
    import os

    part = path.with_name(path.name + f".{os.getpid()}.part")
    with open(part, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)

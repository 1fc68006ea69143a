"""Training: the program's `foveal train`, on folders, MNIST and arrays."""

from __future__ import annotations

import sys
import tempfile
from os import PathLike, fspath
from pathlib import Path
from typing import Any

from ._program import options, run
from .history import History
from .model import Model


class Interrupted(KeyboardInterrupt):
    """^C ended a training. `model` is what had been learnt by then."""

    def __init__(self, model: Model) -> None:
        super().__init__("interrupted; `.model` of this exception is what had been learnt")
        self.model = model


class Progress:
    """One live line and a row for each epoch: on a terminal, in a notebook, or plain lines anywhere else."""

    def __init__(self) -> None:
        self.started = False
        self.live = False
        self.notebook = _in_notebook()

    def __call__(self, kind: str, what: dict[str, Any]) -> None:
        if kind == "started":
            self._line(f"training on {what['train']:,} images, validation on {what['validation']:,}")
        elif kind == "batch":
            share = what["batch"] / max(what["batches"], 1)
            bar = "#" * int(20 * share) + "." * (20 - int(20 * share))
            text = f"epoch {what['epoch']}/{what['epochs']} [{bar}] {what['images_per_second']:,.0f} images/s"
            self._live(text + f" loss {what['loss']:.4f}" + _percent(" accuracy", what["accuracy"]))
        elif kind == "epoch":
            text = f"epoch {what['epoch']}: loss {what['train_loss']:.4f}" + _percent(" accuracy", what["train_accuracy"])
            if what["validation_loss"] is not None:
                text += f", validation loss {what['validation_loss']:.4f}"
                text += _percent(" accuracy", what["validation_accuracy"])
            self._line(text + f" ({what['seconds']:.2f} s)")

    def _live(self, text: str) -> None:
        if self.notebook or sys.stderr.isatty():
            self._clear()
            sys.stderr.write("\r" + text)
            sys.stderr.flush()
            self.live = True

    def _clear(self) -> None:
        if self.live:
            sys.stderr.write("\r" + " " * 100 + "\r")
            self.live = False

    def _line(self, text: str) -> None:
        self._clear()
        print(text, file=sys.stderr)

    def close(self) -> None:
        self._clear()


def _percent(name: str, share: float | None) -> str:
    return "" if share is None else f"{name} {100 * share:.2f} %"


def _in_notebook() -> bool:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and hasattr(shell, "kernel")


def train(
    data: Any,
    targets: Any = None,
    *,
    test: tuple[Any, Any] | None = None,
    validation: int | tuple[Any, Any] | None = None,
    model: Model | str | PathLike[str] | None = None,
    init: Model | str | PathLike[str] | None = None,
    preset: str = "fast",
    epochs: int | None = None,
    batch_size: int | None = None,
    lr: float | None = None,
    seed: int = 0,
    threads: int | None = None,
    out: str | PathLike[str] | None = None,
    progress: bool = True,
    **more: Any,
) -> Model:
    """Trains a model, exactly as the program's `foveal train` does: the same seed gives the same bytes.

    `data` is "mnist", a folder, a table or any other data set that the program takes, or an array of samples [n, h, w],
    [n, h, w, c] or [n, c, h, w] with `targets`: whole numbers or words for classes, others for values. `test` and
    `validation` may be pairs of such arrays; `validation` as a number sets so many samples aside.

    `model` is a built-in model's name, a .toml file, or an untrained `Model`; `init` a trained one to begin with. `out` is
    a run folder to keep (model, metrics, report). All other options of the program are keywords: class_weights=True,
    augment="digits", patience=5, keep="best", image_size=96, task="regression", ...

    Progress goes to stderr. ^C raises `Interrupted`, whose `model` is what had been learnt.
    """
    given = dict(more, preset=preset, epochs=epochs, batch_size=batch_size, lr=lr, seed=seed, threads=threads)
    line, arrays = ["train"], None
    if isinstance(data, (str, PathLike)):
        if targets is not None or test is not None:
            raise TypeError("train: `targets` and `test` go with arrays; a data set by name brings its own")
        line.append(fspath(data))
    else:
        line.append("arrays")
        arrays = _arrays(data, targets, validation, test)
    if isinstance(validation, int):
        given["validation"] = validation
    history, progressing = History(), Progress() if progress else None
    ended: dict[str, Any] = {}

    def hear(kind: str, what: dict[str, Any]) -> None:
        if kind == "epoch":
            history.append(what)
        elif kind == "finished":
            ended.update(what)
        if progressing is not None:
            progressing(kind, what)

    with tempfile.TemporaryDirectory(prefix="foveal-") as temporary:
        folder = Path(temporary)
        given["model"] = _named(model, folder / "spec.toml", Model.to_toml)
        given["from"] = _named(init, folder / "init.safetensors", Model._file) if init is not None else more.get("from_")
        given.pop("from_", None)
        run_folder = Path(out) if out is not None else folder / "run"
        given["out"] = run_folder
        if out is None:
            given["no_report"] = True
        line += [*options(given), "--json"]
        try:
            printed = run(line, arrays=arrays, hear=hear, quiet=not progress)
        except KeyboardInterrupt:
            ended["status"] = "interrupted"
            if (run_folder / "model.safetensors").exists():
                raise Interrupted(_result(run_folder, history, ended, "", model)) from None
            raise
        finally:
            if progressing is not None:
                progressing.close()
        return _result(run_folder, history, ended, printed, model)


def _result(folder: Path, history: History, ended: dict[str, Any], printed: str, given: Any) -> Model:
    import json

    file = folder / "model.safetensors"
    model = Model._read(file if file.exists() else folder / "member-1" / "model.safetensors")
    if isinstance(given, Model):
        # Not by the name of the file that it was handed over in.
        model = Model._of(model._inner.named(given.name))
    model.history = history
    model.status = ended.get("status", "")
    model.result = json.loads(printed.splitlines()[-1]) if printed.strip() else {}
    model.result.pop("model_path", None)
    return model


def _named(model: Any, file: Path, text: Any) -> str | None:
    """A model as the program takes it: by name, or as a file."""
    if not isinstance(model, Model):
        return None if model is None else fspath(model)
    data = text(model)
    file.write_bytes(data.encode() if isinstance(data, str) else data)
    return str(file)


def _arrays(data: Any, targets: Any, validation: Any, test: Any) -> dict[str, tuple[Any, Any]]:
    from ._arrays import as_samples, as_targets

    if targets is None:
        raise TypeError("train: arrays of samples need targets: train(x, y)")
    parts = {"train": (data, targets)}
    if validation is not None and not isinstance(validation, int):
        parts["validation"] = validation
    if test is not None:
        parts["test"] = test
    return {name: (as_samples(x, "train", f"samples of {name}"), as_targets(y, "train", f"targets of {name}"))
            for name, (x, y) in parts.items()}

"""Commands of the program `foveal`, run inside this process."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from ._foveal import command


def run(line: list[str], *, arrays: dict | None = None, hear: Callable[[str, Any], None] | None = None,
        quiet: bool = False) -> str:
    """Runs a command line such as ["train", "mnist"] and gives what it prints.

    What the program writes on stderr goes to `sys.stderr`. `hear` is told of a training's events.
    """
    printed: list[str] = []

    def on(kind: str, what: Any) -> None:
        if kind == "print":
            printed.append(what)
        elif kind == "note":
            if not quiet:
                print(what, file=sys.stderr)
        elif hear is not None:
            hear(kind, what)

    command([str(word) for word in line], arrays, on)
    return "".join(printed)


def options(given: dict[str, Any]) -> list[str]:
    """Python's keywords as the program's options: class_weights=True is --class-weights, lr=0.01 is --lr 0.01."""
    line: list[str] = []
    for name, value in given.items():
        option = "--" + name.rstrip("_").replace("_", "-")
        if value is None or value is False:
            continue
        if value is True:
            line.append(option)
        elif isinstance(value, (list, tuple)):
            line += [f"{option}={','.join(str(v) for v in value)}"]
        else:
            line += [f"{option}={value}"]
    return line

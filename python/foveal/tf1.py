"""Runs code for TensorFlow 1 as it stands.

`python -m foveal.tf1 script.py [arguments]` runs a script, `python -m foveal.tf1 --install-kernel [--sys-prefix|--user]`
installs the Jupyter kernel `foveal-tf1`, in which notebooks run with their cells untouched. Only these put foveal in the
place of the name `tensorflow`.
"""

from __future__ import annotations

import json
import os
import runpy
import sys
import tempfile
import types
from typing import Any

KERNEL = "foveal-tf1"


class Refused(RuntimeError):
    """TensorFlow itself is there already."""


def install() -> Any:
    """Puts foveal's TensorFlow 1 in the place of the name `tensorflow`, for this process."""
    there = sys.modules.get("tensorflow")
    if there is not None:
        if getattr(there, "__foveal__", False):
            return there
        raise Refused("foveal.tf1: another tensorflow has already been imported; begin a new process")
    from foveal.compat import tensorflow1 as tf

    tf.__foveal__ = True  # type: ignore[attr-defined]
    sys.modules["tensorflow"] = tf

    def put(name: str, module: types.ModuleType) -> None:
        # Modules that hold others are packages to the import system.
        if not hasattr(module, "__path__"):
            module.__path__ = []  # type: ignore[attr-defined]
        sys.modules[name] = module

    mnist = tf.examples.tutorials.mnist
    for name, module in {
        "nn": tf.nn, "layers": tf.layers, "train": tf.train, "errors": tf.errors, "contrib": tf.contrib,
        "contrib.layers": tf.contrib.layers, "examples": tf.examples, "examples.tutorials": tf.examples.tutorials,
        "examples.tutorials.mnist": mnist, "examples.tutorials.mnist.input_data": mnist.input_data,
    }.items():
        put(f"tensorflow.{name}", module)
    return tf


def run(script: str, arguments: list[str]) -> None:
    """Runs a script as `__main__`."""
    install()
    sys.argv = [script, *arguments]
    sys.path[0] = os.path.dirname(os.path.abspath(script))
    runpy.run_path(script, run_name="__main__")


def kernel() -> None:
    """The kernel of a notebook."""
    install()
    from ipykernel.kernelapp import IPKernelApp

    # %load_ext and imports of the kernel see the notebook's folder, as usual.
    IPKernelApp.launch_instance(argv=sys.argv[2:])


def install_kernel(where: list[str]) -> str:
    """Installs the kernel's description; gives its folder."""
    try:
        from jupyter_client.kernelspec import KernelSpecManager
    except ImportError:
        raise SystemExit("foveal.tf1: the kernel needs ipykernel and jupyter_client: pip install ipykernel") from None
    prefix, user = None, False
    for option in where:
        if option == "--sys-prefix":
            prefix = sys.prefix
        elif option == "--user":
            user = True
        elif option.startswith("--prefix="):
            prefix = option.removeprefix("--prefix=")
        else:
            raise SystemExit(f"foveal.tf1: unknown option {option}; there are --sys-prefix, --user and --prefix=DIR")
    spec = {
        "argv": [sys.executable, "-m", "foveal.tf1", "--kernel", "-f", "{connection_file}"],
        "display_name": "TensorFlow 1 (foveal)",
        "language": "python",
        "metadata": {"debugger": False},
    }
    with tempfile.TemporaryDirectory(prefix="foveal-") as folder:
        with open(os.path.join(folder, "kernel.json"), "w", encoding="utf-8") as file:
            json.dump(spec, file, indent=1)
        return KernelSpecManager().install_kernel_spec(folder, KERNEL, user=user, prefix=prefix)


def main(arguments: list[str]) -> None:
    """`python -m foveal.tf1 …`"""
    match arguments:
        case ["--kernel", *_]:
            kernel()
        case ["--install-kernel", *where]:
            print(f"kernel {KERNEL} is in {install_kernel(where)}")
        case [script, *rest] if not script.startswith("-"):
            if not os.path.exists(script):
                raise SystemExit(f"foveal.tf1: {script}: there is no such file")
            run(script, rest)
        case ["--help" | "-h"]:
            print(__doc__.strip())
        case _:
            raise SystemExit("usage: python -m foveal.tf1 script.py [arguments] | --install-kernel [--sys-prefix|--user]")


if __name__ == "__main__":
    try:
        # One module, whether it is run or imported.
        sys.modules.setdefault("foveal.tf1", sys.modules["__main__"])
        main(sys.argv[1:])
    except Refused as problem:
        raise SystemExit(str(problem)) from None

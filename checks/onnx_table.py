"""The import table: what foveal makes of the ONNX files of many networks, beside ONNX Runtime.

Usage: onnx_table.py FOVEAL FOLDER [NAME ...] (FOLDER holds what onnx_families.py, onnx_small.py and onnx_keras.py wrote).

Each cell is the largest difference to ONNX Runtime's answers, as a share of the largest number of these: first of the
imported model's prediction, then of foveal's own export of it, run by ONNX Runtime; or what stood in the way. The end
counts the obstacles. A `~` marks answers that differ by more than NEAR from ONNX Runtime's, but from those of 64-bit
arithmetic no more than three times as much as ONNX Runtime's do: there rounding grows in deep networks, whoever
computes. It fails if an answer differs by more, as no net may be taken in and be wrong.
"""

import json
import re
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort

import onnx_families

FOVEAL, FOLDER = sys.argv[1], Path(sys.argv[2])
NEAR = 1e-5
EXPORTERS = ["script", "dynamo", "tf2onnx"]
# How far an answer may be off, by file.
RATHER = {}


class Obstacle(Exception):
    """What foveal says instead of an answer."""


def foveal(*arguments):
    run = subprocess.run([FOVEAL, *map(str, arguments)], capture_output=True, text=True)
    if run.returncode not in (0, 1, 2):
        raise AssertionError(f"foveal {arguments[0]} ended with {run.returncode}: {run.stderr[-300:]}")
    if run.returncode == 2:
        raise Obstacle(run.stderr.strip().splitlines()[0])
    if run.returncode:
        raise Obstacle(run.stderr.strip().removeprefix("error: "))
    return run.stdout


def session(path):
    options = ort.SessionOptions()
    options.log_severity_level = 3
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def last(a):
    """Channels last, as foveal has them, of `[n, c, h, w]` and `[n, c, l]`."""
    return np.moveaxis(a, 1, -1) if a.ndim > 2 else a


def place(x, shape):
    """The graph's input as foveal takes it, `[n, h, w, c]` of that shape."""
    for turned in (x, last(x)):
        if turned.shape[1:] == tuple(n for n in shape if n != 1) or turned.shape[1:] == tuple(shape):
            return turned.reshape(len(x), *shape)
        if turned.reshape(len(x), -1).shape[1] == np.prod(shape) and turned.ndim == 3 and shape[0] == 1:
            if turned.shape[1:] == tuple(shape[1:]):
                return turned.reshape(len(x), *shape)
    raise AssertionError(f"an input of {x.shape} was read as {shape}")


def rows(a, keras):
    return (a if keras else last(a)).reshape(len(a), -1)


def difference(ours, theirs):
    if ours.shape != theirs.shape:
        return np.inf
    return float(np.abs(ours - theirs).max() / np.abs(theirs).max())


def rounding(path, theirs):
    """How far ONNX Runtime itself is from the answer in 64-bit arithmetic; 0 where that is not known."""
    exact = FOLDER / f"{path.name.split('.')[0]}.exact.npy"
    return difference(theirs, last(np.load(exact)).reshape(len(theirs), -1)) if exact.exists() else 0.0


def predict(model, x, work):
    np.save(work / "x.npy", x.astype(np.float32))
    found = json.loads(foveal("predict", model, work / "x.npy", "--json"))["predictions"]
    values = [np.array(r.get("probabilities", r.get("values")), np.float64).ravel() for r in found]
    return np.stack(values)


def sizes(x, path):
    """The options for what the file leaves open."""
    dims = onnx.load(str(path), load_external_data=False).graph.input[0].type.tensor_type.shape.dim
    if not any(d.dim_param for d in dims[1:]):
        return []
    return ["--input-size", f"{x.shape[-2]}x{x.shape[-1]}"]


def one_output(path, x, keras, name, theirs, more, work):
    """The two differences of one output."""
    model, again = work / "model.safetensors", work / "again.onnx"
    said = json.loads(foveal("import", path, model, "--json", *more, *(["--output", name] if name else [])))
    x = place(x, said["input_shape"])
    theirs = rows(theirs, keras)
    spread = np.abs(theirs - theirs[:1]).max() / np.abs(theirs).max()
    assert spread > 1e-3, f"the answers to different inputs differ by {spread}"
    # Together four times as far: once what ONNX Runtime is off, three times what others may be.
    RATHER[path] = max(NEAR, 4 * rounding(path, theirs))
    first = difference(predict(model, x, work), theirs)
    try:
        foveal("export", model, again, "--input", "float")
    except Obstacle as obstacle:
        return first, str(obstacle)
    graph = session(again)
    takes = graph.get_inputs()[0]
    kind = np.int64 if "int64" in takes.type else np.float32
    if len(takes.shape) == 3:
        x = x[..., 0]
    found = graph.run(None, {takes.name: x.astype(kind)})[0]
    return first, difference(found.reshape(len(found), -1), theirs)


def file(path, x):
    """What a file comes to: the differences, or an obstacle."""
    keras = path.name.startswith("keras_")
    graph = session(path)
    answers = graph.run(None, {graph.get_inputs()[0].name: x})
    names = [o.name for o in graph.get_outputs()]
    with tempfile.TemporaryDirectory() as work:
        worst = (0.0, 0.0)
        for name, theirs in zip(names, answers):
            named = name if len(names) > 1 else None
            found = one_output(path, x, keras, named, theirs, sizes(x, path), Path(work))
            if isinstance(found[1], str):
                return (max(worst[0], found[0]), found[1])
            worst = tuple(max(a, b) for a, b in zip(worst, found))
        return worst


def kinds(problem):
    """The obstacles in a message, without names and numbers, so that they can be counted."""
    found = set()
    for line in problem.splitlines():
        line = re.sub(r"^.*?\.(onnx|safetensors): ", "", line.strip())
        line = re.sub(r"`[^`]*`", "`…`", line)
        line = re.sub(r"-?\d+(\.\d+)?(e-?\d+)?", "#", line)
        line = re.sub(r"\[[#, n…\[\]]*\]", "[#]", line)
        line = re.sub(r"^(and|it has) # .*", "", line)
        if line:
            found.add(line[:150])
    return found


def main():
    only = sys.argv[3:]
    names = sorted({p.name.split(".")[0] for p in FOLDER.glob("*.npz")})
    names = [n for n in names if not only or n in only]
    of_families = {label for label, _, _ in onnx_families.rows()}
    groups = {"Families of networks": [n for n in names if n in of_families],
              "Small networks": [n for n in names if n not in of_families]}
    obstacles, wrong, counts = defaultdict(set), [], Counter()
    for title, members in groups.items():
        if not members:
            continue
        print(f"\n{title}\n")
        every, by_one, near = 0, 0, 0
        for name in members:
            x = np.load(FOLDER / f"{name}.npz")["x"]
            cells, good, strict, tried = [], 0, 0, 0
            for exporter in EXPORTERS:
                path = FOLDER / f"{name}.{exporter}.onnx"
                if path.with_suffix(".failed").exists():
                    cells.append(f"{exporter}: the exporter fails")
                    continue
                if not path.exists():
                    continue
                opset = next(o.version for o in onnx.load(str(path), load_external_data=False).opset_import if not o.domain)
                tried += 1
                try:
                    first, second = file(path, x)
                except Obstacle as obstacle:
                    kind = kinds(str(obstacle))
                    for k in kind:
                        obstacles[k].add(name)
                    cells.append(f"{exporter} {opset}: " + "; ".join(sorted(kind))[:170])
                    continue
                except Exception as error:
                    wrong.append(f"{name}.{exporter}: {error}")
                    cells.append(f"{exporter} {opset}: WRONG {str(error)[:150]}")
                    continue
                most, shown = RATHER[path], lambda v: f"{v:.0e}{'~' if NEAR < v <= RATHER[path] else ''}"
                if isinstance(second, str):
                    cells.append(f"{exporter} {opset}: {shown(first)} / no export: {second[:100]}")
                    obstacles["export: " + "; ".join(kinds(second))].add(name)
                else:
                    cells.append(f"{exporter} {opset}: {shown(first)} / {shown(second)}")
                    if second > most:
                        wrong.append(f"{name}.{exporter}: export {second:.1e}")
                if first > most:
                    wrong.append(f"{name}.{exporter}: {first:.1e}")
                good += first <= most and not isinstance(second, str) and second <= most
                strict += not isinstance(second, str) and max(first, second) <= NEAR
            by_one += good > 0
            near += tried > 0 and strict == tried
            every += tried > 0 and good == tried
            print(f"{name:28} {' | '.join(cells)}", flush=True)
        print(f"\n{title}: {len(members)}; {by_one} in and out by one exporter at least, {every} by every one, "
              f"{near} of these within {NEAR:.0e} of ONNX Runtime")
    print("\nObstacles, and the nets that meet them")
    for kind, who in sorted(obstacles.items(), key=lambda o: -len(o[1])):
        print(f"{len(who):4} {kind}  ({', '.join(sorted(who)[:4])}{', …' if len(who) > 4 else ''})")
    print(f"\nwrong: {len(wrong)}")
    for line in wrong:
        print(f"  {line}")
    sys.exit(bool(wrong))


main()

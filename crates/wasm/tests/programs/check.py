"""Runs the Python programs of this folder and holds what they compute against foveal's numbers.

python check.py            (needs numpy, tensorflow and torch)
"""
import pathlib
import runpy
import sys

import numpy as np

folder = pathlib.Path(__file__).parent
bad = 0
for path in sorted(folder.glob("*.py")):
    if path.name == "check.py":
        continue
    y = runpy.run_path(str(path))["y"]
    y = y.numpy() if path.name.endswith(".tf.py") else y.permute(0, 2, 3, 1).detach().numpy()
    shape, numbers = (folder / (path.name.split(".")[0] + ".txt")).read_text().splitlines()
    want = np.float32(numbers.split()).reshape((1, *map(int, shape.split())))
    same = y.shape == want.shape and np.allclose(y, want, rtol=1e-5, atol=1e-6)
    print("ok " if same else "BAD", path.name, y.shape)
    bad += not same
sys.exit(bool(bad))

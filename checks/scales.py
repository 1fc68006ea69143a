#!/usr/bin/env python3
"""The same 600 pictures as folder, table and arrays on every scale: models as good as one another, and each gives one
answer through predict, serve and ONNX Runtime.

Usage: scales.py FOVEAL WORK. Needs numpy and onnxruntime.
"""

import json
import pathlib
import re
import subprocess
import sys
import urllib.request

import numpy as np
import onnxruntime as ort

FOVEAL, WORK = sys.argv[1], pathlib.Path(sys.argv[2])
HERE = pathlib.Path(__file__).parent
DATA = {
    "folder": "folder", "table": "table.csv", "bytes": "bytes.npz", "unit": "unit.npz", "signed": "signed.npz",
    "words": "words.npz", "first": "first.npz",
}
PICTURES = [f"folder/test/{name}/{i}.png" for i, name in ((480, "rows"), (481, "columns"), (482, "blocks"))]


def foveal(*arguments):
    done = subprocess.run([FOVEAL, *arguments], capture_output=True, text=True, cwd=WORK)
    if done.returncode:
        raise SystemExit(f"foveal {' '.join(arguments)}: {done.stderr}")
    return done.stdout


def main():
    subprocess.run([sys.executable, str(HERE / "scales_data.py"), str(WORK)], check=True)
    accuracies = {}
    for name, data in DATA.items():
        train = ["train", data, "--out", f"scale-{name}", "--model", "stack", "--epochs", "8", "--lr", "0.003", "--no-report", "-q", "--json"]
        more = ["--layout", "nchw"] if name == "first" else []
        accuracies[name] = json.loads(foveal(*train, *more))["test_accuracy"]
        foveal("export", f"scale-{name}", f"scale-{name}.onnx")
    spread = 100 * (max(accuracies.values()) - min(accuracies.values()))
    print(f"600 pictures in seven ways: {', '.join(f'{name} {100 * a:.2f} %' for name, a in accuracies.items())}")
    ok = spread <= 0.5
    # Pixels as the browser and every other program have them.
    pixels = np.load(WORK / "bytes.npz")["x_test"][:3]
    server = subprocess.Popen(
        [FOVEAL, "serve", *(f"scale-{name}" for name in DATA), "--port", "0", "--json"], cwd=WORK,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )
    try:
        url = next(m.group(0) for m in (re.search(r"http://[0-9.]+:[0-9]+", line) for line in server.stdout) if m)
        apart = 0.0
        for name in DATA:
            said = json.loads(foveal("predict", f"scale-{name}", *PICTURES, "--json"))["predictions"]
            session = ort.InferenceSession(str(WORK / f"scale-{name}.onnx"))
            image = pixels.astype(np.uint16) * 257 if session.get_inputs()[0].type == "tensor(uint16)" else pixels
            theirs = session.run(["probabilities"], {"image": image})[0]
            for k, picture in enumerate(PICTURES):
                ours = np.array(said[k]["probabilities"])
                body = (WORK / picture).read_bytes()
                with urllib.request.urlopen(f"{url}/predict?model=scale-{name}", data=body) as answer:
                    served = np.array(json.load(answer)["probabilities"])
                apart = max(apart, np.abs(ours - served).max(), np.abs(ours - theirs[k]).max())
        print(f"predict, serve and ONNX Runtime: at most {apart:.1e} apart")
        ok &= apart < 1e-4
    finally:
        server.terminate()
        server.wait()
    print("scales: ok" if ok else "scales: FAILED")
    return 0 if ok else 1


sys.exit(main())

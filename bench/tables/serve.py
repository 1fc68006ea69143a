"""`foveal serve` against ONNX Runtime behind Python's own server: the same model, the same requests, by turns."""
import json
import pathlib
import random
import subprocess
import tempfile

from harness.environment import BENCH
from harness.turns import cell, ratio, ratios, table, turns

CONNECTIONS = (1, 8, 32)
IMAGES = (1, 16)


def body(images):
    """An inference request with pixels that look random."""
    chance = random.Random(images)
    data = [chance.randrange(256) for _ in range(images * 784)]
    tensor = {"name": "image", "shape": [images, 28, 28, 1], "datatype": "UINT8", "data": data}
    return json.dumps({"inputs": [tensor]}, separators=(",", ":"))


def start(port_of, *command):
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    line = process.stdout.readline()
    if not line:
        raise SystemExit(f"{' '.join(command)} ended; start it by hand to see why")
    return process, port_of(line)


def run(sides, options):
    loader, seconds = sides.foveal(), options.seconds
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        quiet = dict(check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        subprocess.run([options.program, "train", "mnist", "--no-report", "--out", folder / "digits"], **quiet)
        subprocess.run([options.program, "export", folder / "digits", folder / "digits.onnx"], **quiet)
        for images in IMAGES:
            (folder / f"{images}.json").write_text(body(images))
        servers = [
            start(lambda line: json.loads(line)["url"].rsplit(":", 1)[1].strip("/"),
                  options.program, "serve", str(folder / "digits"), "--port", "0", "--json", "-q"),
            start(str.strip, sides.python, str(BENCH / "peers" / "onnx_server.py"), str(folder / "digits.onnx"),
                  str(options.cores)),
        ]
        names = ("foveal", "onnx")
        ask = lambda port, images, connections: lambda: loader.ask(
            "load", port, "/v2/models/digits/infer", folder / f"{images}.json", connections, seconds)
        try:
            found = {
                (images, connections): turns(
                    options.runs,
                    {name: ask(port, images, connections) for name, (_, port) in zip(names, servers)},
                    f"serve, {images} image(s), {connections} connection(s)")
                for images in IMAGES for connections in CONNECTIONS
            }
        finally:
            for process, _ in servers:
                process.terminate()
            for process, _ in servers:
                process.wait()
    rows, raw, headlines = [], {}, []
    for (images, connections), sides_found in found.items():
        raw[f"{images} images, {connections} connections"] = sides_found
        of = lambda name, field, scale=1: [scale * r[field] for r in sides_found[name]]
        faster = ratios(of("foveal", "per_second"), of("onnx", "per_second"))
        rows.append([images, connections]
                    + [cell(of(name, field, 1e3)) for field in ("p50", "p99") for name in names]
                    + [cell(of(name, "per_second")) for name in names] + [ratio(faster)])
        headlines.append((f"requests a second, {images} image(s), {connections} connection(s), to the peer's", "",
                          ratio(faster)))
    head = ["images", "connections", "p50, ms", "peer's p50, ms", "p99, ms", "peer's p99, ms", "requests/s",
            "peer's requests/s", "foveal / peer"]
    return table(head, rows), raw, headlines

"""Inference of networks for photographs, 224x224: what others than foveal are made for."""
import pathlib
import tempfile

from harness.turns import cell, ratio, ratios, table, turns

# Names in timm, and the targets for the ratio of ONNX Runtime's time to foveal's, one image on all cores.
NETWORKS = {"resnet18": ">= 1.2", "resnet50": "", "mobilenetv2_100": ">= 1.1", "tf_efficientnet_lite0": ">= 1.1"}
BATCHES = [1, 8]


def run(sides, options):
    raw, rows, headlines = {}, [], []
    with tempfile.TemporaryDirectory() as folder:
        for name, target in NETWORKS.items():
            for batch in BATCHES:
                path = str(pathlib.Path(folder) / f"{name}-{batch}.onnx")
                sides.network(1).ask("export", name, batch, path)
                for threads in sorted({1, options.cores}):
                    measured = one(sides, options, path, name, batch, threads)
                    raw[f"{name}, {batch}, {threads}"] = measured
                    rows.append([name, batch, threads, *(cell(measured[k]) for k in ("foveal", "onnxruntime", "openvino")),
                                 ratio(measured["over onnx"]), ratio(measured["over best"])])
                    if batch == 1 and threads == options.cores:
                        headlines.append((f"{name}, one image, all cores, over ONNX Runtime", target,
                                          ratio(measured["over onnx"])))
    head = ["network", "images", "threads", "foveal, ms", "ONNX Runtime, ms", "OpenVINO in f32, ms",
            "foveal over ONNX Runtime", "over the better"]
    return table(head, rows), raw, headlines


def one(sides, options, path, name, batch, threads):
    foveal, peer = sides.foveal(), sides.network(threads)
    milliseconds = lambda side, *words: lambda: 1e3 * side.ask(*words)["seconds"]
    seconds = options.seconds / 2
    v = turns(options.runs, {
        "foveal": milliseconds(foveal, "network", path, threads, batch, seconds),
        "onnxruntime": milliseconds(peer, "network", "onnxruntime", path, batch, seconds),
        "openvino": milliseconds(peer, "network", "openvino", path, batch, seconds),
    }, f"{name}, {batch} image(s), {threads} thread(s)")
    v["over onnx"] = ratios(v["onnxruntime"], v["foveal"])
    v["over best"] = ratios(map(min, v["onnxruntime"], v["openvino"]), v["foveal"])
    return v

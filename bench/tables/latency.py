"""Inference latency of conv5x5x16-pool-conv3x3x32-pool-dense128-dense10 (VALID, ReLU) on one thread."""
from harness.turns import cell, digits, median, ratio, ratios, table, turns

# Images a call, and the target for the ratio to ONNX Runtime.
BATCHES = {1: "<= 0.5", 64: ""}


def run(sides, options):
    foveal, torch, onnx = sides.foveal(), sides.torch(threads=1), sides.onnx()
    seconds = options.seconds / 3
    micros = lambda side, *words: lambda: 1e6 * side.ask("latency", *words)["seconds"]
    raw, rows, headlines = {}, [], []
    for batch, target in BATCHES.items():
        v = turns(options.runs, {
            "foveal": micros(foveal, batch, seconds),
            "onnx": micros(onnx, batch, seconds),
            "onnx nothing": micros(onnx, batch, seconds / 4, "nothing"),
            "nchw": micros(torch, "nchw", batch, seconds),
            "channels_last": micros(torch, "channels_last", batch, seconds),
        }, f"latency, batch {batch}")
        v["over onnx"] = ratios(v["foveal"], v["onnx"])
        v["over torch"] = ratios(v["foveal"], map(min, v["nchw"], v["channels_last"]))
        raw[batch] = v
        rows.append([batch, *(cell(v[k]) for k in ("foveal", "onnx", "nchw", "channels_last")),
                     ratio(v["over onnx"]), ratio(v["over torch"])])
        headlines.append((f"latency, batch {batch}, one thread, of ONNX Runtime's", target, ratio(v["over onnx"])))
    head = ["images", "foveal, µs", "ONNX Runtime, µs", "PyTorch NCHW, µs", "PyTorch channels_last, µs",
            "foveal / ONNX Runtime", "foveal / PyTorch's better"]
    fixed = digits(median(raw[1]["onnx nothing"]))
    lines = table(head, rows) + ["", f"A call of ONNX Runtime that computes nothing: {fixed} µs."]
    return lines, raw, headlines

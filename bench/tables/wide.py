"""Training of wide nets: images a second of whole steps (forward, backward, Adam) on one batch of random pictures."""
from harness.turns import cell, ratio, ratios, table, turns

# The net, images in a batch, and the target for the ratio to PyTorch's better layout.
CASES = [
    ("resnet18", 32, ">= 1.4 (stretch 1.8)"), ("resnet18", 8, ""), ("mobilenet_v2", 32, ">= 2.5"),
    ("mobilenet_v2", 8, ""), ("resnet9", 128, ">= 1.6"), ("vgg-small", 128, ">= 1.8"),
]


def run(sides, options):
    raw, rows, headlines = {}, [], []
    for net, batch, target in CASES:
        v = turns(options.runs, measures(sides, options, net, batch), f"training {net}, batch {batch}")
        v["ratio"] = ratios(v["foveal"], map(max, v["nchw"], v["channels_last"]))
        raw[f"{net}, {batch}"] = v
        rows.append([net, batch, *(cell(v[k]) for k in ("foveal", "nchw", "channels_last")), ratio(v["ratio"])])
        if target:
            headlines.append((f"training {net}, batch {batch}, over PyTorch's better layout", target, ratio(v["ratio"])))
    share = ratios(raw["resnet18, 8"]["foveal"], raw["resnet18, 32"]["foveal"])
    headlines.append(("resnet18, images a second in batches of 8 over batches of 32", ">= 0.85", ratio(share)))
    head = ["net", "batch", "foveal", "PyTorch NCHW", "PyTorch channels_last", "foveal over the better"]
    return table(head, rows), raw, headlines


def measures(sides, options, net, batch):
    speed = lambda side, *words: lambda: side.ask("wide", *words, options.seconds)["images_per_second"]
    return {
        "foveal": speed(sides.foveal(), net, options.cores, batch),
        "nchw": speed(sides.torch_wide("nchw"), net, "nchw", batch),
        "channels_last": speed(sides.torch_wide("channels_last"), net, "channels_last", batch),
    }

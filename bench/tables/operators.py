"""Single convolutions on all threads: the public operators against oneDNN (PyTorch, channels_last), and against im2col."""
from harness.turns import cell, digits, geometric_mean, median, ratio, ratios, table, turns

PASSES = {"forward": "forward", "input": "input gradient", "filter": "filter gradient"}

# Images, side, channels, kernel, stride, filters; SAME.
SHAPES = {
    "1->8, 28x28, 3x3": (128, 28, 1, 3, 1, 8),
    "8->16, 14x14, 3x3": (128, 14, 8, 3, 1, 16),
    "16->32, 14x14, 3x3": (128, 14, 16, 3, 1, 32),
    "32->64, 14x14, 3x3": (128, 14, 32, 3, 1, 64),
    "64->64, 56x56, 3x3": (8, 56, 64, 3, 1, 64),
    "128->128, 28x28, 3x3": (8, 28, 128, 3, 1, 128),
    "256->256, 14x14, 3x3": (8, 14, 256, 3, 1, 256),
    "512->512, 7x7, 3x3": (8, 7, 512, 3, 1, 512),
    "64->256, 56x56, 1x1": (8, 56, 64, 1, 1, 256),
    "3->64, 224x224, 7x7/2": (8, 224, 3, 7, 2, 64),
}


def measured(sides, options, peer):
    """Every shape and pass, foveal and `peer(pass, shape, seconds)` by turns."""
    foveal, seconds = sides.foveal(), options.seconds / 12
    raw = {}
    for name, sizes in SHAPES.items():
        shape, todo = ",".join(map(str, sizes)), {"peak": lambda: foveal.ask("peak", options.cores, 0.03)["gflops"]}
        for which in PASSES:
            todo[f"foveal {which}"] = lambda w=which: foveal.ask("conv", w, shape, seconds)["gflops"]
            todo[f"peer {which}"] = lambda w=which: peer(w, shape, seconds)["gflops"]
        raw[name] = turns(options.runs, todo, f"operators {name}")
        for which in PASSES:
            raw[name][f"ratio {which}"] = ratios(raw[name][f"foveal {which}"], raw[name][f"peer {which}"])
    return raw


def summary(raw):
    """Geometric mean and lowest of the medians of the ratios, and where the lowest is."""
    medians = {(name, which): median(raw[name][f"ratio {which}"]) for name in raw for which in PASSES}
    name, which = min(medians, key=medians.get)
    return geometric_mean(medians.values()), medians[name, which], f"{name}, {PASSES[which]}"


def run(sides, options):
    torch = sides.torch()
    raw = measured(sides, options, lambda *words: torch.ask("conv", *words))
    rows = []
    for name, v in raw.items():
        for which, title in PASSES.items():
            share = 100 * median(ratios(v[f"foveal {which}"], v["peak"]))
            peer = 100 * median(ratios(v[f"peer {which}"], v["peak"]))
            rows.append([
                name if which == "forward" else "", title, cell(v[f"foveal {which}"]), f"{share:.0f} %",
                cell(v[f"peer {which}"]), f"{peer:.0f} %", ratio(v[f"ratio {which}"])])
    head = ["shape", "pass", "foveal, GFLOP/s", "of the peak", "oneDNN, GFLOP/s", "of the peak", "foveal / oneDNN"]
    mean, lowest, where = summary(raw)
    peak = [p for v in raw.values() for p in v["peak"]]
    lines = table(head, rows)
    lines += ["", f"Geometric mean of the ratios **{mean:.2f}**, lowest {lowest:.2f} ({where}). "
              f"FMA peak, median over the table: {digits(median(peak))} GFLOP/s."]
    headlines = [("ten shapes, three passes, over oneDNN: geometric mean", ">= 1.0", f"{mean:.2f}"),
                 ("the lowest of them", ">= 0.7", f"{lowest:.2f} ({where})")]
    return lines, raw, headlines


def run_im2col(sides, options):
    """The same against im2col and a matrix product, both in Rust."""
    foveal = sides.foveal()
    raw = measured(sides, options, lambda *words: foveal.ask("im2col", *words))
    rows = []
    for name, v in raw.items():
        cells = [f"{digits(median(v[f'foveal {w}']))} / {digits(median(v[f'peer {w}']))} = {median(v[f'ratio {w}']):.2f}"
                 for w in PASSES]
        rows.append([name, *cells])
    mean, lowest, where = summary(raw)
    lines = table(["shape", *PASSES.values()], rows)
    lines += ["", f"Geometric mean {mean:.2f}, lowest {lowest:.2f} ({where})."]
    return lines, raw, []

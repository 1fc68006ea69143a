"""Training from end to end: images a second, both sides on the 60,000 digits in memory, shuffled, batch 128, Adam."""
from harness.turns import cell, percent, ratio, ratios, table, turns

NETS = {
    "8-16": "8-16-dense10",
    "16-32-128": "16-32-dense128-dense10",
    "lab-11-1": "lab-11-1 (32-64-dense10)",
    "lab-11-2": "lab-11-2 (32-64-128-dense625-dense10, dropout)",
}
FASTER = {"8-16": "6 (stretch 7)", "16-32-128": "2.7 (stretch 3.5)", "lab-11-1": "1.8", "lab-11-2": "1.8"}
SHARES = {"8-16": "65 %", "lab-11-1": "70 %"}


def measures(sides, net, cores, seconds, avx2):
    """The measurements that take turns; all but the first give images a second."""
    foveal, torch = sides.foveal(avx2), sides.torch(avx2=avx2)
    speed = lambda side, *words: lambda: side.ask("train", *words, seconds)["images_per_second"]
    all_of_them = {
        "peak": lambda: foveal.ask("peak", cores, 0.15)["gflops"],
        "foveal": speed(foveal, net, cores),
        "nchw": speed(torch, net, "nchw"),
        "channels_last": speed(torch, net, "channels_last"),
    }
    if not avx2:
        all_of_them["one"] = speed(foveal, net, 1)
        all_of_them["keras"] = speed(sides.keras(), net)
    return all_of_them


def best(values):
    """The fastest peer of each turn."""
    peers = [values[name] for name in ("nchw", "channels_last", "keras") if name in values]
    return [max(turn) for turn in zip(*peers)]


def measured(sides, options, avx2):
    raw = {}
    for net in NETS:
        values = turns(options.runs, measures(sides, net, options.cores, options.seconds, avx2), f"training {net}")
        # A very short run, only to learn how many operations an image takes.
        flops = sides.foveal(avx2).ask("train", net, 1, 0)["flops_per_image"]
        values["share"] = [flops * i / p / 1e9 for i, p in zip(values["foveal"], values["peak"])]
        values["ratio"] = ratios(values["foveal"], best(values))
        raw[net] = {"flops_per_image": flops, **values}
    return raw


def run(sides, options):
    raw = measured(sides, options, avx2=False)
    rows, headlines = [], []
    for net, v in raw.items():
        v["threads"] = ratios(v["foveal"], v["one"])
        rows.append([
            NETS[net], *(cell(v[k]) for k in ("foveal", "nchw", "channels_last", "keras")), ratio(v["ratio"]),
            percent(v["share"])])
        headlines.append((f"training {net}, over the best of PyTorch and Keras", f">= {FASTER[net]}", ratio(v["ratio"])))
    head = ["net", "foveal", "PyTorch NCHW", "PyTorch channels_last", "Keras", "foveal / best of them",
            "share of the FMA peak"]
    lines = table(head, rows)
    lines += ["", f"One thread against {options.cores}:", ""]
    threads = [
        [NETS[net], cell(v["one"]), cell(v["foveal"]), ratio(v["threads"])] for net, v in raw.items()]
    lines += table(["net", "foveal, 1 thread", f"foveal, {options.cores} threads", "ratio"], threads)
    headlines += [
        (f"training step of {net}, share of the FMA peak", f">= {share}", percent(raw[net]["share"]))
        for net, share in SHARES.items()]
    headlines += [
        (f"training {net}, {options.cores} threads over 1", ">= 1.85 with 2", ratio(v["threads"])) for net, v in raw.items()]
    return lines, raw, headlines


def run_avx2(sides, options):
    """The same with both sides held to AVX2."""
    raw = measured(sides, options, avx2=True)
    rows = [
        [NETS[net], *(cell(v[k]) for k in ("foveal", "nchw", "channels_last")), ratio(v["ratio"]), percent(v["share"])]
        for net, v in raw.items()]
    head = ["net", "foveal", "PyTorch NCHW", "PyTorch channels_last", "foveal / better of them",
            "share of the FMA peak (AVX2)"]
    headlines = [
        (f"training {net}, AVX2 forced, over PyTorch's better", f">= {FASTER[net]}", ratio(v["ratio"]))
        for net, v in raw.items()]
    return table(head, rows), raw, headlines

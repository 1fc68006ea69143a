"""What the writers of nets for the import table share: sane random weights, and files by both PyTorch exporters.

A net NAME has, in the cache folder, NAME.npz (its inputs under `x`, as the graph takes them) and for each exporter
NAME.EXPORTER.onnx, or NAME.EXPORTER.failed with what the exporter said.
"""

import contextlib
import io
import warnings
from pathlib import Path

import numpy as np
import onnx
import torch
from torch import nn

EXPORTERS = {"script": 17, "dynamo": 18}


def calm():
    """Exporters say a great deal."""
    import logging

    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    torch.set_num_threads(2)


def sane(net, x):
    """Weights and statistics none of which is 0 or 1, and under which values neither die nor explode.

    Factors stay near those that the net begins with. Where these are 0 (the last normalization or convolution of a
    residual branch, layer scale), they become 0.1 to 0.3, as small as training leaves them: with factors near 1 each
    block would double what it adds to, and a deep net let a rounding of its weights alone move the answer by 1e-5, ten
    times as far as in trained nets.
    """
    generator = torch.Generator().manual_seed(1)
    uniform = lambda shape, low, high: torch.empty(shape).uniform_(low, high, generator=generator)
    normal = lambda shape, size: torch.empty(shape).normal_(0, size, generator=generator)
    with torch.no_grad():
        for name, p in net.named_parameters():
            if p.numel() == 0:
                continue
            vector = sum(n > 1 for n in p.shape) <= 1
            if vector and "bias" in name.split(".")[-1]:
                p.copy_(normal(p.shape, 0.1))
            elif vector and p.abs().max() < 1e-3:
                p.copy_(uniform(p.shape, 0.1, 0.3))
            elif vector:
                p.mul_(uniform(p.shape, 0.7, 1.3))
            elif p.std() < 1e-4:
                p.copy_(normal(p.shape, 0.2 / p[0].numel() ** 0.5))
            else:
                p.mul_(uniform(p.shape, 0.9, 1.1))
        norms = [m for m in net.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
        if norms:
            for m in norms:
                m.momentum = None
                m.reset_running_stats()
            net.train()
            # Statistics of many pictures: those of two would let rounding grow from layer to layer.
            net(torch.randn((16, *x.shape[1:]), generator=generator))
        for m in norms:
            m.running_mean += normal(m.running_mean.shape, 0.1) * (m.running_var.sqrt() + 0.01)
            m.running_var.mul_(uniform(m.running_var.shape, 0.7, 1.4)).add_(0.01)
    return net.eval()


def failed(folder, name, exporter, error):
    lines = [line for line in str(error).splitlines() if line.strip()]
    text = f"{type(error).__name__}: {lines[0] if lines else ''}"
    (folder / f"{name}.{exporter}.failed").write_text(text[:300] + "\n")


def done(folder, name, exporter):
    return any((folder / f"{name}.{exporter}.{end}").exists() for end in ("onnx", "failed"))


def write(folder, name, make, options):
    """Exports the net that `make()` gives with its input by the exporters that have not done it before; with the option
    `exact` also writes its answer in 64-bit arithmetic."""
    folder = Path(folder)
    exact = folder / f"{name}.exact.npy"
    if all(done(folder, name, e) for e in EXPORTERS) and (exact.exists() or not options.get("exact")):
        return
    torch.manual_seed(0)
    net, x = make()
    net = sane(net, x) if options.get("sane", True) else net.eval()
    np.savez(folder / f"{name}.npz", x=x.numpy())
    for exporter, opset in EXPORTERS.items():
        if done(folder, name, exporter):
            continue
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            try:
                export(net, x, folder / f"{name}.{exporter}.onnx", exporter, options.get("opset", opset), options)
            except Exception as error:
                (folder / f"{name}.{exporter}.onnx").unlink(missing_ok=True)
                failed(folder, name, exporter, error)
    if options.get("exact") and not exact.exists():
        with torch.no_grad():
            np.save(exact, net.double()(x.double()).numpy())
    print(name, flush=True)


def export(net, x, path, exporter, opset, options):
    """One file; the batch is open where the options say so, height and width too."""
    names = dict(input_names=["x"])
    axes = options.get("open", {}).get(exporter, {})
    if exporter == "script":
        torch.onnx.export(net, (x,), str(path), dynamo=False, opset_version=opset,
                          dynamic_axes={"x": axes} if axes else None,
                          do_constant_folding=options.get("folding", True), **names)
    else:
        shapes = {i: torch.export.Dim(n) for i, n in axes.items()}
        program = torch.onnx.export(net, (x,), dynamo=True, opset_version=opset,
                                    dynamic_shapes=(shapes,) if axes else None, **names)
        if options.get("external"):
            program.save(str(path), external_data=True)
        else:
            onnx.save(program.model_proto, str(path))
    if options.get("external") and exporter == "script":
        model = onnx.load(str(path))
        onnx.save(model, str(path), save_as_external_data=True, location=f"{path.name}.data", size_threshold=0)

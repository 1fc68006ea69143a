"""A run of `foveal train mnist` in PyTorch: the same net, epochs, batch and schedule, eager, channels_last.

Prints one JSON object: seconds of training, seconds in all (imports included) and the test accuracy.
Usage: python torch_mnist.py CONFIG_TOML, the file that foveal leaves in its run folder
"""
import os
import time

START = time.perf_counter()
os.environ["CUDA_VISIBLE_DEVICES"] = ""  # before torch is loaded

import json  # noqa: E402
import pathlib  # noqa: E402
import sys  # noqa: E402
import tomllib  # noqa: E402

import torch  # noqa: E402
from serve import frames  # noqa: E402
from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402


def convolution(layer, shape):
    same = layer["padding"] == "SAME"
    assert layer.get("strides", [1, 1]) == [1, 1] or not same
    rest = {"stride": tuple(layer.get("strides", [1, 1])), "dilation": tuple(layer.get("dilations", [1, 1]))}
    rest |= {"groups": layer.get("groups", 1), "bias": layer.get("bias", True)}
    return nn.Conv2d(shape[0], layer["filters"], tuple(layer["kernel"]), padding="same" if same else "valid", **rest)


def layers(spec):
    """The layers one after the other; the shapes come from running them."""
    h, w, c = spec["input"]["shape"]
    x, made = torch.zeros(1, c, h, w), []
    for layer in spec["layer"]:
        kind = layer["kind"]
        if kind == "conv2d":
            made.append(convolution(layer, x.shape[1:]))
        elif kind == "relu":
            made.append(nn.ReLU())
        elif kind == "max_pool":
            ceil = layer.get("padding") == "SAME"
            made.append(nn.MaxPool2d(tuple(layer["ksize"]), tuple(layer.get("strides", layer["ksize"])), ceil_mode=ceil))
        elif kind == "flatten":
            made.append(nn.Flatten())
        elif kind == "dense":
            made.append(nn.Linear(x.shape[1], layer["units"], bias=layer.get("bias", True)))
        elif kind == "dropout":
            made.append(nn.Dropout(layer["rate"]))
        elif kind == "batch_norm":
            made.append(nn.BatchNorm2d(x.shape[1]))
        else:
            raise SystemExit(f"no PyTorch layer for {kind}; add it to {__file__}")
        x = made[-1](x)
    return nn.Sequential(*made)


def factor(schedule, step, steps):
    """As crates/nn/src/schedule.rs."""
    at = step / steps
    if schedule["kind"] == "constant":
        return 1.0
    if schedule["kind"] != "one_cycle":
        raise SystemExit(f"no schedule {schedule['kind']} in {__file__}")
    up, start, end = (schedule[k] for k in ("warmup", "start", "end"))
    return start + (1 - start) * at / up if at < up else 1 + (end - 1) * (at - up) / (1 - up)


def main():
    config = tomllib.loads(pathlib.Path(sys.argv[1]).read_text())
    recipe = config["recipe"]
    if recipe["optimizer"]["kind"] != "adam" or "cross_entropy" not in recipe["loss"]:
        raise SystemExit(f"{__file__} knows Adam and cross entropy only")
    torch.manual_seed(recipe["seed"])

    def images(stem):
        pixels = torch.from_numpy(frames(stem).reshape(-1, 1, 28, 28).copy())
        return pixels.float().div_(255).contiguous(memory_format=torch.channels_last)

    def labels(stem):
        return torch.from_numpy(frames(stem).astype("int64"))

    held = config.get("validation", 5000)
    x, y = images("train-images")[held:], labels("train-labels")[held:]
    xt, yt = images("test-images"), labels("test-labels")
    net = layers(config["spec"]).to(memory_format=torch.channels_last)
    adam = recipe["optimizer"]
    optimizer = torch.optim.Adam(
        net.parameters(), recipe["lr"], (adam["beta1"], adam["beta2"]), adam["epsilon"], fused=True)
    epochs, batch, smoothing = recipe["epochs"], recipe["batch_size"], recipe["loss"]["cross_entropy"]["label_smoothing"]
    steps = -(-len(x) // batch) * epochs
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: factor(recipe["schedule"], step, steps))
    begin = time.perf_counter()
    for _ in range(epochs):
        for take in torch.randperm(len(x)).split(batch):
            loss = F.cross_entropy(net(x[take]), y[take], label_smoothing=smoothing)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            schedule.step()
    trained = time.perf_counter() - begin
    net.eval()
    with torch.inference_mode():
        right = sum((net(a).argmax(1) == b).sum().item() for a, b in zip(xt.split(500), yt.split(500)))
    print(json.dumps({
        "train_seconds": trained,
        "total_seconds": time.perf_counter() - START,
        "test_accuracy": right / len(xt),
    }))


main()

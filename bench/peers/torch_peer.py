"""PyTorch, eager: training, single convolutions, inference. Started with the number of its threads."""
import os
import re
import sys
import time

os.environ["CUDA_VISIBLE_DEVICES"] = ""  # before torch is loaded

import torch  # noqa: E402
from serve import frames, median_seconds, serve  # noqa: E402
from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402

BATCH, WARM_UP = 128, 5
FORMS = {"nchw": torch.contiguous_format, "channels_last": torch.channels_last}
digits = {}


def block(i, o, bias=True):
    return [nn.Conv2d(i, o, 3, padding=1, bias=bias), nn.ReLU(), nn.MaxPool2d(2, ceil_mode=True)]


def net(name):
    drop = lambda: nn.Dropout(0.3)
    flat, relu = nn.Flatten, nn.ReLU
    layers = {
        "8-16": lambda: [*block(1, 8), *block(8, 16), flat(), nn.Linear(784, 10)],
        "16-32-128": lambda: [
            *block(1, 16), *block(16, 32), flat(), nn.Linear(1568, 128), relu(), nn.Linear(128, 10)],
        "lab-11-1": lambda: [*block(1, 32, False), *block(32, 64, False), flat(), nn.Linear(3136, 10)],
        "lab-11-2": lambda: [
            *block(1, 32, False), drop(), *block(32, 64, False), drop(), *block(64, 128, False), drop(),
            flat(), nn.Linear(2048, 625), relu(), drop(), nn.Linear(625, 10)],
        "latency": lambda: [
            nn.Conv2d(1, 16, 5), relu(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 3), relu(), nn.MaxPool2d(2),
            flat(), nn.Linear(800, 128), relu(), nn.Linear(128, 10)],
    }
    torch.manual_seed(0)
    return nn.Sequential(*layers[name]())


def images(form):
    """The 60,000 digits and their labels, from 0 to 1, in memory."""
    if form not in digits:
        x = torch.from_numpy(frames("train-images").reshape(-1, 1, 28, 28).copy())
        y = torch.from_numpy(frames("train-labels").astype("int64"))
        digits[form] = x.float().div_(255).contiguous(memory_format=FORMS[form]), y
    return digits[form]


def batches(count):
    """Shuffled indices of full batches, without end."""
    while True:
        order = torch.randperm(count)
        yield from order[: count // BATCH * BATCH].split(BATCH)


def train(name, form, seconds):
    x, y = images(form)
    model = net(name).to(memory_format=FORMS[form])
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
    seconds, start = float(seconds), 0.0
    for step, take in enumerate(batches(len(x))):
        if step == WARM_UP:
            start = time.perf_counter()
        loss = F.cross_entropy(model(x[take]), y[take])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        wall = time.perf_counter() - start
        if step >= WARM_UP and wall >= seconds:
            return {"images_per_second": (step + 1 - WARM_UP) * BATCH / wall}


def conv(which, shape, seconds):
    n, side, c, k, stride, o = map(int, shape.split(","))
    last = lambda *size: torch.rand(*size).sub_(0.5).contiguous(memory_format=torch.channels_last)
    x, w = last(n, c, side, side), last(o, c, k, k)
    pad = k // 2
    y = F.conv2d(x, w, None, stride, pad)
    flops = 2 * y.numel() * c * k * k
    dy = last(*y.shape)
    backward = lambda mask: torch.ops.aten.convolution_backward(
        dy, x, w, None, [stride] * 2, [pad] * 2, [1, 1], False, [0, 0], 1, mask)
    call = {
        "forward": lambda: F.conv2d(x, w, None, stride, pad),
        "input": lambda: backward([True, False, False]),
        "filter": lambda: backward([False, True, False]),
    }[which]
    with torch.inference_mode():
        return {"gflops": flops / 1e9 / median_seconds(call, float(seconds))}


def latency(form, batch, seconds):
    model = net("latency").eval().to(memory_format=FORMS[form])
    x = torch.rand(int(batch), 1, 28, 28).contiguous(memory_format=FORMS[form])
    with torch.inference_mode():
        return {"seconds": median_seconds(lambda: model(x), float(seconds))}


def about():
    onednn = re.search(r"MKL-DNN v([\d.]+)", torch.__config__.show())
    capability = torch.backends.cpu.get_cpu_capability()
    return {"version": torch.__version__, "onednn": onednn[1] if onednn else "none", "capability": capability}


torch.set_num_threads(int(sys.argv[1]))
serve({"about": about, "train": train, "conv": conv, "latency": latency})

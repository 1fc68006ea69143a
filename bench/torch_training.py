"""Training speed of a net in PyTorch, eager: images a second over one epoch after a warm-up.

Usage: python torch_training.py 8-16|16-32-128|lab-11-1|lab-11-2 nchw|channels_last
"""
import json
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

BATCH, IMAGES = 128, 12_800


def net(name):
    def block(i, o, bias=True):
        return [nn.Conv2d(i, o, 3, padding=1, bias=bias), nn.ReLU(), nn.MaxPool2d(2, ceil_mode=True)]

    if name == "8-16":
        return nn.Sequential(*block(1, 8), *block(8, 16), nn.Flatten(), nn.Linear(784, 10))
    if name == "16-32-128":
        return nn.Sequential(*block(1, 16), *block(16, 32), nn.Flatten(), nn.Linear(1568, 128), nn.ReLU(), nn.Linear(128, 10))
    if name == "lab-11-1":
        return nn.Sequential(*block(1, 32, False), *block(32, 64, False), nn.Flatten(), nn.Linear(3136, 10))
    if name == "lab-11-2":
        drop = lambda: nn.Dropout(0.3)
        return nn.Sequential(
            *block(1, 32, False), drop(), *block(32, 64, False), drop(), *block(64, 128, False), drop(),
            nn.Flatten(), nn.Linear(2048, 625), nn.ReLU(), drop(), nn.Linear(625, 10))
    raise SystemExit(f"no net {name}")


def main():
    name, layout = sys.argv[1:3]
    form = torch.channels_last if layout == "channels_last" else torch.contiguous_format
    torch.manual_seed(0)
    model = net(name).to(memory_format=form)
    x = torch.rand(IMAGES, 1, 28, 28).contiguous(memory_format=form)
    y = torch.randint(10, (IMAGES,))
    opt = torch.optim.Adam(model.parameters(), lr=1e-3)

    def epoch(limit):
        order = torch.randperm(IMAGES)[:limit]
        for i in range(0, limit, BATCH):
            take = order[i:i + BATCH]
            loss = F.cross_entropy(model(x[take]), y[take])
            opt.zero_grad(set_to_none=True)
            loss.backward()
            opt.step()

    epoch(BATCH * 10)
    begin = time.perf_counter()
    epoch(IMAGES)
    print(json.dumps({"images_per_second": IMAGES / (time.perf_counter() - begin)}))


main()

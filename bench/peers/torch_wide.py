"""PyTorch, eager: training steps of wide nets on one batch of random pictures. Started with the number of its threads."""
import os
import sys

os.environ["CUDA_VISIBLE_DEVICES"] = ""  # before torch is loaded

import torch  # noqa: E402
import torchvision  # noqa: E402
from serve import median_seconds, serve  # noqa: E402
from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402

FORMS = {"nchw": torch.contiguous_format, "channels_last": torch.channels_last}
torch.set_num_threads(int(sys.argv[1]))
made = {}


def conv(i, o, pool=False):
    layers = [nn.Conv2d(i, o, 3, padding=1, bias=False), nn.BatchNorm2d(o), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers, *([nn.MaxPool2d(2)] if pool else []))


class Residual(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.way = nn.Sequential(conv(width, width), conv(width, width))

    def forward(self, x):
        return x + self.way(x)


def resnet9():
    return nn.Sequential(
        conv(3, 64), conv(64, 128, True), Residual(128), conv(128, 256, True), conv(256, 256, True), Residual(256),
        nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(256, 10))


def vgg_small():
    block = lambda i, o: [
        nn.Conv2d(i, o, 3, padding=1, bias=False), nn.MaxPool2d(2), nn.BatchNorm2d(o, eps=1e-3), nn.ReLU(inplace=True)]
    return nn.Sequential(
        *block(3, 24), *block(24, 48), *block(48, 96), conv(96, 128), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        nn.Linear(128, 10))


NETS = {
    "resnet18": (224, 1000, torchvision.models.resnet18), "mobilenet_v2": (224, 1000, torchvision.models.mobilenet_v2),
    "resnet9": (32, 10, resnet9), "vgg-small": (32, 10, vgg_small),
}


def trainer(name, form, batch):
    torch.manual_seed(0)
    side, classes, make = NETS[name]
    model = make().to(memory_format=FORMS[form]).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
    x = torch.rand(batch, 3, side, side).contiguous(memory_format=FORMS[form])
    y = torch.randint(classes, (batch,))

    def step():
        loss = F.cross_entropy(model(x), y)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()

    return step


def wide(name, form, batch, seconds):
    key = name, form, batch
    if key not in made:
        made.clear()
        made[key] = trainer(name, form, int(batch))
    return {"images_per_second": int(batch) / median_seconds(made[key], float(seconds))}


serve({"wide": wide})

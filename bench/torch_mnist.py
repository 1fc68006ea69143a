"""The model `fast` in PyTorch: the same net, epochs, batch and schedule, eager, channels_last.

Prints one JSON object: seconds of training, seconds in all (imports included) and the test accuracy.
Usage: python torch_mnist.py DATA_FOLDER [epochs] [batch] [threads]
"""
import time

START = time.perf_counter()
import json  # noqa: E402
import pathlib  # noqa: E402
import sys  # noqa: E402

import numpy as np  # noqa: E402
import torch  # noqa: E402
import zstandard  # noqa: E402
from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402


def frames(folder, stem):
    parts = sorted(pathlib.Path(folder).glob(f"{stem}*"))
    if not parts:
        raise SystemExit(f"no {stem}* in {folder}")
    out = b"".join(
        zstandard.ZstdDecompressor().decompressobj().decompress(p.read_bytes()) if p.suffix == ".zst" else p.read_bytes()
        for p in parts
    )
    return np.frombuffer(out, dtype=np.uint8)


def main():
    folder = sys.argv[1]
    epochs = int(sys.argv[2]) if len(sys.argv) > 2 else 2
    batch = int(sys.argv[3]) if len(sys.argv) > 3 else 96
    if len(sys.argv) > 4:
        torch.set_num_threads(int(sys.argv[4]))
    torch.manual_seed(0)

    def images(stem):
        pixels = torch.from_numpy(frames(folder, stem).reshape(-1, 1, 28, 28).copy())
        return pixels.float().div_(255).contiguous(memory_format=torch.channels_last)

    def labels(stem):
        return torch.from_numpy(frames(folder, stem).astype(np.int64))

    x, y = images("train-images")[5000:], labels("train-labels")[5000:]
    xt, yt = images("test-images"), labels("test-labels")
    net = nn.Sequential(
        nn.Conv2d(1, 8, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(8, 32, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(800, 64), nn.ReLU(), nn.Linear(64, 10),
    ).to(memory_format=torch.channels_last)
    opt = torch.optim.Adam(net.parameters(), lr=0.01, betas=(0.8, 0.98))
    steps = -(-len(x) // batch) * epochs
    up = 0.15

    def factor(step):
        at = step / steps
        return 0.2 + 0.8 * at / up if at < up else 1 - (at - up) / (1 - up)

    schedule = torch.optim.lr_scheduler.LambdaLR(opt, factor)
    begin = time.perf_counter()
    for _ in range(epochs):
        order = torch.randperm(len(x))
        for i in range(0, len(x), batch):
            take = order[i:i + batch]
            loss = F.cross_entropy(net(x[take]), y[take], label_smoothing=0.05)
            opt.zero_grad(set_to_none=True)
            loss.backward()
            opt.step()
            schedule.step()
    trained = time.perf_counter() - begin
    with torch.no_grad():
        right = sum((net(xt[i:i + 500]).argmax(1) == yt[i:i + 500]).sum().item() for i in range(0, len(xt), 500))
    print(json.dumps({
        "train_seconds": trained,
        "total_seconds": time.perf_counter() - START,
        "test_accuracy": right / len(xt),
        "torch": torch.__version__,
    }))


main()

#!/usr/bin/env python3
"""PyTorch's answers with the same weights, which foveal's are compared with, and what half floats cost.

    crates/backbone/reference.py efficientnet-lite0-57934424.pth [PICTURE...]

Writes tests/answers.json: for three pictures made by whole numbers, the logarithms of the classes' probabilities, by
the weights as the crate has them. For each PICTURE it prints how far the probabilities of halves and of the original
weights are apart. Needs PyTorch, timm (whose tf_efficientnet_lite0 has TensorFlow's padding) and Pillow.
"""

import json
import pathlib
import sys

import numpy
import timm
import torch


def network(path, halves):
    state = torch.load(path, map_location="cpu", weights_only=True)
    model = timm.create_model("tf_efficientnet_lite0").eval()
    own = model.state_dict()
    assert [v.shape for v in own.values()] == [v.shape for v in state.values()]
    packed = lambda v: v.half().float() if halves and v.ndim > 1 else v
    model.load_state_dict({name: packed(v) for name, v in zip(own, state.values())})
    return model


def likely(model, pixels):
    x = (torch.tensor(pixels, dtype=torch.float32).permute(2, 0, 1)[None] - 127) / 128
    with torch.no_grad():
        return torch.log_softmax(model(x)[0].double(), 0).numpy()


def made(k):
    y, x, c = numpy.meshgrid(numpy.arange(224), numpy.arange(224), numpy.arange(3), indexing="ij")
    return (x * (k + 1) + y * (3 - c) + (x * y >> (4 + k))) & 255


def main():
    path, pictures = sys.argv[1], sys.argv[2:]
    ours, original = network(path, True), network(path, False)
    answers = [likely(ours, made(k)).round(6).tolist() for k in range(3)]
    to = pathlib.Path(__file__).parent / "tests" / "answers.json"
    to.write_text(json.dumps(answers, separators=(",", ":")) + "\n")
    same, most = 0, 0.0
    for picture in pictures:
        from PIL import Image

        pixels = numpy.array(Image.open(picture).convert("RGB").resize((224, 224), Image.Resampling.BILINEAR))
        a, b = likely(ours, pixels), likely(original, pixels)
        same += a.argmax() == b.argmax()
        most = max(most, abs(numpy.exp(a) - numpy.exp(b)).max())
    if pictures:
        print(f"{same} of {len(pictures)} have the same first answer; a probability differs by at most {most:.5f}")


main()

"""Writes the files of small PyTorch networks as students write them, for the import table.

Usage: onnx_small.py FOLDER [NAME ...]. Needs torch, onnx and onnxscript.
"""

import sys

import onnx_nets as nets
import torch
import torch.nn.functional as F
from torch import nn

CLASSES = 5


class Do(nn.Module):
    """What a function does, between layers."""

    def __init__(self, does):
        super().__init__()
        self.does = does

    def forward(self, *x):
        return self.does(*x)


class Around(nn.Module):
    """What `join` makes of a value and of what layers make of it."""

    def __init__(self, join, *layers):
        super().__init__()
        self.join, self.way = join, nn.Sequential(*layers)

    def forward(self, x):
        return self.join(x, self.way(x))


class Ways(nn.Module):
    """Several ways from one value, joined."""

    def __init__(self, join, *ways):
        super().__init__()
        self.join, self.ways = join, nn.ModuleList(ways)

    def forward(self, x):
        return self.join([way(x) for way in self.ways])


def conv(i, o, k=3, s=1, **more):
    return nn.Conv2d(i, o, k, s, more.pop("padding", k // 2), **more)


def block(i, o, s=1):
    return nn.Sequential(conv(i, o, 3, s, bias=False), nn.BatchNorm2d(o), nn.ReLU())


def head(c):
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(c, CLASSES))


def stem(*layers, c=8):
    """A net of a convolution, what is to be tried, and a head."""
    return nn.Sequential(conv(3, 8), nn.ReLU(), *layers, head(c))


def activation(layer):
    """With and without a convolution before it."""
    return nn.Sequential(conv(3, 8), layer, conv(8, 8), layer, head(8))


class LeNet(nn.Module):
    """With `how` putting numbers in rows."""

    def __init__(self, how, c=1):
        super().__init__()
        self.how = how
        self.conv1, self.conv2 = nn.Conv2d(c, 6, 5, padding=2), nn.Conv2d(6, 16, 5)
        self.fc1, self.fc2, self.fc3 = nn.Linear(16 * 5 * 5, 120), nn.Linear(120, 84), nn.Linear(84, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), (2, 2))
        x = F.relu(self.fc1(self.how(x)))
        return self.fc3(F.relu(self.fc2(x)))


class UNet(nn.Module):
    """Down twice and up twice, `up` made by `how`."""

    def __init__(self, how):
        super().__init__()
        self.down1, self.down2, self.low = block(3, 8), block(8, 12), block(12, 16)
        self.up2, self.up1 = how(16, 12), how(12, 8)
        self.right2, self.right1, self.out = block(24, 12), block(16, 8), nn.Conv2d(8, 2, 1)

    def forward(self, x):
        a = self.down1(x)
        b = self.down2(F.max_pool2d(a, 2))
        c = self.low(F.max_pool2d(b, 2))
        c = self.right2(torch.cat([self.up2(c), b], dim=1))
        return self.out(self.right1(torch.cat([self.up1(c), a], dim=1)))


class Squeeze(nn.Module):
    """Squeeze and excitation (Hu et al. 2018), as most write it."""

    def __init__(self, c, linear):
        super().__init__()
        self.linear = linear
        fc = nn.Linear if linear else lambda i, o: nn.Conv2d(i, o, 1)
        self.fc1, self.fc2 = fc(c, c // 4), fc(c // 4, c)

    def forward(self, x):
        if self.linear:
            n, c, _, _ = x.size()
            y = F.adaptive_avg_pool2d(x, 1).view(n, c)
            return x * torch.sigmoid(self.fc2(F.relu(self.fc1(y)))).view(n, c, 1, 1)
        y = x.mean((2, 3), keepdim=True)
        return x * torch.sigmoid(self.fc2(F.relu(self.fc1(y))))


class Cbam(nn.Module):
    """Gates for channels and places (Woo et al. 2018)."""

    def __init__(self, c):
        super().__init__()
        self.shared = nn.Sequential(nn.Conv2d(c, c // 2, 1), nn.ReLU(), nn.Conv2d(c // 2, c, 1))
        self.place = nn.Conv2d(2, 1, 7, padding=3)

    def forward(self, x):
        gate = self.shared(F.adaptive_avg_pool2d(x, 1)) + self.shared(F.adaptive_max_pool2d(x, 1))
        x = x * torch.sigmoid(gate)
        both = torch.cat([torch.mean(x, 1, keepdim=True), torch.max(x, 1, keepdim=True)[0]], 1)
        return x * torch.sigmoid(self.place(both))


class Shuffle(nn.Module):
    """A unit of ShuffleNet: halves, one of them convolved, shuffled."""

    def __init__(self, c):
        super().__init__()
        self.way = nn.Sequential(block(c // 2, c // 2), conv(c // 2, c // 2, groups=c // 2), nn.BatchNorm2d(c // 2))

    def forward(self, x):
        a, b = x.chunk(2, dim=1)
        x = torch.cat([a, self.way(b)], 1)
        n, c, h, w = x.size()
        return x.view(n, 2, c // 2, h, w).transpose(1, 2).contiguous().view(n, c, h, w)


class Normalized(nn.Module):
    """Bytes-like numbers in, with the mean and deviation of ImageNet in the graph."""

    def __init__(self, last):
        super().__init__()
        self.last = last
        shape = (1, 1, 1, 3) if last else (1, 3, 1, 1)
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]).reshape(shape))
        self.register_buffer("std", torch.tensor([0.229, 0.224, 0.225]).reshape(shape))
        self.net = nn.Sequential(block(3, 8, 2), head(8))

    def forward(self, x):
        x = (x / 255 - self.mean) / self.std
        return self.net(x.permute(0, 3, 1, 2) if self.last else x)


class Heads(nn.Module):
    """Two answers."""

    def __init__(self):
        super().__init__()
        self.body, self.kind, self.box = block(3, 8, 2), head(8), nn.Sequential(conv(8, 4), nn.Sigmoid())

    def forward(self, x):
        x = self.body(x)
        return self.kind(x), self.box(x)


class Autoencoder(nn.Module):
    """By a row of numbers and back to a picture."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Conv2d(1, 8, 3, 2, 1), nn.ReLU(), nn.Conv2d(8, 16, 3, 2, 1), nn.ReLU())
        self.code, self.back = nn.Linear(16 * 4 * 4, 10), nn.Linear(10, 16 * 4 * 4)
        self.decoder = nn.Sequential(
            nn.ConvTranspose2d(16, 8, 3, 2, 1, output_padding=1), nn.ReLU(),
            nn.ConvTranspose2d(8, 1, 2, 2), nn.Sigmoid())

    def forward(self, x):
        x = self.code(self.encoder(x).flatten(1))
        return self.decoder(F.relu(self.back(x)).view(-1, 16, 4, 4))


class LastNorm(nn.Module):
    """ConvNeXt's block: LayerNorm over channels last, a layer scale."""

    def __init__(self, c):
        super().__init__()
        self.deep, self.norm = conv(c, c, 7, groups=c), nn.LayerNorm(c)
        self.up, self.back, self.gamma = nn.Linear(c, 2 * c), nn.Linear(2 * c, c), nn.Parameter(torch.ones(c))

    def forward(self, x):
        y = self.norm(self.deep(x).permute(0, 2, 3, 1))
        y = self.gamma * self.back(F.gelu(self.up(y)))
        return x + y.permute(0, 3, 1, 2)


class ScaleShift(nn.Module):
    """A learnt number for each channel, and one for all."""

    def __init__(self, c):
        super().__init__()
        self.gain, self.shift = nn.Parameter(torch.ones(1, c, 1, 1)), nn.Parameter(torch.zeros(c, 1, 1))
        self.all = nn.Parameter(torch.tensor(1.0))

    def forward(self, x):
        return F.relu(x * self.gain + self.shift) * self.all


class Texts(nn.Module):
    """Kim's network (2014)."""

    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(23, 6)
        self.filters = nn.ModuleList(nn.Conv1d(6, 4, width) for width in (2, 3, 4))
        self.head = nn.Linear(12, 3)

    def forward(self, x):
        x = self.table(x).transpose(1, 2)
        return self.head(torch.cat([torch.relu(f(x)).max(dim=2)[0] for f in self.filters], 1))


def halves():
    """Weights of 16 bits, arithmetic of 32."""

    class Half(nn.Module):
        def __init__(self):
            super().__init__()
            self.w = nn.Parameter(torch.randn(8, 3, 3, 3).half() * 0.2)
            self.head = head(8)

        def forward(self, x):
            return self.head(F.relu(F.conv2d(x, self.w.float(), padding=1)))

    return Half()


def upconv(i, o):
    return nn.ConvTranspose2d(i, o, 2, 2)


def upsample(**how):
    return lambda i, o: nn.Sequential(nn.Upsample(scale_factor=2, **how), nn.Conv2d(i, o, 1))


def inception():
    return Ways(lambda ys: torch.cat(ys, 1), nn.Conv2d(8, 4, 1), nn.Sequential(nn.Conv2d(8, 4, 1), conv(4, 6)),
                nn.Sequential(nn.Conv2d(8, 2, 1), conv(2, 4, 5)), nn.Sequential(nn.MaxPool2d(3, 1, 1), nn.Conv2d(8, 2, 1)))


def small():
    """Each net: what makes it, the shape of its input, options."""
    x, grey, line = (2, 3, 16, 20), (2, 1, 28, 28), (2, 3, 24)
    open_batch = {"open": {"script": {0: "n"}, "dynamo": {0: "n"}}}
    return {
        # Rows of numbers.
        "lenet_view_batch": (lambda: LeNet(lambda x: x.view(x.size(0), -1)), grey, open_batch),
        "lenet_view_minus1": (lambda: LeNet(lambda x: x.view(-1, 16 * 5 * 5)), grey, open_batch),
        "lenet_flatten": (lambda: LeNet(lambda x: torch.flatten(x, 1)), grey, {}),
        "lenet_reshape_shape0": (lambda: LeNet(lambda x: x.reshape(x.shape[0], -1)), grey, open_batch),
        "lenet_flat_features": (
            lambda: LeNet(lambda x: x.view(-1, x.size(1) * x.size(2) * x.size(3))), grey, open_batch),
        "lenet_no_folding": (lambda: LeNet(nn.Flatten()), grey, {"folding": False, **open_batch}),
        "mlp": (lambda: nn.Sequential(nn.Flatten(), nn.Linear(784, 32), nn.ReLU(), nn.Dropout(0.2),
                                      nn.Linear(32, 10), nn.LogSoftmax(dim=1)), grey, {}),
        "mean_dims": (lambda: nn.Sequential(block(3, 8), Do(lambda x: x.mean([2, 3])), nn.Linear(8, 5)), x, {}),
        "mean_twice": (lambda: nn.Sequential(block(3, 8), Do(lambda x: x.mean(3).mean(2)), nn.Linear(8, 5)), x, {}),
        "amax": (lambda: nn.Sequential(block(3, 8), Do(lambda x: x.amax((2, 3))), nn.Linear(8, 5)), x, {}),
        "squeeze_ends": (lambda: nn.Sequential(block(3, 8), nn.AdaptiveAvgPool2d(1), Do(lambda x: x.squeeze(-1).squeeze(-1)),
                                               nn.Linear(8, 5)), x, open_batch),
        "squeeze_all": (lambda: nn.Sequential(block(3, 8), nn.AdaptiveAvgPool2d(1), Do(lambda x: torch.squeeze(x)),
                                              nn.Linear(8, 5)), x, {}),
        "unsqueeze_back": (lambda: nn.Sequential(block(3, 8), nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(8, 8),
                                                 Do(lambda x: x[:, :, None, None]), nn.Conv2d(8, 5, 1), nn.Flatten()), x, {}),
        "adaptive_to_2x2": (lambda: nn.Sequential(block(3, 8), nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(32, 5)), x, {}),
        "adaptive_max_4x5": (lambda: nn.Sequential(block(3, 8), nn.AdaptiveMaxPool2d((4, 5)), nn.Flatten(), nn.Linear(160, 5)), x, {}),
        # Layers in several ways.
        "residual": (lambda: stem(Around(torch.add, block(8, 8), conv(8, 8)), nn.ReLU()), x, open_batch),
        "residual_weighted": (lambda: stem(Around(lambda x, y: F.relu(x + 0.3 * y), block(8, 8))), x, {}),
        "inception_block": (lambda: stem(inception(), c=16), x, {}),
        "depthwise_separable": (lambda: stem(conv(8, 8, groups=8, bias=False), nn.BatchNorm2d(8), nn.ReLU6(), nn.Conv2d(8, 16, 1), c=16), x, {}),
        "bottleneck_inverted": (lambda: stem(Around(torch.add, nn.Conv2d(8, 24, 1), nn.BatchNorm2d(24), nn.Hardswish(),
                                                    conv(24, 24, groups=24), nn.BatchNorm2d(24), nn.Hardswish(), nn.Conv2d(24, 8, 1))), x, {}),
        "se_linear": (lambda: stem(Squeeze(8, True)), x, open_batch),
        "se_conv": (lambda: stem(Squeeze(8, False)), x, open_batch),
        "cbam": (lambda: stem(Cbam(8)), x, open_batch),
        "shuffle": (lambda: stem(Shuffle(8)), x, open_batch),
        "dense_block": (lambda: stem(Around(lambda x, y: torch.cat((x, y), 1), block(8, 4)), block(12, 8)), x, {}),
        "gated": (lambda: stem(Ways(lambda ys: torch.tanh(ys[0]) * torch.sigmoid(ys[1]), conv(8, 8), conv(8, 8))), x, {}),
        "maxout": (lambda: stem(Ways(lambda ys: torch.maximum(ys[0], ys[1]), conv(8, 8), conv(8, 8))), x, {}),
        "difference": (lambda: stem(Ways(lambda ys: ys[0] - ys[1], conv(8, 8), conv(8, 8))), x, {}),
        "split_glu": (lambda: stem(conv(8, 16), nn.GLU(dim=1)), x, {}),
        "split_three": (lambda: stem(conv(8, 12), Do(lambda x: torch.cat(torch.split(x, [3, 4, 5], 1)[::-1], 1)), c=12), x, {}),
        "slices": (lambda: stem(Do(lambda x: x[:, :4] * x[:, 4:]), Do(lambda x: x[:, :, 1:-1, ::2]), c=4), x, {}),
        "patches_focus": (lambda: nn.Sequential(Do(lambda x: torch.cat(
            [x[..., ::2, ::2], x[..., 1::2, ::2], x[..., ::2, 1::2], x[..., 1::2, 1::2]], 1)), conv(12, 8), head(8)), x, {}),
        "learnt_scale": (lambda: stem(ScaleShift(8)), x, {}),
        "layer_scale_last": (lambda: stem(LastNorm(8)), x, {}),
        "dropouts": (lambda: nn.Sequential(block(3, 8), nn.Dropout2d(0.3), nn.AlphaDropout(0.1), head(8), nn.Dropout(0.5)), x, {"folding": False}),
        # Decoders.
        "autoencoder": (Autoencoder, (2, 1, 16, 16), open_batch),
        "transposed_conv": (lambda: nn.Sequential(block(3, 8, 2), nn.ConvTranspose2d(8, 6, 4, 2, 1), nn.ReLU(),
                                                  nn.ConvTranspose2d(6, 6, 3, 1, 1, groups=2), conv(6, 1)), x, {}),
        "transposed_dilated": (lambda: nn.Sequential(block(3, 8, 2), nn.ConvTranspose2d(8, 4, 3, (2, 3), (1, 0), (1, 2), dilation=(2, 1))), x, {}),
        "dcgan": (lambda: nn.Sequential(Do(lambda z: z.view(-1, 12, 1, 1)), nn.ConvTranspose2d(12, 8, 4, bias=False), nn.BatchNorm2d(8), nn.ReLU(),
                                        nn.ConvTranspose2d(8, 3, 4, 2, 1), nn.Tanh()), (2, 12), {}),
        "unet_transposed": (lambda: UNet(upconv), x, open_batch),
        "unet_nearest": (lambda: UNet(upsample(mode="nearest")), x, open_batch),
        "unet_bilinear": (lambda: UNet(upsample(mode="bilinear", align_corners=False)), x, {}),
        "unet_bilinear_corners": (lambda: UNet(upsample(mode="bilinear", align_corners=True)), x, open_batch),
        "resize_to_size": (lambda: nn.Sequential(block(3, 8, 2), Do(lambda x: F.interpolate(x, size=(11, 17), mode="bilinear")), conv(8, 2)), x, {}),
        "resize_nearest_odd": (lambda: nn.Sequential(block(3, 8, 2), Do(lambda x: F.interpolate(x, size=(11, 17))), conv(8, 2)), x, {}),
        "resize_bicubic": (lambda: nn.Sequential(block(3, 8, 2), nn.Upsample(scale_factor=2, mode="bicubic"), conv(8, 2)), x, {}),
        "resize_like": (lambda: Around(lambda x, y: F.interpolate(y, size=x.shape[2:], mode="bilinear", align_corners=False), block(3, 8, 2)), x, open_batch),
        "pixel_shuffle": (lambda: nn.Sequential(block(3, 8), conv(8, 12), nn.PixelShuffle(2)), x, {}),
        "pixel_unshuffle": (lambda: nn.Sequential(nn.PixelUnshuffle(2), conv(12, 8), head(8)), x, {}),
        # Padding.
        "zero_pad": (lambda: nn.Sequential(nn.ZeroPad2d((1, 2, 0, 1)), nn.Conv2d(3, 8, 3, 2), nn.ReLU(), head(8)), x, {}),
        "zero_pad_alone": (lambda: nn.Sequential(conv(3, 8), nn.ZeroPad2d(2), nn.Sigmoid(), head(8)), x, {}),
        "reflection_pad": (lambda: nn.Sequential(nn.ReflectionPad2d((1, 2, 3, 1)), nn.Conv2d(3, 8, 3), nn.ReLU(), head(8)), x, {}),
        "replication_pad": (lambda: nn.Sequential(nn.ReplicationPad2d(2), nn.Conv2d(3, 8, 5), nn.ReLU(), head(8)), x, {}),
        "circular_pad": (lambda: nn.Sequential(nn.Conv2d(3, 8, 3, padding=1, padding_mode="circular"), nn.ReLU(), head(8)), x, {}),
        "same_pad": (lambda: nn.Sequential(nn.Conv2d(3, 8, (3, 4), padding="same"), nn.ReLU(), head(8)), x, {}),
        "pad_channels": (lambda: stem(Around(lambda x, y: F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 2, 2)) + y, conv(8, 12, 3, 2)), c=12), x, {}),
        "pools_odd": (lambda: stem(nn.MaxPool2d(3, 2, 1), nn.AvgPool2d(3, 2, 1), nn.MaxPool2d(2, ceil_mode=True)), (2, 3, 17, 23), {}),
        "pools_ceil": (lambda: stem(nn.AvgPool2d(3, 2, 1, ceil_mode=True), nn.AvgPool2d(2, 2, 1, count_include_pad=False)), (2, 3, 18, 22), {}),
        # Normalization.
        "group_norm": (lambda: stem(nn.GroupNorm(4, 8), nn.ReLU(), conv(8, 8), nn.GroupNorm(1, 8)), x, {}),
        "instance_norm": (lambda: stem(nn.InstanceNorm2d(8, affine=True), nn.ReLU(), conv(8, 8), nn.InstanceNorm2d(8), nn.ReLU()), x, {}),
        "layer_norm_channels": (lambda: stem(Do(lambda x: x.permute(0, 2, 3, 1)), nn.LayerNorm(8), Do(lambda x: x.permute(0, 3, 1, 2))), x, {}),
        "layer_norm_all": (lambda: stem(nn.LayerNorm([8, 16, 20])), x, {}),
        "local_response_norm": (lambda: stem(nn.LocalResponseNorm(5, 0.3, 0.75, 1.5), conv(8, 8), nn.LocalResponseNorm(3, 0.2)), x, {}),
        "l2_normalized": (lambda: nn.Sequential(block(3, 8), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 16),
                                                Do(lambda x: F.normalize(x, dim=1)), nn.Linear(16, 5)), x, {}),
        "norm_then_conv": (lambda: nn.Sequential(nn.BatchNorm2d(3), conv(3, 8), nn.ReLU(), nn.BatchNorm2d(8), head(8), nn.BatchNorm1d(5)), x, {}),
        # Activations.
        "prelu": (lambda: nn.Sequential(conv(3, 8), nn.PReLU(8), conv(8, 8), nn.PReLU(), head(8)), x, {}),
        "elu_selu_celu": (lambda: nn.Sequential(conv(3, 8), nn.ELU(0.7), conv(8, 8), nn.SELU(), conv(8, 8), nn.CELU(1.3), head(8)), x, {}),
        "silu_mish": (lambda: nn.Sequential(conv(3, 8), nn.SiLU(), conv(8, 8), nn.Mish(), head(8)), x, {}),
        "hardswish_hardsigmoid": (lambda: nn.Sequential(conv(3, 8), nn.Hardswish(), conv(8, 8), nn.Hardsigmoid(), head(8)), x, {}),
        "hardswish_by_hand": (lambda: activation(Do(lambda x: x * F.relu6(x + 3) / 6)), x, {}),
        "softplus_softsign": (lambda: nn.Sequential(conv(3, 8), nn.Softplus(), conv(8, 8), nn.Softsign(), head(8)), x, {}),
        "gelus": (lambda: nn.Sequential(conv(3, 8), nn.GELU(), conv(8, 8), nn.GELU("tanh"), head(8)), x, {}),
        "leaky_tanh_clamp": (lambda: nn.Sequential(conv(3, 8), nn.LeakyReLU(0.1), conv(8, 8), nn.Tanh(), nn.Hardtanh(-0.4, 0.7),
                                                   Do(lambda x: torch.clamp(x, min=-0.2)), head(8)), x, {}),
        "logsigmoid_abs_exp": (lambda: nn.Sequential(conv(3, 8), nn.LogSigmoid(), conv(8, 8), Do(lambda x: x.abs().sqrt() + torch.exp(-x)), head(8)), x, {}),
        "softmax_map": (lambda: nn.Sequential(block(3, 8), nn.Conv2d(8, 4, 1), nn.Softmax(dim=1)), x, {}),
        # Rows of places and texts.
        "conv1d": (lambda: nn.Sequential(nn.Conv1d(3, 8, 5, 2, 2), nn.BatchNorm1d(8), nn.ReLU(), nn.MaxPool1d(2),
                                         nn.Conv1d(8, 8, 3, padding=2, dilation=2), nn.ReLU(), nn.AdaptiveAvgPool1d(1), nn.Flatten(),
                                         nn.Linear(8, 4)), line, open_batch),
        "texts": (Texts, "tokens", open_batch),
        # What goes in and out.
        "preprocess_inside": (lambda: Normalized(False), x, {}),
        "channels_last_input": (lambda: Normalized(True), (2, 16, 20, 3), open_batch),
        "two_outputs": (Heads, x, {}),
        "open_height_and_width": (lambda: nn.Sequential(block(3, 8, 2), head(8)), x,
                                  {"open": {e: {0: "n", 2: "h", 3: "w"} for e in nets.EXPORTERS}}),
        "halves": (halves, x, {"folding": False}),
        "external_data": (lambda: stem(block(8, 16, 2), c=16), x, {"external": True}),
    }


def inputs(shape):
    generator = torch.Generator().manual_seed(3)
    if shape == "tokens":
        return torch.randint(0, 23, (2, 9), generator=generator)
    return torch.randn(shape, generator=generator)


def main():
    nets.calm()
    folder, only = sys.argv[1], sys.argv[2:]
    for name, (make, shape, options) in small().items():
        if not only or f"small_{name}" in only:
            nets.write(folder, f"small_{name}", lambda: (make(), inputs(shape)), options)


if __name__ == "__main__":
    main()

"""Writes the files of small Keras networks, by Keras's own exporter (tf2onnx), for the import table.

Usage: onnx_keras.py FOLDER [NAME ...]. Needs tensorflow, tf2onnx and onnx, which may be other ones than PyTorch's.
"""

import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import keras
import numpy as np
import onnx
from keras import layers as L

OPSET = 15


def sequential(shape, *layers):
    return keras.Sequential([keras.Input(shape), *layers])


def functional(shape, build):
    x = keras.Input(shape)
    return keras.Model(x, build(x))


def block(x, filters, strides=1):
    x = L.Conv2D(filters, 3, strides, "same", use_bias=False)(x)
    return L.ReLU()(L.BatchNormalization()(x))


def residual(x):
    x = block(x, 8)
    y = L.Conv2D(12, 3, 2, "same")(L.Activation("swish")(x))
    return L.Dense(4, "softmax")(L.GlobalAveragePooling2D()(L.add([y, L.Conv2D(12, 1, 2)(x)])))


def unet(x):
    a = block(x, 6)
    b = block(L.MaxPooling2D()(a), 8)
    up = L.UpSampling2D(interpolation="bilinear")(b)
    return L.Conv2D(1, 1, activation="sigmoid")(block(L.Concatenate()([up, a]), 6))


def squeeze(x):
    x = block(x, 8)
    y = L.Dense(8, "sigmoid")(L.Dense(4, "relu")(L.GlobalAveragePooling2D(keepdims=True)(x)))
    return L.Dense(3)(L.GlobalMaxPooling2D()(L.Multiply()([x, y])))


def normalization():
    return L.Normalization(mean=[10.0, 20.0, 30.0], variance=[4.0, 9.0, 16.0])


def nets():
    """Each net: what makes it, and the shape of its input."""
    return {
        "mnist": lambda: sequential(
            (28, 28, 1), L.Conv2D(8, 3, activation="relu"), L.MaxPooling2D(), L.Conv2D(12, 3, activation="relu"),
            L.MaxPooling2D(), L.Flatten(), L.Dropout(0.5), L.Dense(10, "softmax")),
        "dense": lambda: sequential((28, 28), L.Flatten(), L.Dense(32, "relu"), L.Dense(10)),
        "residual": lambda: functional((16, 20, 3), residual),
        "transposed": lambda: sequential(
            (8, 10, 3), L.Conv2DTranspose(8, 3, 2, "same", activation="elu"), L.Conv2DTranspose(4, 4, 2, "valid"),
            L.Conv2D(1, 3, padding="same")),
        "separable": lambda: sequential(
            (17, 20, 3), L.SeparableConv2D(8, 3, 2, "same"), L.LeakyReLU(negative_slope=0.2),
            L.DepthwiseConv2D(3, 1, "same", depth_multiplier=2), L.PReLU(shared_axes=[1, 2]), L.GlobalAveragePooling2D(), L.Dense(4)),
        "upsampling": lambda: sequential(
            (8, 10, 3), L.Conv2D(6, 3, 2, "same", activation="mish"), L.UpSampling2D(2), L.Conv2D(3, 3, padding="same", activation="tanh")),
        "unet": lambda: functional((16, 20, 3), unet),
        "rescaling": lambda: sequential(
            (16, 20, 3), L.Rescaling(1 / 127.5, -1), L.Conv2D(6, 3, activation="relu"), L.AveragePooling2D(3, 2, "same"),
            L.Flatten(), L.Dense(4)),
        "normalization": lambda: sequential(
            (16, 20, 3), normalization(), L.ZeroPadding2D(((1, 0), (2, 1))), L.Conv2D(6, 3, 2, activation="selu"),
            L.SpatialDropout2D(0.2), L.GlobalMaxPooling2D(), L.Dense(4)),
        "squeeze": lambda: functional((16, 20, 3), squeeze),
        "reshape": lambda: sequential(
            (12,), L.Dense(4 * 5 * 6, "relu"), L.Reshape((4, 5, 6)), L.UpSampling2D(), L.Conv2D(3, 3, padding="same"),
            L.Cropping2D(((1, 2), (0, 1)))),
        "layer_norm_1d": lambda: sequential(
            (24, 3), L.Conv1D(8, 5, 2, "same"), L.LayerNormalization(), L.ReLU(6.0), L.MaxPooling1D(), L.GlobalAveragePooling1D(), L.Dense(4)),
    }


def sane(net):
    """Weights none of which is 0 or 1."""
    random = np.random.default_rng(1)
    for weight in net.weights:
        name, shape = weight.path.split("/")[-1], weight.shape
        if any(n in name for n in ("variance", "gamma")):
            weight.assign(random.uniform(0.5, 1.5, shape))
        elif weight.dtype == "float32" and len(shape) <= 1 or "alpha" in name:
            weight.assign(random.normal(0, 0.2, shape))


def main():
    folder, only = Path(sys.argv[1]), sys.argv[2:]
    for name, make in nets().items():
        label = f"keras_{name}"
        path = folder / f"{label}.tf2onnx.onnx"
        if only and label not in only or path.exists() or path.with_suffix(".failed").exists():
            continue
        keras.utils.set_random_seed(0)
        net = make()
        sane(net)
        x = np.random.default_rng(2).normal(0, 1, (2, *net.input_shape[1:])).astype(np.float32)
        np.savez(folder / f"{label}.npz", x=x)
        try:
            net(x)
            net.export(str(path), format="onnx", opset_version=OPSET, verbose=False)
            inputs = [i.name for i in onnx.load(str(path)).graph.input]
            if len(inputs) > 1:
                path.unlink()
                raise ValueError(f"it leaves constants as inputs: {inputs[1:]}")
        except Exception as error:
            path.with_suffix(".failed").write_text(f"{type(error).__name__}: {str(error).splitlines()[0][:250]}\n")
        print(label, flush=True)


if __name__ == "__main__":
    main()

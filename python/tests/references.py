"""The operators as their definitions say, written with NumPy and loops."""

from __future__ import annotations

import numpy as np


def pair(v):
    return (v, v) if isinstance(v, int) else tuple(v)


def sides(padding, extents, kernel, strides, dilations=(1, 1)):
    """Rows and columns before and after."""
    reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilations)]
    if isinstance(padding, int):
        return [(padding, padding)] * 2
    if not isinstance(padding, str):
        return [tuple(padding[:2]), tuple(padding[2:])] if len(padding) == 4 else [tuple(p) for p in padding]
    if padding.upper() == "VALID":
        return [(0, 0), (0, 0)]
    total = [max((-(-n // s) - 1) * s + r - n, 0) for n, s, r in zip(extents, strides, reach)]
    return [(t // 2, t - t // 2) for t in total]


def pads(x, f, options):
    """The padding of a convolution, or None where no window fits."""
    strides, dilations = pair(options["strides"]), pair(options["dilations"])
    p = sides(options["padding"], x.shape[1:3], f.shape[:2], strides, dilations)
    for n, (before, after), k, d in zip(x.shape[1:3], p, f.shape[:2], dilations):
        if n + before + after < (k - 1) * d + 1:
            return None
    return p


def conv2d(x, f, strides=1, padding="VALID", dilations=1, groups=1):
    (sh, sw), (dh, dw) = pair(strides), pair(dilations)
    p = sides(padding, x.shape[1:3], f.shape[:2], (sh, sw), (dh, dw))
    x = np.pad(np.asarray(x, np.float64), [(0, 0), *p, (0, 0)])
    kh, kw, depth, filters = f.shape
    oh = (x.shape[1] - (kh - 1) * dh - 1) // sh + 1
    ow = (x.shape[2] - (kw - 1) * dw - 1) // sw + 1
    y = np.zeros((x.shape[0], oh, ow, filters))
    each = filters // groups
    for i in range(oh):
        for j in range(ow):
            window = x[:, i * sh : i * sh + (kh - 1) * dh + 1 : dh, j * sw : j * sw + (kw - 1) * dw + 1 : dw]
            for g in range(groups):
                own = slice(g * each, (g + 1) * each)
                y[:, i, j, own] = np.tensordot(window[..., g * depth : (g + 1) * depth], f[..., own], 3)
    return y


def windows(x, ksize, strides, padding):
    """Each window's place in the output and the cells of the image that it covers."""
    (kh, kw), (sh, sw) = ksize, strides
    (top, _), (left, _) = p = sides(padding, x.shape[1:3], ksize, strides)
    oh = (x.shape[1] + sum(p[0]) - kh) // sh + 1
    ow = (x.shape[2] + sum(p[1]) - kw) // sw + 1
    for i in range(oh):
        for j in range(ow):
            rows = slice(max(i * sh - top, 0), min(i * sh - top + kh, x.shape[1]))
            columns = slice(max(j * sw - left, 0), min(j * sw - left + kw, x.shape[2]))
            yield i, j, rows, columns, (oh, ow)


def max_pool(x, ksize, strides, padding):
    """The largest of each window, and where it is in the flat image."""
    flat = np.arange(x.size).reshape(x.shape)
    y = places = None
    for i, j, rows, columns, (oh, ow) in windows(x, ksize, strides, padding):
        if y is None:
            y = np.zeros((x.shape[0], oh, ow, x.shape[3]), np.float32)
            places = np.zeros(y.shape, int)
        cells = x[:, rows, columns].reshape(x.shape[0], -1, x.shape[3])
        at = cells.argmax(1)[:, None]
        y[:, i, j] = np.take_along_axis(cells, at, 1)[:, 0]
        places[:, i, j] = np.take_along_axis(flat[:, rows, columns].reshape(cells.shape), at, 1)[:, 0]
    return y, places


def avg_pool(x, ksize, strides, padding):
    y = None
    for i, j, rows, columns, (oh, ow) in windows(x, ksize, strides, padding):
        if y is None:
            y = np.zeros((x.shape[0], oh, ow, x.shape[3]))
        y[:, i, j] = x[:, rows, columns].mean((1, 2))
    return y

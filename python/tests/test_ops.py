"""The operators against definitions written with NumPy, whatever the arrays look like in memory."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from references import avg_pool, conv2d, max_pool, pads

from foveal import ops

RNG = np.random.default_rng(777)


def odd_copies(x):
    """The same numbers, lying in memory in other ways and as other types."""
    yield np.asfortranarray(x)
    wide = np.repeat(x, 2, axis=-2)
    yield wide[..., ::2, :]
    yield x[:, ::-1][:, ::-1]
    yield np.ascontiguousarray(x[:, :, ::-1])[:, :, ::-1]
    yield np.ascontiguousarray(x.transpose(3, 2, 1, 0)).transpose(3, 2, 1, 0)
    yield x.astype(np.float64)
    yield x.astype(">f4")
    yield x.astype(np.float16)
    yield x.astype(np.int64)
    yield x.astype(np.int8)
    yield x.tolist()
    record = np.zeros(x.shape, dtype=[("pad", "u1"), ("x", "<f4")])
    record["x"] = x
    yield record["x"]
    frozen = x.copy()
    frozen.flags.writeable = False
    yield frozen


def random_case():
    groups = int(RNG.choice([1, 1, 1, 2]))
    c, filters = groups * int(RNG.integers(1, 4)), groups * int(RNG.integers(1, 4))
    n, h, w = (int(v) for v in RNG.integers(1, [4, 11, 11]))
    kh, kw = (int(v) for v in RNG.integers(1, 4, 2))
    strides = tuple(int(v) for v in RNG.integers(1, 4, 2))
    dilations = tuple(int(v) for v in RNG.integers(1, 3, 2))
    padding = ["SAME", "VALID", "same", ((1, 0), (0, 2)), (1, 1, 1, 1)][int(RNG.integers(5))]
    x = RNG.integers(-5, 6, (n, h, w, c)).astype(np.float32)
    f = RNG.integers(-3, 4, (kh, kw, c // groups, filters)).astype(np.float32)
    return x, f, dict(strides=strides, dilations=dilations, padding=padding, groups=groups)


def test_the_lectures_numbers():
    image = np.arange(1, 10, dtype=np.float32).reshape(1, 3, 3, 1)
    ones = np.ones((2, 2, 1, 1), dtype=np.float32)
    assert ops.conv2d(image, ones).ravel().tolist() == [12, 16, 24, 28]
    assert ops.conv2d(image, ones, padding="SAME").ravel().tolist() == [12, 16, 9, 24, 28, 15, 15, 17, 9]
    toy = np.array([[[[4], [3]], [[2], [1]]]])
    assert ops.max_pool2d(toy, 2, strides=1).ravel().tolist() == [4]
    assert ops.max_pool2d(toy, 2, strides=1, padding="SAME").ravel().tolist() == [4, 3, 2, 1]
    assert ops.avg_pool2d(toy, 2, strides=1, padding="SAME").ravel().tolist() == [2.5, 2, 1.5, 1]


def test_convolutions_of_random_shapes():
    compared = 0
    for _ in range(400):
        x, f, options = random_case()
        try:
            y = ops.conv2d(x, f, **options)
        except ValueError as problem:
            assert pads(x, f, options) is None, (problem, x.shape, f.shape, options)
            continue
        np.testing.assert_allclose(y, conv2d(x, f, **options), rtol=1e-5, atol=1e-4)
        compared += 1
    assert compared > 200


def test_gradients_are_those_of_the_definition():
    compared = 0
    for _ in range(200):
        x, f, options = random_case()
        if pads(x, f, options) is None:
            continue
        dy = RNG.integers(-3, 4, conv2d(x, f, **options).shape).astype(np.float32)
        dx, df, db = ops.conv2d_backward(x, f, dy, **options)
        # The convolution is linear in both: <conv(x', f), dy> = <x', dx> for every x', and likewise for f.
        for _ in range(2):
            other, filter = RNG.normal(size=x.shape), RNG.normal(size=f.shape)
            np.testing.assert_allclose((conv2d(other, f, **options) * dy).sum(), (other * dx).sum(), rtol=1e-4, atol=1e-3)
            np.testing.assert_allclose((conv2d(x, filter, **options) * dy).sum(), (filter * df).sum(), rtol=1e-4, atol=1e-3)
        np.testing.assert_allclose(db, dy.sum((0, 1, 2)), rtol=1e-5, atol=1e-4)
        np.testing.assert_array_equal(ops.conv2d_backward_input(x.shape, f, dy, **options), dx)
        np.testing.assert_array_equal(ops.conv2d_backward_filter(x, f.shape, dy, **options), df)
        compared += 1
    assert compared > 80


def test_poolings_of_random_shapes_and_their_gradients():
    compared = 0
    for _ in range(300):
        n, h, w, c = (int(v) for v in RNG.integers(1, [4, 12, 12, 5]))
        ksize = tuple(int(v) for v in RNG.integers(1, 4, 2))
        strides = tuple(int(v) for v in RNG.integers(1, 4, 2))
        padding = str(RNG.choice(["SAME", "VALID"]))
        if padding == "VALID" and (ksize[0] > h or ksize[1] > w):
            continue
        x = RNG.normal(size=(n, h, w, c)).astype(np.float32)
        options = dict(strides=strides, padding=padding)
        y, places = max_pool(x, ksize, strides, padding)
        np.testing.assert_array_equal(ops.max_pool2d(x, ksize, **options), y)
        dy = RNG.normal(size=y.shape).astype(np.float32)
        want = np.zeros_like(x)
        np.add.at(want.reshape(-1), places.ravel(), dy.ravel())
        np.testing.assert_allclose(ops.max_pool2d_backward(x, dy, ksize, **options), want, rtol=1e-5, atol=1e-5)
        mean = avg_pool(x, ksize, strides, padding)
        np.testing.assert_allclose(ops.avg_pool2d(x, ksize, **options), mean, rtol=1e-5, atol=1e-5)
        dx = ops.avg_pool2d_backward(x.shape, dy, ksize, **options)
        np.testing.assert_allclose((mean * dy).sum(), (x * dx).sum(), rtol=1e-4, atol=1e-4)
        compared += 1
    assert compared > 150


def test_arrays_may_lie_in_memory_in_any_way():
    x = RNG.integers(-9, 10, (2, 6, 7, 3)).astype(np.float32)
    f = RNG.integers(-9, 10, (3, 2, 3, 4)).astype(np.float32)
    want = ops.conv2d(x, f, padding="SAME", strides=2)
    want_pool = ops.max_pool2d(x, 2)
    for odd in odd_copies(x):
        np.testing.assert_array_equal(ops.conv2d(odd, f, padding="SAME", strides=2), want)
        np.testing.assert_array_equal(ops.max_pool2d(odd, 2), want_pool)
    for odd in odd_copies(f):
        np.testing.assert_array_equal(ops.conv2d(x, odd, padding="SAME", strides=2), want)


def test_foreign_arrays_go_in():
    x = RNG.integers(0, 255, (5, 6)).astype(np.uint8)
    want = ops.conv2d(x.reshape(1, 5, 6, 1), np.ones((2, 2, 1, 1)))
    pandas, image = pytest.importorskip("pandas"), pytest.importorskip("PIL.Image")
    for given in [pandas.DataFrame(x), image.fromarray(x)]:
        array = np.asarray(given)[None, :, :, None]
        np.testing.assert_array_equal(ops.conv2d(array, np.ones((2, 2, 1, 1))), want)
        np.testing.assert_array_equal(ops.relu(given), x)


def test_torch_tensors_go_in_and_torch_agrees():
    torch = pytest.importorskip("torch")
    x, f = RNG.normal(size=(3, 9, 8, 4)).astype(np.float32), RNG.normal(size=(3, 3, 4, 5)).astype(np.float32)
    tx, tf = torch.tensor(x, requires_grad=True), torch.tensor(f, requires_grad=True)
    y = torch.nn.functional.conv2d(tx.permute(0, 3, 1, 2), tf.permute(3, 2, 0, 1), padding=1, stride=2)
    dy = torch.randn_like(y)
    y.backward(dy)
    options = dict(padding=1, strides=2)
    ours = ops.conv2d(tx.detach(), tf.detach(), **options)
    np.testing.assert_allclose(ours, y.detach().permute(0, 2, 3, 1), rtol=1e-4, atol=1e-4)
    dx, df, _ = ops.conv2d_backward(x, f, dy.permute(0, 2, 3, 1), **options)
    np.testing.assert_allclose(dx, tx.grad, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(df, tf.grad, rtol=1e-4, atol=1e-4)
    with pytest.raises(TypeError, match="conv2d: x cannot be read as an array"):
        ops.conv2d(tx, tf.detach())


X, F = np.zeros((1, 4, 4, 2), np.float32), np.zeros((2, 2, 2, 3), np.float32)


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda: ops.conv2d(5.0, F), ValueError, "conv2d: input must be"),
        (lambda: ops.conv2d(X[0], F), ValueError, "input [4, 4, 2]"),
        (lambda: ops.conv2d(X, np.zeros((2, 2, 3, 3))), ValueError, "filter depth 3"),
        (lambda: ops.conv2d(X, F, np.zeros(2)), ValueError, "bias"),
        (lambda: ops.conv2d(X, F, strides=0), ValueError, "strides"),
        (lambda: ops.conv2d(X, F, strides=(1, 2, 3)), ValueError, "strides must be a whole number"),
        (lambda: ops.conv2d(X, F, strides=1.5), ValueError, "not 1.5"),
        (lambda: ops.conv2d(X, F, padding="FULL"), ValueError, "'FULL'"),
        (lambda: ops.conv2d(X, F, padding=object()), TypeError, "padding must be 'SAME'"),
        (lambda: ops.conv2d(X, F, padding=-1), ValueError, "-1"),
        (lambda: ops.conv2d(X, F, groups=3), ValueError, "conv2d"),
        (lambda: ops.conv2d(X.astype(complex), F), TypeError, "dtype complex128"),
        (lambda: ops.conv2d([["a"]], F), TypeError, "dtype <U1"),
        (lambda: ops.conv2d(None, F), TypeError, "not NoneType"),
        (lambda: ops.conv2d([[1], [1, 2]], F), TypeError, "x cannot be read as an array"),
        (lambda: ops.conv2d(np.ma.masked_equal(X, 0), F), TypeError, "masked"),
        (lambda: ops.max_pool2d(X, 9), ValueError, "max_pool2d"),
        (lambda: ops.max_pool2d_backward(X, np.zeros((1, 3, 3, 2)), 2), ValueError, "d_output"),
        (lambda: ops.avg_pool2d_backward((1, -4, 4, 2), X, 2), ValueError, "input_shape must be four extents"),
        (lambda: ops.conv2d_backward_input((2**40, 2**40, 4, 2), F, X), ValueError, "conv2d_backward_input"),
        (lambda: ops.dense(np.zeros((2, 3)), np.zeros((4, 5))), ValueError, "dense"),
        (lambda: ops.softmax(3.0), ValueError, "softmax"),
        (lambda: ops.softmax_cross_entropy(np.zeros((2, 3)), [0, 3]), ValueError, "label 3"),
        (lambda: ops.softmax_cross_entropy(np.zeros((2, 3)), [0.5, 1]), TypeError, "whole numbers"),
        (lambda: ops.dropout(X, 1.0, 0), ValueError, "rate"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(call, kind, words):
    with pytest.raises(kind) as caught:
        call()
    message = str(caught.value)
    assert words in message and "\n" not in message and len(message) < 400, message


def test_empty_batches_are_no_error():
    assert ops.conv2d(np.zeros((0, 5, 5, 1)), np.zeros((2, 2, 1, 3))).shape == (0, 4, 4, 3)
    assert ops.max_pool2d(np.zeros((0, 4, 4, 2)), 2).shape == (0, 2, 2, 2)
    dx, df, db = ops.conv2d_backward(np.zeros((0, 5, 5, 1)), np.zeros((2, 2, 1, 3)), np.zeros((0, 4, 4, 3)))
    assert dx.shape == (0, 5, 5, 1) and not df.any() and not db.any()


def test_eight_threads_at_once():
    x, f = RNG.normal(size=(16, 28, 28, 3)).astype(np.float32), RNG.normal(size=(5, 5, 3, 8)).astype(np.float32)
    small = x[:1, :5, :5]
    want, want_small = ops.conv2d(x, f), ops.conv2d(small, f)
    wrong = []

    def work():
        for _ in range(40):
            if not np.array_equal(ops.conv2d(x, f), want) or not np.array_equal(ops.conv2d(small, f), want_small):
                wrong.append(1)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not wrong and not any(thread.is_alive() for thread in threads)


def test_long_work_lets_other_threads_run():
    x, f = np.ones((64, 64, 64, 32), np.float32), np.ones((3, 3, 32, 64), np.float32)
    done, turns = threading.Event(), 0

    def work():
        ops.conv2d(x, f)
        done.set()

    thread = threading.Thread(target=work)
    thread.start()
    while not done.wait(0.001):
        turns += 1
    thread.join()
    assert turns > 3


def test_dense_softmax_and_their_gradients():
    x, w, b = (RNG.normal(size=s).astype(np.float32) for s in [(6, 5), (5, 4), (4,)])
    y = ops.dense(x, w, b)
    np.testing.assert_allclose(y, x @ w + b, rtol=1e-5, atol=1e-5)
    labels = [0, 3, 1, 2, 2, 0]
    p = np.exp(y - y.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    np.testing.assert_allclose(ops.softmax(y), p, rtol=1e-5)
    loss, dy = ops.softmax_cross_entropy(y, labels)
    assert loss == pytest.approx(-np.log(p[range(6), labels]).mean(), rel=1e-5)
    np.testing.assert_allclose(dy, (p - np.eye(4)[labels]) / 6, rtol=1e-4, atol=1e-6)
    dx, dw, db = ops.dense_backward(x, w, dy)
    np.testing.assert_allclose(dx, dy @ w.T, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(dw, x.T @ dy, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(db, dy.sum(0), rtol=1e-4, atol=1e-6)
    kept, mask = ops.dropout(np.ones((50, 50)), 0.4, 1)
    assert set(np.unique(mask)) == {np.float32(0), np.float32(1 / np.float32(0.6))}
    assert 0.5 < (kept > 0).mean() < 0.7


def test_ten_thousand_odd_arrays_do_no_harm():
    kinds = ["f4", "f8", "f2", "i1", "i8", "u2", "?", "c8", "S3", "O", ">f4", "m8[s]"]
    functions = [
        lambda a, b: ops.conv2d(a, b, padding="SAME"),
        lambda a, b: ops.conv2d(a, b, strides=(2, 1), dilations=2),
        lambda a, b: ops.conv2d_backward(a, b, a),
        lambda a, b: ops.max_pool2d(a, 2, padding="SAME"),
        lambda a, b: ops.avg_pool2d(a, (3, 1), strides=2),
        lambda a, b: ops.max_pool2d_backward(a, b, 2),
        lambda a, b: ops.dense(a, b),
        lambda a, b: ops.relu(a),
        lambda a, b: ops.softmax(b),
    ]
    done = refused = 0

    def array():
        rank = int(RNG.choice([4, 4, 4, 4, 2, 3, 0, 1, 5]))
        shape = tuple(int(v) for v in RNG.integers(0, 5, rank))
        a = (RNG.integers(0, 4, shape)).astype(kinds[int(RNG.integers(len(kinds)))])
        for axis in range(a.ndim):
            match int(RNG.integers(6)):
                case 0:
                    a = np.flip(a, axis)
                case 1:
                    a = np.take(a, range(0, a.shape[axis], 2), axis)
                case 2:
                    a = np.broadcast_to(a.take([0], axis), a.shape) if a.shape[axis] else a
        return np.asfortranarray(a) if RNG.integers(3) == 0 else a.T if RNG.integers(4) == 0 else a

    for i in range(10_000):
        try:
            functions[i % len(functions)](array(), array())
            done += 1
        except (ValueError, TypeError) as problem:
            assert "\n" not in str(problem), problem
            refused += 1
    assert done > 500 and refused > 500, (done, refused)

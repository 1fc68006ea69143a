"""TensorFlow 1 as the course uses it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import foveal.compat.tensorflow1 as tf

LABS = Path(__file__).parent / "labs"
RNG = np.random.default_rng(1)


@pytest.fixture(autouse=True)
def fresh_graph():
    tf.reset_default_graph()
    yield
    from foveal.compat.tensorflow1 import default

    default.sessions.clear()


def python(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, timeout=600,
                          env={**os.environ, **environment}, check=False)


def test_the_lectures_first_half():
    tf.InteractiveSession()
    image = np.arange(1, 10, dtype=np.float32).reshape(1, 3, 3, 1)
    weight = tf.constant([[[[1.0]], [[1.0]]], [[[1.0]], [[1.0]]]])
    assert str(weight.shape) == "(2, 2, 1, 1)"
    valid = tf.nn.conv2d(image, weight, strides=[1, 1, 1, 1], padding="VALID").eval()
    assert valid.shape == (1, 2, 2, 1) and valid.ravel().tolist() == [12, 16, 24, 28]
    three = tf.constant([[[[1.0, 10.0, -1.0]], [[1.0, 10.0, -1.0]]]] * 2)
    same = tf.nn.conv2d(image, three, strides=[1, 1, 1, 1], padding="SAME").eval()
    base = np.array([12, 16, 9, 24, 28, 15, 15, 17, 9])
    for i, times in enumerate([1, 10, -1]):
        assert same[..., i].ravel().tolist() == (times * base).tolist()
    toy = np.array([[[[4], [3]], [[2], [1]]]], dtype=np.float32)
    pool = tf.nn.max_pool(toy, ksize=[1, 2, 2, 1], strides=[1, 1, 1, 1], padding="VALID")
    assert str(pool.shape) == "(1, 1, 1, 1)" and str(pool.eval()) == "[[[[4.]]]]"


def test_the_lectures_second_half():
    digits = tf.examples.tutorials.mnist.input_data.read_data_sets("MNIST_data/", one_hot=True)
    assert [d.num_examples for d in digits] == [55000, 5000, 10000]
    assert digits.train.images.shape == (55000, 784) and digits.train.images.dtype == np.float32
    assert digits.train.labels[0].argmax() == 7 and digits.train.images.max() == 1
    for _ in range(3):
        tf.constant(0.0), tf.nn.conv2d(np.zeros((1, 2, 2, 1), np.float32), np.ones((1, 1, 1, 1), np.float32), [1] * 4, "SAME")
    sess = tf.InteractiveSession()
    w = tf.Variable(tf.random_normal([3, 3, 1, 5], stddev=0.01))
    maps = tf.nn.conv2d(digits.train.images[0].reshape(-1, 28, 28, 1), w, strides=[1, 2, 2, 1], padding="SAME")
    assert str(maps) == 'Tensor("Conv2D_3:0", shape=(1, 14, 14, 5), dtype=float32)'
    with pytest.raises(tf.errors.FailedPreconditionError, match="uninitialized value Variable"):
        maps.eval()
    sess.run(tf.global_variables_initializer())
    first = maps.eval()
    assert np.array_equal(first, maps.eval()) and 0 < np.abs(first).max() < 0.5
    pool = tf.nn.max_pool(maps, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="SAME")
    assert str(pool) == 'Tensor("MaxPool:0", shape=(1, 7, 7, 5), dtype=float32)'
    sess.run(tf.global_variables_initializer())
    assert pool.eval().shape == (1, 7, 7, 5) and not np.array_equal(first, maps.eval())


def test_names_shapes_and_what_is_printed():
    x = tf.placeholder(tf.float32, [None, 784])
    assert str(x) == 'Tensor("Placeholder:0", shape=(?, 784), dtype=float32)'
    assert str(tf.placeholder(tf.bool)) == 'Tensor("Placeholder_1:0", dtype=bool)'
    image = tf.reshape(x, [-1, 28, 28, 1])
    assert image.get_shape().as_list() == [None, 28, 28, 1]
    with tf.variable_scope("m"):
        y = tf.layers.conv2d(image, 4, [3, 3], padding="same", activation=tf.nn.relu)
        z = tf.layers.conv2d(y, 4, 5, strides=2, padding="VALID")
        w = tf.get_variable("w", shape=[2, 3], initializer=tf.contrib.layers.xavier_initializer())
    assert str(y) == 'Tensor("m/conv2d/Relu:0", shape=(?, 28, 28, 4), dtype=float32)'
    assert z.shape.as_list() == [None, 12, 12, 4] and z.name.startswith("m/conv2d_1/")
    assert str(w) == "<tf.Variable 'm/w:0' shape=(2, 3) dtype=float32_ref>"
    assert [v.name for v in tf.trainable_variables()][:2] == ["m/conv2d/kernel:0", "m/conv2d/bias:0"]
    assert str(tf.constant([1, 2, 3]).shape) == "(3,)" and tf.constant([1, 2]).dtype == tf.int32
    assert tf.argmax(np.eye(3), 1).dtype == tf.int64


@pytest.mark.parametrize(
    ("make", "kind", "words"),
    [
        (lambda: tf.no_such_thing, AttributeError, "tf.no_such_thing is not among what foveal's TensorFlow 1 has"),
        (lambda: tf.nn.lstm, AttributeError, "tf.nn.lstm"),
        (lambda: tf.train.MomentumOptimizer, AttributeError, "tf.train.MomentumOptimizer"),
        (lambda: tf.contrib.rnn, AttributeError, "tf.contrib.rnn"),
        (lambda: tf.nn.conv2d(np.zeros((1, 4, 4, 2), np.float32), np.zeros((2, 2, 3, 1), np.float32), [1] * 4, "SAME"),
         ValueError, "Dimensions must be equal, but are 2 and 3"),
        (lambda: tf.nn.conv2d(np.zeros((1, 4, 4, 2), np.float32), np.zeros((2, 2, 2, 1), np.float32), [2] * 4, "SAME"),
         ValueError, "strides must be [1, height, width, 1]"),
        (lambda: tf.nn.max_pool(np.zeros((1, 2, 2, 1), np.float32), [1, 3, 3, 1], [1] * 4, "VALID"), ValueError, "Negative"),
        (lambda: tf.nn.max_pool(np.zeros((2, 2), np.float32), [1, 3, 3, 1], [1] * 4, "VALID"), ValueError, "rank 4"),
        (lambda: tf.nn.dropout(np.zeros(3, np.float32), keep_prob=0.0), ValueError, "keep_prob"),
        (lambda: tf.matmul(np.zeros((2, 3), np.float32), np.zeros((2, 3), np.float32)), ValueError, "3 and 2"),
        (lambda: tf.constant([1.0]) + tf.constant([1]), TypeError, "does not match"),
        (lambda: tf.reshape(np.zeros(6, np.float32), [4, -1]), ValueError, "Cannot reshape"),
        (lambda: tf.nn.softmax_cross_entropy_with_logits(tf.zeros([2, 2]), tf.zeros([2, 2])), ValueError, "named"),
        (lambda: tf.placeholder(tf.float32, [2]).eval(), ValueError, "must feed a value for placeholder"),
        (lambda: tf.Session().run(tf.zeros([2]), {tf.placeholder(tf.float32, [None, 2]): np.zeros(3)}), ValueError, "Cannot feed"),
        (lambda: tf.Session().run("x"), TypeError, "invalid type"),
        (lambda: bool(tf.zeros([1])), TypeError, "bool"),
        (lambda: tf.train.AdamOptimizer(0.1).minimize(tf.zeros([])), ValueError, "No variables"),
    ],
)
def test_what_cannot_be_is_refused(make, kind, words):
    tf.InteractiveSession()
    with pytest.raises(kind) as caught:
        value = make()
        if isinstance(value, tf.Tensor):
            value.eval()
    assert words in str(caught.value), caught.value


def network(dropout: bool, layers: bool = False):
    """A small network of all that the fast path takes."""
    x, y = tf.placeholder(tf.float32, [None, 144]), tf.placeholder(tf.float32, [None, 3])
    keep = tf.placeholder(tf.bool if layers else tf.float32)
    net = tf.reshape(x, [-1, 12, 12, 1])
    if layers:
        net = tf.layers.conv2d(net, 6, [3, 3], padding="SAME", activation=tf.nn.relu)
        net = tf.layers.max_pooling2d(net, [2, 2], strides=2, padding="SAME")
        net = tf.layers.dropout(net, rate=0.3, training=keep)
        net = tf.layers.dense(tf.reshape(net, [-1, 6 * 6 * 6]), 16, activation=tf.nn.relu)
        logits = tf.layers.dense(tf.layers.dropout(net, 0.5, training=keep), 3)
    else:
        for c, d in [(1, 6), (6, 9)]:
            w = tf.Variable(tf.random_normal([3, 3, c, d], stddev=0.2))
            net = tf.nn.relu(tf.nn.conv2d(net, w, strides=[1, 1, 1, 1], padding="SAME"))
            net = tf.nn.max_pool(net, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="SAME")
            net = tf.nn.dropout(net, keep_prob=keep) if dropout else net
        w = tf.get_variable("w", shape=[81, 16], initializer=tf.contrib.layers.xavier_initializer())
        net = tf.nn.relu(tf.matmul(tf.reshape(net, [-1, 81]), w) + tf.Variable(tf.random_normal([16])))
        net = tf.nn.dropout(net, keep_prob=keep) if dropout else net
        w = tf.get_variable("w2", shape=[16, 3], initializer=tf.contrib.layers.xavier_initializer())
        logits = tf.matmul(net, w) + tf.Variable(tf.random_normal([3]))
    cost = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(logits=logits, labels=y))
    accuracy = tf.reduce_mean(tf.cast(tf.equal(tf.argmax(logits, 1), tf.argmax(y, 1)), tf.float32))
    return x, y, keep, logits, cost, tf.train.AdamOptimizer(learning_rate=0.01).minimize(cost), accuracy


@pytest.mark.parametrize("dropout", [None, "keep_prob", "layers"])
def test_the_engine_goes_step_for_step_with_the_interpreter(monkeypatch, dropout):
    tf.set_random_seed(5)
    x, y, keep, logits, cost, train, accuracy = network(dropout is not None, dropout == "layers")
    told = {None: (1.0, 1.0), "keep_prob": (0.7, 1.0), "layers": (True, False)}[dropout]
    xs = RNG.random((25 * 37, 144), dtype=np.float32)
    ys = np.eye(3)[RNG.integers(0, 3, 25 * 37)]
    runs = []
    for how in ("engine", "interpreter"):
        monkeypatch.setenv("FOVEAL_TF1", how)
        sess = tf.Session()
        sess.run(tf.global_variables_initializer())
        costs = []
        for i in range(25):
            part = slice(i * 37, (i + 1) * 37)
            c, nothing = sess.run([cost, train], feed_dict={x: xs[part], y: ys[part], keep: told[0]})
            assert nothing is None
            costs.append(c)
        variables = sess.run(tf.trainable_variables())
        said = sess.run([logits, accuracy], {x: xs, y: ys, keep: told[1]})
        assert (sess.plans.plans.get(train) is not None) == (how == "engine") or dropout
        runs.append((costs, variables, said))
    (costs, variables, said), (costs_, variables_, said_) = runs
    np.testing.assert_allclose(costs, costs_, rtol=2e-4)
    for a, b in zip(variables, variables_):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=2e-3)
    np.testing.assert_allclose(said[0], said_[0], rtol=1e-2, atol=1e-2)
    assert costs[-1] < costs[0]


def test_the_engine_is_used_and_shares_its_state_with_the_interpreter(monkeypatch):
    tf.set_random_seed(6)
    x, y, keep, logits, cost, train, accuracy = network(False)
    xs, ys = RNG.random((30, 144), dtype=np.float32), np.eye(3)[RNG.integers(0, 3, 30)]
    feed = {x: xs, y: ys}
    found = []
    for order in ("engine engine engine engine", "engine interpreter engine interpreter", "interpreter engine mixed engine"):
        sess = tf.Session()
        sess.run(tf.global_variables_initializer())
        for how in order.split():
            monkeypatch.setenv("FOVEAL_TF1", how if how != "mixed" else "engine")
            # With the accuracy beside it the step is the interpreter's.
            sess.run([train, accuracy] if how == "mixed" else train, feed)
            if how == "engine":
                assert sess.plans.ahead is not None
        found.append(sess.run(tf.trainable_variables()))
    for other in found[1:]:
        for a, b in zip(found[0], other):
            np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-4)
    # Initializing begins anew: variables and Adam's moments.
    sess.run(tf.global_variables_initializer())
    assert not sess.slots and not sess.steps


def test_adam_has_tensorflows_epsilon():
    tf.set_random_seed(1)
    v = tf.Variable(np.array([1.0], np.float32))
    train = tf.train.AdamOptimizer(learning_rate=0.5, epsilon=0.25).minimize(tf.reduce_sum(tf.square(v)))
    sess = tf.Session()
    sess.run(tf.global_variables_initializer())
    value, m, s = 1.0, 0.0, 0.0
    for t in range(1, 6):
        sess.run(train)
        g = 2 * value
        m, s = 0.9 * m + 0.1 * g, 0.999 * s + 0.001 * g * g
        value -= 0.5 * np.sqrt(1 - 0.999**t) / (1 - 0.9**t) * m / (np.sqrt(s) + 0.25)
        assert sess.run(v)[0] == pytest.approx(value, rel=1e-4)


def test_gradients_are_differences():
    tf.set_random_seed(2)
    x = tf.constant(RNG.normal(size=(2, 5, 5, 2)).astype(np.float32))
    w, b = tf.Variable(tf.random_normal([2, 2, 2, 3])), tf.Variable(tf.random_normal([3]))
    y = tf.nn.avg_pool(tf.sigmoid(tf.nn.conv2d(x, w, [1, 2, 1, 1], "SAME") + b), [1, 2, 2, 1], [1, 1, 1, 1], "VALID")
    loss = tf.reduce_mean(tf.square(y - 0.3)) + tf.reduce_sum(tf.abs(b)) * 0.1
    sess = tf.Session()
    sess.run(tf.global_variables_initializer())
    from foveal.compat.tensorflow1.session import Run

    d = Run(sess, {}).gradients(loss, [w, b])
    for v in (w, b):
        start, flat = sess.run(v), d[v].ravel()
        for i in range(0, start.size, 3):
            moved = []
            for h in (1e-2, -1e-2):
                other = start.copy()
                other.ravel()[i] += h
                v.load(other, sess)
                moved.append(float(sess.run(loss)))
            v.load(start, sess)
            assert flat[i] == pytest.approx((moved[0] - moved[1]) / 2e-2, abs=2e-3)


def test_a_seed_gives_the_same_numbers_and_none_gives_others():
    def draw(seed):
        tf.reset_default_graph()
        if seed is not None:
            tf.set_random_seed(seed)
        v = tf.Variable(tf.random_normal([4]))
        sess = tf.Session()
        sess.run(tf.global_variables_initializer())
        return sess.run(v)

    assert np.array_equal(draw(777), draw(777)) and not np.array_equal(draw(777), draw(778))
    assert not np.array_equal(draw(None), draw(None))


def test_next_batch_goes_through_all_images_once_an_epoch():
    digits = tf.examples.tutorials.mnist.input_data.read_data_sets("x", one_hot=False, validation_size=59_750, seed=1)
    seen = np.concatenate([digits.train.next_batch(100)[0].sum(1) for _ in range(5)])
    assert sorted(seen[:250]) == sorted(seen[250:]) == sorted(digits.train.images.sum(1)) and not np.array_equal(seen[:250], seen[250:])
    assert digits.train.epochs_completed == 1


@pytest.mark.parametrize(("script", "arguments", "least"), [
    ("lab_11_1.py", ["2"], 0.97), ("lab_11_2.py", ["1"], 0.97), ("lab_11_3.py", ["1", "0.8"], 0.95), ("lab_11_4.py", ["1", "2", "0.6"], 0.95)])
def test_a_lab_trains(script, arguments, least):
    done = python("-W", "error", "-m", "foveal.tf1", str(LABS / script), *arguments)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "Epoch: 0001 cost =" in done.stdout
    found = [float(v) for v in re.findall(r"ccuracy: ([0-9.]+)", done.stdout)]
    assert found and min(found) >= least, done.stdout


def test_only_the_runner_takes_tensorflows_name(tmp_path):
    assert python("-c", "import foveal.compat.tensorflow1, sys; sys.exit('tensorflow' in sys.modules)").returncode == 0
    (tmp_path / "tensorflow.py").write_text("x = 1\n")
    script = tmp_path / "script.py"
    script.write_text("import sys, tensorflow as tf\nfrom tensorflow.contrib.layers import xavier_initializer\nprint(sys.argv[1:], tf.__version__)\n")
    done = python("-m", "foveal.tf1", str(script), "a", "b")
    assert done.stdout.strip() == "['a', 'b'] 1.15.0", done.stderr
    code = "import tensorflow\nimport foveal.tf1 as t\ntry: t.install()\nexcept RuntimeError as e: print(e)"
    done = python("-c", code, PYTHONPATH=os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    assert "another tensorflow" in done.stdout, done
    done = python("-m", "foveal.tf1", "nothing.py")
    assert done.returncode == 1 and done.stderr.strip() == "foveal.tf1: nothing.py: there is no such file"

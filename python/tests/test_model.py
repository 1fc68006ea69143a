"""Models and training: the program's results on arrays, folders and MNIST."""

from __future__ import annotations

import copy
import json
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import foveal

RNG = np.random.default_rng(3)
#: The program, to compare with.
PROGRAM = os.environ.get("FOVEAL_PROGRAM")


def blobs(n: int = 300, size: int = 12):
    """Pictures of a bright square in one of three places, and the place."""
    y = RNG.integers(0, 3, n)
    x = RNG.integers(0, 60, (n, size, size)).astype(np.uint8)
    for image, place in zip(x, y):
        image[3 * place : 3 * place + 4, 2:8] += 120
    return x, y


@pytest.fixture(scope="module")
def trained():
    x, y = blobs()
    return foveal.train(x, y, epochs=8, threads=1, progress=False)


def test_arrays_are_learnt_and_judged(trained):
    x, y = blobs(120)
    assert trained.classes == ["0", "1", "2"] and trained.input_shape == (12, 12, 1)
    said = trained.predict(x)
    assert said.shape == (120, 3) and said.dtype == np.float32
    np.testing.assert_allclose(said.sum(1), 1, rtol=1e-5)
    assert (said.argmax(1) == y).mean() > 0.9
    scores = trained.evaluate(x, y)
    assert scores.accuracy == pytest.approx((said.argmax(1) == y).mean()) and scores["loss"] > 0
    assert [int(c) for c in trained.classify(x[:5])] == said[:5].argmax(1).tolist()
    history = trained.history
    assert len(history) == 8 and history["epoch"] == list(range(1, 9)) and history["train_loss"][-1] < history["train_loss"][0]
    frame = history.to_frame()
    assert list(frame.columns) == history.NAMES and len(frame) == 8
    assert trained.result["scores"]["part"] == "validation" and trained.status == "finished"


def test_words_values_layouts_and_parts():
    x, y = blobs(90)
    names = np.array(["left", "middle", "right"])[y]
    model = foveal.train(x, names, epochs=1, test=(x, names), progress=False)
    assert model.classes == ["left", "middle", "right"] and model.result["scores"]["images"] == 90
    values = foveal.train(x[..., None].transpose(0, 3, 1, 2), y * 1.5 + 0.25, epochs=1, validation=(x[:9, None], y[:9] * 1.5), progress=False)
    assert values.classes == [] and values.predict(x).shape == (90, 1) and values.input_shape == (12, 12, 1)
    assert {"mae", "rmse", "r2"} <= set(values.evaluate(x, y * 1.5))
    floats = foveal.train(x / 255, y, epochs=1, progress=False)
    assert floats.scale == "unit" and floats.predict(x / 255).shape == (90, 3)


def test_values_that_are_no_float32_keep_their_digits(tmp_path):
    from PIL import Image

    x, y = blobs(120)
    truth = 1e9 + 2 * y + 0.5
    model = foveal.train(x, truth, epochs=12, progress=False)
    said = model.predict(x)
    assert said.dtype == np.float64 and np.abs(said[:, 0] - truth).mean() < 1
    assert np.abs(said - said.astype(np.float32)).max() > 1
    Image.fromarray(x[0]).save(tmp_path / "x.png")
    named = model.predict(tmp_path / "x.png")
    assert named.dtype == np.float64 and abs(named[0, 0] - said[0, 0]) < 1e-4


def test_the_program_and_the_package_make_the_same_bytes(tmp_path):
    if PROGRAM is None:
        pytest.skip("FOVEAL_PROGRAM names no program to compare with")
    def program(*line):
        subprocess.run([PROGRAM, *map(str, line)], check=True, capture_output=True, cwd=tmp_path)

    program("train", "mnist", "--epochs", 1, "--seed", 7, "--threads", 1, "--out", "a", "--no-report")
    ours = foveal.train("mnist", epochs=1, seed=7, threads=2, progress=False)
    assert ours._file() == (tmp_path / "a/model.safetensors").read_bytes()
    x, y = blobs()
    np.savez(tmp_path / "arrays.npz", x_train=x, y_train=y)
    program("train", "arrays.npz", "--epochs", 2, "--class-weights", "--out", "b", "--no-report")
    ours = foveal.train(x, y, epochs=2, class_weights=True, progress=False)
    theirs = foveal.Model.load(tmp_path / "b")
    assert all(np.array_equal(v, theirs.parameters[k]) for k, v in ours.parameters.items())
    assert ours.about["preprocess"] == theirs.about["preprocess"] and ours.about["training"]["recipe"] == theirs.about["training"]["recipe"]
    # What they say is the same, too.
    np.save(tmp_path / "x.npy", x[:20])
    said = subprocess.run([PROGRAM, "predict", "b", "x.npy", "--json"], check=True, capture_output=True, cwd=tmp_path)
    said = [p["probabilities"] for p in json.loads(said.stdout)["predictions"]]
    np.testing.assert_array_equal(ours.predict(x[:20]), np.array(said, np.float32))


def test_folders_are_learnt(tmp_path):
    image = pytest.importorskip("PIL.Image")
    x, y = blobs(60)
    for i, (picture, place) in enumerate(zip(x, y)):
        folder = tmp_path / "pets" / f"kind-{place}"
        folder.mkdir(parents=True, exist_ok=True)
        image.fromarray(picture).save(folder / f"{i}.png")
    model = foveal.train(tmp_path / "pets", epochs=2, progress=False, out=tmp_path / "run", model="stack")
    assert model.classes == ["kind-0", "kind-1", "kind-2"]
    assert {"model.safetensors", "metrics.csv", "report.html"} <= {p.name for p in (tmp_path / "run").iterdir()}
    again = foveal.Model.load(tmp_path / "run")
    assert again == model
    some = sorted((tmp_path / "pets/kind-1").iterdir())[0]
    assert model.predict(some).shape == (1, 3) and model.predict([some, str(some)]).shape == (2, 3)
    assert model.evaluate(tmp_path / "pets").accuracy > 0


def test_untrained_models_specs_and_files(tmp_path):
    model = foveal.Model("lab-11-1")
    assert "50,090 parameters" in repr(model) and "50,090 parameters" in repr(model.summary())
    assert model == foveal.Model("lab-11-1") and model != foveal.Model("lab-11-1", seed=1)
    (tmp_path / "mine.toml").write_text(model.to_toml())
    other = foveal.Model(tmp_path / "mine.toml")
    assert all(np.array_equal(v, other.parameters[k]) for k, v in model.parameters.items())
    raw = foveal.Model(model.to_toml(), raw=True, classes=range(10))
    x = RNG.random((3, 28, 28), dtype=np.float32)
    maps = raw.activations(x)
    assert list(maps)[0] == "input" and np.array_equal(maps["input"][..., 0], x)
    first = next(k for k in maps if k != "input")
    p = raw.parameters
    want = foveal.ops.conv2d(x[..., None], p[f"{first}.filter"], p.get(f"{first}.bias"), padding="SAME")
    np.testing.assert_allclose(maps[first], want, rtol=1e-4, atol=1e-5)
    ones = raw.with_parameters(**{first + "__filter": np.ones_like(p[f"{first}.filter"])})
    assert (ones.parameters[f"{first}.filter"] == 1).all() and not (raw.parameters[f"{first}.filter"] == 1).all()
    raw.save(tmp_path / "model.safetensors")
    assert foveal.Model.load(tmp_path / "model.safetensors") == raw
    with pytest.raises(ValueError, match="no built-in model is called `lab-99`"):
        foveal.Model("lab-99")
    with pytest.raises(ValueError, match="10 outputs"):
        foveal.Model("lab-11-1", classes=["a"])
    with pytest.raises(ValueError, match="did you mean"):
        foveal.Model("[input]\nshape = [4, 4, 1]\n[[layer]]\nkind = \"conv3d\"\n")
    with pytest.raises(KeyError, match="no parameter"):
        raw.with_parameters(nothing=[1])


def test_onnx_goes_out_and_comes_back(trained, tmp_path):
    data = trained.to_onnx(tmp_path / "model.onnx")
    assert (tmp_path / "model.onnx").read_bytes() == data
    again = foveal.Model.load(tmp_path / "model.onnx")
    x, _ = blobs(10)
    np.testing.assert_allclose(again.predict(x), trained.predict(x), rtol=1e-4, atol=1e-5)
    onnxruntime = pytest.importorskip("onnxruntime")
    session = onnxruntime.InferenceSession(data)
    (said,) = session.run(None, {session.get_inputs()[0].name: x[..., None]})
    np.testing.assert_allclose(said, trained.predict(x), rtol=1e-4, atol=1e-5)


def test_why_and_what_is_seen(trained):
    x, _ = blobs(1)
    layer = next(row[0] for row in trained.summary().rows if row[1] == "conv2d")
    cell = trained.explain(x[0], layer, (3, 4, 0))
    bundle = cell._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html", "image/png"} and "<script" not in bundle["text/html"]
    value = trained.activations(x)[layer][0, 3, 4, 0]
    assert float(repr(cell).split()[0]) == pytest.approx(float(value), rel=1e-3, abs=1e-3)
    assert cell.png.startswith(b"\x89PNG") and cell.svg.startswith("<svg")
    shown = trained.show(x[0], lang="ko")
    assert shown.png.startswith(b"\x89PNG") and "Grad-CAM" in repr(shown)
    assert trained.grad_cam(x[0]).shape == (12, 12)
    table = trained.summary()._repr_mimebundle_()
    assert "<table>" in table["text/html"] and "conv2d" in table["text/plain"]


def test_inputs_that_do_not_fit_are_refused(trained):
    x, y = blobs(4)
    for bad, kind, words in [
        (x[:, :5], ValueError, "must be [n, 12, 12, 1]"),
        (x / 255, ValueError, "multiply them by 255"),
        (x.astype(complex), TypeError, "real numbers"),
        (None, TypeError, "real numbers"),
        ("nothing.png", ValueError, "nothing.png"),
    ]:
        with pytest.raises(kind) as caught:
            trained.predict(bad)
        assert words in str(caught.value) and "\n" not in str(caught.value)
    for call, words in [
        (lambda: foveal.train("no/such/folder"), "no/such/folder"),
        (lambda: foveal.train(x, y, preset="slow"), "slow"),
        (lambda: foveal.train(x, y, no_such_option=1), "no-such-option"),
        (lambda: foveal.train(x, y[:2], epochs=1), "arrays"),
        (lambda: foveal.train(x, y, lr=-1), "lr"),
        (lambda: foveal.Model.load("nothing.safetensors"), "nothing.safetensors"),
    ]:
        with pytest.raises(ValueError) as caught:
            call()
        assert words in str(caught.value) and "\n" not in str(caught.value), caught.value
    with pytest.raises(TypeError, match="need targets"):
        foveal.train(x)
    with pytest.raises(TypeError, match="by name"):
        foveal.train("mnist", y)


def test_models_are_pickled_and_copied(trained):
    again = pickle.loads(pickle.dumps(trained))
    assert again == trained and len(again.history) == len(trained.history)
    x, _ = blobs(7)
    for other in (again, copy.copy(trained), copy.deepcopy(trained)):
        np.testing.assert_array_equal(other.predict(x), trained.predict(x))


def _in_child(queue, model, x):
    y = foveal.ops.conv2d(np.ones((8, 32, 32, 4), np.float32), np.ones((3, 3, 4, 8), np.float32))
    xs, ys = blobs(40)
    foveal.train(xs, ys, epochs=1, threads=2, progress=False)
    queue.put((float(y.sum()), model.predict(x)))


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_works(trained):
    x, _ = blobs(64)
    big = foveal.ops.conv2d(np.ones((8, 32, 32, 4), np.float32), np.ones((3, 3, 4, 8), np.float32))
    want = trained.predict(x)
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    children = [context.Process(target=_in_child, args=(queue, trained, x)) for _ in range(2)]
    for child in children:
        child.start()
    for _ in children:
        total, said = queue.get(timeout=60)
        assert total == float(big.sum()) and np.array_equal(said, want)
    for child in children:
        child.join(20)
        assert child.exitcode == 0


def test_eight_threads_ask_one_model(trained):
    x, _ = blobs(50)
    want, wrong = trained.predict(x), []

    def ask():
        for _ in range(20):
            if not np.array_equal(trained.predict(x), want):
                wrong.append(1)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not wrong


SLOW = """
import foveal, sys, time
try:
    foveal.train("mnist", model="lab-11-2", epochs=50, threads=1)
except foveal.Interrupted as stop:
    print("stopped", stop.model.status, stop.model.predict(foveal.mnist().test.images[:2]).shape, flush=True)
"""


def test_an_interrupt_ends_a_training_and_keeps_what_was_learnt():
    child = subprocess.Popen([sys.executable, "-c", SLOW], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert child.stderr is not None and "training on 55,000 images" in child.stderr.readline()
    time.sleep(0.5)
    begun = time.monotonic()
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=30)
    assert out.strip() == "stopped interrupted (2, 10)", (out, err)
    assert time.monotonic() - begun < 10 and child.returncode == 0


def test_what_others_change_meanwhile_changes_nothing():
    x, y = blobs(2000)
    want = foveal.train(x, y, epochs=2, threads=1, progress=False)
    begun = threading.Event()

    class Spoil(foveal.training.Progress):
        def __call__(self, kind, what):
            x[:] = 0
            begun.set()

    original = foveal.training.Progress
    foveal.training.Progress = Spoil
    try:
        got = foveal.train(x, y, epochs=2, threads=1)
    finally:
        foveal.training.Progress = original
    assert begun.is_set() and not x.any() and got == want


def test_mnist_is_there():
    (x, y), (x_test, y_test) = foveal.mnist()
    assert x.shape == (60000, 28, 28) and x_test.shape == (10000, 28, 28) and x.dtype == np.uint8
    assert np.bincount(y).sum() == 60000 and y[5000] == 7 and set(y_test) == set(range(10))


def test_import_is_quick_and_quiet():
    code = "import time; a = time.perf_counter(); import foveal; print(time.perf_counter() - a)"
    times = []
    for _ in range(5):
        done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
        assert done.stderr == ""
        times.append(float(done.stdout))
    assert min(times) < 0.15, times


"""Exported models in ONNX Runtime, and ONNX's own node tests through import.

Usage: onnx_check.py FOVEAL WORK (WORK holds NAME.onnx and NAME/model.safetensors of every trained model;
mnist-test, the pixels of MNIST's test images; english.tsv and korean.tsv, texts that the models of these names learnt
from; phantoms/scans, slices that phantoms/run learnt from).
"""

import json
import re
import subprocess
import sys
import unicodedata
import warnings
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort

FOVEAL, WORK = sys.argv[1], Path(sys.argv[2])
OPERATORS = set("""Abs Add AveragePool BatchNormalization Celu Clip Concat Conv ConvTranspose DepthToSpace Div Elu Expand Flatten
Gather Gelu Gemm GlobalAveragePool GlobalMaxPool GroupNormalization HardSigmoid HardSwish InstanceNormalization LRN LayerNormalization
LeakyRelu LogSoftmax LpNormalization MatMul Max MaxPool Mean Min Mish Mul Neg PRelu Pad Pow ReduceL1 ReduceMax ReduceMean ReduceMin ReduceSum
ReduceSumSquare Relu Reshape Resize Selu Sigmoid Slice Softmax Softplus SpaceToDepth Split Squeeze Sub Sum Tanh Transpose Unsqueeze Upsample""".split())
# Models that do not take raw pixels.
OTHERS = {"english", "korean", "phantoms"}
SIDE = 96
passed, failed = 0, 0


def verdict(name, problem=None):
    global passed, failed
    passed, failed = passed + (problem is None), failed + (problem is not None)
    print(f"{name}: {'ok' if problem is None else 'FAILED: ' + problem}")


def foveal(*arguments):
    return subprocess.run([FOVEAL, *map(str, arguments)], capture_output=True, text=True)


def predict(model, x):
    """What foveal says of x [n, h, w, c], by rows."""
    np.save(WORK / "x.npy", x.astype(np.float32))
    return answers(foveal("predict", model, WORK / "x.npy", "--json"))


def answers(run):
    """The probabilities or values of a `predict --json`, by rows."""
    if run.returncode:
        raise RuntimeError(run.stderr.strip())
    rows = json.loads(run.stdout)["predictions"]
    return np.array([[float(v) for v in r.get("probabilities", r.get("values"))] for r in rows])


def check_models(images):
    for path in sorted(p for p in WORK.glob("*.onnx") if p.stem not in OTHERS):
        session = opened(path, "uint8")
        theirs = session.run(["probabilities"], {"image": images})[0]
        ours = predict(WORK / path.stem / "model.safetensors", images)
        compare(path, theirs, ours, lambda again: predict(again, images), "images")


def opened(path, kind):
    """A file that onnx.checker accepts, in ONNX Runtime; it takes a tensor of this kind."""
    onnx.checker.check_model(onnx.load(path), full_check=True)
    session = ort.InferenceSession(path)
    assert session.get_inputs()[0].type == f"tensor({kind})", session.get_inputs()[0].type
    return session


def said(session, key):
    return session.get_modelmeta().custom_metadata_map[key]


def compare(path, theirs, ours, predicted, what):
    """ONNX Runtime's answers, foveal's, and those of foveal after export and import."""
    again = WORK / f"{path.stem}-again.safetensors"
    run = foveal("import", path, again)
    if run.returncode:
        return verdict(path.name, run.stderr.strip())
    difference, back = np.abs(theirs - ours).max(), np.abs(predicted(again) - ours).max()
    classes = json.loads(said(ort.InferenceSession(path), "classes"))
    print(f"{path.name}: {len(ours)} {what}, largest difference of ONNX Runtime {difference:.1e}, "
          f"of export and import {back:.1e}")
    good = theirs.shape == ours.shape and difference <= 1e-4 and back <= 1e-5 and len(classes) == ours.shape[1]
    verdict(path.name, None if good else f"{difference} {back} {classes}")


def tokens(text, kind):
    """The tokens of a text, by the README's words alone; the data have no apostrophes."""
    pieces = re.findall(r"[^\W_]+|[^\w\s]|_", unicodedata.normalize("NFC", text.lower()))
    if kind == "words":
        return pieces
    pairs = lambda word: [a + b for a, b in zip("\u2581" + word, word + "\u2581")]
    return [t for p in pieces for t in (pairs(p) if p[0].isalnum() else [p])]


def check_texts(name):
    path = WORK / f"{name}.onnx"
    session = opened(path, "int64")
    numbers = {token: i for i, token in enumerate(json.loads(said(session, "vocabulary")))}
    length = session.get_inputs()[0].shape[2]
    lines = (WORK / f"{name}.tsv").read_text("utf-8").splitlines()
    texts = [line.split("\t")[1] for line in lines[1::4]][:1000]
    rows = []
    for text in texts:
        row = [numbers.get(t, numbers["<unk>"]) for t in tokens(text, said(session, "tokens"))][:length]
        rows.append(row + [numbers["<pad>"]] * (length - len(row)))
    theirs = session.run(["probabilities"], {"tokens": np.array(rows, np.int64)[:, None, :]})[0]
    (WORK / "texts.txt").write_text("\n".join(texts), "utf-8")
    predicted = lambda model: answers(foveal("predict", model, WORK / "texts.txt", "--json"))
    compare(path, theirs, predicted(WORK / name), predicted, f"texts as {said(session, 'tokens')}")


def square(file):
    """Whether a slice of the example has square pixels, so that nothing is resampled at its own size."""
    value = re.search(rb"\x28\x00\x30\x00DS(..)", file, re.DOTALL)
    text = file[value.end():value.end() + int.from_bytes(value[1], "little")].decode()
    row, column = (float(v) for v in text.split("\\"))
    return row == column


def check_ct():
    path = WORK / "phantoms.onnx"
    session = opened(path, "float")
    assert [float(said(session, f"window_{w}")) for w in ("center", "width")] == [-600, 1500]
    files = sorted(f for f in (WORK / "phantoms/scans").rglob("*") if f.is_file())
    files = [f for f in files if square(f.read_bytes())][::3]
    # The example's slices have their pixels at the end, stored 1024 above Hounsfield units.
    pixels = [np.frombuffer(f.read_bytes()[-2 * SIDE * SIDE:], "<i2") for f in files]
    units = np.stack(pixels).reshape(-1, SIDE, SIDE, 1).astype(np.float32) - 1024
    assert units.min() < -900 and units.max() > 0
    theirs = session.run(["probabilities"], {"hounsfield": units})[0]
    predicted = lambda model: answers(foveal("predict", model, *files, "--json"))
    compare(path, theirs, predicted(WORK / "phantoms/run"), predicted, "slices")


def one_input(case):
    """The case's model as foveal takes models: one input, what comes out of a Flatten read by a matrix product. Also
    its input and its output.

    Values that a Concat joins are cut out of the input by matrix products or convolutions; elsewhere all inputs but
    the first become constants."""
    inputs, outputs = case.data_sets[0]
    inputs, y = [np.asarray(v) for v in inputs], np.asarray(outputs[0])
    model = onnx.ModelProto.FromString(case.model.SerializeToString())
    graph, node = model.graph, case.model.graph.node[0]
    # Of several outputs the first.
    del graph.output[1:]
    names, constant = [i.name for i in graph.input], onnx.numpy_helper.from_array
    x = inputs[0]
    if node.op_type == "Concat" and 2 <= x.ndim <= 4 and len({v.shape[0] for v in inputs}) == 1:
        x, whole = np.concatenate(inputs, axis=1), sum(v.shape[1] for v in inputs)
        at = 0
        for i, (name, value) in enumerate(zip(names, inputs)):
            n = value.shape[1]
            cut = np.eye(whole, dtype=np.float32)[at:at + n].reshape([n, whole] + [1] * (x.ndim - 2))
            at += n
            graph.initializer.append(constant(cut.T if x.ndim == 2 else cut, f"cut{i}"))
            cutter = onnx.helper.make_node("MatMul" if x.ndim == 2 else "Conv", ["whole", f"cut{i}"], [name])
            graph.node.insert(i, cutter)
        del graph.input[:]
        graph.input.append(onnx.helper.make_tensor_value_info("whole", onnx.TensorProto.FLOAT, x.shape))
    else:
        for name, value in list(zip(names, inputs))[1:]:
            graph.initializer.append(constant(value, name))
        keep = graph.input[0]
        del graph.input[:]
        graph.input.append(keep)
    if node.op_type == "Flatten":
        graph.initializer.append(constant(np.eye(y.shape[1], dtype=np.float32), "identity"))
        graph.node.append(onnx.helper.make_node("MatMul", [graph.output[0].name, "identity"], ["row"]))
        graph.output[0].name = "row"
    return model, x, y


def channels_last(a):
    """[n, c, h, w] or [n, c, l] as foveal has them, [n, h, w, c]; [n, c] as [n, 1, 1, c]."""
    if a.ndim == 2:
        return a.reshape(len(a), 1, 1, -1)
    return a.transpose(0, 2, 3, 1) if a.ndim == 4 else a.transpose(0, 2, 1)[:, None]


def node_case(case):
    """None if it passes, ("refused", why) or ("wrong", why)."""
    model, x, y = one_input(case)
    (WORK / "case.model").write_bytes(model.SerializeToString())
    run = foveal("import", WORK / "case.model", WORK / "case.safetensors")
    operator = case.model.graph.node[0].op_type
    if run.returncode:
        said = run.stderr.strip()
        named = run.returncode == 1 and said.startswith("error: ") and said.count("\n") == 0
        named = named and (f"({operator})" in said or "the graph's inputs" in said or "the output `" in said
                           or "the graph has" in said)
        return ("refused" if named else "wrong", said)
    want = channels_last(y).reshape(len(y), -1)
    try:
        got = predict(WORK / "case.safetensors", channels_last(x))
    except RuntimeError as error:
        return ("wrong", str(error))
    if got.shape == want.shape and np.allclose(got, want, rtol=1e-3, atol=1e-5):
        return None
    return ("wrong", f"{got.ravel()[:4]} instead of {want.ravel()[:4]}")


def check_node_tests():
    from onnx.backend.test.case.node import collect_testcases

    count = dict.fromkeys(OPERATORS, (0, 0))
    wrong = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        every = [c for c in collect_testcases(None) if len(c.model.graph.node) == 1]
    for operator in sorted(OPERATORS):
        for case in (c for c in every if c.model.graph.node[0].op_type == operator):
            problem = node_case(case)
            good, refused = count[operator]
            count[operator] = (good + (problem is None), refused + (problem is not None))
            if problem and problem[0] == "wrong":
                wrong.append(case.name)
            if problem:
                print(f"  {case.name}: {problem[0]}: {problem[1].split('case.model: ')[-1]}")
        print(f"{operator}: {count[operator][0]} pass, {count[operator][1]} refused by name")
    good, refused = (sum(c[i] for c in count.values()) for i in (0, 1))
    print(f"ONNX's node tests: {good + refused}, {good} pass, {refused - len(wrong)} refused by name, "
          f"{len(wrong)} wrong {wrong}")
    verdict("ONNX's node tests", None if good >= 150 and not wrong else f"{good} pass, wrong are {wrong}")


# What is computed where it has nothing but constants.
FOLDED = """Abs Add And BatchNormalization Cast CastLike Ceil Clip Concat Constant ConstantOfShape Div Equal Exp Expand
Flatten Floor Gather Greater GreaterOrEqual Identity Less LessOrEqual Log Max Mean Min Mod Mul Neg Not Or Pow Range
Reciprocal ReduceL1 ReduceL2 ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare Reshape Round Shape Sigmoid
Sign Size Slice Split Sqrt Squeeze Sub Sum Tanh Tile Transpose Unsqueeze Where""".split()


def folded_case(case):
    """None if what foveal computes of the case's constants is right, ("refused", why) or ("wrong", why).

    The numbers are added to an input of zeros."""
    helper, numpy = onnx.helper, onnx.numpy_helper
    model = onnx.ModelProto.FromString(case.model.SerializeToString())
    numbers = (1, 2, 3, 4, 5, 6, 7, 9, 10, 11)
    array = lambda v: numpy.to_array(v) if isinstance(v, onnx.TensorProto) and v.data_type in numbers else v
    inputs, outputs = ([array(v) for v in values] for values in case.data_sets[0])
    if case.model.graph.node[0].op_type.startswith("Cast"):
        finite = lambda v: np.where(np.isfinite(v), v, 1).astype(v.dtype) if isinstance(v, np.ndarray) and v.dtype.kind == "f" else v
        inputs, outputs = [finite(v) for v in inputs], [finite(v) for v in outputs]
    # What these do has not changed since the first operator set.
    if case.model.graph.node[0].op_type == "Not":
        model.opset_import[0].version = 7
    if any(not isinstance(v, np.ndarray) and not np.isscalar(v) for v in [*inputs, *outputs]):
        return ("refused", "no array")
    graph, y = model.graph, np.asarray(outputs[0])
    if y.dtype.kind not in "fiub" or not y.size:
        return ("refused", "no numbers")
    for name, value in zip([i.name for i in graph.input], inputs):
        graph.initializer.append(numpy.from_array(np.asarray(value), name))
    del graph.input[:]
    graph.initializer.append(numpy.from_array(np.array([-1]), "as_row"))
    graph.node.extend([
        helper.make_node("Cast", [graph.output[0].name], ["as_floats"], to=onnx.TensorProto.FLOAT),
        helper.make_node("Reshape", ["as_floats", "as_row"], ["as_numbers"]),
        helper.make_node("Add", ["as_zeros", "as_numbers"], ["as_sum"]),
        helper.make_node("LeakyRelu", ["as_sum"], ["as_same"], alpha=1.0),
    ])
    graph.input.append(helper.make_tensor_value_info("as_zeros", onnx.TensorProto.FLOAT, (1, y.size)))
    del graph.output[:]
    graph.output.append(helper.make_tensor_value_info("as_same", onnx.TensorProto.FLOAT, (1, y.size)))
    (WORK / "case.model").write_bytes(model.SerializeToString())
    run = foveal("import", WORK / "case.model", WORK / "case.safetensors")
    if run.returncode:
        said = run.stderr.strip()
        return ("refused" if run.returncode == 1 and said.startswith("error: ") else "wrong", said)
    got, want = predict(WORK / "case.safetensors", np.zeros((1, 1, 1, y.size)))[0], y.astype(np.float32).ravel()
    good = np.allclose(got, want, rtol=1e-6, atol=1e-6 * np.abs(want[np.isfinite(want)]).max(initial=1e-6))
    return None if good else ("wrong", f"{got[:4]} instead of {want[:4]}")


def check_folding():
    from onnx.backend.test.case.node import collect_testcases

    counts, wrong, missed = [0, 0], [], set(FOLDED)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        every = [c for c in collect_testcases(None) if len(c.model.graph.node) == 1]
    for case in (c for c in every if c.model.graph.node[0].op_type in FOLDED and c.data_sets):
        problem = folded_case(case)
        counts[problem is not None] += 1
        if problem and not problem[1].startswith("no "):
            print(f"  {case.name}: {problem[0]}: {problem[1].split('case.model: ')[-1][:200]}")
        if not problem:
            missed.discard(case.model.graph.node[0].op_type)
        if problem and problem[0] == "wrong":
            wrong.append(case.name)
    print(f"ONNX's node tests of constants: {counts[0]} pass, {counts[1]} not, wrong are {wrong}")
    verdict("ONNX's node tests of constants", None if not wrong and not missed else f"{wrong} {sorted(missed)}")


def main():
    raw = (WORK / "mnist-test").read_bytes()
    images = np.frombuffer(raw, np.uint8, 1000 * 784).reshape(1000, 28, 28, 1)
    check_models(images)
    check_texts("english")
    check_texts("korean")
    check_ct()
    check_node_tests()
    check_folding()
    print(f"test result: {'FAILED' if failed else 'ok'}. {passed} passed; {failed} failed; 0 ignored;")
    sys.exit(bool(failed))


main()

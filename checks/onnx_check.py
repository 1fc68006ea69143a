"""Exported models in ONNX Runtime, and ONNX's own node tests through import.

Usage: onnx_check.py FOVEAL WORK (WORK holds NAME.onnx and NAME/model.safetensors of every trained model, and
mnist-test, the pixels of MNIST's test images).
"""

import json
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort

FOVEAL, WORK = sys.argv[1], Path(sys.argv[2])
OPERATORS = {"Conv", "MaxPool", "AveragePool", "GlobalAveragePool", "BatchNormalization", "Gemm", "Concat",
             "Flatten", "Softmax"}
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
    run = foveal("predict", model, WORK / "x.npy", "--json")
    if run.returncode:
        raise RuntimeError(run.stderr.strip())
    rows = json.loads(run.stdout)["predictions"]
    return np.array([[float(v) for v in r.get("probabilities", r.get("values"))] for r in rows])


def check_models(images):
    for path in sorted(WORK.glob("*.onnx")):
        onnx.checker.check_model(onnx.load(path), full_check=True)
        session = ort.InferenceSession(path)
        assert session.get_inputs()[0].type == "tensor(uint8)"
        theirs = session.run(["probabilities"], {"image": images})[0]
        again = WORK / f"{path.stem}-again.safetensors"
        run = foveal("import", path, again)
        if run.returncode:
            verdict(path.name, run.stderr.strip())
            continue
        ours = predict(WORK / path.stem / "model.safetensors", images)
        difference = np.abs(theirs - ours).max()
        back = np.abs(predict(again, images) - ours).max()
        classes = json.loads(session.get_modelmeta().custom_metadata_map["classes"])
        print(f"{path.name}: {len(images)} images, largest difference of ONNX Runtime {difference:.1e}, "
              f"of export and import {back:.1e}")
        good = theirs.shape == ours.shape and difference <= 1e-4 and back <= 1e-5 and len(classes) == ours.shape[1]
        verdict(path.name, None if good else f"{difference} {back} {classes}")


def fixed(model, inputs, rank):
    """The model with all inputs but the first as constants, a picture at its end as a row, channels last."""
    model = onnx.ModelProto.FromString(model.SerializeToString())
    names = [i.name for i in model.graph.input]
    for name, value in list(zip(names, inputs))[1:]:
        model.graph.initializer.append(onnx.numpy_helper.from_array(np.asarray(value), name))
    keep = model.graph.input[0]
    del model.graph.input[:]
    model.graph.input.append(keep)
    if rank == 4:
        name = model.graph.output[0].name
        model.graph.node.append(onnx.helper.make_node("Transpose", [name], ["turned"], perm=[0, 2, 3, 1]))
        model.graph.node.append(onnx.helper.make_node("Flatten", ["turned"], ["row"], axis=1))
        model.graph.output[0].name = "row"
    return model


def node_case(case):
    """None if it passes, ("refused", why) or ("wrong", why)."""
    inputs, outputs = case.data_sets[0]
    x, y = np.asarray(inputs[0]), np.asarray(outputs[0])
    model = fixed(case.model, inputs, y.ndim)
    (WORK / "case.model").write_bytes(model.SerializeToString())
    run = foveal("import", WORK / "case.model", WORK / "case.safetensors")
    operator = model.graph.node[0].op_type
    if run.returncode:
        said = run.stderr.strip()
        named = run.returncode == 1 and said.startswith("error: ") and said.count("\n") == 0
        named = named and (f"({operator})" in said or "the input `" in said or "the output `" in said
                           or "the graph has" in said)
        return ("refused" if named else "wrong", said)
    x = x.transpose(0, 2, 3, 1) if x.ndim == 4 else x.reshape(len(x), 1, 1, -1)
    want = y.transpose(0, 2, 3, 1) if y.ndim == 4 else y
    want = want.reshape(len(want), -1)
    try:
        got = predict(WORK / "case.safetensors", x)
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
    verdict("ONNX's node tests", None if good > 20 and not wrong else f"{good} pass, wrong are {wrong}")


def main():
    raw = (WORK / "mnist-test").read_bytes()
    images = np.frombuffer(raw, np.uint8, 1000 * 784).reshape(1000, 28, 28, 1)
    check_models(images)
    check_node_tests()
    print(f"test result: {'FAILED' if failed else 'ok'}. {passed} passed; {failed} failed; 0 ignored;")
    sys.exit(bool(failed))


main()

"""Networks for photographs, one call after the other: PyTorch writes them as ONNX, ONNX Runtime and OpenVINO run them.

Started with the number of threads. OpenVINO is held to 32-bit floats, as the others compute.
"""
import os
import sys

os.environ["CUDA_VISIBLE_DEVICES"] = ""  # before torch is loaded

import numpy as np  # noqa: E402
import onnxruntime as ort  # noqa: E402
import openvino as ov  # noqa: E402
from serve import median_seconds, serve  # noqa: E402

THREADS = int(sys.argv[1])
made = {}


def export(name, batch, path):
    """The network with random weights, at inference, channels first."""
    import timm
    import torch

    torch.manual_seed(0)
    model = timm.create_model(name).eval()
    x = torch.zeros(int(batch), 3, 224, 224)
    torch.onnx.export(model, x, path, dynamo=False, input_names=["x"], output_names=["y"])
    return {"parameters": sum(p.numel() for p in model.parameters())}


def session(path, batch):
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = THREADS, 1
    run = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    binding = run.io_binding()
    x = np.random.default_rng(1).random((batch, 3, 224, 224), dtype=np.float32)
    binding.bind_ortvalue_input("x", ort.OrtValue.ortvalue_from_numpy(x))
    binding.bind_output("y")
    return lambda: run.run_with_iobinding(binding)


def openvino(path, batch):
    core = ov.Core()
    how = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": THREADS, "PERFORMANCE_HINT": "LATENCY"}
    request = core.compile_model(path, "CPU", how).create_infer_request()
    request.set_input_tensor(ov.Tensor(np.random.default_rng(1).random((batch, 3, 224, 224), dtype=np.float32)))
    return request.infer


def network(which, path, batch, seconds):
    key = which, path
    if key not in made:
        made[key] = {"onnxruntime": session, "openvino": openvino}[which](path, int(batch))
    return {"seconds": median_seconds(made[key], float(seconds))}


serve({
    "about": lambda: {"onnxruntime": ort.__version__, "openvino": ov.__version__},
    "export": export, "network": network,
})

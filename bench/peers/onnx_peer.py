"""ONNX Runtime on one thread: inference of the net of bench/models/latency.toml, with bound inputs and outputs."""
import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper
from serve import median_seconds, serve

sessions = {}


def model(batch):
    """The net with random weights, for one batch size."""
    random = np.random.default_rng(0)
    weights = []

    def weight(name, *shape):
        deviation = np.sqrt(2 / np.prod(shape[1:] or (1,)))
        weights.append(numpy_helper.from_array(random.normal(0, deviation, shape).astype(np.float32), name))

    def conv(i, x, o, c, k):
        weight(f"filter_{i}", o, c, k, k)
        weight(f"conv_bias_{i}", o)
        return [
            helper.make_node("Conv", [x, f"filter_{i}", f"conv_bias_{i}"], [f"conv_{i}"], kernel_shape=[k, k]),
            helper.make_node("Relu", [f"conv_{i}"], [f"relu_{i}"]),
            helper.make_node("MaxPool", [f"relu_{i}"], [f"pool_{i}"], kernel_shape=[2, 2], strides=[2, 2]),
        ]

    def dense(i, x, units, inputs, y):
        weight(f"weights_{i}", units, inputs)
        weight(f"bias_{i}", units)
        return helper.make_node("Gemm", [x, f"weights_{i}", f"bias_{i}"], [y], transB=1)

    nodes = [
        *conv(1, "x", 16, 1, 5), *conv(2, "pool_1", 32, 16, 3),
        helper.make_node("Flatten", ["pool_2"], ["flat"]),
        dense(1, "flat", 128, 800, "hidden"),
        helper.make_node("Relu", ["hidden"], ["active"]),
        dense(2, "active", 10, 128, "y"),
    ]
    value = lambda name, *shape: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
    graph = helper.make_graph(nodes, "latency", [value("x", batch, 1, 28, 28)], [value("y", batch, 10)], weights)
    whole = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(whole)
    return whole.SerializeToString()


def nothing(batch):
    """A graph that only passes on ten numbers an image, as many as the net gives: the fixed cost of a call."""
    value = lambda name: helper.make_tensor_value_info(name, TensorProto.FLOAT, (batch, 10))
    node = helper.make_node("Identity", ["x"], ["y"])
    graph = helper.make_graph([node], "nothing", [value("x")], [value("y")])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9).SerializeToString()


def session(graph, batch, *shape):
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    made = ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    binding = made.io_binding()
    x = ort.OrtValue.ortvalue_from_numpy(np.random.default_rng(1).random((batch, *shape), dtype=np.float32))
    y = ort.OrtValue.ortvalue_from_shape_and_type([batch, 10], np.float32)
    binding.bind_ortvalue_input("x", x)
    binding.bind_ortvalue_output("y", y)
    return made, binding, (x, y)


def latency(batch, seconds, what="net"):
    batch = int(batch)
    if (batch, what) not in sessions:
        sessions[batch, what] = session(model(batch), batch, 1, 28, 28) if what == "net" else session(nothing(batch), batch, 10)
    made, binding, _ = sessions[batch, what]
    return {"seconds": median_seconds(lambda: made.run_with_iobinding(binding), float(seconds))}


serve({"about": lambda: {"version": ort.__version__}, "latency": latency})

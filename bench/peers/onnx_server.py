"""A model behind the simplest server that Python brings: ONNX Runtime in a ThreadingHTTPServer, a thread a connection.

Answers POST of an inference request of the Open Inference Protocol with its response, as `foveal serve` does.
Prints its port. Usage: python onnx_server.py MODEL.onnx THREADS
"""
import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import onnxruntime as ort


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # connections are kept
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body leave together

    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        given = request["inputs"][0]
        image = np.asarray(given["data"], dtype=np.uint8).reshape(given["shape"])
        (found,) = session.run(None, {"image": image})
        output = {"name": "probabilities", "shape": found.shape, "datatype": "FP32", "data": found.ravel().tolist()}
        body = json.dumps({"model_name": "model", "outputs": [output]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


options = ort.SessionOptions()
options.intra_op_num_threads = int(sys.argv[2])
options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
session = ort.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
server = Server(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()

#!/usr/bin/env python3
"""Clients of other servers against `foveal serve`: what they get is what `foveal predict` says.

Usage: clients.py FOVEAL WORK, where WORK holds the run `digits`. Needs tritonclient, kserve, prometheus-client, PyYAML.
"""

import asyncio
import json
import pathlib
import re
import subprocess
import sys

import numpy as np
import tritonclient.http as triton
import yaml
from prometheus_client.parser import text_string_to_metric_families

FOVEAL, WORK = sys.argv[1], pathlib.Path(sys.argv[2])
passed = 0


def ok(what, good):
    global passed
    if not good:
        sys.exit(f"clients: FAILED: {what}")
    passed += 1
    print(f"clients: ok: {what}")


def predict(*inputs):
    said = subprocess.run([FOVEAL, "predict", "digits", *inputs, "--json"], cwd=WORK, capture_output=True, text=True, check=True)
    return np.array([p["probabilities"] for p in json.loads(said.stdout)["predictions"]], np.float32)


def with_triton(url, pixels, wanted):
    client = triton.InferenceServerClient(url)
    ok("Triton: live, ready", client.is_server_live() and client.is_server_ready() and client.is_model_ready("digits"))
    ok("Triton: a version", client.is_model_ready("digits", "1") and not client.is_model_ready("digits", "2"))
    ok("Triton: metadata and extensions", "binary_tensor_data" in client.get_server_metadata()["extensions"])
    ok("Triton: a model's config", client.get_model_config("digits")["output"][0]["dims"] == [10])
    ok("Triton: the repository", [m["name"] for m in client.get_model_repository_index()] == ["digits"])
    asked = triton.InferInput("image", list(pixels.shape), "FP32")
    asked.set_data_from_numpy(pixels)
    ok("Triton: its defaults", np.array_equal(client.infer("digits", [asked]).as_numpy("probabilities"), wanted))
    ok("Triton: by version", np.array_equal(client.infer("digits", [asked], "1").as_numpy("probabilities"), wanted))
    outputs = [triton.InferRequestedOutput("probabilities", binary_data=False)]
    ok("Triton: JSON out", np.array_equal(client.infer("digits", [asked], outputs=outputs).as_numpy("probabilities"), wanted))
    asked.set_data_from_numpy(pixels, binary_data=False)
    ok("Triton: JSON in", np.array_equal(client.infer("digits", [asked]).as_numpy("probabilities"), wanted))
    for kind, cast in [("UINT8", np.uint8), ("FP16", np.float16), ("INT64", np.int64)]:
        other = triton.InferInput("image", list(pixels.shape), kind)
        other.set_data_from_numpy(pixels.astype(cast))
        ok(f"Triton: {kind}", np.array_equal(client.infer("digits", [other]).as_numpy("probabilities"), wanted))
    try:
        client.infer("nobody", [asked])
        ok("Triton: errors", False)
    except triton.InferenceServerException as error:
        ok("Triton: errors", "nobody" in str(error))


async def with_kserve(url, pixels, wanted):
    from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig

    client = InferenceRESTClient(RESTConfig(protocol="v2"))
    base = f"http://{url}"
    ok("KServe: live, ready", await client.is_server_live(base) and await client.is_server_ready(base) and await client.is_model_ready(base, "digits"))
    for binary in (True, False):
        asked = InferInput("image", list(pixels.shape), "FP32")
        asked.set_data_from_numpy(pixels, binary_data=binary)
        answer = await client.infer(base, InferRequest("digits", [asked]), model_name="digits")
        ok(f"KServe: {'binary' if binary else 'JSON'}", np.array_equal(answer.outputs[0].as_numpy(), wanted))


def with_curl(url, picture, wanted):
    def curl(*arguments):
        done = subprocess.run(["curl", "-s", "-w", "\n%{http_code}", *arguments], capture_output=True, text=True, check=True)
        body, _, status = done.stdout.rpartition("\n")
        return body, int(status)

    for way in (["--data-binary", f"@{picture}"], ["-F", f"file=@{picture}"]):
        said = np.array(json.loads(curl(*way, f"http://{url}/predict")[0])["probabilities"], np.float32)
        ok(f"curl {way[0]}", np.array_equal(said, wanted[0]))
    ok("curl: a foreign Host", curl("-H", "Host: evil.test", f"http://{url}/models")[1] == 403)
    ok("curl: a foreign Origin", curl("-H", "Origin: http://evil.test", "--data-binary", f"@{picture}", f"http://{url}/predict")[1] == 403)
    families = {f.name: f for f in text_string_to_metric_families(curl(f"http://{url}/metrics")[0])}
    counted = sum(s.value for s in families["foveal_requests"].samples if s.name == "foveal_requests_total")
    ok("Prometheus's parser", counted > 5)


def main():
    # Pixels that are whole numbers: every type of tensor holds them.
    pixels = np.random.default_rng(3).integers(0, 256, (3, 28, 28, 1)).astype(np.float32)
    np.save(WORK / "pixels.npy", pixels)
    wanted = predict("pixels.npy")
    server = subprocess.Popen([FOVEAL, "serve", "digits", "--port", "0", "--json"], cwd=WORK, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        url = re.search(r"http://([0-9.]+:[0-9]+)", server.stdout.readline()).group(1)
        with_triton(url, pixels, wanted)
        asyncio.run(with_kserve(url, pixels, wanted))
        np.save(WORK / "one.npy", pixels[0])
        with_curl(url, WORK / "one.npy", predict("one.npy"))
    finally:
        server.terminate()
        server.wait()
    for file in ("kubernetes.yaml", "kserve.yaml"):
        for document in yaml.safe_load_all((pathlib.Path(__file__).parent.parent / "deploy" / file).read_text()):
            ok(f"{file}: {document['kind']}", {"apiVersion", "kind", "metadata", "spec"} <= set(document))
    print(f"test result: ok. {passed} passed; 0 failed; 0 ignored; clients")


main()

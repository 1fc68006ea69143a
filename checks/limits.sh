#!/usr/bin/env bash
# The tests of the readers once more, with 512 MB of address space: no file, however broken, may take more.
set -euo pipefail
cd "$(dirname "$0")/.."

# Takes what `make test` has built: one package alone would be built with other features, and so anew.
binaries=$(cargo test --workspace --locked --no-run --message-format=json 2>/dev/null |
  python3 -c '
import json, sys
readers = {"foveal_data": None, "foveal_onnx": None, "foveal_train": {"saved", "checkpoint"}}
for line in sys.stdin:
    message = json.loads(line)
    if message.get("reason") != "compiler-artifact" or not message["profile"]["test"] or not message.get("executable"):
        continue
    package = message["package_id"].split("/")[-1].split("#")[0].split("@")[0]
    wanted = {"data": "foveal_data", "onnx": "foveal_onnx", "train": "foveal_train"}.get(package)
    if wanted and (readers[wanted] is None or message["target"]["name"] in readers[wanted]):
        print(message["executable"])')
test -n "$binaries"
for binary in $binaries; do
  echo "512 MB: $(basename "${binary%-*}")"
  (ulimit -v 524288; exec "$binary" --test-threads=1 --quiet)
done

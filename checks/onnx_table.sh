#!/usr/bin/env bash
# The import table: some 150 networks as ONNX files of three exporters, each through `foveal import` and `foveal export`,
# beside ONNX Runtime. Needs cargo and Python; the files (6 GB) and what it downloads go to FOVEAL_CHECKS (by default
# ~/.cache/foveal-checks). Arguments are names of networks; without any it takes all of them, which takes an hour.
set -euo pipefail
cd "$(dirname "$0")/.."
cache=${FOVEAL_CHECKS:-${XDG_CACHE_HOME:-$HOME/.cache}/foveal-checks}
folder=$cache/import-table
mkdir -p "$folder"

# A Python that can do `$1`, with the packages that follow where it must be made.
have() {
  local imports=$1 venv=$2
  shift 2
  "$venv/bin/python" -c "import $imports" 2>/dev/null && return
  python3 -m venv "$venv"
  "$venv/bin/python" -m pip install -q --disable-pip-version-check "$@"
}
torch=${FOVEAL_TORCH:-$cache/torch}
keras=${FOVEAL_KERAS:-$cache/keras}
have "torch, torchvision, timm, onnx, onnxruntime, onnxscript" "$torch" \
  torch torchvision timm==1.0.31 onnx==1.23.2 onnxruntime==1.32.0 onnxscript==0.7.2
have "tensorflow, tf2onnx, onnx" "$keras" tensorflow-cpu==2.21.0 tf2onnx==1.17.0 onnx==1.23.2

for nets in families small; do
  "$torch/bin/python" "checks/onnx_$nets.py" "$folder" "$@"
done
"$keras/bin/python" checks/onnx_keras.py "$folder" "$@"
cargo build --locked -q -p foveal-cli
"$torch/bin/python" checks/onnx_table.py "${CARGO_TARGET_DIR:-target}/debug/foveal" "$folder" "$@"

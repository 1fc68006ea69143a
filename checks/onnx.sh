#!/usr/bin/env bash
# ONNX files, read by others: onnx.checker and ONNX Runtime on exported models, ONNX's own node tests through import.
# Needs cargo and Python; what it downloads goes to FOVEAL_CHECKS (by default ~/.cache/foveal-checks).
set -euo pipefail
cd "$(dirname "$0")/.."
cache=${FOVEAL_CHECKS:-${XDG_CACHE_HOME:-$HOME/.cache}/foveal-checks}
mkdir -p "$cache"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

python=${FOVEAL_ONNX_PYTHON:-$cache/onnx/bin/python}
if ! "$python" -c "import onnx, onnxruntime" 2>/dev/null; then
  python3 -m venv "$cache/onnx" || {
    echo "error: the checks of ONNX files need Python with venv; install python3 and python3-venv and run again" >&2
    exit 1
  }
  python=$cache/onnx/bin/python
  "$python" -m pip install -q --disable-pip-version-check "onnx==1.23.2" "onnxruntime==1.32.0"
fi

# As `make test` has built them: a package alone would be built anew, with features of its own.
cargo test --workspace --locked -q --no-run
built=${CARGO_TARGET_DIR:-target}/debug
"$built/examples/test_images" >"$work/mnist-test"
for model in fast balanced best lab-11-1 lab-11-2 stack vgg-small vgg residual separable; do
  # A few thousand images are enough for weights that are not those of the beginning.
  "$built/foveal" train mnist --model "$model" --epochs 1 --validation 55000 -q --no-report --out "$work/$model" >/dev/null
  "$built/foveal" export "$work/$model" "$work/$model.onnx"
done
# Every layer that these models have not.
for model in checks/layers/*.toml; do
  name=$(basename "$model" .toml)
  "$built/foveal" train mnist --model "$model" --epochs 1 --validation 55000 -q --no-report --out "$work/$name" >/dev/null
  "$built/foveal" export "$work/$name" "$work/$name.onnx"
done
# Texts and CT: as they are named in onnx_check.py.
"$built/examples/texts" "$work" >/dev/null
for language in english korean; do
  "$built/foveal" train "$work/$language.tsv" --epochs 1 -q --no-report --out "$work/$language" >/dev/null
  "$built/foveal" export "$work/$language" "$work/$language.onnx"
done
"$built/examples/ct_phantoms" "$work/phantoms" >/dev/null
"$built/foveal" train "$work/phantoms/scans" --labels "$work/phantoms/lesion.csv" --window lung --image-size 96 \
  --epochs 1 -q --no-report --out "$work/phantoms/run" >/dev/null
"$built/foveal" export "$work/phantoms/run" "$work/phantoms.onnx"
mkdir "$work/scales"
"$python" checks/scales.py "$(realpath "$built/foveal")" "$work/scales"
"$python" checks/onnx_check.py "$built/foveal" "$work"

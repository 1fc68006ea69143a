#!/usr/bin/env bash
# What a training run leaves, read by others: report.html by a browser, event files by TensorBoard.
# Needs cargo; Chromium, Node.js and Python's venv are installed by apt-get where they are missing. What it
# downloads goes to FOVEAL_CHECKS (by default ~/.cache/foveal-checks) and to checks/browser/node_modules.
set -euo pipefail
cd "$(dirname "$0")/.."
. checks/browser.sh
have_browser
have python3 python3 python3-venv

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# Takes what `make test` has built: one package alone would be built with other features, and so anew.
cargo test --workspace --locked -q --no-run
built=${CARGO_TARGET_DIR:-target}/debug
"$built/foveal" train mnist --tensorboard -q --lang en --out "$work/run" >/dev/null
"$built/foveal" train mnist --epochs 1 -q --lang ko --out "$work/korean" >/dev/null
"$built/examples/regression_report" "$work/regression.html" >/dev/null

python="$cache/venv/bin/python"
if ! "$python" -c "import tensorboard" 2>/dev/null; then
  python3 -m venv "$cache/venv" || { have python3-has-no-venv python3-venv; python3 -m venv "$cache/venv"; }
  "$python" -m pip install -q --disable-pip-version-check "tensorboard==2.20.0"
fi
"$python" checks/read_events.py "$work/run" 2>&1

REPORT="$work/run/report.html" KOREAN="$work/korean/report.html" REGRESSION="$work/regression.html" \
  in_browser "$work" checks/browser/report.test.mjs

#!/usr/bin/env bash
# `foveal serve` asked by the clients that people have: Triton's and KServe's for Python with their defaults, curl, and a
# parser of Prometheus's text. Needs cargo, curl and Python's venv; what it downloads goes to FOVEAL_CHECKS (by default
# ~/.cache/foveal-checks).
set -euo pipefail
cd "$(dirname "$0")/.."
cache=${FOVEAL_CHECKS:-${XDG_CACHE_HOME:-$HOME/.cache}/foveal-checks}
python=$cache/clients/bin/python
if ! "$python" -c "import tritonclient.http, kserve, prometheus_client, yaml" 2>/dev/null; then
  python3 -m venv "$cache/clients"
  "$python" -m pip install -q --disable-pip-version-check "tritonclient[http]==2.73.0" "kserve==0.21.0" prometheus-client pyyaml
fi
if [ -z "${PROGRAM:-}" ]; then
  cargo build --locked -q
  PROGRAM=${CARGO_TARGET_DIR:-target}/debug/foveal
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$PROGRAM" train mnist --epochs 1 -q --no-report --out "$work/digits" >/dev/null
"$python" checks/clients.py "$(realpath "$PROGRAM")" "$work"

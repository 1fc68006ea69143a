#!/usr/bin/env bash
# What a training run leaves, read by others: report.html by a browser, event files by TensorBoard.
# Needs cargo; Chromium, Node.js and Python's venv are installed by apt-get where they are missing. What it
# downloads goes to FOVEAL_CHECKS (by default ~/.cache/foveal-checks) and to checks/browser/node_modules.
set -euo pipefail
cd "$(dirname "$0")/.."
cache=${FOVEAL_CHECKS:-${XDG_CACHE_HOME:-$HOME/.cache}/foveal-checks}
mkdir -p "$cache"

# have COMMAND PACKAGE...: the command is there, or is installed.
have() {
  command -v "$1" >/dev/null && return
  echo "installing ${*:2}"
  local as=()
  if [ "$(id -u)" != 0 ]; then as=(sudo -n); fi
  if ! command -v apt-get >/dev/null ||
    ! { "${as[@]}" apt-get update -qq && "${as[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${@:2}"; } >"$cache/apt.log" 2>&1; then
    echo "error: the checks of report.html need \`$1\`, and it could not be installed ($cache/apt.log); install ${*:2} and run again" >&2
    exit 1
  fi
}

export CHROMIUM=${CHROMIUM:-$(command -v chromium || command -v chromium-browser || command -v google-chrome || echo chromium)}
have "$CHROMIUM" chromium
have node nodejs npm
have npm npm
have python3 python3 python3-venv
CHROMIUM=$(command -v "$CHROMIUM")

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# As `make test` has built them: a package alone would be built anew, with features of its own.
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

npm ci --prefix checks/browser --no-audit --no-fund --silent
REPORT="$work/run/report.html" KOREAN="$work/korean/report.html" REGRESSION="$work/regression.html" \
  node --test --test-reporter=spec --test-reporter-destination=stdout --test-reporter=tap \
  --test-reporter-destination="$work/tap" checks/browser/report.test.mjs && status=0 || status=$?
awk '$1 == "#" { n[$2] = $3 } END {
  printf "test result: %s. %d passed; %d failed; %d ignored;\n", n["fail"] + n["cancelled"] ? "FAILED" : "ok",
    n["pass"], n["fail"] + n["cancelled"], n["skipped"] }' "$work/tap"
exit "$status"

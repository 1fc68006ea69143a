#!/usr/bin/env bash
# The Python package as users get it: a wheel is built, installed into a fresh environment and tested there, notebooks and
# types among the rest. Needs cargo and Python 3.11 or newer; what pip downloads it keeps in its own cache.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${FOVEAL_PYTHON:-python3}
if ! "$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    { apt-get install -yq python3-venv || { apt-get update -q && apt-get install -yq python3-venv; }; } >/dev/null 2>&1 || true
  fi
  if ! "$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    echo "skipped: the Python package needs Python 3.11 or newer with venv; install python3 and python3-venv"
    exit 0
  fi
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$python" -m venv "$work/venv"
python=$work/venv/bin/python
"$python" -m pip install -q --disable-pip-version-check "maturin>=1.9.4,<2"

# As the other tests: optimized, without link-time optimization. The lints are those of the workspace.
cargo clippy -p foveal-python --features extension --locked -- -D warnings
# The program to compare with, as `make test` has built it.
cargo test --workspace --locked -q --no-run
(cd python && "$work/venv/bin/maturin" build -q --profile dev -o "$work/wheels")
wheel=$(echo "$work"/wheels/foveal-*.whl)
"$python" -m pip install -q --disable-pip-version-check "$wheel[test]"

cp -r python/tests "$work/tests"
FOVEAL_PROGRAM=${CARGO_TARGET_DIR:-target}/debug/foveal
export FOVEAL_PROGRAM=$(realpath "$FOVEAL_PROGRAM") FOVEAL_NOTEBOOKS=$PWD/docs/notebooks
failed=0
(cd "$work" && "$python" -m pytest -q -p no:cacheprovider --junit-xml="$work/results.xml" tests) || failed=1
(cd "$work" && "$python" -m mypy.stubtest foveal._foveal --ignore-missing-stub) || failed=1
(cd python && "$python" -m mypy --cache-dir "$work/mypy") || failed=1
# One line in the form of cargo's, which `make test` counts.
"$python" - "$work/results.xml" <<'PY'
import sys
import xml.etree.ElementTree as tree

suite = next(tree.parse(sys.argv[1]).iter("testsuite"))
n, bad, skipped = (sum(int(suite.get(k, 0)) for k in keys) for keys in (["tests"], ["failures", "errors"], ["skipped"]))
print(f"test result: {'FAILED' if bad else 'ok'}. {n - bad - skipped} passed; {bad} failed; {skipped} ignored; python")
PY
exit $failed

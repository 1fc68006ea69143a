#!/usr/bin/env bash
# The page in a real browser: builds web/dist and opens it under a path of its own, with the network blocked.
# Needs cargo; Chromium and Node.js are installed by apt-get where they are missing. Names of views (bench, network,
# train) run their checks alone.
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
    echo "error: the checks of the page need \`$1\`, and it could not be installed ($cache/apt.log); install ${*:2} and run again" >&2
    exit 1
  fi
}

export CHROMIUM=${CHROMIUM:-$(command -v chromium || command -v chromium-browser || command -v google-chrome || echo chromium)}
have "$CHROMIUM" chromium
have node nodejs npm
have npm npm
CHROMIUM=$(command -v "$CHROMIUM")

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# As `make test` has built it: a package alone would be built anew, with features of its own.
cargo test --workspace --locked -q --no-run
export FOVEAL=${CARGO_TARGET_DIR:-$PWD/target}/debug/foveal
web/build.sh

npm ci --prefix checks/browser --no-audit --no-fund --silent
files=(checks/browser/*.page.mjs)
[ $# = 0 ] || files=("${@/%/.page.mjs}")
[ $# = 0 ] || files=("${files[@]/#/checks/browser/}")
# One view after the other: training wants the machine for itself.
node --test --test-concurrency=1 --test-reporter=spec --test-reporter-destination=stdout --test-reporter=tap \
  --test-reporter-destination="$work/tap" "${files[@]}" && status=0 || status=$?
awk '$1 == "#" { n[$2] = $3 } END {
  printf "test result: %s. %d passed; %d failed; %d ignored;\n", n["fail"] + n["cancelled"] ? "FAILED" : "ok",
    n["pass"], n["fail"] + n["cancelled"], n["skipped"] }' "$work/tap"
exit "$status"

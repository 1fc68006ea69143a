#!/usr/bin/env bash
# The page in a real browser: builds web/dist and opens it under a path of its own, with the network blocked.
# Needs cargo; Chromium and Node.js are installed by apt-get where they are missing. Names of views (bench, network,
# train) run their checks alone.
set -euo pipefail
cd "$(dirname "$0")/.."
. checks/browser.sh
have_browser

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# Takes what `make test` has built: one package alone would be built with other features, and so anew.
cargo test --workspace --locked -q --no-run
export FOVEAL=${CARGO_TARGET_DIR:-$PWD/target}/debug/foveal
web/build.sh

files=(checks/browser/*.page.mjs)
[ $# = 0 ] || files=("${@/%/.page.mjs}")
[ $# = 0 ] || files=("${files[@]/#/checks/browser/}")
in_browser "$work" "${files[@]}"

#!/usr/bin/env bash
# The program with every feature left out is checked, warnings refused. With `--run` it is built, too, and must say of
# each thing that it lacks, in one line, what it is built with. Also whether this is the oldest Rust that `rust-version`
# claims; if not, and that one is installed, the program is checked by it.
set -euo pipefail
cd "$(dirname "$0")/.."

told=$(cargo check --locked -q -p foveal-cli --no-default-features 2>&1) || { echo "$told"; exit 1; }
if [ -n "$told" ]; then echo "$told"; echo "error: the slim program has warnings" >&2; exit 1; fi
echo "slim: $(cargo tree --locked -q -p foveal-cli --no-default-features -e normal --prefix none | cut -d' ' -f1,2 | sort -u | wc -l) crates, checked"

if [ "${1:-}" = --run ]; then
target=${CARGO_TARGET_DIR:-target}/slim

CARGO_TARGET_DIR=$target cargo build --locked -q -p foveal-cli --no-default-features
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
foveal=$target/debug/foveal

# what lacks FEATURE ARGUMENTS...: refused with status 1 and one line that names the feature.
lacks() {
  local feature=$1 line status=0
  shift
  line=$("$foveal" "$@" 2>&1 >/dev/null) || status=$?
  case "$status $line" in
    "1 error: "*"without the feature \`$feature\`"*"--features $feature"*) ;;
    *) echo "error: foveal $*: status $status: $line" >&2; exit 1 ;;
  esac
  [ "$(wc -l <<<"$line")" = 1 ] || { echo "error: foveal $*: more than a line: $line" >&2; exit 1; }
}
printf 'good\tA text.\nbad\tAnother.\n' >"$work/texts.tsv"
mkdir -p "$work/slices/a"
{ head -c 128 /dev/zero; printf DICM; } >"$work/slices/a/1"
lacks backbone predict imagenet x.png
lacks mnist train mnist
lacks mnist data check mnist
lacks mnist lab
lacks serve serve run --port 80
lacks text train "$work/texts.tsv"
lacks dicom data check "$work/slices"
"$foveal" summary lab-11-1 >/dev/null
"$foveal" data list >/dev/null
[ "$("$foveal" max-pool '[[1,2],[3,4]]' --ksize 2,2 --json)" != "" ]
echo "slim: what is left out is told"
fi

claimed=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
case "$(rustc --version)" in
  "rustc $claimed."*) echo "rust $claimed: this is it" ;;
  *)
    if rustup toolchain list 2>/dev/null | grep -q "^$claimed"; then
      cargo "+$claimed" check --locked -q -p foveal-cli
      echo "rust $claimed: checked"
    else
      echo "rust $claimed: not installed, not checked"
    fi ;;
esac

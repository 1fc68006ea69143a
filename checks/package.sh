#!/usr/bin/env bash
# Every crate that is meant for crates.io makes a package with its licences and a README, of at most ten megabytes.
set -euo pipefail
cd "$(dirname "$0")/.."
MOST=$((10 << 20))
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT

names=$(cargo metadata --locked --no-deps --format-version 1 |
  python3 -c 'import json,sys; print(*(p["name"] for p in json.load(sys.stdin)["packages"] if p["publish"] is None))')
options=(); for name in $names; do options+=(-p "$name"); done
cargo package --locked --no-verify --allow-dirty --quiet --target-dir "$folder" "${options[@]}"
for name in $names; do
  file=$(echo "$folder"/package/"$name"-[0-9]*.crate)
  list=$(tar tzf "$file")
  for wanted in README.md LICENSE-MIT LICENSE-APACHE; do
    grep -q "/$wanted$" <<<"$list" || { echo "$name: its package has no $wanted" >&2; exit 1; }
  done
  bytes=$(stat -c %s "$file")
  echo "$name: $bytes bytes, $(wc -l <<<"$list") files"
  [ "$bytes" -le "$MOST" ] || { echo "$name: more than crates.io takes" >&2; exit 1; }
done

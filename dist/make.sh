#!/usr/bin/env bash
# Programs to hand out, in target/dist: a static one for Linux, a zip for Windows, their checksums, an install script.
# Needs the rustup targets and Debian's musl-tools and gcc-mingw-w64-x86-64; what cannot be built is said.
set -euo pipefail
cd "$(dirname "$0")/.."
version=$(cargo metadata --locked --no-deps --format-version 1 |
  python3 -c 'import json,sys; print(next(p["version"] for p in json.load(sys.stdin)["packages"] if p["name"] == "foveal-cli"))')
target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
out="$target/dist"
rm -rf "$out"; mkdir -p "$out"

build() {  # build TARGET COMPILER
  command -v "$2" >/dev/null || { echo "dist: $1 skipped: there is no $2"; return 1; }
  rustup target add "$1" >/dev/null 2>&1 || true
  cargo build --release --locked -q -p foveal-cli --target "$1"
}

if build x86_64-unknown-linux-musl musl-gcc; then
  name="foveal-$version-x86_64-linux"
  mkdir "$out/$name"
  install -s "$target/x86_64-unknown-linux-musl/release/foveal" "$out/$name/foveal"
  cp README.md README.ko.md LICENSE-MIT LICENSE-APACHE dist/install.sh "$out/$name/"
  tar -C "$out" --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 -czf "$out/$name.tar.gz" "$name"
  rm -r "${out:?}/$name"
fi
if build x86_64-pc-windows-gnu x86_64-w64-mingw32-gcc; then
  name="foveal-$version-x86_64-windows"
  mkdir "$out/$name"
  cp "$target/x86_64-pc-windows-gnu/release/foveal.exe" "$out/$name/"
  x86_64-w64-mingw32-strip "$out/$name/foveal.exe"
  cp README.md README.ko.md LICENSE-MIT LICENSE-APACHE "$out/$name/"
  (cd "$out" && python3 -m zipfile -c "$name.zip" "$name")
  rm -r "${out:?}/$name"
fi
cd "$out"
sha256sum foveal-* | tee SHA256SUMS

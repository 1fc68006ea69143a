#!/usr/bin/env bash
# Whether foveal compiles for the platforms that this machine does not have: Windows and macOS. What cannot be checked
# here is said, with the reason. With `--all` also the server and, where its C compiler is here, the program for Windows.
# Nothing is linked or run: `make test-windows` does that.
set -euo pipefail
cd "$(dirname "$0")/.."

have() {  # have TARGET: whether the standard library of TARGET is here; rustup fetches it where it can
  local folder
  folder=$(rustc --print target-libdir --target "$1")
  [ -d "$folder" ] || rustup target add "$1" >/dev/null 2>&1 || true
  [ -d "$folder" ]
}

check() {  # check TARGET WHAT CARGO-OPTIONS...
  local target=$1 what=$2; shift 2
  if ! have "$target"; then
    echo "platforms: $target skipped: rustup cannot fetch its standard library"
    return
  fi
  SECONDS=0
  cargo check --locked -q --target "$target" "$@"
  echo "platforms: $target: $what checked in $SECONDS s"
}

LIBRARIES=(-p foveal --features dicom -p foveal-infer)
WHAT="the libraries"
if [ "${1:-}" = --all ]; then
  LIBRARIES+=(-p foveal-serve)
  # The data of MNIST and of the built-in network are packed with zstd, which is C: its compiler is needed for the target.
  if command -v x86_64-w64-mingw32-gcc >/dev/null; then
    check x86_64-pc-windows-gnu "the program and the libraries" "${LIBRARIES[@]}" -p foveal-cli
  else
    check x86_64-pc-windows-gnu "the libraries (the program needs gcc-mingw-w64-x86-64)" "${LIBRARIES[@]}"
  fi
else
  check x86_64-pc-windows-gnu "$WHAT" "${LIBRARIES[@]}"
fi
check aarch64-apple-darwin "$WHAT (the program needs a C compiler for macOS)" "${LIBRARIES[@]}"

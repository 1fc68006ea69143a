#!/usr/bin/env bash
# Builds the page into web/dist: the Rust code as WebAssembly, its JavaScript and types, then the page around it.
# Needs cargo with the target wasm32-unknown-unknown, and Node.js 20.19 or newer with npm.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { echo "make page: $*" >&2; }
missing() { say "error: $*"; exit 1; }

command -v npm >/dev/null || missing "npm is missing; install Node.js 20.19 or newer (Debian: apt-get install nodejs npm)"
target=wasm32-unknown-unknown
libraries=$(rustc --print target-libdir --target "$target")
if [ ! -d "$libraries" ]; then
  command -v rustup >/dev/null || missing "Rust has no $target; install it as your Rust was installed (with rustup: rustup target add $target)"
  say "adding the Rust target $target"
  rustup target add "$target" >&2 || missing "could not add it; run: rustup target add $target"
fi

# One version of wasm-bindgen on both sides.
locked() { awk -v name="$1" '$0 == "name = \"" name "\"" { getline; gsub(/[^0-9.]/, ""); print; exit }' "$2"; }
ours=$(locked wasm-bindgen-shared Cargo.lock)
theirs=$(locked wasm-bindgen-shared web/bindgen/Cargo.lock)
[ "$ours" = "$theirs" ] || missing "Cargo.lock has wasm-bindgen $ours and web/bindgen $theirs; set web/bindgen/Cargo.toml to =$ours and run cargo update there"

built=${CARGO_TARGET_DIR:-$PWD/target}
RUSTFLAGS="-C target-feature=+simd128" cargo build --locked --profile page --target "$target" -p foveal-wasm
cargo build --locked --release --manifest-path web/bindgen/Cargo.toml --target-dir "$built/bindgen"
rm -rf web/src/wasm/pkg
"$built/bindgen/release/foveal-bindgen" "$built/$target/page/foveal_wasm.wasm" web/src/wasm/pkg

# What the page loads on demand: the built-in model, which is trained here in a second or two, and MNIST's digits.
# FOVEAL names a program that is built already.
model=web/public/models/mnist.safetensors
if [ ! -f "$model" ]; then
  say "training the page's model"
  if [ -z "${FOVEAL:-}" ]; then
    cargo build --locked --release -p foveal-cli
    FOVEAL=$built/release/foveal
  fi
  trained=$(mktemp -d)
  trap 'rm -rf "$trained"' EXIT
  "$FOVEAL" train mnist --lang en -q --out "$trained/run" >/dev/null
  mkdir -p "$(dirname "$model")"
  cp "$trained/run/model.safetensors" "$model"
fi
if [ ! -f web/public/digits/few.bin ]; then
  say "packing MNIST's digits"
  cargo run --locked --quiet --release -p foveal-mnist --example page_digits -- web/public/digits
fi

cd web
[ node_modules/.package-lock.json -nt package-lock.json ] || npm ci --no-audit --no-fund --silent
npm run --silent build

echo "compressed (gzip -9), in bytes; digits are loaded on demand:"
find dist -type f -not -path 'dist/digits/*' | LC_ALL=C sort | while read -r file; do
  printf '%9d  %s\n' "$(gzip -9c "$file" | wc -c)" "${file#dist/}"
done | awk '{ sum += $1; print } END { printf "%9d  all\n", sum }'
printf '%9d  digits\n' "$(cat dist/digits/* | wc -c)"

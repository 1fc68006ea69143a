#!/usr/bin/env bash
# foveal-infer alone: few crates, and it compiles to WebAssembly. With `--measure` also what it costs: processor seconds
# and bytes of a program that reads a model file and asks it.
set -euo pipefail
cd "$(dirname "$0")/.."
MOST=30

crates=$(cargo tree --locked -p foveal-infer -e normal --prefix none | awk '{ print $1 }' | sort -u | wc -l)
echo "foveal-infer: $crates crates in its tree, at most $MOST"
[ "$crates" -le "$MOST" ] || { echo "that is more than $MOST" >&2; exit 1; }

TARGET=wasm32-unknown-unknown
if ! rustc --print target-libdir --target "$TARGET" 2>/dev/null | xargs -r test -d; then
  rustup target add "$TARGET" >/dev/null 2>&1 || true
fi
if rustc --print target-libdir --target "$TARGET" 2>/dev/null | xargs -r test -d; then
  SECONDS=0
  cargo check --locked -q -p foveal-infer --target "$TARGET"
  echo "foveal-infer: checked for $TARGET in $SECONDS s"
else
  echo "foveal-infer: $TARGET skipped: rustup has no such target here"
fi

if [ "${1:-}" = --measure ]; then
  folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
  mkdir "$folder/src"
  cat > "$folder/Cargo.toml" <<TOML
[package]
name = "ask"
version = "0.0.0"
edition = "2024"
[dependencies]
foveal-infer = { path = "$PWD/crates/infer" }
[profile.release]
lto = "fat"
codegen-units = 1
panic = "abort"
strip = true
opt-level = "s"
[workspace]
TOML
  cat > "$folder/src/main.rs" <<'RUST'
fn main() {
    let read = |i: usize| std::fs::read(std::env::args().nth(i).unwrap()).unwrap();
    let predictor = foveal_infer::Predictor::from_bytes(&read(1), "model").unwrap();
    println!("{:?}", predictor.predict(&read(2)).unwrap());
}
RUST
  cp Cargo.lock "$folder/"
  ( cd "$folder"; TIMEFORMAT='%U'; time CARGO_TARGET_DIR="$folder/target" cargo build --release --offline -q ) 2> "$folder/seconds"
  echo "foveal-infer: $(tail -1 "$folder/seconds") processor seconds to compile, $(stat -c %s "$folder/target/release/ask") bytes, stripped"
fi

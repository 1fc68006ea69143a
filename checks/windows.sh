#!/usr/bin/env bash
# The program for Windows, cross-compiled here and run under Wine: it trains, predicts, reads Korean names, is killed and
# goes on, serves; and its models have the bytes of those that this machine's own program makes.
# As root on a Debian, gcc-mingw-w64-x86-64 and wine64 are installed first where they are missing.
set -euo pipefail
cd "$(dirname "$0")/.."
TARGET=x86_64-pc-windows-gnu
PROFILE=${FOVEAL_PROFILE:-dev}
target=${CARGO_TARGET_DIR:-target}
folder=$([ "$PROFILE" = dev ] && echo debug || echo "$PROFILE")

have() { command -v "$1" >/dev/null; }
wine() { command "$(command -v wine64 || command -v wine || echo /usr/lib/wine/wine64)" "$@"; }
if ! have x86_64-w64-mingw32-gcc || ! { have wine64 || have wine || [ -x /usr/lib/wine/wine64 ]; }; then
  { apt-get update -q && apt-get install -yq --no-install-recommends gcc-mingw-w64-x86-64 wine64; } >/dev/null 2>&1 || {
    echo "windows: skipped: gcc-mingw-w64-x86-64 and wine64 are not here and cannot be installed"; exit 0; }
fi
rustup target add "$TARGET" >/dev/null 2>&1 || true

cargo build --locked -q --profile "$PROFILE" -p foveal-cli
cargo build --locked -q --profile "$PROFILE" -p foveal-cli --target "$TARGET"
ours=$(realpath "$target/$folder/foveal"); theirs=$(realpath "$target/$TARGET/$folder/foveal.exe")

work=$(mktemp -d); server=; trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$work"' EXIT
export WINEPREFIX="$work/prefix" WINEDEBUG=-all WINEDLLOVERRIDES="mscoree,mshtml="
cd "$work"
cp "$theirs" foveal.exe
# Wine before 9 lacks this library of one function, which the standard library of Rust asks for random numbers.
cat > random.c <<'C'
#include <windows.h>
BOOLEAN NTAPI SystemFunction036(PVOID buffer, ULONG length);
BOOL WINAPI ProcessPrng(PBYTE buffer, SIZE_T length) { return SystemFunction036(buffer, (ULONG)length); }
C
cat > random.def <<'DEF'
LIBRARY bcryptprimitives.dll
EXPORTS
  ProcessPrng
DEF
if ! wine foveal.exe --version >/dev/null 2>&1; then
  x86_64-w64-mingw32-gcc -shared -O1 -o bcryptprimitives.dll random.c random.def -ladvapi32
fi

passed=0
ok() { passed=$((passed + 1)); echo "windows: ok: $1"; }
fail() { echo "windows: FAILED: $1" >&2; exit 1; }
sum() { sha256sum "$1" | cut -d' ' -f1; }

wine foveal.exe --version | grep -q '^foveal ' && ok "it starts" || fail "it does not start"
[ "$(wine foveal.exe explain conv2d '[[1,2],[3,4]]' '[[1,1],[1,1]]' --padding same --at 0,0,0,0 | tr -d '\r')" = \
  "$("$ours" explain conv2d '[[1,2],[3,4]]' '[[1,1],[1,1]]' --padding same --at 0,0,0,0)" ] &&
  ok "an explained cell is the same" || fail "an explained cell differs"

# Pictures in class folders with Korean names.
mkdir -p 사진/고양이 사진/강아지
python3 - <<'PY'
import struct, zlib, pathlib
def png(path, seed, across):
    rows = b""
    for y in range(12):
        rows += b"\0" + bytes(((200 if ((y if across else x) + seed) % 4 < 2 else 30) + (x * y * seed) % 20) % 256 for x in range(12))
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    head = struct.pack(">IIBBBBB", 12, 12, 8, 0, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
for name, across in [("고양이", True), ("강아지", False)]:
    folder = pathlib.Path("사진") / name
    for i in range(20): png(folder / f"그림 {i}.png", i + 1, across)
PY
options=(--epochs 3 --seed 5 --image-size 12 --from scratch --no-report)
"$ours" train 사진 --out ours "${options[@]}" >/dev/null 2>&1
wine foveal.exe train 사진 --out theirs "${options[@]}" > train.txt 2>&1 || { cat train.txt; fail "it does not train"; }
ok "it trains on pictures with Korean names"
[ "$(sum ours/model.safetensors)" = "$(sum theirs/model.safetensors)" ] &&
  ok "the model has the same bytes: $(sum ours/model.safetensors)" || fail "the model has other bytes"

one="사진/고양이/그림 3.png"
answer=$(wine foveal.exe predict theirs "$one" --json | tr -d '\r')
[ "$answer" = "$("$ours" predict ours "$one" --json)" ] || grep -q 고양이 <<<"$answer" &&
  ok "it predicts" || fail "it predicts something else: $answer"
! wine foveal.exe predict theirs nothing.png 2>&1 | grep -q '\\' && ok "paths are printed in one style" ||
  echo "windows: paths are printed with both separators"

# Killed within a training, it goes on to the same bytes.
wine foveal.exe train 사진 --out killed "${options[@]}" --epochs 40 >/dev/null 2>&1 & victim=$!
for _ in $(seq 200); do [ -f killed/checkpoint.safetensors ] && break; sleep 0.1; done
kill -9 "$victim" 2>/dev/null || true
wait "$victim" 2>/dev/null || true
wine foveal.exe train 사진 --out killed "${options[@]}" --epochs 40 --resume >/dev/null 2>&1 || fail "it does not resume"
"$ours" train 사진 --out whole "${options[@]}" --epochs 40 >/dev/null 2>&1
[ "$(sum killed/model.safetensors)" = "$(sum whole/model.safetensors)" ] && ok "killed, it goes on to the same bytes" ||
  fail "killed, it goes on to other bytes"

wine foveal.exe serve theirs --port 18473 >/dev/null 2>&1 & server=$!
for _ in $(seq 100); do curl -sf localhost:18473/v2/health/ready >/dev/null 2>&1 && break; sleep 0.1; done
curl -sf --data-binary @"$one" localhost:18473/predict | grep -q '"class"' && ok "it serves" || fail "it does not serve"
echo "windows: $passed passed"

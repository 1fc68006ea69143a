#!/usr/bin/env bash
# Commands with little address space, in 32 steps from 32 MB to 1 GB: each must give its answer, or one line and exit
# status 1; never a signal. Where not even the program's file fits, the system cannot start it; such limits are counted by
# themselves. PROGRAM is the program to try.
set -uo pipefail
cd "$(dirname "$0")/.."
program=$(realpath "${PROGRAM:-target/release/foveal}")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 - <<'P'
import struct
def npy(name, shape, values):
    head = "{'descr': '<f4', 'fortran_order': False, 'shape': %s, }" % (shape,)
    head += ' ' * (63 - (10 + len(head)) % 64) + '\n'
    data = struct.pack('<%df' % len(values), *values)
    open(name, 'wb').write(b'\x93NUMPY\x01\x00' + struct.pack('<H', len(head)) + head.encode() + data)
npy('x.npy', (1, 8, 8, 1), [i % 7 for i in range(64)])
npy('w.npy', (3, 3, 1, 4), [1.0] * 36)
P
python3 - <<'P'
import struct
for part in ('train', 't10k'):
    n = 120
    pixels = bytes((i * 7 + p * 13) % 251 if p // 8 % 3 == i % 3 else 0 for i in range(n) for p in range(64))
    open(part + '-images-idx3-ubyte', 'wb').write(struct.pack('>4B3I', 0, 0, 8, 3, n, 8, 8) + pixels)
    open(part + '-labels-idx1-ubyte', 'wb').write(struct.pack('>4BI', 0, 0, 8, 1, n) + bytes(i % 3 for i in range(n)))
P
mkdir set && mv ./*-ubyte set
"$program" train set --epochs 2 --out run -q >/dev/null || exit 1
"$program" export run m.onnx -q || exit 1
good=0 told=0 wrong=0 small=0
for command in "train set --epochs 2 --out new --overwrite -q" "predict run x.npy" "predict imagenet mnist:test:7" "summary lab-11-2" "import m.onnx back.safetensors" "conv2d x.npy w.npy --padding SAME"; do
  for step in $(seq 0 31); do
    megabytes=$((32 + step * 32))
    (ulimit -v $((megabytes * 1024)); exec "$program" --version) >/dev/null 2>&1
    if [ $? -ge 126 ]; then
      small=$((small + 1))
      continue
    fi
    (ulimit -v $((megabytes * 1024)); exec "$program" $command >out 2>err)
    status=$?
    if [ $status = 0 ]; then
      good=$((good + 1))
    elif [ $status = 1 ] && [ "$(grep -c '^error: ' err)" = 1 ] && [ "$(wc -l <err)" = 1 ]; then
      told=$((told + 1))
    else
      wrong=$((wrong + 1))
      echo "$megabytes MB: $command: status $status: $(head -c 300 err)"
    fi
  done
done
echo "$good answers, $told refusals in one line, $small below the program's own size, $wrong others"
[ $wrong = 0 ]

#!/bin/sh
# Packs the four original IDX files of MNIST into data/, as zstd frames.
# Usage: crates/mnist/pack.sh DIRECTORY
# DIRECTORY holds the four files under their original names, plain or .gz.
# The crate was packed with zstd 1.5.4; another version may give other sizes, never other pixels.
set -eu

[ $# -eq 1 ] || { echo "usage: $0 DIRECTORY" >&2; exit 2; }
from=$1
to=$(dirname "$0")/data
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# payload FILE HEADER: the bytes of an IDX file after its header of HEADER bytes.
payload() {
    if [ -f "$from/$1" ]; then
        tail -c +$(($2 + 1)) "$from/$1"
    else
        gzip -dc "$from/$1.gz" | tail -c +$(($2 + 1))
    fi
}

# squeeze IN OUT: one frame, content size in its header, without zstd's own checksum
# (the crate's tests hold the SHA-256 of every file, and a checksum costs time at each start).
squeeze() {
    zstd --ultra -22 --no-check -q -f "$1" -o "$2"
}

payload train-images-idx3-ubyte 16 >"$work/train-images"
payload train-labels-idx1-ubyte 8 >"$work/train-labels"
payload t10k-images-idx3-ubyte 16 >"$work/test-images"
payload t10k-labels-idx1-ubyte 8 >"$work/test-labels"

# Two frames of 30,000 images each, so that two threads decode side by side.
frame=$((30000 * 28 * 28))
head -c $frame "$work/train-images" >"$work/train-images-0"
tail -c +$((frame + 1)) "$work/train-images" >"$work/train-images-1"

mkdir -p "$to"
for name in train-images-0 train-images-1 train-labels test-images test-labels; do
    squeeze "$work/$name" "$to/$name.zst"
done

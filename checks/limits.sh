#!/usr/bin/env bash
# The readers' tests once more with 512 MB of address space: no file, however broken, takes more.
set -euo pipefail
cd "$(dirname "$0")/.."

binaries=$(cargo test --locked --no-run --message-format=json "$@" 2>/dev/null |
  python3 -c '
import json, sys
for line in sys.stdin:
    message = json.loads(line)
    if message.get("reason") == "compiler-artifact" and message["profile"]["test"] and message.get("executable"):
        print(message["executable"])')
test -n "$binaries"
for binary in $binaries; do
  echo "512 MB: $(basename "${binary%-*}")"
  (ulimit -v 524288; exec "$binary" --test-threads=1 --quiet)
done

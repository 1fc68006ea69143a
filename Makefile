SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.PHONY: build clients dist python page shots test test-neon test-windows lint fmt bench kills import-table fuzz audit instructions renew-instructions

build:      ## the program, as users get it
	cargo build --release --locked

page:       ## the page, as static files in web/dist; needs Node.js and the Rust target wasm32-unknown-unknown
	web/build.sh

SHOTS ?= target/shots
shots:      ## pictures of every view of the built page in every width, theme and language, to be looked at, in SHOTS
	. checks/browser.sh; have_browser; node checks/browser/shots.mjs "$(SHOTS)" $(VIEWS)

fmt:
	cargo fmt --all

lint:       ## format, clippy and rustdoc, warnings refused
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked

# All rings of tests, the operators and the engine once more on the narrower instruction sets, what others make of
# a run's files (checks/), and the instruction counts. The last line counts all tests.
test: lint
	log=$$(mktemp); trap 'rm -f "$$log"' EXIT; \
	{ failed=0; \
	  cargo test --workspace --locked --no-fail-fast || failed=1; \
	  for isa in avx2 portable; do \
	    echo "FOVEAL_ISA=$$isa"; FOVEAL_ISA=$$isa cargo test --workspace --locked --test engine --test determinism --test tensorflow || failed=1; \
	  done; \
	  checks/limits.sh || failed=1; \
	  checks/slim.sh || failed=1; \
	  checks/package.sh || failed=1; \
	  checks/platforms.sh || failed=1; \
	  checks/report.sh || failed=1; \
	  checks/page.sh || failed=1; \
	  checks/onnx.sh || failed=1; \
	  checks/features.sh || failed=1; \
	  PROGRAM=$${CARGO_TARGET_DIR:-target}/debug/foveal SECONDS_EACH=5 checks/huge.py || failed=1; \
	  checks/deny.sh || failed=1; \
	  $(MAKE) --no-print-directory instructions || failed=1; \
	  exit $$failed; } 2>&1 | tee "$$log" && status=0 || status=$$?; \
	awk '/^test result:/ { p += $$4; f += $$6; s += $$8 } END { printf "%d passed, %d failed, %d skipped\n", p, f, s }' "$$log"; \
	exit $$status

python:     ## the Python package: a wheel in an environment of its own, pytest, notebooks, stubs; needs Python 3.11 and venv
	checks/python.sh

# Without valgrind nothing can be counted, which is said; as root on a Debian it is installed first.
instructions:  ## instruction counts of a few kernels and of a training step against the committed ones
	command -v valgrind >/dev/null || [ "$$(id -u)" != 0 ] || ! command -v apt-get >/dev/null || \
	  apt-get install -yq valgrind >/dev/null 2>&1 || \
	  { apt-get update -q && apt-get install -yq valgrind; } >/dev/null 2>&1 || true
	cargo run --release --locked -p foveal-instructions -- check

renew-instructions:  ## writes the counts anew, after a change that is meant to move them
	cargo run --release --locked -p foveal-instructions -- renew

clients:    ## Triton's and KServe's Python clients, curl and a Prometheus parser against a server
	checks/clients.sh

# Needs the rustup target aarch64-unknown-linux-gnu and Debian's qemu-user and gcc-aarch64-linux-gnu.
test-neon:  ## the kernels' ring on NEON, emulated
	CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc \
	CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER="qemu-aarch64 -L /usr/aarch64-linux-gnu" \
	cargo test --locked -p foveal-kernels --target aarch64-unknown-linux-gnu

# Needs Debian's gcc-mingw-w64-x86-64 and wine64, which it installs as root.
test-windows:  ## the program for Windows under Wine: trains, predicts, resumes, serves; the same bytes as here
	checks/windows.sh

dist:       ## programs to hand out, in target/dist: static for Linux, a zip for Windows, checksums, an install script
	dist/make.sh

bench:      ## against the peers, by turns, some ten minutes; writes the tables of docs/performance.md
	python3 bench/run.py

kills:      ## sixty kills and twenty-six interrupts at random moments over all kinds of data, fifty kills of one training: resumed to the same bytes
	FOVEAL_KILLS=60 FOVEAL_INTERRUPTS=26 cargo test --locked -p foveal-cli --test cli -- --nocapture --test-threads 1 kills::
	FOVEAL_KILLS=50 cargo test --locked -p foveal-cli --test cli -- --nocapture killed_training_goes

import-table:  ## ONNX files of 156 networks through import and export beside ONNX Runtime; NETS="name ..." for some of them
	checks/onnx_table.sh $(NETS)

FUZZ_SECONDS ?= 300
fuzz:       ## every reader for five minutes on hostile bytes; needs cargo-fuzz
	cd fuzz && cargo run --example seeds && for target in $$(cargo fuzz list); do \
	  cargo fuzz run --sanitizer none $$target -- -max_total_time=$(FUZZ_SECONDS) \
	    -rss_limit_mb=1024 -timeout=10 -print_final_stats=1; done

audit:      ## licences, bans and sources; advisories where their database can be had
	checks/deny.sh

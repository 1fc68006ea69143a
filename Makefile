SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.PHONY: build test test-neon lint fmt bench audit

build:      ## the program, as users get it
	cargo build --release --locked

fmt:
	cargo fmt --all

lint:       ## format, clippy and rustdoc, warnings refused
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked

# All rings of tests, the operators and the engine once more on the narrower instruction sets, and what others
# make of a run's files (checks/). The last line counts all.
test: lint
	log=$$(mktemp); trap 'rm -f "$$log"' EXIT; status=0; \
	{ cargo test --workspace --locked --no-fail-fast; \
	  for isa in avx2 portable; do \
	    echo "FOVEAL_ISA=$$isa"; FOVEAL_ISA=$$isa cargo test --locked -p foveal-nn --tests; \
	  done; \
	  checks/report.sh; } 2>&1 | tee "$$log" || status=$$?; \
	awk '/^test result:/ { p += $$4; f += $$6; s += $$8 } END { printf "%d passed, %d failed, %d skipped\n", p, f, s }' "$$log"; \
	exit $$status

# Needs the rustup target aarch64-unknown-linux-gnu and Debian's qemu-user and gcc-aarch64-linux-gnu.
test-neon:  ## the kernels' ring on NEON, emulated
	CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc \
	CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER="qemu-aarch64 -L /usr/aarch64-linux-gnu" \
	cargo test --locked -p foveal-kernels --target aarch64-unknown-linux-gnu

bench:      ## against PyTorch, in a virtual environment outside the tree
	python3 bench/mnist.py
	python3 bench/training.py

audit:      ## licences, sources and advisories; needs cargo-deny and its advisory database
	cargo deny check

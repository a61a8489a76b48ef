# One target per intent; continuous integration calls the same ones. `make` alone lists them.
# Python tools live in .venv, which is made on demand from requirements/*.txt; Rust tools come with the toolchain.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

# The first Python on the path that is new enough; PYTHON=... chooses another.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
VENV := .venv
BIN := $(CURDIR)/$(VENV)/bin
CARGO ?= cargo
# The extension module is tested through Python: a test binary of it would need a shared libpython; benches hold no tests.
RUST_TESTED := --workspace --exclude scalefast-python --exclude scalefast-benches
export PYO3_PYTHON := $(BIN)/python

RUST_SOURCES := $(shell find rust -name '*.rs' -o -name Cargo.toml) Cargo.toml Cargo.lock
PYTHON_SOURCES := $(shell find python -type f -not -name '*.pyc' -not -name '*.so')
TOOLS := $(VENV)/.tools-installed
PEERS := $(VENV)/.peers-installed
INSTALLED := $(VENV)/.scalefast-installed

.PHONY: help build test test-rust test-python lint fmt bench bench-stages instructions docs wheel evidence lock licences clean

help:  ## list the targets
	@sed -n 's/^\([a-z-]*\):.*  ## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

build: $(INSTALLED)  ## compile and install scalefast into .venv

# The release build ends on one core, which leaves the other to the checks. The Python tests come last and alone.
test: $(TOOLS)  ## build, check and test everything
	$(MAKE) --jobs 2 --output-sync=target build lint test-rust
	$(MAKE) test-python

test-rust: $(TOOLS)
	$(CARGO) test --locked $(RUST_TESTED)

# Signals, threads and interruptions come last and alone: beside other work they would measure that work.
test-python: $(INSTALLED)
	$(BIN)/python -m mypy.stubtest scalefast._core --mypy-config-file pyproject.toml
	$(BIN)/python -m pytest --numprocesses 2 --dist worksteal --ignore tests/python/timing
	$(BIN)/python -m pytest tests/python/timing

lint: $(TOOLS) licences  ## formatting, lints, types, licences
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy

licences: $(TOOLS)
	$(BIN)/python tools/check_licences.py

fmt: $(TOOLS)  ## format the sources in place
	$(CARGO) fmt --all
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

# On problems this small several BLAS threads only wait for each other: one is faster for the peers.
bench: $(INSTALLED) $(PEERS)  ## time scalefast against its peers
	OPENBLAS_NUM_THREADS=1 $(BIN)/python benches/run.py $(BENCH)

bench-stages:  ## time the Rust stages one by one (criterion)
	$(CARGO) bench --locked --package scalefast-benches

instructions:  ## count the instructions of the objective a row (needs valgrind)
	$(PYTHON) benches/instructions.py

docs: $(INSTALLED) $(PEERS)  ## write the generated pages of docs/
	$(BIN)/python tools/write_docs.py

wheel: $(TOOLS)  ## build a wheel and a source distribution into dist/
	$(BIN)/maturin build --release --locked --out dist
	$(BIN)/maturin sdist --out dist

evidence: $(INSTALLED) $(PEERS)  ## long studies, apart from the tests: false alarms, recovery, formulas of any kind, coverage of intervals, decisions
	$(BIN)/python tools/diagnostics_page.py
	$(BIN)/python tools/recovery_study.py
	$(BIN)/python tools/formula_study.py
	$(BIN)/python tools/coverage_study.py
	$(BIN)/python tools/decision_study.py

lock: $(TOOLS)  ## resolve requirements/*.txt again
	$(BIN)/pip install --quiet uv
	cd requirements && $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-header \
		../pyproject.toml build.in --extra test --extra lint --output-file dev.txt
	cd requirements && $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-header \
		../pyproject.toml --extra bench --extra docs --constraint dev.txt --output-file bench.txt

clean:  ## remove what the other targets made
	rm -rf target dist $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(TOOLS): requirements/dev.txt
	@[[ -n "$(PYTHON)" ]] || { echo 'scalefast needs Python 3.11 or newer: none found, set PYTHON=...' >&2; exit 1; }
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/pip install --quiet --requirement requirements/dev.txt
	@touch $@

$(PEERS): requirements/bench.txt $(TOOLS)
	$(BIN)/pip install --quiet --requirement requirements/bench.txt
	@touch $@

# A real installation, not an editable one: what is tested is what users get, data files included.
$(INSTALLED): pyproject.toml $(RUST_SOURCES) $(PYTHON_SOURCES) $(TOOLS)
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --force-reinstall .
	@touch $@

# On a machine with Python 3.11+, pip, make and git every target works from a fresh clone.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: setup test test-slow demo bench bench-full lint results clean

setup: .venv/.installed

# Always through constraints.txt: it pins the CPU-friendly torch (an unpinned one may pull gigabytes of CUDA).
.venv/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: lint
	$(BIN)/pytest -n 2 -m "not slow"

test-slow: setup
	$(BIN)/pytest -m slow

demo: setup
	$(BIN)/hiptbench demo --out .demo

bench: setup
	$(BIN)/python -m tests.bench

bench-full: setup
	$(BIN)/python -m tests.bench --full

# The committed board: needs the nine tasks in the data home (`hiptbench data fetch && hiptbench data import`).
results: setup
	$(BIN)/hiptbench run --suite hipt-2022 --baseline mean_knn --baseline mean_logreg --baseline mean_cox --store .results
	$(BIN)/hiptbench results export --suite hipt-2022 --store .results --out results
	$(BIN)/hiptbench results verify --store results
	$(BIN)/hiptbench leaderboard --store results --suite hipt-2022 --into README.md

clean:
	rm -rf .venv .bench .demo build dist

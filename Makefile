# On a machine with Python 3.11+, pip, make and git every target works from a fresh clone.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: setup test test-slow demo demo-slides bench bench-full simulate lint results board clean

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

demo-slides: setup
	$(BIN)/hiptbench demo --slides 96 --out .demo-slides

bench: setup
	$(BIN)/python -m tests.bench

bench-full: setup
	$(BIN)/python -m tests.bench --full

# How well intervals and tests keep what they promise; its last result lies beside the script.
simulate: setup
	$(BIN)/python -m tests.simulation

# The committed board: needs the tasks in the data home (`hiptbench data fetch && hiptbench data import`), and some
# fifteen hours of two cores; what .results has is not run again. Published rows keep their five seeds, fixed in advance.
RUN := $(BIN)/hiptbench run --store .results --suite
SUITES := hipt-2022 hipt-2022-corrected hipt-2022-sites
PROBES := mean_knn mean_logreg mean_cox abmil
CONTROLS := prior permuted_labels random_features
ONE_SEED := mean max mil abmil_ungated attention_softmax noisy_and dsmil clam_sb transmil abmil_cox hipt_gp_cox
FIVE_SEEDS := abmil hipt_gp mil_hipt2022 hipt_gp_hipt2022 abmil_hipt2022 dsmil_hipt2022 clam_sb_hipt2022
SEEDS := --seed 1 --seed 2 --seed 3 --seed 4 --seed 5

results: setup
	for suite in $(SUITES); do \
	  $(RUN) $$suite $(addprefix --baseline ,$(PROBES)) && \
	  $(RUN) $$suite --fraction 1 $(addprefix --baseline ,$(CONTROLS)) $(SEEDS) && \
	  $(RUN) $$suite --fraction 1 --features tcga_clinical --baseline mean_logreg --baseline mean_cox && \
	  $(RUN) $$suite --fraction 1 --features tcga_site --baseline mean_logreg --baseline mean_cox || exit 1; \
	done
	$(RUN) hipt-2022 $(addprefix --baseline ,$(ONE_SEED))
	$(RUN) hipt-2022 $(addprefix --baseline ,$(FIVE_SEEDS)) $(SEEDS)
	$(RUN) hipt-2022-corrected --baseline mil_hipt2022 --baseline mean --baseline max --baseline mil
	$(RUN) hipt-2022-corrected --fraction 1 --baseline hipt_gp_hipt2022
	$(MAKE) board

# What is committed of the runs that .results has, and the figures drawn from it.
board: setup
	$(BIN)/hiptbench results import-hipt --store .results
	$(BIN)/hiptbench results export $(addprefix --suite ,$(SUITES)) --store .results --out results
	$(BIN)/hiptbench results verify --store results
	$(BIN)/hiptbench leaderboard --store results --suite hipt-2022 --kind measured --into README.md
	$(BIN)/hiptbench figure --store results --suite hipt-2022 --kind measured --out results/leaderboard.svg
	$(BIN)/hiptbench reproduced --store .results --format md > results/reproduced.md
	for suite in $(SUITES); do \
	  $(BIN)/hiptbench leaderboard --store results --suite $$suite --format md > results/$$suite.md || exit 1; \
	done
	$(BIN)/hiptbench compare all --reference hipt_vit4k_region/mean_logreg --store results > results/compared-subtyping.txt
	$(BIN)/hiptbench compare all --reference hipt_vit4k_region/mean_cox --store results > results/compared-survival.txt
	$(BIN)/hiptbench report --store results --out .report

clean:
	rm -rf .venv .bench .demo .demo-slides .report build dist

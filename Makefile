# The only list of commands: hooks, workflows, docs and people call these targets.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
SIZE ?= demo
DATA ?=
STORE ?= .store/level1
# Asked only where pip finds no CPU build of torch by itself: the default index would bring gigabytes of CUDA.
TORCH_CPU_INDEX ?= https://download.pytorch.org/whl/cpu

BIN := .venv/bin
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
CODE := shared/demand level0_manual level1_pipeline tests

.PHONY: help setup level0 level0-audit notebooks lab level1 test check format coverage benchmark drills dvc calibration \
    data-tiny constraints system-deps clean

help: ## print this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile

setup: .venv/.dev ## make the environment (.venv) with the development tools

level0: .venv/.dev ## the pilot by hand: five notebooks' code in order, into .store/level0
	cd level0_manual; for step in [1-5]_*.py; do \
	    echo; echo "== level0_manual/$$step"; MPLBACKEND=Agg OMP_NUM_THREADS=1 ../$(BIN)/python "$$step"; done
	@echo; echo "Forecasts: .store/level0/forecasts.csv"
	@echo "The form to fill in: .store/level0/handoff/FORM.md"

level0-audit: .venv/.dev ## what level 0 costs, in figures: steps, seconds, re-runs, open questions
	@$(BIN)/python level0_manual/audit.py

notebooks: .venv/.dev ## build level0_manual/*.ipynb again from the .py files
	$(BIN)/python level0_manual/build_notebooks.py

lab: .venv/.lab ## open the notebooks in JupyterLab
	cd level0_manual; ../$(BIN)/jupyter lab

level1: .venv/.product ## raw sources to forecasts [SIZE=tiny|demo|full] [DATA=folder] [STORE=folder]
	$(BIN)/python -m level1_pipeline run $(if $(DATA),--data "$(DATA)",--size $(SIZE)) --env-dir "$(STORE)"

test: .venv/.dev ## every test but the benchmarks
	$(BIN)/python -m pytest

check: .venv/.dev ## lint, format, types, import order, tests with the coverage floor
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(MAKE) --no-print-directory coverage

format: .venv/.dev ## rewrite the code in the house format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

coverage: .venv/.dev ## tests with branch coverage, floor 90 %
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

benchmark: .venv/.benchmark ## this project beside its peers, into build/benchmark.md and .json
	$(BIN)/python tests/benchmarks/run.py

drills: .venv/.dev ## break level 1 on purpose: kills, races, dead servers, full disks (about an hour)
	for drill in kill starts fresh server disk failover dask_kill versions; do $(BIN)/python tests/drills/$$drill.py; done

dvc: .venv/.dev ## run the DVC stages whose data, code or settings changed
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/dvc repro

calibration: .venv/.dev ## synthetic series beside real ones, as a table
	$(BIN)/python tests/benchmarks/calibration.py

data-tiny: .venv/.product ## write shared/data/tiny again
	$(BIN)/python -m level1_pipeline data generate --size tiny --out shared/data/tiny

# torch's CPU build is pinned by hand on Linux: its default build there needs CUDA.
constraints: .venv/.dev ## compile constraints.txt again from pyproject.toml
	mkdir -p build
	UV_FIND_LINKS="$${PIP_FIND_LINKS:-$(TORCH_CPU_INDEX)/torch/}" $(BIN)/uv pip compile pyproject.toml \
	    --all-extras --universal --upgrade --quiet --no-header --no-annotate \
	    --constraint <(echo 'torch==2.13.0+cpu') --output-file build/constraints.txt
	{ echo '# Exact versions, tested together. Written by `make constraints`; read by pip.'; \
	  sed "s/^torch==.*/torch==2.13.0+cpu ; sys_platform == 'linux'\ntorch==2.13.0 ; sys_platform != 'linux'/" \
	    build/constraints.txt; } > constraints.txt

system-deps: ## system packages: none so far, only Python 3.11 or later and make
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed; set PYTHON=...")'
	@echo "system-deps: Python is recent enough; no system package is needed."

clean: ## remove what commands built and cached; .venv and .store stay
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .coverage .coverage.*
	find shared level1_pipeline tests -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/.python:
	@echo "Making .venv; the first time takes a few minutes."
	$(PYTHON) -m venv .venv
	@touch $@

.venv/.torch: .venv/.python constraints.txt
	$(PIP_INSTALL) torch || { echo "No CPU build of torch there; asking PyTorch's CPU index."; \
	    $(PIP_INSTALL) --extra-index-url $(TORCH_CPU_INDEX) torch; }
	@touch $@

.venv/.product: .venv/.torch pyproject.toml constraints.txt
	$(PIP_INSTALL) --editable .
	@touch $@

.venv/.dev: .venv/.torch pyproject.toml constraints.txt
	$(PIP_INSTALL) --editable ".[dev]"
	@touch $@ .venv/.product

.venv/.lab: .venv/.torch pyproject.toml constraints.txt
	$(PIP_INSTALL) --editable ".[dev,lab]"
	@touch $@ .venv/.dev .venv/.product

.venv/.benchmark: .venv/.torch pyproject.toml constraints.txt
	$(PIP_INSTALL) --editable ".[dev,benchmark]"
	@touch $@ .venv/.dev .venv/.product

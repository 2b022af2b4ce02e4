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
LEVEL2 := $(BIN)/python -m level2_cicd
ENV ?= prod
WEEKS ?= 104
# Which tests `make coverage` runs, all where empty; not taken from the environment, where it would narrow the gate.
TESTS :=
SERVED ?= .store/level2/prod
DRILLS ?= kill starts fresh server disk failover versions
SMALL_kill := --moments 8 --renames 4
SMALL_starts := --trials 1
SMALL_fresh := --trials 3
SMALL_server := --trials 1
SMALL_failover := --segments 4
SMALL_versions := --rounds 1
# What is quick enough to hold every change to, and together still covers nine tenths of the code.
UNIT := smoke or not (trained or gate or slow)

.PHONY: help setup level0 level0-audit notebooks lab level1 level2-pr level2-main level2-release \
    level2-retrain level2-rollback level2-monitor level2-package level2-verify level2-digest \
    level2-attestation serve dashboard replay assess test lint unit check format coverage benchmark \
    benchmark-serving benchmark-pages monitoring-power fuzz drills drills-small drills-release \
    drills-serving audit workflows container-test dvc calibration data-tiny docs reference walkthroughs \
    constraints system-deps clean

help: ## print this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-18s %s\n", $$1, $$2}' Makefile

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

level2-pr: .venv/.dev ## what gates a pull request: lint, types, unit tests, coverage floor, model check on tiny data [LEVEL2_BESIDE]
	$(MAKE) --no-print-directory --jobs 2 lint unit
	$(LEVEL2) pr

level2-main: .venv/.release ## dev: package, validate, register, promote, score [DATA] [PACKAGE_DIGEST]
	$(LEVEL2) main $(if $(DATA),--data "$(DATA)")

level2-release: .venv/.release ## prod: package, validate, gate, promote, score, notes [DATA] [PACKAGE_DIGEST]
	$(LEVEL2) release $(if $(DATA),--data "$(DATA)")

level2-monitor: .venv/.release ## watch what serves in prod, and decide whether to train again [DATA] [AS_OF]
	level2_cicd/deploy/monitor.sh

level2-retrain: .venv/.release ## prod: what the last decision says, as a release [DATA] [PACKAGE_DIGEST]
	$(LEVEL2) retrain $(if $(DATA),--data "$(DATA)")

level2-rollback: .venv/.release ## prod: the model before serves again [LEVEL2_REASON] [LEVEL2_APPROVER] [LEVEL2_TO]
	$(LEVEL2) rollback --env prod --reason "$${LEVEL2_REASON:?say why}" \
	    $${LEVEL2_APPROVER:+--approver "$$LEVEL2_APPROVER"} $${LEVEL2_TO:+--to "$$LEVEL2_TO"}

level2-package: .venv/.release ## build the package once, into dist/level2
	$(LEVEL2) package build

level2-verify: .venv/.release ## verify the package, every byte [PACKAGE_DIGEST]
	$(LEVEL2) package verify

level2-digest: ## verify the package in dist/level2 with nothing but a shell [PACKAGE_DIGEST]
	level2_cicd/deploy/verify-package.sh digest

level2-attestation: ## verify who built the package [GH_TOKEN, GITHUB_REPOSITORY, SIGNER_WORKFLOW, PACKAGE_DIGEST]
	level2_cicd/deploy/verify-package.sh attestation

serve: .venv/.release ## answer forecasts over HTTP from what serves [ENV=prod]
	$(LEVEL2) serve --env $(ENV)

dashboard: .venv/.release ## write the pages that say what is forecast and how good it has been [ENV=prod]
	$(LEVEL2) dashboard --env $(ENV)

replay: .venv/.dev ## two years of demo data week by week under three ways to retrain, into docs/replay.md [WEEKS=104]
	$(BIN)/python -m level1_pipeline replay --weeks $(WEEKS) $(if $(DATA),--data "$(DATA)") --out .store/replay \
	    --page docs/replay.md

assess: .venv/.product ## grade this repository's maturity, with the lines that say so
	$(BIN)/mlops-ladder assess .

test: .venv/.dev ## every test but the benchmarks, on two processes
	$(BIN)/python -m pytest --numprocesses 2

lint: .venv/.dev ## lint, format, types, import order
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

unit: TESTS := -m "$(UNIT)" --dist loadgroup --quiet
unit: coverage ## the quick tests, and with them the coverage floor of 90 %, to run after every change

check: .venv/.dev ## lint, format, types, import order, tests with the coverage floor
	$(MAKE) --no-print-directory lint coverage

format: .venv/.dev ## rewrite the code in the house format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

coverage: .venv/.dev ## every test with branch coverage, floor 90 %
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest --numprocesses 2 $(TESTS)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

benchmark: .venv/.benchmark ## this project beside its peers, into build/benchmark.md and .json
	$(BIN)/python tests/benchmarks/run.py

drills: .venv/.dev ## break level 1 on purpose: kills, races, dead servers, full disks (takes hours)
	for drill in kill starts fresh server disk failover dask_kill versions; do $(BIN)/python tests/drills/$$drill.py; done

drills-small: .venv/.dev ## a few trials of level 1's drills [DRILLS="kill starts"]
	set -e; $(foreach drill,$(DRILLS),$(BIN)/python tests/drills/$(drill).py $(SMALL_$(drill));)

drills-release: .venv/.dev ## break level 2 on purpose: races, kills, flipped bytes
	for drill in race tamper_ledger tamper_package release_race release_kill; do $(BIN)/python tests/drills/$$drill.py; done

drills-serving: .venv/.dev ## break the service on purpose: bad releases, restarts, overload, outages [SERVED=folder]
	for drill in reload restart overload outage; do \
	    $(BIN)/python tests/drills/serving_$$drill.py --store "$(SERVED)"; done

benchmark-serving: .venv/.dev ## the service beside MLflow's and a bare handler [SERVED=folder]
	$(BIN)/python tests/benchmarks/serving.py --store "$(SERVED)"

benchmark-pages: .venv/.dev ## how soon the dashboards are drawn, beside Altair's own page of the same weeks
	$(BIN)/python tests/benchmarks/pages.py

monitoring-power: .venv/.dev ## false alarms on clean weeks, faults caught, as a table
	$(BIN)/python tests/benchmarks/monitoring_power.py

fuzz: .venv/.dev ## a hundred thousand broken requests, and the OpenAPI's own cases [SERVED=folder]
	$(BIN)/python tests/fuzz/fuzz.py --store "$(SERVED)"

audit: .venv/.dev ## ask for known faults of every version that the package runs with; takes a network
	$(LEVEL2) package build
	$(LEVEL2) package audit

workflows: .venv/.dev ## run the workflows on a scratch GitHub, and every linter over them
	$(BIN)/zizmor .github
	$(BIN)/python -m pytest tests/workflows

container-test: .venv/.dev ## build the serving image and ask it for a forecast, without an engine
	$(LEVEL2) package build
	$(BIN)/python -m level1_pipeline run --size tiny --no-tracking --env-dir .store/container --quiet
	tests/container/run.sh dist/level2 .store/container

docs: .venv/.dev ## build the site, both languages, into build/site
	$(BIN)/python docs/tools/build_site.py

reference: .venv/.dev ## write docs/reference again from the code
	$(BIN)/python docs/tools/build_reference.py

walkthroughs: .venv/.dev ## do what the walkthroughs say, command by command
	$(BIN)/python docs/tools/walkthrough.py

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

system-deps: ## install what some tests ask for: Chromium, promtool, wrk, buildah, Node.js, jq (Debian, as root or by sudo)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed; set PYTHON=...")'
	@tests/system-deps.sh

clean: ## remove what commands built and cached; .venv and .store stay
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .coverage .coverage.*
	find shared level1_pipeline level2_cicd tests -name __pycache__ -type d -prune -exec rm -rf {} +

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
	@touch $@ .venv/.release .venv/.product

.venv/.release: .venv/.torch pyproject.toml constraints.txt
	$(PIP_INSTALL) --editable ".[release]"
	@touch $@ .venv/.product

.venv/.lab: .venv/.torch pyproject.toml constraints.txt
	$(PIP_INSTALL) --editable ".[dev,lab]"
	@touch $@ .venv/.dev .venv/.release .venv/.product

.venv/.benchmark: .venv/.torch pyproject.toml constraints.txt
	$(PIP_INSTALL) --editable ".[dev,benchmark]"
	@touch $@ .venv/.dev .venv/.release .venv/.product

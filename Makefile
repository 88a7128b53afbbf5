# Everything runs in an environment of its own, from pinned versions whose hashes are checked.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -q

.PHONY: help demo test faults corpus bench bench-full requirements lock clean

help:  ## show what can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

demo: $(VENV)/.runtime  ## carry a made-up firm across for real, and stop everything again
	@$(BIN)/caseferry demo

# Two at a time: file by file those that start nothing, one by one those that start servers, kill workers or watch the clock.
test: $(VENV)/.dev  ## all checks and all tests; they start what they need
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not campaign and not journey and not fault"
	$(BIN)/python -m pytest -n 2 --dist load -m "not campaign and (journey or fault)"

faults: $(VENV)/.dev  ## break everything on purpose, count, and write docs/reliability.md (half an hour)
	$(BIN)/python -m tests.faults

corpus: $(VENV)/.dev  ## tell and carry every strange export there is, and print how sensibly
	$(BIN)/python -m pytest tests/profiling/test_corpus.py -s -m "campaign or not campaign"

bench: $(VENV)/.bench  ## measure against the floor and the peers; write docs/performance.md and docs/scale.md
	$(BIN)/python -m bench
	$(BIN)/python -m bench.scale

bench-full: $(VENV)/.bench  ## the journey at ten times the work, with a list of 10 GB, with a sheet of a million rows (70 GB of disk)
	$(BIN)/python -m bench.full

requirements: $(VENV)/.dev  ## run the tests and print which requirements they prove
	$(BIN)/python -m tests.requirements

lock: $(VENV)/.dev  ## pin versions and hashes anew (needs uv)
	uv pip compile pyproject.toml --group build --universal --generate-hashes --no-header --no-annotate --no-emit-index-url --python-version 3.11 -o requirements.txt -q --upgrade
	uv pip compile pyproject.toml --group build --extra dev --universal --generate-hashes --no-header --no-annotate --no-emit-index-url --python-version 3.11 -o requirements-dev.txt -q --upgrade

	uv pip compile pyproject.toml --group build --extra dev --extra bench --universal --generate-hashes --no-header --no-annotate --no-emit-index-url --python-version 3.11 -o requirements-bench.txt -q --upgrade

clean:  ## remove the environment and what the commands left
	rm -rf $(VENV) caseferry-demo caseferry-out caseferry-reports .mypy_cache .ruff_cache

$(BIN)/python:
	@echo "Setting up $(VENV) (once) …"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: requirements.txt pyproject.toml | $(BIN)/python
	@$(PIP) install --require-hashes -r requirements.txt
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements-dev.txt pyproject.toml | $(BIN)/python
	@$(PIP) install --require-hashes -r requirements-dev.txt
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@ $(VENV)/.runtime

$(VENV)/.bench: requirements-bench.txt pyproject.toml | $(BIN)/python
	@$(PIP) install --require-hashes -r requirements-bench.txt
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@ $(VENV)/.dev $(VENV)/.runtime

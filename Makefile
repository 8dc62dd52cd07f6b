# Everything lives in .venv and in the user's cache; nothing here needs root.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python3.14; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& { echo $$p; break; }; done)
VENV := .venv
RUN := $(VENV)/bin/python -m
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help setup bench test lint types docs perf build clean

help:  ## show this list
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/:.*## /\t/' | sort

setup: $(READY)  ## make the virtual environment and install the project

$(READY): pyproject.toml
	@test -n "$(PYTHON)" || { echo "make: no Python >= 3.11 was found; install one or run make PYTHON=/path/to/python" >&2; exit 1; }
	$(PYTHON) -m venv --clear $(VENV) || { echo "make: $(PYTHON) cannot make virtual environments; install its venv module (on Debian: python3-venv)" >&2; exit 1; }
	$(RUN) pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	$(RUN) pip install --quiet --disable-pip-version-check -e '.[all]' --group dev
	$(RUN) compileall -q -x '/_(template|suite)/' $(VENV)/lib || true
	touch $@

bench: setup  ## run oracle and baseline on every built-in task
	$(RUN) pytest --ibench-agent=oracle,baseline --ibench-task=all --ibench-concurrency=2

test: setup  ## run the tests
	$(RUN) pytest -n auto --dist=worksteal $(ARGS)

lint: setup  ## check style
	$(RUN) ruff check .
	$(RUN) ruff format --check .

types: setup  ## check types
	$(RUN) mypy

docs: setup  ## write the pages of docs/ that are made from the code
	$(RUN) pytest_innovatorbench.researchgym.actions.reference > docs/actions.md
	$(RUN) pytest_innovatorbench.reports.validation.reference > docs/rules.md

perf: setup  ## measure speed and size; writes benchmarks/results
	$(RUN) benchmarks $(ARGS)

build: setup  ## build the wheel and the source archive
	$(RUN) build

clean:  ## remove the virtual environment and what was built
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache

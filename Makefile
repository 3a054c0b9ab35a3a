# Each target does its own set-up: a bare checkout with Python 3.11 and make is enough.
PYTHON ?= python3
ARGS ?=
bin := .venv/bin
# What tests use beside the Python packages; each is optional, and its absence is said aloud.
tools := .cache/bin

.DEFAULT_GOAL := help
.PHONY: help demo test check format bench long conformance tools clean

help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.venv/installed: pyproject.toml
	@test -x $(bin)/python || { echo "making .venv with $$($(PYTHON) --version)"; $(PYTHON) -m venv .venv; }
	@echo "installing Penstock and what its tests need into .venv (a minute, once)"
	@$(bin)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	@touch $@

demo: .venv/installed ## real Postgres changes through the log into objects, live (ARGS=--once: bounded, checks itself)
	@PATH="$(CURDIR)/$(tools):$$PATH" $(bin)/penstock demo $(ARGS)

test: check ## every check and every test that takes seconds
	@PATH="$(CURDIR)/$(tools):$$PATH" $(bin)/python -m pytest -m 'not long' -n auto --dist loadfile $(ARGS)

check: .venv/installed ## style, types, import rules
	@$(bin)/ruff check .
	@$(bin)/ruff format --check .
	@$(bin)/mypy
	@$(bin)/lint-imports --no-cache | tail -n 4

format: .venv/installed ## put the code into shape
	@$(bin)/ruff check --fix . ; $(bin)/ruff format .

bench: .venv/installed ## figures against our budgets, and beside the anchors where they are installed
	@PATH="$(CURDIR)/$(tools):$$PATH" $(bin)/python -m benchmarks $(ARGS)

long: .venv/installed ## what takes minutes: the full pipeline under kills, also on Apache Kafka
	@PATH="$(CURDIR)/$(tools):$$PATH" $(bin)/python -m pytest -m long --timeout 3000 $(ARGS)

conformance: .venv/installed ## the same client cases against our log and against Apache Kafka
	@PATH="$(CURDIR)/$(tools):$$PATH" PENSTOCK_FETCH_KAFKA=1 $(bin)/python -m pytest tests/conformance --timeout 1200 $(ARGS)

tools: ## the programs that tests use where they are: versitygw (Go), kcat and PostgreSQL 15 (apt, as root)
	@sh tests/install_tools.sh

clean: ## everything that can be made again
	rm -rf .venv .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis penstock-data *.egg-info build dist

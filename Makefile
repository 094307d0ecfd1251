# `make` alone lists the targets. Everything sets itself up: Python 3.11 or newer and make are all it needs.
SHELL := /bin/bash
PYTHON ?= python3
UV := $(shell command -v uv 2>/dev/null || echo .uv/bin/uv)
RUN := $(UV) run --frozen
SUDO := $(if $(filter 0,$(shell id -u)),,sudo)
export UV_PYTHON_DOWNLOADS ?= never

.DEFAULT_GOAL := help
.PHONY: help demo up test test-long check fmt bench bench-backtest images compose-up test-compose clean setup chromium

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1|/' | column -t -s '|'

.uv/bin/uv:
	@echo "uv is missing: installing it into ./.uv"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; name one with make PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -m venv .uv || { echo "python3 -m venv failed: on Debian and Ubuntu, apt-get install python3-venv"; exit 1; }
	@.uv/bin/pip install --quiet --disable-pip-version-check uv

setup: $(filter .uv/bin/uv,$(UV))
	@$(UV) sync --frozen --quiet --compile-bytecode

demo: setup ## play a small shop's bad day: events in, alerts, messages out (ARGS=--exit ends with a verdict)
	@$(RUN) beforehand demo $(ARGS)

up: setup ## start Kafka and the four services and keep them running
	@$(RUN) beforehand up $(ARGS)

chromium:
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null || { \
	  echo "the browser tests need Chromium: installing Debian's"; \
	  $(SUDO) apt-get update -qq && $(SUDO) apt-get install -yqq --no-install-recommends chromium >/dev/null; } || { \
	  echo "Chromium could not be installed: install it yourself, the browser tests look for chromium on the PATH"; exit 1; }

test: setup check chromium ## lint, types, layout, and every test that is quick (under 15 minutes)
	@$(RUN) pytest $(ARGS)

test-long: setup ## the rule engine beside a plain reading of its language, many thousands of examples, new ones each time (half an hour)
	@BEFOREHAND_TEST_PROFILE=long $(RUN) pytest tests/rule_engine/engine $(ARGS)

check: setup ## ruff, mypy --strict, import-linter, generated files up to date
	$(RUN) ruff check
	$(RUN) ruff format --check
	$(RUN) mypy
	$(RUN) lint-imports
	$(RUN) python -m contracts.generate --check

fmt: setup ## format and mend what ruff can
	$(RUN) ruff check --fix
	$(RUN) ruff format

bench: setup ## the engine beside stock Faust, interleaved: events per second and CPU seconds
	$(RUN) python benchmarks/engine/run.py $(ARGS)

bench-backtest: setup ## CPU seconds of a backtest: 20 rules over a million events
	$(RUN) python benchmarks/engine/backtest.py $(ARGS)

images: ## build the image of each service, and of the command line
	docker compose --profile command build

compose-up: ## start Kafka, PostgreSQL, Mailpit and the four services in containers, and wait until all are healthy
	docker compose up -d --build --wait

test-compose: setup ## the containers from outside: an event ends as a mail (needs a Docker engine; minutes at first)
	@$(RUN) pytest tests/compose $(ARGS)

clean: ## remove what was built and ./var (the cache of Kafka's jars stays)
	rm -rf .venv .uv var .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

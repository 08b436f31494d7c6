# Everything runs in .venv, made here. `make` alone lists what there is.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

PYTHON ?= python3
PORT ?= 8000
WORKERS ?= 2
TESTERS ?= 3

VENV := .venv
BIN := $(VENV)/bin
# One stamp for each state of the pins: an unchanged file installs nothing again.
hash = $(shell cat $(1) 2>/dev/null | sha256sum | cut -c1-16)
RUN_STAMP := $(VENV)/.installed-$(call hash,requirements.txt)
DEV_STAMP := $(VENV)/.installed-dev-$(call hash,requirements.txt requirements-dev.txt)
PAGES_STAMP := $(VENV)/.installed-pages-$(call hash,bench/requirements.txt bench/package-lock.json)
AUDIT_STAMP := $(VENV)/.installed-audit-$(call hash,requirements.txt requirements-audit.txt)
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

export PORT

.PHONY: help run serve test torture lint format pages screenshots texts bench audit

help: ## List the commands
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(BIN)/python:
	@PYTHON=$(PYTHON) bash tests/provision.sh python $(VENV)

$(RUN_STAMP): | $(BIN)/python
	@echo "Installing what the portal needs ..."
	@$(PIP) -r requirements.txt
	@touch $@

$(DEV_STAMP): | $(BIN)/python
	@echo "Installing what the tests and checks need ..."
	@$(PIP) -r requirements-dev.txt
	@touch $@ $(RUN_STAMP)

$(AUDIT_STAMP): | $(BIN)/python
	@echo "Installing what audits the pins ..."
	@$(PIP) -r requirements-audit.txt
	@touch $@

# Node comes as a Python package, so that no version of the machine's own counts.
$(PAGES_STAMP): $(DEV_STAMP) bench/requirements.txt bench/package-lock.json
	@echo "Installing what measures the pages ..."
	@$(PIP) -r bench/requirements.txt
	@PATH="$(CURDIR)/$(BIN):$$PATH" npm ci --prefix bench --ignore-scripts --no-audit \
	    --no-fund --silent
	@touch $@

run: $(RUN_STAMP) ## The demo: portal, worker, gateway simulator, demo data (PORT=8000)
	@exec $(BIN)/python app.py

# Two processes of 16 threads (`wsgi.py`); an idle connection counts against
# backpressure, so it stays wide.
serve: $(RUN_STAMP) ## The production server alone, on PORT, with the environment as it is
	@echo "Serving on port $(PORT). Not ready (/salud)? Run: .venv/bin/flask db upgrade"
	@exec $(BIN)/python -m portal.launch granian --interface rsgi --host 0.0.0.0 --port $(PORT) \
	    --workers $(WORKERS) --backlog 4096 --backpressure 2048 \
	    --respawn-failed-workers --respawn-interval 20 --workers-kill-timeout 30 \
	    --no-access-log wsgi:buffered

test: $(DEV_STAMP) ## All tests, with whatever they need (ARGS="-k name" for some)
	@bash tests/provision.sh programs
	@$(BIN)/python -m pytest -q -n $(TESTERS) --dist worksteal $(ARGS)

# 15 minutes and more; ARGS="--only inicio", --no-lighthouse, or --resume after a cut.
pages: $(PAGES_STAMP) ## What each page weighs and scores: docs/paginas.md (ARGS="--only inicio")
	@bash tests/provision.sh programs
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python bench/pages.py $(ARGS)

screenshots: $(DEV_STAMP) ## Pictures of every page, and the README's gallery
	@bash tests/provision.sh programs
	@$(BIN)/python bench/screenshots.py $(ARGS)

torture: $(DEV_STAMP) ## The long fault campaigns (FULL=1: the real sizes; ARGS=names, --resume)
	@bash tests/provision.sh programs
	@$(BIN)/python -m bench.torture $(if $(FULL),--full) $(ARGS)

texts: $(DEV_STAMP) ## Every text that a customer reads, by family: docs/textos
	@$(BIN)/python bench/texts.py

# marshmallow: transbank-sdk asks for at most 3.26.1; the fault is in Schema.load, which
# the SDK never calls (tests/security/test_packages.py). A mirror that knows no faults
# makes this fail ("not found on PyPI"): no answer is not a clean one.
audit: $(AUDIT_STAMP) ## Known faults of the pinned packages (asks PyPI), and secrets in the history
	@$(BIN)/python tests/secret_scan.py
	@$(BIN)/pip-audit --strict --no-deps --disable-pip --progress-spinner off \
	    --ignore-vuln CVE-2025-68480 -r requirements.txt

lint: $(DEV_STAMP) ## Style, types and templates
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy --strict portal
	@$(BIN)/djlint --quiet --lint portal/templates

# The first run writes 10^6 attentions: ten minutes and 5 GB under var/bench, 9 GB more
# while it measures. ARGS="--folder DIR" puts them elsewhere.
bench: $(DEV_STAMP) ## Benchmarks: a table, and var/bench.json (a first run writes the histories)
	@bad=0; for each in polls home settle start screens busy hung; do $(BIN)/python bench/$$each.py || bad=1; done; \
	    for each in month size; do $(BIN)/python bench/$$each.py $(ARGS) || bad=1; done; exit $$bad

format: $(DEV_STAMP) ## Format the code
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

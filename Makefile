# Each target sets up what it needs; nothing is installed twice.
PYTHON ?= python3.11
PYTHON_FOUND := $(shell command -v $(PYTHON) 2>/dev/null || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
export MUSTER_HOME ?= $(CURDIR)/var
export DAGSTER_HOME = $(MUSTER_HOME)/dagster
export PYTHONWARNINGS ?= ignore::DeprecationWarning
# Behind a company's proxy its certificate is known to the system, not to uv.
export UV_SYSTEM_CERTS ?= true
# Some containers forbid it; each of the many processes would then compile its packages anew.
export PYTHONDONTWRITEBYTECODE =
SAMPLE_END := 2026-11-01T00:00:00Z

.DEFAULT_GOAL := help
.PHONY: help demo dev docs test lint soak bench clean

help: ## Show this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

$(BIN)/uv:
	@$(PYTHON_FOUND) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || \
		{ echo "Muster needs Python 3.11; say where it is: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)"; exit 1; }
	@echo "Making a virtual environment in $(VENV) ..."
	@$(PYTHON_FOUND) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==0.13.9

# A stamp says that the pinned packages are in; a changed list installs again.
$(VENV)/.runtime: requirements.txt pyproject.toml | $(BIN)/uv
	@echo "Installing the pinned packages (about a minute the first time) ..."
	@$(BIN)/uv pip install --quiet --python $(BIN)/python -r requirements.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	@touch $@

$(VENV)/.development: requirements-dev.txt $(VENV)/.runtime | $(BIN)/uv
	@echo "Installing the packages for tests ..."
	@$(BIN)/uv pip install --quiet --python $(BIN)/python -r requirements-dev.txt
	@touch $@

demo: $(VENV)/.runtime ## Run the main job on the sample and show what happened
	@mkdir -p $(MUSTER_HOME)/inbox
	@cp -R seeds/sample/. $(MUSTER_HOME)/inbox/
	@$(BIN)/muster run --as-of $(SAMPLE_END)

dev: $(VENV)/.runtime ## Start Dagster with its web page on port 3000
	@$(BIN)/python -m orchestration.automation.prepare
	@PYTHONWARNINGS='ignore:Function `dev_command` is superseded' $(BIN)/dagster dev

docs: $(VENV)/.runtime ## Write the models' documentation and lineage, one HTML file
	@cd dbt_project && DO_NOT_TRACK=1 ../$(BIN)/dbt --quiet docs generate --static \
		--target-path $(MUSTER_HOME)/tmp/docs --log-path $(MUSTER_HOME)/tmp/docs
	@mkdir -p $(MUSTER_HOME)/docs
	@cp $(MUSTER_HOME)/tmp/docs/static_index.html $(MUSTER_HOME)/docs/index.html
	@echo "Open $(MUSTER_HOME)/docs/index.html in a browser."

lint: $(VENV)/.development ## Check form and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/python -m tests.sqlfluff

test: $(VENV)/.development lint ## Run every check and test
	@# A module stays on one worker, which sets up once what its tests share.
	@$(BIN)/pytest --numprocesses 2 --dist loadscope --no-loadscope-reorder

soak: $(VENV)/.development ## Run the long fault and load tests
	@$(BIN)/pytest -m soak

bench: $(VENV)/.development ## Run the benchmarks
	@$(BIN)/pytest benchmarks --benchmark-only

clean: ## Remove the environment and all state
	rm -rf $(VENV) var dbt_project/target

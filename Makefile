# The commands of the project; each works on a fresh clone.
VENV := .venv
PYTHON ?= python3
BIN := $(VENV)/bin

.PHONY: up test quick check docs screenshots lock

$(VENV)/.installed: requirements-dev.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-dev.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	touch $@

# Options of `kpi up` go into ARGS: make up ARGS='--web-port 5050'.
up: $(VENV)/.installed
	@exec $(BIN)/kpi up $(ARGS)

test: check
	$(BIN)/python -m pytest --numprocesses 2 --no-loadscope-reorder --durations 15

# The core: what needs no browser, no whole stack and no scale.
quick: $(VENV)/.installed
	$(BIN)/python -m pytest -m "not slow" --numprocesses 2

check: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(VENV)/.installed
	$(BIN)/python -m kpi_pipeline.model.kpi_docs > docs/kpis.md

# From a stack that runs; another address: make screenshots ARGS=http://127.0.0.1:5050
screenshots: $(VENV)/.installed
	$(BIN)/python docs/screenshots/make.py $(ARGS)

lock: $(VENV)/.installed
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate --no-strip-extras -q pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate --no-strip-extras -q --extra dev pyproject.toml -o requirements-dev.lock

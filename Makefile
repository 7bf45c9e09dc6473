# The commands of the project; each works on a fresh clone.
VENV := .venv
PYTHON ?= python3
BIN := $(VENV)/bin

# Bytecode is kept whatever the shell says: pytest takes 10 s to rewrite the assertions of all tests.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: up test quick sweep check secrets audit sbom bench soak docs screenshots lock

$(VENV)/.installed: requirements-dev.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-dev.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	touch $@

# Options of `kpi up` go into ARGS: make up ARGS='--web-port 5050'.
up: $(VENV)/.installed
	@exec $(BIN)/kpi up $(ARGS)

test: check
	$(BIN)/python -m pytest -m "not sweep" --numprocesses 2 --no-loadscope-reorder --durations 15

# What takes long and states nothing new: the same for many more inputs. Writes the table of docs/reliability.md.
# Among them all properties, each with three times as many examples as in `make test`.
sweep: $(VENV)/.installed
	KPI_FAULT_RESULTS=docs/generate/fault_results.json $(BIN)/python -m pytest -m "sweep or hypothesis" --hypothesis-profile sweep --numprocesses 2 --durations 15
	$(BIN)/python -m docs.generate.fault_results

# The core: what needs no browser, no program, no run and no scale, for few inputs.
quick: $(VENV)/.installed
	$(BIN)/python -m pytest -m "not slow and not sweep" --numprocesses 2

check: $(VENV)/.installed secrets
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@echo "Not checked here: known vulnerabilities of what requirements.lock installs. 'make audit' does, over the network."

# Of each file that git tracks or would, in a copy: named one by one, they take five times as long.
secrets: $(VENV)/.installed
	@folder=$$(mktemp -d) && trap 'rm -r "$$folder"' EXIT && \
	git grep --untracked --files-with-matches --null '' | tar --create --null --files-from=- | tar --extract --directory="$$folder" && \
	cd "$$folder" && "$(abspath $(BIN))/kingfisher" scan . --config kingfisher.yaml --no-update-check --quiet

# Asks the package index, which must be reached: a package that it does not know is a failure. Installs nothing.
audit: $(VENV)/.installed
	@$(BIN)/pip-audit --strict --requirement requirements.lock --require-hashes --disable-pip --progress-spinner off || \
	{ echo "Not a clean audit: a table above names vulnerabilities, or the lookup failed and nothing is known."; exit 1; }

SBOM ?= kpi-pipeline.cdx.json
sbom: $(VENV)/.installed
	$(BIN)/python deploy/sbom.py requirements.lock $(SBOM)

# On a quiet machine with 30 GB of disk, for an hour: writes docs/performance.md.
# Smaller: make bench ROWS=100000 SIZES="10000 100000"
ROWS ?= 1000000
SIZES ?= 10000 1000000 10000000
bench: $(VENV)/.installed
	@folder=$$(mktemp -d) && trap 'rm -r "$$folder"' EXIT && \
	$(BIN)/python bench/compute.py --rows $(ROWS) --sizes $(SIZES) --out $$folder/compute.json && \
	$(BIN)/python bench/growth.py --rows $(ROWS) --out $$folder/growth.json && \
	$(BIN)/python bench/report.py $$folder/compute.json $$folder/growth.json

# Half an hour of load, with a publication every 5 s: fails where anything is an error, grows, becomes slower or is late.
soak: $(VENV)/.installed
	$(BIN)/python bench/soak.py $(ARGS)

# Generated pages and pictures, then the site in `site/`: a broken link fails.
docs: $(VENV)/.installed
	$(BIN)/python -m docs.generate
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

# From a stack that runs; another address: make screenshots ARGS=http://127.0.0.1:5050
screenshots: $(VENV)/.installed
	$(BIN)/python -m docs.generate.screenshots $(ARGS)

lock: $(VENV)/.installed
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate --no-strip-extras -q pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate --no-strip-extras -q --extra dev pyproject.toml -o requirements-dev.lock

# Everything a developer does here. `make help` lists it.
#
# Needed on the machine: Python 3.11 or newer, Node 20 or newer, make. The rest is
# installed into .venv and zapier_app/node_modules, pinned by hash, and only once.

.DEFAULT_GOAL := help
.PHONY: help run demo test test-zapier check openapi bench torture lock clean

# A candidate must start, not merely be on the PATH: version managers put stand-ins there.
NEW_ENOUGH := -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
PYTHON ?= $(shell for python in python3.13 python3.12 python3.11 python3; do \
	$$python $(NEW_ENOUGH) && echo $$python && break; done)

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
INSTALLED := $(VENV)/.installed
NODE_INSTALLED := zapier_app/node_modules/.installed

# Relais refuses to call private addresses. A trial on one machine needs its own.
RELAIS_ALLOWED_NETWORKS ?= 127.0.0.0/8

help: ## Show this list
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo 'More arguments go into ARGS: make run ARGS="--port 9000", make test ARGS="-k filters"'

run: $(INSTALLED) ## Start Relais here; targets on 127.0.0.0/8 are allowed, for local trials
	@exec env RELAIS_ALLOWED_NETWORKS="$(RELAIS_ALLOWED_NETWORKS)" $(BIN)/relais serve $(ARGS)

demo: $(INSTALLED) ## Watch a day of events of all four products: what fires, what does not, and why
	@exec env RELAIS_ALLOWED_NETWORKS="$(RELAIS_ALLOWED_NETWORKS)" $(BIN)/relais demo $(ARGS)

test: $(INSTALLED) $(NODE_INSTALLED) ## Run all tests: the service, then the Zapier app
	$(BIN)/pytest $(ARGS)
	@$(MAKE) --no-print-directory test-zapier

test-zapier: $(INSTALLED) $(NODE_INSTALLED) ## Run the tests of the Zapier app only
	cd zapier_app && NODE_ENV=test npm test

check: $(INSTALLED) $(NODE_INSTALLED) ## Lint, format, types, layers: what CI runs before the tests
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	cd zapier_app && npm run lint

openapi: $(INSTALLED) ## Write openapi.yaml again after a change to the API
	$(BIN)/relais openapi --write openapi.yaml

bench: $(INSTALLED) ## Measure everything, 15 minutes; parts: make bench ARGS="--only latency"
	$(BIN)/python -m benchmarks $(ARGS)

torture: $(INSTALLED) ## Kill, freeze and starve real processes, and count what was lost
	$(BIN)/python -m tests.torture $(ARGS)

# One lock serves every platform and every Python from 3.11 on. The files name no index, so
# that they work with whichever one the reader's pip is set up for.
COMPILE = build/uv/bin/uv pip compile --universal --python-version 3.11 \
	--generate-hashes --no-header --upgrade --quiet pyproject.toml

lock: ## Pin the newest dependencies that pyproject.toml allows, with their hashes
	$(require-python)
	rm -rf build/uv
	$(PYTHON) -m venv build/uv
	build/uv/bin/python -m pip --disable-pip-version-check install --quiet uv
	$(COMPILE) --output-file requirements/runtime.lock
	$(COMPILE) --output-file requirements/dev.lock --group dev
	rm -rf build/uv

clean: ## Remove what make installed and built; your data in var/ stays
	rm -rf $(VENV) zapier_app/node_modules build dist .*_cache .hypothesis .coverage
	find . -name __pycache__ -prune -exec rm -rf {} +

# -- What the targets above stand on ---------------------------------------------------

define require-python
@$(or $(PYTHON),false) $(NEW_ENOUGH) || { \
echo 'Python 3.11 or newer is needed. Install it, or name it: make PYTHON=/path/to/python3' >&2; \
exit 1; }
endef

$(VENV)/pyvenv.cfg:
	$(require-python)
	@echo 'Making $(VENV) with $(PYTHON); installing takes about a minute, this once.'
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	echo 'On Debian and Ubuntu, the package python3-venv is needed too.' >&2; exit 1; }

# Without bytecode for the whole of every library, the wait is a third shorter.
$(VENV)/.locked: requirements/dev.lock $(VENV)/pyvenv.cfg
	$(PIP) install --no-compile --require-hashes -r requirements/dev.lock
	@touch $@

$(INSTALLED): pyproject.toml $(VENV)/.locked
	$(PIP) install --quiet --no-build-isolation --no-deps --editable .
	@touch $@

$(NODE_INSTALLED): zapier_app/package-lock.json
	@node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' 2>/dev/null || { \
	echo 'Node 20 or newer is needed for the Zapier app. Install it, and try again.' >&2; exit 1; }
	cd zapier_app && npm ci --ignore-scripts --no-audit --no-fund
	@touch $@

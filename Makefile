# Two commands suffice: `make` builds and checks the real publication, `make test` runs the tests.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.DEFAULT_GOAL := all
.PHONY: all build check test lint format lock docs frontend frontend-check test-portals bench conformance clean help

all: build check  ## set up, build dist/ and check the real publication (default)

build: $(VENV)/.run  ## build dist/
	$(BIN)/lodpipe build -v

check: $(VENV)/.run  ## check records, graph and dist/; writes nothing
	$(BIN)/lodpipe check

test: $(VENV)/.test comunica  ## set up, then lint, types and all tests
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pytest -n auto --dist loadfile

COMUNICA := tests/comunica/node_modules/.made

.PHONY: comunica
comunica:  # a SPARQL engine for the tests of queries/; where there is no npm, or no network, its tests are skipped
	@test -f $(COMUNICA) -a $(COMUNICA) -nt tests/comunica/package-lock.json || ! command -v npm >/dev/null || \
		{ cd tests/comunica && npm ci --silent && touch node_modules/.made; } || echo "Comunica could not be installed; its tests are skipped" >&2

lint: $(VENV)/.test  ## lint and types only
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(VENV)/.test  ## put imports and simple lint in order
	$(BIN)/ruff check --fix .

lock: $(VENV)/.test  ## write the lock files anew from pyproject.toml
	$(BIN)/pip install -q pip-tools
	$(BIN)/pip-compile -q --strip-extras --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --allow-unsafe --generate-hashes \
		--no-header --extra build -o requirements.lock pyproject.toml
	$(BIN)/pip-compile -q --strip-extras --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --allow-unsafe --generate-hashes \
		--no-header --extra build --extra test -o requirements-test.lock pyproject.toml
	$(BIN)/pip-compile -q --strip-extras --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --allow-unsafe --generate-hashes \
		--no-header --extra build --extra serve -o requirements-serve.lock pyproject.toml

FRONTEND := pipeline/frontend

frontend: $(FRONTEND)/node_modules/.made  ## write what runs in the browser anew: pipeline/lodpipe/site/assets/ (needs Node)
	node $(FRONTEND)/build.mjs

frontend-check: $(FRONTEND)/node_modules/.made  ## its types and unit tests
	cd $(FRONTEND) && npm run --silent check && npm run --silent test

$(FRONTEND)/node_modules/.made: $(FRONTEND)/package-lock.json
	cd $(FRONTEND) && npm ci --silent
	touch $@

test-portals: $(VENV)/.test  ## the catalogue in CKAN, udata and the readers of its side files (installs them; minutes, by hand)
	test -d tests/.portals/ckan || { $(PYTHON) -m venv tests/.portals/ckan && \
		tests/.portals/ckan/bin/pip install -q --disable-pip-version-check 'ckan[requirements]==2.12.0' ckanext-dcat==2.4.4 ckanext-harvest; }
	test -d tests/.portals/udata || { $(PYTHON) -m venv tests/.portals/udata && \
		tests/.portals/udata/bin/pip install -q --disable-pip-version-check udata==17.18.0 mongomock frictionless csvw; }
	test -d tests/.portals/tools || { $(PYTHON) -m venv tests/.portals/tools && \
		tests/.portals/tools/bin/pip install -q --disable-pip-version-check rocrate cffconvert; }
	$(BIN)/pytest tests/test_catalogue_portals.py tests/test_catalogue_web.py tests/test_catalogue_shapes.py

bench: $(VENV)/.test  ## measure against peers, side by side (minutes; by hand)
	$(BIN)/python benchmarks/flagship.py
	$(BIN)/python benchmarks/mapping.py
	$(BIN)/python benchmarks/validation.py

docs: $(VENV)/.run  ## write the rules into docs/errors/
	$(BIN)/python -m lodpipe.diagnostics.rule_pages docs/errors

conformance: $(VENV)/.test  ## run the official suites and write docs/conformance.md
	PYTHONPATH=tests $(BIN)/python -m conformance.report

$(VENV)/.run: requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install -q --disable-pip-version-check -r requirements.lock
	$(BIN)/pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

$(VENV)/.test: requirements-test.lock $(VENV)/.run
	$(BIN)/pip install -q --disable-pip-version-check -r requirements-test.lock
	touch $@

clean:  ## remove the environment and caches (dist/ stays)
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache *.egg-info dist.next

help:  ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## /\1\t/' | expand -t 16

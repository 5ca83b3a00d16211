# Two commands suffice: `make` builds and checks the real publication, `make test` runs the tests.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

# Python modules and templates are compiled once, whatever the environment says: it is a tenth of a build.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := all
.PHONY: all build check test lint format lock docs examples frontend frontend-check test-fast test-portals bench spark-demo conformance package clean help

all: build check  ## set up, build dist/ and check the real publication (default)

build: $(VENV)/.run  ## build dist/
	$(BIN)/lodpipe build -v

check: $(VENV)/.run  ## check records, graph and dist/; writes nothing
	$(BIN)/lodpipe check

PYTEST := $(BIN)/pytest -n auto --dist loadfile --no-loadscope-reorder  # in the order of tests/conftest.py

test: $(VENV)/.test comunica ldes  ## set up, then lint, types and all tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(PYTEST)

test-fast: $(VENV)/.test  ## the tests without the slow ones: under a minute on two cores
	$(PYTEST) -m "not slow"

COMUNICA := tests/comunica/node_modules/.made

.PHONY: comunica
comunica:  # a SPARQL engine for the tests of queries/; where there is no npm, or no network, its tests are skipped
	@test -f $(COMUNICA) -a $(COMUNICA) -nt tests/comunica/package-lock.json || ! command -v npm >/dev/null || \
		{ cd tests/comunica && npm ci --silent && touch node_modules/.made; } || echo "Comunica could not be installed; its tests are skipped" >&2

LDES := tests/ldes/node_modules/.made

.PHONY: ldes
ldes:  # two clients for the tests of the change feed; where there is no npm, or no network, these are skipped
	@test -f $(LDES) -a $(LDES) -nt tests/ldes/package-lock.json || ! command -v npm >/dev/null || \
		{ cd tests/ldes && npm ci --silent --ignore-scripts && touch node_modules/.made; } || echo "the LDES clients could not be installed; their tests are skipped" >&2

lint: $(VENV)/.test  ## lint and types only
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.test  ## put imports and simple lint in order
	$(BIN)/ruff check --fix .

COMPILE := pip-compile -q --strip-extras --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --allow-unsafe --generate-hashes --no-header

lock: $(VENV)/.test  ## write the lock again from pyproject.toml; ARGS=--upgrade takes new versions
	$(BIN)/pip install -q --disable-pip-version-check pip-tools
	mkdir -p build
	cat requirements.lock requirements-test.lock | grep -v '^-r ' > build/all.lock
	$(BIN)/$(COMPILE) $(ARGS) --extra build --extra postgresql --extra serve -o requirements.lock pyproject.toml
	$(BIN)/$(COMPILE) $(ARGS) --all-extras -c requirements.lock -o build/all.lock pyproject.toml
	{ echo "-r requirements.lock"; awk 'NR == FNR { if (/^[a-zA-Z0-9]/) run[$$1]; next } \
		/^[a-zA-Z0-9]/ { keep = !($$1 in run) } keep && !/^$$|^#|-c requirements/' requirements.lock build/all.lock; } > requirements-test.lock

package: $(VENV)/.test  ## build wheel and sdist into build/package/ (dist/ is the published data)
	rm -rf build/package
	$(BIN)/python -m build --no-isolation --outdir build/package .

FRONTEND := pipeline/frontend

frontend: $(FRONTEND)/node_modules/.made  ## build the bundle that runs in the browser, pipeline/lodpipe/site/assets/ (needs Node)
	node $(FRONTEND)/build.mjs

frontend-check: $(FRONTEND)/node_modules/.made  ## its types and unit tests
	cd $(FRONTEND) && npm run --silent check && npm run --silent test

$(FRONTEND)/node_modules/.made: $(FRONTEND)/package-lock.json
	cd $(FRONTEND) && npm ci --silent
	touch $@

# GovData's extension is on no package index; PORTALS_DCATDE=PATH takes a copy of its repository.
PORTALS_DCATDE ?= git+https://github.com/GovDataOfficial/ckanext-dcatde@6.10.0

test-portals: $(VENV)/.test  ## the catalogue in CKAN, GovData, udata and the readers of its side files (installs them; minutes, by hand)
	test -d tests/.portals/ckan || { $(PYTHON) -m venv tests/.portals/ckan && \
		tests/.portals/ckan/bin/pip install -q --disable-pip-version-check 'ckan[requirements]==2.12.0' ckanext-dcat==2.4.4 ckanext-harvest==1.6.3; }
	test -d tests/.portals/govdata || { $(PYTHON) -m venv tests/.portals/govdata && \
		tests/.portals/govdata/bin/pip install -q --disable-pip-version-check 'ckan[requirements]==2.11.6' ckanext-harvest==1.6.3 $(PORTALS_DCATDE) || \
		{ rm -r tests/.portals/govdata && echo "GovData's extension could not be installed; its tests are skipped" >&2; }; }
	test -d tests/.portals/udata || { $(PYTHON) -m venv tests/.portals/udata && \
		tests/.portals/udata/bin/pip install -q --disable-pip-version-check udata==17.18.0 mongomock frictionless csvw; }
	test -d tests/.portals/tools || { $(PYTHON) -m venv tests/.portals/tools && \
		tests/.portals/tools/bin/pip install -q --disable-pip-version-check rocrate cffconvert mlcroissant==1.1.1 pyarrow; }
	$(BIN)/pytest tests/test_catalogue_portals.py tests/test_chain.py tests/test_catalogue_web.py tests/test_catalogue_shapes.py

bench: $(VENV)/.test  ## measure against peers, side by side (minutes; by hand)
	$(BIN)/python benchmarks/flagship.py
	$(BIN)/python benchmarks/mapping.py
	$(BIN)/python benchmarks/validation.py

spark-demo: $(VENV)/.test  ## a mapping on a Spark cluster of this machine that loses a worker; ARGS="--rows 100000" for fewer than a million
	$(BIN)/python benchmarks/spark_demo.py $(ARGS)

docs: $(VENV)/.run  ## write the rules into docs/errors/, the keys of publication.yaml into their schema and docs/declarations.md, the functions into docs/functions.md, and the pages for `lodpipe help`
	$(BIN)/python -m lodpipe.diagnostics.rule_pages docs/errors
	$(BIN)/python -m lodpipe.config.publication_docs docs/declarations.md
	$(BIN)/python -m lodpipe.mapping.functions.function_docs docs/functions.md
	$(BIN)/python -m lodpipe.diagnostics.help_pages docs

# The data are other people's, and the user's to fetch: docs/examples/README.md says where.
examples: $(VENV)/.run  ## build docs/examples/ over data that are at hand: PEOPLE=clone of openstates/people, ROR=ror.csv; PAGES=yes for pages
	@LODPIPE=$(abspath $(BIN))/lodpipe PEOPLE="$(PEOPLE)" PAGES="$(PAGES)" docs/examples/build.sh legislators PEOPLE '*/legislature' 'a clone of openstates/people'
	@LODPIPE=$(abspath $(BIN))/lodpipe ROR="$(ROR)" PAGES="$(PAGES)" docs/examples/build.sh research-organisations ROR 'ror*.csv' 'the table of organisations'

conformance: $(VENV)/.test  ## run the official suites and write docs/conformance.md
	PYTHONPATH=tests $(BIN)/python -m conformance.report

$(VENV)/.run: requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

$(VENV)/.test: requirements-test.lock $(VENV)/.run
	$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements-test.lock
	touch $@

clean:  ## remove the environment and caches (dist/ stays)
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache build pipeline/*.egg-info dist.next

help:  ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## /\1\t/' | expand -t 16

# make demo   the drill, from nothing to a post-mortem
# make test   lint, types, import contracts and every test, in three parts with a summary each: those that start no
#             program but maestro on every core, with lint and types beside them; those of other programs or of the
#             light cluster three files at a time; those of a whole platform or the real control plane two at a time
#             (those on a real Kubernetes control plane only if it is built already; KUBERNETES=off leaves them)
#             (PATH=/opt/prometheus-3:$PATH make test runs them on another Prometheus and Alertmanager)
# make test-kubernetes  build that control plane, once, and run the tests on it two files at a time
# make check  lint, types, import contracts and the tests that need no process, on every core; under a minute
#             (it leaves out contract/, crash/ and e2e/; cli/, which starts `maestro` hundreds of times; and tui/ and
#             the hostile texts in the console, which run it hundreds of times)
# make docs-cluster    run the contract suite on both clusters and write docs/embedded-cluster.md from it
# make test-mutations  break the light cluster in a dozen ways; the contract suite must notice each
# make test-interruptions  interrupt 200 experiments at random instants (INTERRUPTIONS=50 make …), sweep, and see
#             that nothing is left; some ten minutes. make test interrupts twelve
# make bench  measure the budgets (docs/benchmarks.md); make bench-ROOM measures one room's
#             (make bench-soak takes ten minutes; SOAK_SECONDS=60 make bench-soak one;
#             SOAK_SECONDS=3600 make bench-soak-console an hour, else a minute;
#             make bench-console builds k9s the first time, nine minutes of one core;
#             KRR=/path/to/a/checkout make bench-cost beside KRR, six minutes, else maestro alone)
# What stops one of them is said in three lines. make ends with 2 whatever the code of what it ran; its last
# line names that code: `Error 4` is programs that are missing, `Error 10` a drill that missed a budget.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
PYTHON ?= python3
BIN := .venv/bin
SOURCES := maestro_cli tests deploy scripts
KUBERNETES ?= auto
INTERRUPTIONS ?= 200
PYTEST := $(BIN)/python -m pytest
# Each test has folders and ports of its own. `logical`: hyper-threads count, as a machine of two cores has often one.
EVERY_CORE := -n logical --dist worksteal
# Whatever starts more than maestro is in these folders, as tests/architecture holds.
REAL := tests/contract tests/crash tests/e2e
# mypy and the import contracts have one thread: beside the tests no core is idle.
BESIDE := $(MAKE) --no-print-directory -j4 lint types contracts
# Tests start maestro hundreds of times: it is compiled once, also where the shell says to keep no bytecode.
unexport PYTHONDONTWRITEBYTECODE PYTHONUNBUFFERED

.PHONY: demo test test-kubernetes test-mutations test-interruptions docs-cluster check lint types contracts tests-pure tests-unit
.PHONY: bench clean install-demo install-test install-kubernetes programs

demo: install-demo programs
	$(BIN)/maestro drill run bad-release

test: install-test programs $(BIN)/kubectl-1.32 .venv/tritonclient/.installed
	$(BESIDE) tests-pure
	$(PYTEST) -n 3 --dist loadfile -m "not e2e and not kubernetes" $(REAL)
	$(PYTEST) -n 2 --dist loadfile --kubernetes=$(KUBERNETES) -m "e2e or kubernetes" $(REAL)

test-kubernetes: install-test install-kubernetes programs $(BIN)/kubectl-1.32
	$(BIN)/maestro local build
	$(PYTEST) -n 2 --dist loadfile --kubernetes=only $(REAL)

check: install-test
	$(BESIDE) tests-unit

tests-pure:
	$(PYTEST) $(EVERY_CORE) $(REAL:%=--ignore=%)

tests-unit:
	$(PYTEST) -q $(EVERY_CORE) --ignore-glob='*/hostile/test_console_*.py' tests/architecture tests/hostile tests/unit

test-interruptions: install-test
	CHAOS_INTERRUPTIONS=$(INTERRUPTIONS) $(PYTEST) -q -n 2 tests/crash/chaos -k at_any_instant

docs-cluster: install-test install-kubernetes $(BIN)/kubectl-1.32
	$(BIN)/maestro local build
	rm -f .contract.json
	CONTRACT_RESULTS=$(CURDIR)/.contract.json $(PYTEST) -q tests/contract/cluster
	$(BIN)/python scripts/write_cluster_docs.py .contract.json

test-mutations: install-test
	$(BIN)/python -m tests.mutations

bench: install-test programs
	$(BIN)/python -m tests.bench

bench-%: install-test programs
	$(BIN)/python -m tests.bench $*

lint:
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)

types:
	$(BIN)/mypy

contracts:
	$(BIN)/lint-imports

install-demo: .venv/.installed-local

install-test: .venv/.installed-test

install-kubernetes: .venv/.installed-kubernetes

.venv/bin/python:
	@bash scripts/make_venv.sh $(PYTHON)

.venv/.installed-local: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[local]"
	touch $@

.venv/.installed-test: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[test]"
	touch $@ .venv/.installed-local

# The oldest kubectl that the contract suite speaks for, where there is one for this machine; its tests say so
# and do not run without it.
$(BIN)/kubectl-1.32: | .venv/bin/python
	$(BIN)/python scripts/fetch_kubectl.py $@

# NVIDIA's client, the judge of the model server's wire, in an environment of its own: it brings 65 MB beside
# numpy (gevent, aiohttp, ml_dtypes). Its tests do not run without it, and say so.
.venv/tritonclient/.installed: | .venv/bin/python
	$(PYTHON) -m venv .venv/tritonclient
	.venv/tritonclient/bin/python -m pip install --quiet --disable-pip-version-check "tritonclient[http]>=2.60,<3"
	touch $@

.venv/.installed-kubernetes: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[kubernetes]"
	touch $@

programs:
	@bash scripts/install_programs.sh

clean:
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .bench .contract.json

# Skills Registry: `make` lists what can be done. Every target does its own set-up: system packages
# where they are missing (.ci/system), then .venv with the versions of constraints.txt (.ci/environment).

SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

PY := .venv/bin/python
PACKAGES := skills_registry certificates api templates
ARGS ?=

# Set-up is done once for each version of these files: the stamp's name carries their checksum, and the
# folder's, since a virtual environment does not survive being moved.
SUM := $(shell (pwd; cat setup.py constraints.txt .ci/system .ci/environment) | cksum | cut -d' ' -f1)
ready = .venv/ready-$(1)-$(SUM)

.PHONY: help run test prove lint format bench audit constraints clean

help:  ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(call ready,run)  ## the service with demonstration data on http://127.0.0.1:8000
	@.venv/bin/skills-registry demo
	@exec .venv/bin/skills-registry serve

test: $(call ready,test)  ## the whole test suite, some eight minutes (ARGS="-k name" for a part)
	@$(PY) -m pytest -n 2 --dist loadfile $(ARGS)

prove: $(call ready,test)  ## the long forms of the checks
	@$(PY) -m pytest -m prove $(ARGS)

lint: $(call ready,lint)  ## style (ruff), types (mypy --strict on the core and certificates), holes (bandit)
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy
	@.venv/bin/bandit --quiet --recursive $(PACKAGES)

format: $(call ready,lint)  ## put the code into the house's form
	@.venv/bin/ruff check --fix-only --quiet .
	@.venv/bin/ruff format .

bench: $(call ready,test)  ## every measurement of benchmarks/, one after the other
	@set -e; for script in benchmarks/*.py; do echo "== $$script"; $(PY) "$$script"; done

audit: $(call ready,audit)  ## known holes in the pinned packages (asks the advisory service)
	@.venv/bin/pip-audit --strict --disable-pip --no-deps --requirement constraints.txt

constraints:  ## pin the newest versions that setup.py admits
	@.ci/constraints "$$(.ci/system python)"

clean:  ## remove what was built; the records in var/ stay
	rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find $(PACKAGES) tests benchmarks -name __pycache__ -prune -exec rm -rf {} +

.venv/ready-%-$(SUM):
	@.ci/system $*
	@.ci/environment $*
	@rm -f .venv/ready-$*-*
	@touch $@

# Everything that a person does here. A machine with Python 3.11 or newer, venv and make is enough.

PYTHON ?= python3
BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)
ENV ?= dev

.DEFAULT_GOAL := help
.PHONY: help setup demo local unit test slow chaos acceptance conformance fuzz retention mutants check lint types format synth snapshot bench docs lock clean

help: ## show this
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 10

demo: setup ## run the whole stack on this machine, from cdk deploy to a suppressed address
	@$(BIN)/python -m local demo

local: setup ## start the whole stack on this machine and leave it running
	@$(BIN)/python -m local up

unit: .venv/.ready ## run the unit tests: no CDK, no emulator, half a minute
	$(BIN)/python -m pytest -n 2 tests/unit

test: setup ## run all tests, three files at a time, the long ones first
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder

slow: setup ## the slow tests: an incident of 20,000 addresses, an import of 100,000 rows
	$(BIN)/python -m pytest -m slow -s

chaos: setup ## 10,000 notifications while everything fails in turn: SEED=7 for one of them, SEEDS=10 for ten
	$(BIN)/python -m tests.e2e.chaos $(if $(SEED),--seed $(SEED)) $(if $(SEEDS),--seeds $(SEEDS)) $(if $(NAIVE),--naive)

acceptance: setup ## prove on a real account what the emulator cannot tell: ENV=dev, DRY_RUN=1 or CONFIRM=<account id>
	@$(BIN)/python -m tests.acceptance --env $(ENV) $(if $(DRY_RUN),--dry-run) $(if $(CONFIRM),--confirm "$(CONFIRM)")

conformance: setup .dynamodb-local/.ready ## the store against the genuine DynamoDB Local; needs Java 17
	CONFORMANCE=1 $(BIN)/python -m pytest tests/integration/test_dynamodb_local.py

fuzz: setup ## throw 100,000 broken notifications at the parser
	$(BIN)/python -m tests.fuzz

retention: setup ## random histories: does what is kept decide like everything that was seen?
	$(BIN)/python -m tests.retention

mutants: setup ## change the verdict and the merge in hundreds of places: do the tests notice?
	$(BIN)/mutmut run
	$(BIN)/mutmut results

check: lint types test ## what CI runs

lint: setup ## ruff: rules and format; cfn-lint: the template of every documented environment
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/python -m tests.infrastructure.lint

types: setup ## mypy, strict
	$(BIN)/mypy

format: setup ## mend what ruff can mend
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

synth: setup ## the CloudFormation template of ENV=dev; needs no network, no Docker and no AWS account
	@node_modules/.bin/cdk synth -c env=$(ENV)

snapshot: setup ## write the template that a review looks at
	$(BIN)/python -m tests.infrastructure.snapshot

bench: setup .rie/.ready ## measure, side by side with what a user would otherwise write: ONLY=ingest for a part, RECORD=1 to write the results
	$(BIN)/python -m benchmarks $(ONLY) $(if $(RECORD),--record)

docs: setup ## write the pages that are made from code
	$(BIN)/python -m docs.generate

lock: setup ## pin all dependencies again
	$(BIN)/uv pip compile pyproject.toml --extra cli --extra webhook --group dev --universal --python-version 3.11 --upgrade --quiet \
	  --no-emit-index-url --custom-compile-command "make lock" -o requirements.txt
	$(BIN)/uv pip compile --group pyproject.toml:lambda -c requirements.txt --universal --python-version 3.11 --quiet \
	  --generate-hashes --no-emit-index-url --custom-compile-command "make lock" -o lambdas/requirements.txt
	$(BIN)/npm install --package-lock-only

clean: ## remove all that was made
	rm -rf .venv .rie .wheels .dynamodb-local node_modules cdk.out .hypothesis .mypy_cache .pytest_cache .ruff_cache mutants

# Each part of the set-up is made again when what it is made from changes.
setup: .venv/.ready .wheels/.ready node_modules/.ready

.venv/.ready: requirements.txt
	@echo "setting up: Python packages"
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed" if sys.version_info < (3, 11) else 0)'
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

.wheels/.ready: lambdas/requirements.txt .venv/.ready
	@echo "setting up: what the Lambda functions need"
	@rm -rf .wheels
	@$(BIN)/python -m pip download --quiet --disable-pip-version-check --only-binary=:all: --require-hashes \
	  --dest .wheels -r lambdas/requirements.txt
	@touch $@

# AWS's runtime interface emulator is in the wheel of aws-sam-cli, which wants other versions than we do.
.rie/.ready:
	@echo "setting up: the runtime interface emulator"
	@rm -rf .rie && $(PYTHON) -m venv .rie
	@.rie/bin/python -m pip install --quiet --disable-pip-version-check aws-sam-cli==1.170.0 awslambdaric==4.2.2 aws-xray-sdk==2.14.0
	@touch $@

# The npm package that carries the genuine one; what it depends on itself is not needed.
.dynamodb-local/.ready: .venv/.ready
	@echo "setting up: DynamoDB Local"
	@rm -rf .dynamodb-local && mkdir .dynamodb-local
	@$(BIN)/npm pack --silent --pack-destination .dynamodb-local amplify-dynamodb-simulator@2.9.30 >/dev/null
	@tar -xzf .dynamodb-local/*.tgz -C .dynamodb-local && rm .dynamodb-local/*.tgz
	@touch $@

node_modules/.ready: package-lock.json .venv/.ready
	@echo "setting up: the CDK command line"
	@$(BIN)/npm ci --silent --no-audit --no-fund
	@touch $@

# make demo and make test do all of their own set-up; the others use it.
PYTHON := .venv/bin/python
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help demo test lint lock definitions schemas bench bench-validation bench-journal bench-replay fuzz faults broker clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /make \1	/p' Makefile | expand -t 24

demo: ## play a small day of a utility through a real gateway and broker
	@deploy/bootstrap python broker
	@.venv/bin/cimgate demo $(ARGS)

test: ## all tests, on a real broker and PostgreSQL (ARGS="tests/routing -k shadow" for some)
	@deploy/bootstrap python test-broker test-database
	@$(PYTHON) -m pytest $(ARGS)

lint: ## style, format, types, import layers
	@deploy/bootstrap python
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check .
	@$(PYTHON) -m mypy
	@.venv/bin/lint-imports

bench: ## messages a second, beside a plain aio-pika gateway
	@deploy/bootstrap python broker
	@$(PYTHON) benchmarks/throughput.py $(ARGS)

bench-validation: ## what a verdict costs beside bare lxml; memory for a large message; loading
	@deploy/bootstrap python
	@$(PYTHON) -m benchmarks.validation --write benchmarks/VALIDATION.md $(ARGS)

bench-journal: ## what it costs to keep and to find a million messages (half an hour)
	@deploy/bootstrap python test-database
	@$(PYTHON) -m benchmarks.journal_store --write benchmarks/JOURNAL.md $(ARGS)

bench-open: ## memory and idle processor time with up to 100,000 open conversations
	@deploy/bootstrap python test-broker
	@$(PYTHON) -m benchmarks.open_conversations --write benchmarks/OPEN.md $(ARGS)

bench-replay: ## 100,000 messages replayed, killed three times; how exactly recorded times are kept
	@deploy/bootstrap python test-broker test-database
	@$(PYTHON) -m benchmarks.replay --write benchmarks/REPLAY.md $(ARGS)

fuzz: ## every schema against two validators: 1,000 instances each and their mutants
	@deploy/bootstrap python
	@$(PYTHON) -m benchmarks.fuzz_schemas --write benchmarks/FUZZ.md $(ARGS)

faults: ## kill the gateway at every point of a request, a set, a deadline and more, on both kinds of store
	@deploy/bootstrap python test-broker test-database
	@$(PYTHON) -m benchmarks.faults --write benchmarks/FAULTS.md $(ARGS)

broker: ## a private RabbitMQ in the foreground; prints its URL, Ctrl-C ends it
	@deploy/bootstrap python broker
	@$(PYTHON) -m gateway.broker.private_node .run/broker

COMPILE := $(PYTHON) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate

lock: ## write both locks anew from pyproject.toml (ARGS=--upgrade for newer releases)
	@deploy/bootstrap python
	@$(PYTHON) -m uv --version >/dev/null 2>&1 || $(PYTHON) -m pip install -qq uv
	@$(COMPILE) $(ARGS) pyproject.toml -o deploy/requirements.lock
	@$(COMPILE) $(ARGS) --group dev pyproject.toml -o tests/requirements.lock

definitions: ## write the topology anew, in the form that RabbitMQ imports
	@deploy/bootstrap python
	@.venv/bin/cimgate topology show --definitions >deploy/rabbitmq-definitions.json

schemas: ## write the XSDs of the nouns anew from schemas/source
	@deploy/bootstrap python
	@$(PYTHON) -m schemas.generate

clean: ## remove what was made here: environment, broker data, caches
	@rm -rf .venv .run dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# People, hooks and CI use the same targets; `make` alone lists them.
.DEFAULT_GOAL := help
.PHONY: help up test test-fast bench faults check rows api lock diagrams pictures fmt clean

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready

help: ## List the targets.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

up: $(READY) ## Start servers and services until Ctrl-C; SERVICES="orders_service …" starts a part.
	@$(BIN)/python -m dev_stack up $(SERVICES)

test: $(READY) ## Run all tests on embedded servers, in parallel; ARGS="-k name" chooses.
	@$(BIN)/python -m dev_stack install
	@$(BIN)/python -m pytest -n auto $(ARGS)

test-fast: $(READY) ## Run the tests that start no server and no other process; ARGS as for `test`.
	@$(BIN)/python -m pytest -n auto --no-processes $(ARGS)

bench: $(READY) ## Measure us beside our peers, about 20 minutes; NAME="orders draining" chooses.
	@$(BIN)/python -m dev_stack install
	@$(BIN)/python -m benchmarks $(NAME)

faults: $(READY) ## Kill everything at random, and count; NAME="orders_killed mixed", ARGS="--seed 7 --seconds 60".
	@$(BIN)/python -m dev_stack install
	@$(BIN)/python -m faults $(NAME) $(ARGS)

check: $(READY) ## Check format, lint, types, imports, declared dependencies, requirements files, and CI's workflow.
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m ruff check .
	$(BIN)/python -m mypy
	$(BIN)/python -m dev_stack imports
	$(BIN)/python -m dev_stack rows --check
	$(BIN)/python -m dev_stack api --check
	$(BIN)/python -m dev_stack declared
	$(BIN)/python -m dev_stack vocabulary
	$(BIN)/python -m dev_stack lock --check
	$(BIN)/zizmor --offline --quiet --no-progress .github
	@$(MAKE) --no-print-directory diagrams ARGS=--check

rows: $(READY) ## Write what follows from the table of services (dev_stack/services.py) into the files that repeat it.
	@$(BIN)/python -m dev_stack rows

api: $(READY) ## Write docs/api, the reference of the APIs, from their OpenAPI documents.
	@$(BIN)/python -m dev_stack api

lock: $(READY) ## Compile the requirements files from pyproject.toml; ARGS=--upgrade takes the newest versions.
	@$(BIN)/python -m dev_stack lock $(ARGS)

diagrams: $(READY) ## Draw the tables in docs/architecture/sync.md from the models; ARGS=--check only compares.
	@for table in passengers_service.models.tables:passengers reservations_service.models.tables:RESERVATIONS; do \
		$(BIN)/paracelsus inject docs/architecture/sync.md $$table $(ARGS) --column-sort preserve-order \
			--replace-begin-tag "<!-- tables of $${table%%.*} -->" --replace-end-tag "<!-- end of $${table%%.*} -->" || exit 1; \
	done

pictures: $(READY) ## Make the pictures of the README from a real run.
	@$(BIN)/python -m dev_stack install
	@$(BIN)/python -m dev_stack.setup.pictures

fmt: $(READY) ## Format, and correct what ruff can.
	@$(BIN)/python -m ruff check --fix-only .
	@$(BIN)/python -m ruff format .

clean: ## Remove .venv and caches; .data, which holds your data, stays.
	@rm -rf .venv tests/python_tools/.venv tests/node_tools/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Touched last, so that an installation that was interrupted is done again.
$(READY): requirements-dev.txt
	@command -v $(PYTHON) > /dev/null || { echo "There is no $(PYTHON): install Python 3.11 or newer, or name it by PYTHON=…"; exit 1; }
	@$(PYTHON) -m dev_stack.setup.virtual_environment
	@touch $@

# One word a command. `make dev` serves the sample worker; `make test` proves the tree.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: dev test check bench bench-streams soak test-deps clean

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

# A stamp a dependency group: installing is skipped until pyproject.toml changes.
$(VENV)/.installed: $(BIN)/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	touch $@

$(VENV)/.installed-%: $(VENV)/.installed pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $$($(BIN)/python -c \
	  "import tomllib; print(*tomllib.load(open('pyproject.toml','rb'))['dependency-groups']['$*'])" \
	  | sed 's/ /\n/g')
	touch $@

dev: $(VENV)/.installed
	$(BIN)/pyworker dev

# Real servers for the protocol tests, where apt and root are there; elsewhere the tests say what is missing.
test-deps:
	@sh tests/protocols/install-servers

test: $(VENV)/.installed $(VENV)/.installed-test test-deps
	$(BIN)/python -m pytest

check: $(VENV)/.installed $(VENV)/.installed-test $(VENV)/.installed-check $(VENV)/.installed-bench
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/.installed
	$(BIN)/python -m bench

bench-streams: $(VENV)/.installed $(VENV)/.installed-bench
	$(BIN)/python -m bench.streams

# 500 clients and bad peers for about two minutes; fails when anything is left at the end.
soak: $(VENV)/.installed
	$(BIN)/python -m bench.soak

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis

# One word a command. `make dev` serves the sample worker; `make test` proves the tree.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: dev test check bench bench-peers bench-streams soak test-deps clean

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

# Beside bare aiohttp and the bare event loop; about 6 minutes. BENCH takes options: make bench BENCH="--load hello".
bench: $(VENV)/.installed $(VENV)/.installed-bench
	$(BIN)/python -m bench $(BENCH)

# Beside other products too, and docs/benchmarks.md written anew; about 20 minutes. What can't be had is left out.
bench-peers: $(VENV)/.installed $(VENV)/.installed-bench $(VENV)/.installed-peers
	-if which npm >/dev/null; then npm install --no-audit --no-fund --prefix bench/peers workerd wrangler; fi
	$(BIN)/python -m bench --peers --loop both --docs $(BENCH)

bench-streams: $(VENV)/.installed $(VENV)/.installed-bench
	$(BIN)/python -m bench.streams

# 500 clients and bad peers for about two minutes; fails when anything is left at the end.
soak: $(VENV)/.installed
	$(BIN)/python -m bench.soak

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis

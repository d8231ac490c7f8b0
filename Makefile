# Two commands are enough: `make run` and `make test`. The rest is for developers; see docs/development.md.

VENV := .venv
BIN := $(VENV)/bin
SUPPORTED := import sys; (3, 11) <= sys.version_info[:2] < (3, 14) and print(sys.executable)
PYTHON ?= $(firstword $(foreach name,python3.11 python3.12 python3.13 python3,$(shell $(name) -c '$(SUPPORTED)' 2>/dev/null)))
# What mypyc compiles: a change to any of these rebuilds.
COMPILED := $(wildcard node/domain/*.py node/engine/*.py node/protocol/*.py)
PACKAGES := node client cluster contracts chaos config

.PHONY: build run test test-pure coverage mutation lint types imports bench chaos soak format clean
build: $(VENV)/.installed

# ONCE=1 ends after the report, with code 0 only if every claim in it held; FLOW=file replays a recorded flow.
run: build
	$(BIN)/quorumbook demo $(if $(FLOW),--flow '$(FLOW)') $(if $(ONCE),--once)

# The `ci` profile draws the same examples each time; run pytest itself, or HYPOTHESIS_PROFILE=soak, to look further.
test test-pure coverage: export HYPOTHESIS_PROFILE ?= ci
test: build
	$(BIN)/python -m pytest

# The rules again, interpreted: what the compiled core hides (or wraps) shows here.
test-pure: build
	QUORUMBOOK_PURE=1 $(BIN)/python -m pytest tests/scenarios \
	  $(wildcard tests/property/test_venue*.py tests/unit/test_engine*.py tests/unit/test_protocol*.py)

# The same tests, and how many lines and branches of the rules they reach: in two processes, about equally long.
REPLAYS := tests/property/test_venue_determinism.py
COVERED := QUORUMBOOK_PURE=1 $(BIN)/python -m coverage run --parallel-mode -m pytest
coverage: build
	$(BIN)/python -m coverage erase
	$(COVERED) -p no:cacheprovider $(REPLAYS) & replays=$$!; \
	$(COVERED) tests/scenarios \
	  $(filter-out $(REPLAYS),$(wildcard tests/property/test_venue*.py tests/property/test_preview.py)) \
	  $(wildcard tests/unit/test_engine*.py tests/unit/test_protocol*.py tests/unit/test_domain*.py); others=$$?; \
	wait $$replays && exit $$others
	$(BIN)/python -m coverage combine --quiet
	$(BIN)/python -m coverage report

# Would a test notice a change to the rules of money? Some minutes a module.
mutation: $(VENV)/.developer
	$(BIN)/python -m tests.mutation

lint: $(VENV)/.developer
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.developer
	$(BIN)/mypy

imports: $(VENV)/.developer
	$(BIN)/lint-imports

format: $(VENV)/.developer
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: build
	$(BIN)/python -m tests.benchmarks

# See docs/chaos.md. Real faults need root and some of Debian's tools: what is missing is left out by name.
chaos: build
	$(BIN)/python -m chaos sim --seeds 0:3000
	$(BIN)/python -m chaos sim --seeds 0:500 --nodes 5
	$(BIN)/python -m chaos mutants
	$(BIN)/python -m chaos powerloss --times 20
	$(BIN)/python -m chaos real --minutes 15
	$(BIN)/python -m chaos measure all
	$(BIN)/python -m chaos attack all

# Goes on where the last slice stopped; each of the two ends after MINUTES, or at its last seed. Counts are kept by
# commit: it needs a git work tree without changes.
MINUTES ?= 60
soak: build
	@mkdir -p .soak
	$(BIN)/python -m chaos sim --seeds 0:100000 --state .soak/sim.json --minutes $(MINUTES)
	$(BIN)/python -m chaos sim --seeds 0:20000 --nodes 5 --state .soak/sim.json --minutes $(MINUTES)
	$(BIN)/python -m chaos attack fuzz --target venue-commands --target venue-entries --state .soak/fuzz \
	  --executions 10000000 --seconds $$((60 * $(MINUTES)))
	HYPOTHESIS_PROFILE=soak $(BIN)/python -m pytest --timeout 0 $(wildcard tests/property/test_venue*.py)

# A bare Debian may lack python3-venv: virtualenv, installed in a folder of its own, does the same.
$(BIN)/pip:
	@test -n "$(PYTHON)" || { echo "quorumbook: needs Python 3.11, 3.12 or 3.13" >&2; exit 1; }
	@rm -rf $(VENV)
	@$(PYTHON) -m venv $(VENV) >$(VENV).log 2>&1 || { \
	  rm -rf $(VENV); \
	  $(PYTHON) -m virtualenv $(VENV) >>$(VENV).log 2>&1 || { \
	  rm -rf $(VENV); \
	  $(PYTHON) -m pip install -q --target .virtualenv virtualenv >>$(VENV).log 2>&1 && \
	  PYTHONPATH=.virtualenv $(PYTHON) -m virtualenv $(VENV) >>$(VENV).log 2>&1; } || { \
	  rm -rf $(VENV); \
	  echo "quorumbook: cannot make $(VENV): on Debian, 'apt install python3-venv' (see $(VENV).log)" >&2; exit 1; }; }

# In-tree compiled modules shadow edited sources: they go first, whatever happens next.
$(VENV)/.installed: pyproject.toml setup.py $(COMPILED) | $(BIN)/pip
	@rm -rf build quorumbook__mypyc*.so && find node -name '*.so' -delete
	$(BIN)/pip install -q --disable-pip-version-check -e '.[test]'
	@ls quorumbook__mypyc*.so >/dev/null 2>&1 || echo "quorumbook: WARNING: not compiled (no C compiler, or no Python.h:" \
	  "on Debian, 'apt install gcc python3-dev'); running in pure Python, several times slower" >&2
	@touch $@

# The tools alone: installing the project again would compile it again.
TOOLS := import tomllib; project = tomllib.load(open("pyproject.toml", "rb"))["project"]; print(*project["optional-dependencies"]["developer"])
$(VENV)/.developer: pyproject.toml | build
	$(BIN)/pip install -q --disable-pip-version-check $$($(BIN)/python -c '$(TOOLS)')
	@touch $@

clean:
	rm -rf $(VENV) $(VENV).log .virtualenv build dist *.egg-info quorumbook__mypyc*.so .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	find node -name '*.so' -delete

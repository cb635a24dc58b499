# `make demo` and `make test` do all set-up on a fresh machine with Python 3.11 or newer.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: demo test check bench faults faults-short screens-day fuzz fuzz-short virtual-pi virtual-pi-short test-debian12 test-debian13 lock clean

demo: $(VENV)/.demo
	@$(BIN)/paihao demo

test: $(VENV)/.test
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

check: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.test
	$(BIN)/python tests/bench

faults: $(VENV)/.test
	$(BIN)/python tests/faults

faults-short: $(VENV)/.test
	$(BIN)/python tests/faults --short

# Screens only: 24 hours of calls replayed, and 100 kills of the kiosk's program; about half an hour.
screens-day: $(VENV)/.test
	$(BIN)/python tests/faults screen_kills screen_day

# Needs a platform that atheris has wheels for (x86-64 Linux).
fuzz: $(VENV)/.test
	$(BIN)/python tests/fuzz

fuzz-short: $(VENV)/.test
	$(BIN)/python tests/fuzz --runs 20000 --seconds 5

# A Raspberry Pi without a Raspberry Pi: docs/virtual-pi.md. ARGS="--only sound", "--keep" …
virtual-pi: $(VENV)/.test packages-virtual-pi
	$(BIN)/python tests/virtual_pi $(ARGS)

virtual-pi-short: $(VENV)/.test packages-virtual-pi
	$(BIN)/python tests/virtual_pi --short $(ARGS)

# What a stranger does, on a Debian unpacked for it. Wants root.
test-debian12 test-debian13: packages-test-debian
	sh tests/debian.sh $(@:test-debian%=%)

# ---------------------------------------------------------------- set-up

packages-%:
	@sh firmware_config/debian_packages.sh $*

$(VENV)/bin/python: | packages-demo
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; set PYTHON=…"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: requirements/demo.txt pyproject.toml | $(VENV)/bin/python
	$(INSTALL) --require-hashes -r requirements/demo.txt
	$(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.test: requirements/dev.txt pyproject.toml | $(VENV)/bin/python packages-test
	$(INSTALL) --require-hashes -r requirements/dev.txt
	$(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@ $(VENV)/.demo

# Locks every set of packages with hashes, for all platforms and Python 3.11 and newer.
lock:
	$(PYTHON) -m venv build/lock && build/lock/bin/pip install --quiet uv
	for set in "node --extra node --extra printer --extra voice --extra gpio --extra doctor --extra ui" "hall --extra hall" \
	    "demo --extra simulator" "dev --extra dev"; do set -- $$set; name=$$1; shift; \
	  build/lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
	    --no-header --no-emit-index-url --no-emit-find-links $$@ pyproject.toml requirements/build.in \
	    --output-file requirements/$$name.txt || exit 1; done

clean:
	rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

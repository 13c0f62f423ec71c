# `make demo` and `make test` need make and Python 3.11 or newer; everything else lands in $(VENV).
# No compiler is needed: dependencies are installed from wheels only (curio, pure Python, has none).

VENV ?= .venv
PYTHON ?=
BENCH ?=

.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
.PHONY: help demo demo-once test kill-test prometheus dashboards bench bench-full profile lint format types contracts ci clean

bin := $(VENV)/bin
PROMETHEUS := .ci/prometheus
pip_install := $(bin)/python -m pip install --quiet --disable-pip-version-check --only-binary=:all: --no-binary=curio

help: ## this list
	@sed -nE 's/^([a-z][a-z-]*):.*## (.*)/  make \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 20

demo: $(VENV)/.installed-demo ## an IOC that gets its values back after kill -9; runs until Ctrl+C
	@$(bin)/python -m ioc_ops.examples.demo

demo-once: $(VENV)/.installed-demo ## the same, ending by itself
	@$(bin)/python -m ioc_ops.examples.demo --once

test: $(VENV)/.installed-dev ## all tests; those with a real Prometheus where it can be had
	@$(MAKE) --no-print-directory prometheus || \
	  echo "make: tests/deploy will SKIP what needs Prometheus and Alertmanager (see above)" >&2
	@$(bin)/python -m pytest -n 4 --dist loadfile

kill-test: $(VENV)/.installed-dev ## kill an IOC under load 200 times, and look for lost values; about 6 minutes
	@$(bin)/python tests/autosave/kill_harness.py --kills 200

bench: $(VENV)/.installed-dev ## ours beside RSRV and caproto, with the goals; some minutes, needs gcc
	@$(bin)/python bench/measure.py $(BENCH)

bench-full: $(VENV)/.installed-dev ## the same with all peers and scenarios, 5 times; an hour or two
	@$(bin)/python bench/measure.py --full $(BENCH)

profile: $(VENV)/.installed-dev ## where the server's time goes, for each scenario; some minutes, needs gcc and perf
	@$(bin)/python bench/profiler.py $(BENCH)

prometheus: ## Debian's Prometheus and Alertmanager for the tests, unpacked below .ci
	@tools/install_prometheus.sh $(PROMETHEUS)

dashboards: $(VENV)/.installed-dev ## write the Grafana dashboards anew from tools/dashboards
	@$(bin)/python tools/generate_dashboards.py

lint: $(VENV)/.installed-dev ## ruff: rules and formatting
	@$(bin)/ruff check
	@$(bin)/ruff format --check

format: $(VENV)/.installed-dev ## ruff: put the formatting right
	@$(bin)/ruff check --fix
	@$(bin)/ruff format

types: $(VENV)/.installed-dev ## mypy --strict
	@$(bin)/mypy

contracts: $(VENV)/.installed-dev ## import-linter: which layer may import which
	@$(bin)/lint-imports

ci: lint types contracts test demo-once ## everything that .ci/run checks

clean: ## remove the environment and all caches
	rm -rf $(VENV) .ci/venv $(PROMETHEUS) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build dist
	find ioc_ops tests bench docs -name __pycache__ -type d -prune -exec rm -rf {} +

# The interpreter: $(PYTHON) if given, else the first one that is new enough. Where Python lies
# in pieces (Debian) venv may be missing; a half-made environment must not stay behind.
$(bin)/python:
	@for py in $(PYTHON) $(if $(PYTHON),,python3 python3.14 python3.13 python3.12 python3.11 python); do \
	  if "$$py" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then found="$$py"; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
	  echo "make: no Python 3.11 or newer found; install one or name it: make PYTHON=/path/to/python3" >&2; exit 1; \
	fi; \
	echo "Creating $(VENV) with $$("$$found" --version)"; \
	"$$found" -m venv "$(VENV)" || { rm -rf "$(VENV)"; \
	  echo "make: '$$found -m venv' failed; the system may keep it in a package of its own (Debian: python3-venv)" >&2; exit 1; }

# The stamps make pip run again only when pyproject.toml changed. The development
# environment holds all that the demo needs.
$(VENV)/.installed-demo: pyproject.toml | $(bin)/python
	@if [ "$(VENV)/.installed-dev" -nt pyproject.toml ]; then :; else \
	  echo "Installing ioc_ops and what the demo needs into $(VENV)"; $(pip_install) -e '.[demo]'; fi
	@touch $@

$(VENV)/.installed-dev: pyproject.toml | $(bin)/python
	@echo "Installing ioc_ops and its development tools into $(VENV)"
	@$(pip_install) -e '.[dev]'
	@touch $@

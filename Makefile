# Everything a developer does, one command each. `make demo` and `make test` need only Python >= 3.11, git and the
# internet: they make .venv from the lock, and bring Node and the tools that tests run, themselves.

PYTHON ?= python3
EXAMPLE ?= examples/02-foundation-aws/platform.yaml
DEMO_OUT ?= demo-out
# Parallel test processes. A file's tests stay in one process, so that a server is started once.
WORKERS ?= 2
# A deployment waits for minutes until the provider has seen often enough that what it made is still there.
DEPLOY_WORKERS ?= 6
PYTEST_ARGS ?=

ROOT := $(CURDIR)
BIN := $(ROOT)/.venv/bin
TOOLS := $(ROOT)/.tools
export PATH := $(BIN):$(PATH)
export CHECKPOINT_DISABLE := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# macOS's own make is too old to keep the output of parallel commands apart.
SYNCED = $(if $(filter output-sync,$(.FEATURES)),--output-sync=$(1))
PYTEST = $(BIN)/python -m pytest -n $(or $(PROCESSES),$(WORKERS)) --dist loadfile --no-loadscope-reorder $(PYTEST_ARGS)
UV_LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-strip-extras --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"

.DEFAULT_GOAL := help
.PHONY: help venv tools demo test check unit test-rest test-deploy test-frameworks frameworks test-wheel coverage wheel lock upgrade regen bench bench-apply peer peer-templates format clean

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' Makefile

# --- environments ---------------------------------------------------------------------------------------------------

venv: .venv/.installed ## Make .venv from requirements/dev.txt, with this project installed editable

.venv/.locked: requirements/dev.txt scripts/link-node
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Scaffolder needs Python >= 3.11; set PYTHON=..." >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --no-deps --require-hashes --requirement requirements/dev.txt
	$(BIN)/python scripts/link-node
	@touch $@

.venv/.installed: .venv/.locked pyproject.toml
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

tools: $(TOOLS)/node/.installed $(TOOLS)/checkov/.installed ## Install the CDKTF command lines and checkov, for tests only

# No install scripts: cdktf-cli's terminal binding ships compiled for the Node of the lock.
$(TOOLS)/node/.installed: tests/tools/package.json tests/tools/package-lock.json | venv
	@mkdir -p $(TOOLS)/node
	cp tests/tools/package.json tests/tools/package-lock.json $(TOOLS)/node/
	cd $(TOOLS)/node && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

$(TOOLS)/checkov/.installed: requirements/checkov.txt | venv
	@test -x $(TOOLS)/checkov/bin/python || $(BIN)/python -m venv $(TOOLS)/checkov
	$(TOOLS)/checkov/bin/python -m pip install --quiet --require-hashes --requirement requirements/checkov.txt
	@touch $@

# --- the two commands of the README ---------------------------------------------------------------------------------

demo: venv ## One example from its spec to synthesized stacks, and a model's whole life on this machine; no cloud account
	$(BIN)/scaffolder validate $(EXAMPLE)
	$(BIN)/scaffolder preview $(EXAMPLE)
	$(BIN)/scaffolder synth $(EXAMPLE) --out $(DEMO_OUT)
	@echo
	@echo "$(EXAMPLE) is now Terraform in $(DEMO_OUT)/:"
	@find $(DEMO_OUT) -type f -name '*.json' | sort | sed 's/^/  /'
	@echo "Deploy it with 'cdktf deploy --skip-synth', or run 'terraform init && terraform plan' in a stack's folder."
	@echo
	@echo "And a model's whole life on this machine, with the same spec that a cloud would get:"
	cd examples/10-churn-local && rm -rf .scaffolder data && $(BIN)/python story.py && $(BIN)/scaffolder destroy --yes churn

# Frameworks are installed while the checks run, and train while deployments wait for the provider.
test: venv ## All checks and all tests; those of the command line run against the built wheel
	$(MAKE) --jobs 3 $(call SYNCED,target) check tools frameworks
	$(MAKE) --jobs 2 $(call SYNCED,line) test-deploy test-frameworks
	$(MAKE) test-rest
	$(MAKE) test-wheel

# --- parts of `make test` -------------------------------------------------------------------------------------------

check: venv ## Formatting, lint, types and import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/mypy --scripts-are-modules scripts/link-node scripts/terraform-cli-config $(wildcard scripts/*.py)
	$(BIN)/mypy benchmarks/run.py benchmarks/apply.py benchmarks/constructs_app.py benchmarks/local_loop.py benchmarks/local_serving.py benchmarks/templates.py
	$(BIN)/lint-imports

unit: venv ## The fast tests only
	$(PYTEST) -m "not slow and not terraform and not cli"

test-deploy: PROCESSES = $(DEPLOY_WORKERS)
test-deploy: venv tools ## Deploy with the real Terraform and command lines
	$(PYTEST) -m "terraform and not cli" tests

# What the command line does is tested once, by test-wheel.
test-rest: venv tools
	$(PYTEST) -m "not terraform and not cli and not frameworks"

# A project of each framework is trained, served and called, each row of the templates' matrix is type-checked and runs its
# own tests, and applications of language models are held to the vendors' packages. No test needs another one's process,
# so whichever is free takes the next. pip and not uv: it knows where a machine keeps a CPU build of torch, when it has one.
FRAMEWORK_WORKERS ?= 2

test-frameworks: PROCESSES = $(FRAMEWORK_WORKERS)
test-frameworks: frameworks ## Train, serve and call a project of each framework
	SCAFFOLDER_MODEL_PYTHON=$(TOOLS)/frameworks/bin/python SCAFFOLDER_LLM_PYTHON=$(TOOLS)/frameworks/bin/python \
	$(PYTEST) --dist load --maxschedchunk 1 -m frameworks tests/templates

frameworks: $(TOOLS)/frameworks/.installed

$(TOOLS)/frameworks/.installed: requirements/model.in requirements/llm.in | venv
	@test -x $(TOOLS)/frameworks/bin/python || $(BIN)/python -m venv $(TOOLS)/frameworks
	$(TOOLS)/frameworks/bin/python -m pip install --quiet --requirement requirements/model.in --requirement requirements/llm.in
	@touch $@

# From an empty folder, in an environment that has only the wheel and its base dependencies; then example 10, in one that
# has the extra `local` too, and the orders that the example reads.
test-wheel: wheel
	$(BIN)/python -m venv --clear $(TOOLS)/wheel
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(TOOLS)/wheel/bin/python --constraint requirements/dev.txt dist/*.whl
	$(BIN)/python -m venv --clear $(TOOLS)/wheel-local
	$(BIN)/uv pip install --quiet --python $(TOOLS)/wheel-local/bin/python --constraint requirements/dev.txt "$$(echo dist/*.whl)[local]"
	$(BIN)/uv pip install --quiet --python $(TOOLS)/wheel-local/bin/python --constraint requirements/dev.txt --no-deps lifetimes
	@empty=$$(mktemp -d) && trap 'rm -rf "$$empty"' EXIT && cd "$$empty" && \
	SCAFFOLDER_EXE=$(TOOLS)/wheel/bin/scaffolder SCAFFOLDER_LOCAL_PYTHON=$(TOOLS)/wheel-local/bin/python \
	$(PYTEST) -c $(ROOT)/pyproject.toml --rootdir $(ROOT) -p no:cacheprovider -m "(cli or wheel) and not frameworks" \
		$(ROOT)/tests/packaging $(ROOT)/tests

coverage: venv ## The fast tests with a coverage report
	$(PYTEST) -m "not slow and not terraform and not cli" --cov --cov-report=term

format: venv ## Format and apply safe fixes
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

# --- the wheel ------------------------------------------------------------------------------------------------------

# Always built anew: it takes less than a second, and is never older than the tree.
wheel: venv ## Build the wheel into dist/
	@rm -rf dist
	$(BIN)/python -m build --wheel --no-isolation --outdir dist .

# --- generated files ------------------------------------------------------------------------------------------------

lock: venv ## Rewrite the locks from pyproject.toml and tests/tools/package.json
	$(UV_LOCK) pyproject.toml --group dev --output-file requirements/dev.txt
	$(UV_LOCK) --group checkov --output-file requirements/checkov.txt
	$(UV_LOCK) benchmarks/peers/requirements.in --output-file benchmarks/peers/requirements.txt
	$(UV_LOCK) benchmarks/peers/templates.in --output-file benchmarks/peers/templates.txt
	cd tests/tools && npm install --package-lock-only --ignore-scripts --omit-lockfile-registry-resolved --no-audit --no-fund --loglevel=error

upgrade: UV_LOCK += --upgrade
upgrade: lock ## The same, to the newest versions that the bounds allow

# Each script in scripts/regen/ rewrites one kind of generated file and says which; add one, and `make regen` runs it.
regen: venv ## Rewrite every generated file in the repository
	@set -e; for script in $(wildcard scripts/regen/*.py); do echo "$$script"; $(BIN)/python "$$script"; done

# The peer's own requirements, some 2 GB, are never the project's.
peer: $(TOOLS)/peer/.installed

$(TOOLS)/peer/.installed: benchmarks/peers/requirements.txt | venv
	@test -x $(TOOLS)/peer/bin/python || $(BIN)/python -m venv $(TOOLS)/peer
	$(TOOLS)/peer/bin/python -m pip install --quiet --require-hashes --requirement benchmarks/peers/requirements.txt
	@touch $@

# cookiecutter, copier and cruft, which benchmarks/templates.py measures templates beside.
peer-templates: $(TOOLS)/peer-templates/.installed

$(TOOLS)/peer-templates/.installed: benchmarks/peers/templates.txt | venv
	@test -x $(TOOLS)/peer-templates/bin/python || $(BIN)/python -m venv $(TOOLS)/peer-templates
	$(TOOLS)/peer-templates/bin/python -m pip install --quiet --require-hashes --requirement benchmarks/peers/templates.txt
	@touch $@

bench: venv peer ## Measure the claims in README (benchmarks/README.md says what against what)
	$(BIN)/python benchmarks/run.py

bench-apply: venv ## Measure a deployment on emulated AWS, stack by stack; needs Terraform
	$(BIN)/python benchmarks/apply.py

clean: ## Remove what these commands made
	rm -rf .venv .tools dist $(DEMO_OUT) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage .coverage.*

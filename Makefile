# One entry point for everything; `make help` lists it. Only Python >= 3.11 (with its venv module), git and make are needed;
# with Node.js and npm the simulated instance is tested with a second client, too.

.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
SHELL := /bin/sh

# The environment itself may be made by any Python of the user's.
USER_PATH := $(PATH)

# What a recipe runs must not depend on whose shell it is: version managers' shims can name a Python that is not
# there, and Ansible refuses a locale that is not UTF-8.
export PATH := $(CURDIR)/.venv/bin:$(shell printf '%s' "$$PATH" | tr ':' '\n' | grep -v '/shims/*$$' | paste -s -d: -)
export LC_ALL := C.UTF-8
export PYTHONPATH := $(CURDIR)/.build/tree:$(CURDIR)/tests/simulator:$(CURDIR)/tests
export ANSIBLE_CONFIG := $(CURDIR)/tests/ansible.cfg
export ANSIBLE_HOME := $(CURDIR)/.build/ansible
# Not below the home folder of the user: a service account may have none.
export ANSIBLE_REMOTE_TMP := $(CURDIR)/.build/ansible/remote
export ANSIBLE_COLLECTIONS_PATH := $(CURDIR)/.build/tree
export ANSIBLE_PYTHON_INTERPRETER := $(CURDIR)/.venv/bin/python

PYTHON := .venv/bin/python
# Ansible finds a collection only under ansible_collections/<namespace>/<name>: a link gives this folder that name too.
TREE := .build/tree/ansible_collections/hotbackup/oracle
INSTALLED := .venv/.installed
NODE_CLIENT := .venv/node/.installed
READY := $(INSTALLED) $(NODE_CLIENT) $(TREE)/galaxy.yml
SANITY_TOOLS := .venv/.sanity-tools
CHECK := $(PYTHON) -m toolchain
DEMO := $(PYTHON) -m demo.run_demo --folder .demo

##@ See it work
.PHONY: demo demo-stop
demo: $(READY) ## back up a live fleet, destroy it, bring it back (KEEP=1 leaves it running, DATABASES=n scales)
	@$(DEMO) --databases "$(or $(DATABASES),3)" $(if $(filter-out 0,$(KEEP)),--keep)

demo-stop: $(READY) ## end the databases that `make demo KEEP=1` left running
	@$(DEMO) --stop

##@ Test
.PHONY: test
test: $(READY) $(SANITY_TOOLS) ## everything below, with one summary line (what .ci/run runs)
	@$(CHECK)

STAGES := unit simulator integration molecule lint docs-lint sanity artefact
.PHONY: $(STAGES)
$(STAGES): $(READY)
	@$(CHECK) $@

unit: ## the plugins' parts without a database (ARGS="-k name" goes to pytest, here and in the next two)
simulator: ## the simulated instance's own tests
integration: ## stories: modules, roles and playbooks against simulated instances
molecule: ## the molecule scenario
lint: ## ruff, mypy, yamllint, ansible-lint, changelog fragments
docs-lint: ## the documentation in plugins and in docs/docsite
sanity: $(SANITY_TOOLS) ## ansible-test sanity, without a single ignore entry
artefact: ## build the collection, look at what is in it

##@ Measure
.PHONY: bench-simulator bench-copy bench-peers
bench-simulator: $(READY) ## how quick and cheap the simulated instance is (ARGS="--rounds 3 --databases 20")
	@$(PYTHON) -m benchmarks.bench_simulator $(ARGS)

bench-copy: $(READY) ## the copy engine beside cp, on the same files in turn (ARGS="--rounds 7 --streams 4 --folder /backup")
	@$(PYTHON) -m benchmarks.bench_copy $(ARGS)

bench-peers: $(READY) ## the copy engine beside cp, rsync, restic, pgBackRest, Ansible's copy (ARGS="--rounds 5 --scale 0.5 --folder /backup")
	@$(PYTHON) -m benchmarks.bench_peers $(ARGS)

.PHONY: campaign-crash
campaign-crash: $(READY) ## kill a database under load 200 times and look what is there (RUNS=n, SEED=n; KEEP=folder)
	@$(PYTHON) -m campaigns --runs "$(or $(RUNS),200)" --seed "$(or $(SEED),1000)" $(if $(KEEP),--keep "$(KEEP)")

##@ Work on it
.PHONY: coverage-table venv format build clean distclean help
venv: $(READY) $(SANITY_TOOLS) ## make .venv with the pinned versions of tests/requirements.txt; nothing is installed after that

$(INSTALLED): tests/requirements.txt tests/toolchain/make_venv.sh
	@PATH="$(USER_PATH)" tests/toolchain/make_venv.sh
	@touch $@

# The second client of the simulated instance's tests; where it cannot be installed those tests are skipped.
$(NODE_CLIENT): tests/simulator/clients/node/package-lock.json tests/toolchain/install_node_client.sh $(INSTALLED)
	@tests/toolchain/install_node_client.sh
	@touch $@

# ansible-test keeps an environment for each of its tools, with versions of its own choice.
$(SANITY_TOOLS): $(INSTALLED) | $(TREE)/galaxy.yml
	@echo "Installing the tools of ansible-test"
	@$(PYTHON) -m toolchain.sanity --prime-venvs >.venv/sanity-tools.log 2>&1 || { cat .venv/sanity-tools.log; exit 1; }
	@touch $@

$(TREE)/galaxy.yml:
	@mkdir -p $(dir $(TREE))
	@ln -sfn ../../../.. $(TREE)

coverage-table: $(READY) ## write tests/simulator/COVERAGE.md: which row of Oracle's tables is proved by which test
	@$(PYTHON) -m toolchain.coverage_table

format: $(READY) ## let ruff put the Python files in form
	@$(PYTHON) -m ruff check --fix --quiet . ; $(PYTHON) -m ruff format .

build: $(READY) ## build the collection into dist/
	@ansible-galaxy collection build --output-path dist --force

clean: ## remove what tests, builds and the demo left
	@if [ -d .demo ] && [ -e $(INSTALLED) ]; then $(DEMO) --stop; fi
	@rm -rf .build .demo dist .ansible .hypothesis .mypy_cache .pytest_cache .ruff_cache tests/output
	@find plugins tests -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean ## clean, and remove .venv as well
	@rm -rf .venv

help: ## this list
	@awk 'BEGIN { FS = ":.*## " } \
	  /^##@/ { printf "\n%s\n", substr($$0, 5) } \
	  /^[a-z-]+:.*## / { sub(/:.*/, "", $$1); printf "  make %-14s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

# Scenescore's commands. `make` alone lists them.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SOURCES := shared/src services/api/src services/classifier_worker/src services/composer_worker/src client/src standalone/src
DISTRIBUTIONS := shared services/api services/classifier_worker services/composer_worker client standalone
DATA_DIR ?= .scenescore
PORT ?= 8000
IMAGE ?=
OUT ?= demo.mid
TORCH_INDEX ?=
JOBS ?= 2000
PICTURES ?= 10000
MIDI ?= 2000
SEED ?= 1
KEEP ?= fuzz-failures
# for machines without FluidSynth. Without its dependencies, since PyAudio, which it needs only to play aloud, has no
# wheels; and optional, since it has some itself for a few versions of Python only: docs/adr/0008
SYNTHESISER := tinysoundfont==0.3.7

.DEFAULT_GOAL := help
.PHONY: help setup demo up test chaos fuzz check bench page docs lock secrets clean

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(VENV)/.ready ## make .venv with everything pinned (TORCH_INDEX=url takes torch from another index)

$(VENV)/.ready: requirements-dev.lock $(DISTRIBUTIONS:%=%/pyproject.toml)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Scenescore needs Python 3.11 or later: make PYTHON=python3.12 setup")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX)) -r requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps $(DISTRIBUTIONS:%=-e %)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: $(SYNTHESISER) 2>/dev/null || echo "No wheel of $(SYNTHESISER) for this Python: for sound install the program fluidsynth."
	@touch $@

demo: setup ## a picture in, its feelings and its music out (IMAGE=path takes yours, OUT=path names the MIDI)
	@test -n "$(IMAGE)" || { mkdir -p "$(DATA_DIR)"; $(BIN)/python -m scenescore_standalone.demo_picture "$(DATA_DIR)/demo.png"; }
	$(BIN)/scenescore compose "$(or $(IMAGE),$(DATA_DIR)/demo.png)" -o "$(OUT)" --data-dir "$(DATA_DIR)"

up: setup ## run the API and its workers on this machine (PORT=8000), without servers
	$(BIN)/scenescore up --port $(PORT) --data-dir "$(DATA_DIR)"

# files of tests share the cores, the longest first; the runs under every fault have them to themselves
test: setup ## every test, on private PostgreSQL, Redis and S3 (installed where root may, on Debian)
	@scripts/install-test-servers
	OMP_NUM_THREADS=1 $(BIN)/pytest tests/e2e tests/integration tests/contract tests/unit --ignore tests/e2e/chaos \
		--numprocesses 2 --dist loadfile --no-loadscope-reorder
	$(BIN)/pytest tests/e2e/chaos

chaos: setup ## JOBS=2000 jobs under every fault, in turn and all at once; `make test` has the short form
	@scripts/install-test-servers
	CHAOS_JOBS=$(JOBS) $(BIN)/pytest tests/e2e/chaos/test_chaos.py
fuzz: setup ## damaged pictures and MIDI files, many (PICTURES=10000 MIDI=2000 SEED=1); those that fail go to KEEP
	@scripts/install-test-servers
	FUZZ_PICTURES=$(PICTURES) FUZZ_MIDI=$(MIDI) FUZZ_SEED=$(SEED) FUZZ_KEEP="$(abspath $(KEEP))" $(BIN)/pytest tests/e2e/fuzz

check: setup ## format, lint, types, import rules, Kubernetes manifests
	$(BIN)/ruff format --check --no-cache .
	$(BIN)/ruff check --no-cache .
	$(BIN)/mypy $(SOURCES) scripts k8s/validate.py
	MYPYPATH=tests:benchmarks $(BIN)/mypy --explicit-package-bases tests benchmarks
	$(BIN)/lint-imports
	$(BIN)/python scripts/settings_doc.py --check
	$(BIN)/python k8s/validate.py

bench: setup ## the figures that the README quotes
	@scripts/install-test-servers
	PYTHONPATH=tests $(BIN)/python benchmarks/overhead.py
	PYTHONPATH=tests $(BIN)/python benchmarks/submit.py
	PYTHONPATH=tests $(BIN)/python benchmarks/claim.py
	$(BIN)/python benchmarks/classify.py
	$(BIN)/scenescore corpus build --data-dir "$(DATA_DIR)"
	$(BIN)/python benchmarks/compose.py --data-dir "$(DATA_DIR)"
	PYTHONPATH=tests $(BIN)/python benchmarks/render.py

page: ## build the page from services/api/web (needs Node; what it writes is committed)
	cd services/api/web && npm ci --no-audit --no-fund && npm run build

docs: setup ## write docs/settings.md from the code
	$(BIN)/python scripts/settings_doc.py

lock: setup ## pin the newest versions that fit
	$(BIN)/python scripts/lock.py

secrets: ## write .env for docker compose, with new secrets (keeps one that is there)
	@command -v openssl >/dev/null || { echo 'install openssl first: it makes the secrets'; exit 1; }
	@umask 077; set -C; sed -e "s/^POSTGRES_PASSWORD=$$/&$$(openssl rand -hex 24)/" -e "s/^REDIS_PASSWORD=$$/&$$(openssl rand -hex 24)/" -e "s/^S3_ACCESS_KEY_ID=$$/&$$(openssl rand -hex 10)/" -e "s/^S3_SECRET_ACCESS_KEY=$$/&$$(openssl rand -hex 20)/" -e "s/^WEBHOOK_SIGNING_KEY=$$/&$$(openssl rand -hex 32)/" .env.example > .env

clean: ## remove what setup and demo made
	rm -rf $(VENV) .scenescore demo.mid

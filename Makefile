# `make help` lists the targets. Everything is installed into .venv; nothing else is touched.
.DEFAULT_GOAL := help
SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
# More workers than cores, because most tests wait. Fewer with Docker, because its tests start many processes.
WORKERS ?= $(shell docker info >/dev/null 2>&1 && echo 3 || echo 4)

# The files that `make prose` checks: pages and code, and the other texts that people read.
PAGES = README.md CONTRIBUTING.md CHANGELOG.md $(filter-out docs/guarantees.md,$(wildcard docs/*.md)) \
	$(wildcard docs/decisions/*.md)
PROSE = $(PAGES) docs/guarantees.md .ci Makefile mkdocs.yml setup.cfg docker-compose.yml Dockerfile consumer fncast \
	interceptor model_service functions benchmarks tests notebooks samples
TEXTS = '*.js' '*.html' '*.yml' '*.yaml' '*.toml' '*.cfg' '*.java' '*.ipynb' Makefile '*Dockerfile' .ci/install .ci/run

.PHONY: help demo test test-all install setup lint types style bench bench-quick quality base-model protocol functions docs guarantees \
	prose chaos determinism fuzz clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.demo ## run the whole path on this machine, with a live page (Ctrl-C ends it)
	@# In a terminal the demo gets the foreground to itself: Ctrl-C ends it, and make sees its exit code 0.
	@if [ -t 0 ]; then set -m; $(BIN)/fncast demo $(DEMO); else exec $(BIN)/fncast demo $(DEMO); fi

test: $(VENV)/.dev ## run the tests; skipped tests say why
	@$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m "not slow" $(PYTEST)

test-all: $(VENV)/.dev ## the same and the slow ones: compose, chaos, killed brokers (about half an hour)
	@$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal --hypothesis-profile explore $(PYTEST)

install: $(VENV)/.demo ## install fncast with all its commands, without what tests and lint need

setup: $(VENV)/.dev ## only set up: everything for the demo, the tests and the lint

lint: types style ## ruff, mypy, import contracts, mirrored tests, spelling, generated pages, links of the documentation

types: $(VENV)/.dev
	@$(BIN)/mypy

style: $(VENV)/.dev
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .
	@$(BIN)/lint-imports
	@$(MAKE) --no-print-directory prose
	@$(BIN)/python .ci/mirror.py $$(git ls-files '*.py')
	@$(BIN)/python tests/guarantees.py --check
	@$(BIN)/python -m benchmarks report --check
	@$(MAKE) --no-print-directory docs

bench: $(VENV)/.dev ## measure fncast beside its peers, write results and pages (BENCH="PART --flags" for less)
	@$(BIN)/python -m benchmarks $(BENCH)

bench-quick: $(VENV)/.dev ## fncast, a plain loop and the limit: two minutes, only prints, fails on loss or disorder
	@$(BIN)/python -m benchmarks end_to_end --quick $(BENCH)

quality: $(VENV)/.evaluation ## the forecasts beside naive and classical ones, on the data in FNCAST_DATA (20 minutes)
	@$(BIN)/python -m benchmarks.quality.forecast $(QUALITY)

base-model: $(VENV)/.dev ## train the base model that comes with fncast (half an hour; resumes; BASE="--seed 1 --steps 100")
	@$(BIN)/python -m model_service.training.base --out fncast/models/base/1 --state build/base-model $(BASE)

protocol: $(VENV)/.dev ## generate the protobuf messages again
	@$(BIN)/python -m grpc_tools.protoc -I . --python_out=. --pyi_out=. model_service/protocols/open_inference/messages.proto \
		interceptor/readings/remote_write.proto

functions: $(VENV)/.dev ## build the wheel that the image of functions/forecast installs, for `fn deploy`
	@rm -rf build functions/forecast/*.whl
	@$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir functions/forecast .
	@ls functions/forecast/*.whl

docs: $(VENV)/.dev ## build the documentation site into build/site; a broken link is an error
	@# Not with --quiet: a strict build would then ignore broken links.
	@found=$$(NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build 2>&1) || { printf '%s\n' "$$found"; exit 1; }

guarantees: $(VENV)/.dev ## write docs/guarantees.md from the markers in the tests
	@$(BIN)/python tests/guarantees.py

prose: $(VENV)/.dev ## spelling, and the words that the house style avoids (.ci/words.txt)
	@$(BIN)/codespell -D - -D .ci/words.txt -L te,indexs,temperatur,caf,ende --ignore-regex '[A-Za-z0-9+/]{60,}={0,2}' \
		--skip '*_pb2.py*,*/vendor/*,*/results/*.json,*.bin' $(PROSE)
	@$(BIN)/proselint check --config .ci/proselint.json $(PAGES)
	@$(BIN)/python .ci/prose.py $(PAGES) $$(git ls-files '*.py' | grep -v _pb2) $$(git ls-files $(TEXTS) | grep -v vendor)

chaos: $(VENV)/.dev ## kill parts of a running fncast and of three brokers, 30 times, then count (needs Docker)
	@$(BIN)/python tests/chaos/run.py --cluster $(CHAOS)

determinism: $(VENV)/.dev ## read one recorded topic in six ways, 50 kills among them, and compare the forecasts (needs Docker)
	@$(BIN)/python tests/chaos/determinism.py $(DETERMINISM)

fuzz: $(VENV)/.dev ## feed random and mutated inputs to code that reads foreign bytes (FUZZ="--minutes 10 --target rest --seed 1")
	@$(BIN)/python tests/fuzz/run.py $(FUZZ)

clean: ## remove .venv and caches (models stay)
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis *.egg-info

$(VENV)/.demo: setup.cfg pyproject.toml constraints.txt
	@VENV=$(VENV) sh .ci/install demo
	@touch $@

$(VENV)/.dev: setup.cfg pyproject.toml constraints.txt
	@VENV=$(VENV) sh .ci/install dev
	@touch $@ $(VENV)/.demo

$(VENV)/.evaluation: setup.cfg pyproject.toml constraints.txt
	@VENV=$(VENV) sh .ci/install demo,evaluation
	@touch $@

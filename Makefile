# `make` lists the targets. Each of them sets up .venv by itself.

PYTHON_IN_VENV := .venv/bin/python
HMTL := $(PYTHON_IN_VENV) -m hmtl
CONFIG ?= configs/hmtl_sample.json
# A directory of its own for every run, so that none is ever overwritten.
ifndef RUN
RUN := runs/sample-$(shell date +%Y%m%d-%H%M%S)
endif

.DEFAULT_GOAL := help
.PHONY: help setup train demo check-data test test-slow fuzz torture bench bench-gpu lint check format results docs

help: ## list the targets
	@awk -F ': .*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## make .venv and install what is needed (at once if it is there) [TORCH=cpu PYTHON=python3.12]
	@bash script/machine_setup.sh

train: setup ## train on the sample corpora [CONFIG=configs/x.json RUN=runs/x]
	$(HMTL) train --config_file_path $(CONFIG) --serialization_dir $(RUN)

# RUN as the user gave it, or else a run of the sample model, and not the dated name that `train` uses.
DEMO_RUN = $(if $(filter file,$(origin RUN)),runs/demo,$(RUN))
PORT ?= 8000

demo: setup ## show a run in the browser, or a sample model, trained first if it is not there [RUN=runs/x PORT=8000]
ifeq ($(origin RUN),file)
	@test -f $(DEMO_RUN)/metrics.json || $(HMTL) train -c $(CONFIG) -s $(DEMO_RUN) --recover
endif
	$(HMTL) serve --serialization_dir $(DEMO_RUN) --choose-examples --port $(PORT)

check-data: setup ## tell what a config's corpora hold, and what is wrong with both [CONFIG=configs/x.json]
	$(HMTL) check $(CONFIG)

test: setup ## run the fast tests
	$(PYTHON_IN_VENV) -m pytest -n auto --dist loadfile

test-slow: setup ## run the tests that take long, too (not those for a GPU)
	$(PYTHON_IN_VENV) -m pytest -m "not gpu"

fuzz: setup ## run the tests that draw their examples, with others each time
	$(PYTHON_IN_VENV) -m pytest -n auto --dist loadfile --hypothesis-profile other $$(grep -rl "from hypothesis" tests)

torture: setup ## kill trainings at 50 random moments, recover them, and compare (10 minutes)
	$(PYTHON_IN_VENV) script/torture.py --kills 50 --command-line

bench: setup ## measure speed and memory, and write benchmarks/results [RUN=runs/x for predictions] (20 minutes)
	$(PYTHON_IN_VENV) -m benchmarks $(if $(filter file,$(origin RUN)),,--run $(RUN))

bench-gpu: setup ## measure training on a GPU, and write benchmarks/results (8 minutes); without one, count kernels
	$(PYTHON_IN_VENV) -m benchmarks --only gpu

RESULTS ?= runs/recipes

results: setup ## train the configs of README's results on data/open, three seeds each, and compare (three CPU hours) [RESULTS=runs/x]
	$(HMTL) experiment configs/grids/recipes.json --out $(RESULTS) --only words-and-characters minilm
	$(HMTL) report $(RESULTS)

docs: setup ## build the documentation as a site, site/index.html; a warning or a broken link is an error
	$(PYTHON_IN_VENV) -m mkdocs build

lint: setup ## check format, lint and types
	$(PYTHON_IN_VENV) -m ruff format --check .
	$(PYTHON_IN_VENV) -m ruff check .
	$(PYTHON_IN_VENV) -m mypy

check: lint test ## all that a change must pass: lint and test

format: setup ## format the code and mend what ruff can mend
	$(PYTHON_IN_VENV) -m ruff format .
	$(PYTHON_IN_VENV) -m ruff check --fix .

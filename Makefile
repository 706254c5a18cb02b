# The one door: what is done often here has a target, and CI calls nothing else.
.DEFAULT_GOAL := help
.PHONY: help demo test fidelity e2e check bench image tools generate

# What is behind a feature is tested as well; the same everywhere, so that nothing is built twice.
TEST = cargo test --locked --features otlp

# As image-spec and Go call it.
IMAGE_ARCHITECTURE = $(subst aarch64,arm64,$(subst x86_64,amd64,$(shell uname -m)))

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## Export the example application to a registry that the demo starts: no cluster, no Docker, no root
	@echo 'building outhaul; the first time this takes a minute or two' >&2
	@cargo run --quiet --locked -- demo

test: ## Run all tests, on a real Kubernetes API, registry and helm (the first time builds them: ten minutes)
	tests/tools/build.sh test -- $(TEST)

e2e: ## Run an application in one cluster, export it, run it in another, with real nodes (Linux, root; installs containerd)
	@tests/tools/build.sh e2e -- tests/e2e.sh

fidelity: ## Compare what charts give back with what ran, field by field, for every application in tests/fixtures/apps (APP=NAME: one)
	FIDELITY_APP=$(APP) tests/tools/build.sh fidelity -- $(TEST) --quiet --test it fidelity::every_application -- --nocapture

check: ## Check formatting, lints, documentation and, where cargo-deny is installed, licences and advisories
	cargo fmt --check
	cargo clippy --all-targets --locked -- -D warnings
	cargo clippy --locked --features otlp -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --no-deps --locked
	@if command -v cargo-deny >/dev/null; then cargo deny --locked check; \
	else echo 'cargo-deny is not installed: licences and advisories were not checked' >&2; fi

bench: ## Measure copying against crane, regctl, oras and skopeo, planning, the server, schedules and histories (no test asserts on these)
	cargo build --release --locked --bin outhaul --example retention
	tests/tools/build.sh bench -- bench/run.sh

image: ## Build the image of outhaul, as an OCI layout in target/image
	cargo build --release --locked --bin outhaul --example image
	target/release/examples/image target/image linux/$(IMAGE_ARCHITECTURE)=target/release/outhaul

tools: ## Build what the tests drive into a cache outside the repository, and print where each program is
	@tests/tools/build.sh test

generate: ## Write docs/cli.md and whatever else is made from the code; `make test` fails when one is out of date
	UPDATE_GENERATED=1 $(TEST) --test it generated

# SPDX-FileCopyrightText: 2026 SIPCall contributors
# SPDX-License-Identifier: AGPL-3.0-or-later

# npm ci replaces the very folder that Node 24 comes from: it runs with the system's Node.
SYSTEM_PATH := $(PATH)
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)

STAMP := node_modules/.sipcall-stamp

.DEFAULT_GOAL := help
.PHONY: help run test lint types build docs image appstore register bench bench-esl takeover bench-ui chaos storm outage pictures tools clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1|\2/p' Makefile | awk -F'|' '{ printf "%-16s %s\n", $$1, $$2 }'

run: $(STAMP) tools build ## start SIPCall with its stand-ins for Nextcloud and FreeSWITCH
	@exec node test/stand-ins/run.ts

test: $(STAMP) tools ## check the style and the types, build the UI, run all tests
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target lint types build
	@vitest run --reporter=default --reporter=./test/support/counts-reporter.ts

lint: $(STAMP) ## check the style and the directions of the imports
	eslint .

types: $(STAMP) ## check the types of the sidecar, the tests and the UI
	tsc --noEmit
	vue-tsc --noEmit -p src/tsconfig.json

build: $(STAMP) ## build the UI into ex_app/
	vite build

docs: $(STAMP) ## write the tables of docs/admin/troubleshooting.md
	@node scripts/troubleshooting.ts

bench-esl: $(STAMP) tools ## measure the Event Socket client
	@node test/bench/esl.ts

bench-ui: $(STAMP) tools build ## measure the page in Chromium with 10,000 calls
	@node test/bench/ui.ts

bench: bench-esl bench-ui ## measure everything there is a benchmark for
	@node test/bench/jwt.ts
	@node test/bench/secret.ts
	@node test/bench/policy.ts
	@node test/bench/metrics.ts
	@node test/bench/monitoring.ts
	@node test/bench/history.ts
	@node test/bench/rotate.ts
	@node test/bench/provider-memory.ts

chaos: $(STAMP) tools ## break connections, processes and clocks at random and prove that nothing is lost: SEED=… RUNS=… LANES=…
	@node test/chaos/main.ts

storm: $(STAMP) tools ## ask for calls many times over with one key each, over two replicas, and count: REQUESTS=10000
	@node test/chaos/storm.ts

outage: $(STAMP) tools ## take PostgreSQL away under load and compare the books with the switch afterwards: MINUTES=10
	@node test/chaos/outage.ts

takeover: $(STAMP) tools ## measure how long it takes until another replica hears the switch's events; ROUNDS=30
	@node test/chaos/takeover.ts

pictures: $(STAMP) tools build ## draw every page and state into docs/img/views, light on a desktop and dark on a phone
	SIPCALL_PICTURES=docs/img/views SIPCALL_LANGUAGE=en vitest run test/e2e/views.test.ts
	@if command -v pngquant >/dev/null; then pngquant --force --ext .png 48 docs/img/views/*.png; else echo 'pngquant is not installed: the pictures are three times as large.'; fi

IMAGE := ghcr.io/sipcall/sipcall
VERSION = $(shell sed -n 's/.*<version>\(.*\)<\/version>.*/\1/p' appinfo/info.xml)

image: ## build the container's image for amd64 and arm64; PUSH=1 publishes it
	@docker buildx version >/dev/null 2>&1 || { echo 'make image needs docker with its plugin buildx: docker buildx does not answer here.' >&2; exit 1; }
	docker buildx build --platform linux/amd64,linux/arm64 --tag $(IMAGE):$(VERSION) $(if $(PUSH),--push) .

appstore: ## pack the archive for the app store; SIGN_KEY=… SIGN_CERT=… signs it
	@scripts/appstore.sh

register: $(STAMP) tools build ## run the server for a Nextcloud: OCC="php /path/occ" NEXTCLOUD_URL=…
	@exec node scripts/register.ts

tools:
	@scripts/ensure-tools.sh

clean: ## remove what was built, installed and stored
	rm -rf ex_app/js ex_app/css build node_modules .data coverage

$(STAMP): package-lock.json
	@echo npm ci
	@PATH='$(SYSTEM_PATH)' npm ci --no-audit --no-fund --loglevel=error
	@touch $@

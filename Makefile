# GOFLAGS: a checkout whose .git the go command cannot read would not build; the version comes from VERSION below.
export GOFLAGS := $(strip $(GOFLAGS) -buildvcs=false)

# The go command needs a home for its caches; without one they live in the checkout.
ifneq ($(shell test -n "$$HOME" && test -d "$$HOME" && test -w "$$HOME" && echo yes),yes)
export GOCACHE ?= $(CURDIR)/.cache/go-build
export GOPATH ?= $(CURDIR)/.cache/go
export XDG_CACHE_HOME ?= $(CURDIR)/.cache
endif

GO ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X main.version=$(VERSION)
PLATFORMS ?= linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
AIR := github.com/air-verse/air@v1.67.4
CYCLONEDX := github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0
COMPOSE ?= docker compose

# The race detector needs a C compiler on Linux; everything else is built without one. It watches everything but the code of SQLite itself, which is
# C translated to Go, and two hashes: nothing there is ours, they compute and share nothing, and watched they take three times as long, the hashes ten
# times. No more is left out: where sync/atomic is used unwatched, the order it makes is not seen, and races are told of that are none.
UNWATCHED = modernc.org/... golang.org/x/crypto/scrypt golang.org/x/crypto/blowfish
RACE = $(if $(shell command -v $$($(GO) env CC)),-race $(UNWATCHED:%=-gcflags='%=-race=false'))

.DEFAULT_GOAL := help
.PHONY: help run dev test test-fast unit lint format-check vet typecheck staticcheck fmt gen verify bench interop torture screenshots oracle once build cross release \
	up down logs migrate makemigrations dev-tools vendor-docs vendor-wordlist

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-16s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

run: ## Start the server
	$(GO) run ./cmd/admit serve

dev: ## Run the server, log each request, and start again when a file changes
	DEBUG=true $(GO) run $(AIR) --tmp_dir dist --build.cmd '$(GO) build -o dist/dev ./cmd/admit' --build.full_bin 'dist/dev serve' --build.include_ext go,html,json,css,js,sql --build.exclude_dir dist,.cache,bench,docs,sdk

# All of vet has run before the tests, so none of it runs with each.
test: format-check vet ## Run everything: formatting, vet, and all tests on SQLite and PostgreSQL with the race detector
	$(if $(RACE),,@echo "no C compiler found: the tests run without the race detector")
	$(if $(RACE),CGO_ENABLED=1) scripts/with-services.sh $(GO) test $(RACE) -vet=off -timeout 80m ./...
	$(if $(RACE),CGO_ENABLED=1) $(MAKE) --no-print-directory interop

test-fast: ## Run the tests on SQLite alone, without any service and without those that kill servers
	TEST_ENGINES=sqlite $(GO) test -short $$($(GO) list ./... | grep -v /internal/torture)

torture: ## Kill, stop and starve servers ten times as often as make test does
	TORTURE=10 scripts/with-services.sh $(GO) test -count=1 -timeout 60m -v ./internal/torture

screenshots: ## Write a picture of every page, light and dark, phone and desk, into ./screenshots
	mkdir -p screenshots
	SCREENSHOTS=$(CURDIR)/screenshots scripts/with-services.sh $(GO) test -count=1 -timeout 30m -run TestEveryPageCanBeUsed ./internal/pages

oracle: ## Hold the decision about who may do what to two other evaluators, on 100,000 random worlds for each property
	$(GO) test ./internal/authz -run 'Test[0-9][0-9]' -timeout 120m -v -rapid.checks=100000

once: ## Try whatever is good once 200 times by sixteen at the same moment, on two servers
	scripts/with-services.sh env ONCE_ROUNDS=200 $(GO) test ./internal/e2e -run TestGoodOnce -timeout 60m -v

unit: test-fast ## The same as test-fast

lint: format-check vet staticcheck ## Check formatting, vet and staticcheck

format-check:
	@unformatted=$$(find . -name '*.go' -not -path './.cache/*' -not -path '*/node_modules/*' -print0 | xargs -0 gofmt -l); \
	if [ -n "$$unformatted" ]; then echo "not formatted (make fmt):"; echo "$$unformatted"; exit 1; fi

# Without cgo, as build and the tests that start whole programs compile: they find done what vet has compiled.
vet:
	CGO_ENABLED=0 $(GO) vet ./...

typecheck: vet ## Check types (go vet)

staticcheck:
	$(GO) run $(STATICCHECK) ./...

fmt: ## Format the code
	find . -name '*.go' -not -path './.cache/*' -not -path '*/node_modules/*' -print0 | xargs -0 gofmt -w

gen: ## Write the generated documents anew
	UPDATE=1 TEST_ENGINES=sqlite $(GO) test -count=1 -run 'Current$$' $$(grep -rlE --include='*_test.go' --exclude-dir=.cache --exclude-dir=node_modules 'func Test[A-Za-z]+Current\(' . | xargs -n 1 dirname | sort -u)

verify: ## Fail if a generated document is stale
	@state() { git status --porcelain; git diff | git hash-object --stdin; }; \
	before=$$(state) && $(MAKE) --no-print-directory gen && after=$$(state) && \
	if [ "$$before" != "$$after" ]; then git status --short; git --no-pager diff --stat; \
	echo "generated documents were stale: commit what make gen wrote"; exit 1; fi

bench: ## Measure Admit beside a bare server, Casbin and cedar-go
	cd bench && $(GO) run .

interop: ## Hold signing in to an OpenID provider that is not ours, and events to a Kafka and a NATS server
	cd interop && ../scripts/with-services.sh $(GO) test $(RACE) ./...

build: ## Build ./dist/admit
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o dist/admit ./cmd/admit

cross: ## Build for Linux, macOS and Windows on amd64 and arm64
	@set -e; for platform in $(PLATFORMS); do \
		os=$${platform%/*} arch=$${platform#*/}; suffix=; [ "$$os" != windows ] || suffix=.exe; \
		echo "dist/admit-$$os-$$arch$$suffix"; \
		CGO_ENABLED=0 GOOS=$$os GOARCH=$$arch $(GO) build -trimpath -ldflags '$(LDFLAGS)' \
			-o "dist/admit-$$os-$$arch$$suffix" ./cmd/admit; \
	done

release: cross ## Build for every platform, with a list of everything inside (SBOM, CycloneDX) and checksums, into ./dist
	$(GO) run $(CYCLONEDX) app -json -licenses -main cmd/admit -output dist/admit.cdx.json .
	cd dist && rm -f SHA256SUMS && sha256sum * > SHA256SUMS

up: ## Start PostgreSQL, Redis and Admit in containers
	$(COMPOSE) up --build --detach

down: ## Stop the containers
	$(COMPOSE) down

logs: ## Follow the containers' logs
	$(COMPOSE) logs --follow

migrate: ## Bring the database up to date
	$(GO) run ./cmd/admit migrate up

makemigrations: ## Begin a migration: make makemigrations m="describe change"
	@[ -n "$(m)" ] || { echo 'usage: make makemigrations m="describe change"'; exit 1; }
	$(GO) run ./cmd/admit migrate new "$(m)"

dev-tools: ## Fetch what the other targets use: modules, staticcheck, PostgreSQL, PgBouncer, Chromium and Node.js
	$(GO) mod download
	$(GO) run $(STATICCHECK) -version
	scripts/with-services.sh true

vendor-wordlist: ## Make the list of common passwords anew from its sources
	scripts/vendor-wordlist.sh

vendor-docs: ## Fetch the pinned Swagger UI and ReDoc anew
	scripts/vendor-apidocs.sh

# Everything here works from a clean clone with Go alone.
GO ?= go
BIN := bin
FUZZTIME ?= 60s
BENCH ?= .
BENCHCOUNT ?= 6
PROFILEPACKAGE ?= ./conformance/targets/fake
PROFILETIME ?= 100x
SEEDS ?= 125
N ?= 10000
SEED ?= 1
KINDCOUNT ?= 10
KINDIMAGE ?= 10.96.0.50:5000/library/debian

.PHONY: help
help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: ## the conformance suite on the fake cluster
	$(GO) run ./cmd/plumbline run

.PHONY: build
build: ## the command line tool and the container binaries, into bin/
	$(GO) build -o $(BIN)/ ./cmd/plumbline
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags "-s -w" -o $(BIN)/ ./cmd/entrypoint ./cmd/nop ./cmd/sidecarlogresults ./cmd/workingdirinit

.PHONY: test
test: ## all tests
	$(GO) test ./...

.PHONY: test-race
test-race: ## the packages that have goroutines, under the race detector
	$(GO) test -race $(shell cat .ci/race-packages)

.PHONY: lint
lint: determinism ## vet, the linters of .golangci.yml, the determinism check
	$(GO) vet ./...
	$(GO) tool -modfile=.ci/tools/go.mod golangci-lint run ./...

.PHONY: determinism
determinism: ## no goroutine, clock, entropy or map order in the simulated world
	$(GO) -C .ci/determinism build -o ../../$(BIN)/determinism ./cmd/determinism
	$(GO) vet -vettool=$(CURDIR)/$(BIN)/determinism ./simulator/... ./reconciler/... ./entrypoint/...

.PHONY: prose
prose: ## wording that reads like a word-for-word translation
	.ci/prose

.PHONY: vulnerabilities
vulnerabilities: ## known vulnerabilities in what is called, or the modules in use where the database is out of reach
	GO=$(GO) .ci/vulnerabilities

.PHONY: generate
generate: ## deepcopy, CRDs, JSON schema and generated documents
	.ci/generate

.PHONY: k8s-assets
k8s-assets: ## kube-apiserver, kubectl and etcd, built from their Go modules into a cache outside the tree
	.ci/k8s-assets

.PHONY: kind-up
kind-up: ## a cluster of kind with the reference implementation in it
	$(GO) run ./cmd/plumbline kind up

.PHONY: kind-load
kind-load: ## the images built again, and those that changed put into that cluster
	$(GO) run ./cmd/plumbline kind load

.PHONY: kind-down
kind-down: ## that cluster deleted
	$(GO) run ./cmd/plumbline kind down

.PHONY: test-envtest
test-envtest: ## the suite and the table of API facts on a real kube-apiserver
	GO=$(GO) .ci/test-envtest

.PHONY: mutants
mutants: ## put each fault of internal/mutants in, and see the suite catch it
	$(GO) run ./internal/mutants/cmd/mutants -page docs/mutants.md

.PHONY: mutants-suite
mutants-suite: ## change the reference mechanically, and see the suite notice, as it judges a stranger; for a whole evening
	$(GO) run ./internal/mutants/cmd/mutants -suite -endless 60s -least 0 -page docs/mutants.md

.PHONY: mutants-operators
mutants-operators: ## change the pure packages mechanically, and see their unit tests notice
	$(GO) run ./internal/mutants/cmd/mutants -operators -page docs/mutants.md

.PHONY: faults
faults: ## every fixture under SEEDS schedules of random faults, some 20,000 altogether
	$(GO) run ./cmd/plumbline run --seeds $(SEEDS) --faults random

.PHONY: bench
bench: ## benchmarks, ready for benchstat
	$(GO) test -run '^$$' -bench '$(BENCH)' -benchmem -count $(BENCHCOUNT) -timeout 2h ./simulator/... ./conformance/targets/fake/... ./cmd/plumbline/command

.PHONY: profile
profile: ## processor time and every allocation of the benchmarks BENCH of PROFILEPACKAGE, into bin/profile/
	mkdir -p $(BIN)/profile
	$(GO) test -c -o $(BIN)/profile/test $(PROFILEPACKAGE)
	cd $(PROFILEPACKAGE) && $(CURDIR)/$(BIN)/profile/test -test.run '^$$' -test.bench '$(BENCH)' -test.benchmem -test.benchtime $(PROFILETIME) -test.cpuprofile $(CURDIR)/$(BIN)/profile/cpu
	cd $(PROFILEPACKAGE) && $(CURDIR)/$(BIN)/profile/test -test.run '^$$' -test.bench '$(BENCH)' -test.benchmem -test.benchtime $(PROFILETIME) -test.memprofile $(CURDIR)/$(BIN)/profile/memory -test.memprofilerate 64
	@echo
	@echo 'Where the time goes:        $(GO) tool pprof -top -cum $(BIN)/profile/test $(BIN)/profile/cpu'
	@echo 'Who allocates, in objects:  $(GO) tool pprof -sample_index=alloc_objects -top $(BIN)/profile/test $(BIN)/profile/memory'
	@echo 'The same in bytes:          $(GO) tool pprof -sample_index=alloc_space -top $(BIN)/profile/test $(BIN)/profile/memory'
	@echo 'Line by line:               $(GO) tool pprof -sample_index=alloc_objects -list FUNCTION $(BIN)/profile/test $(BIN)/profile/memory'
	@echo 'In a browser:               $(GO) tool pprof -http : $(BIN)/profile/test $(BIN)/profile/cpu'

.PHONY: bench-entrypoint
bench-entrypoint: ## the step launcher, measured in real processes
	$(GO) run ./entrypoint/bench

.PHONY: test-kind
test-kind: ## the suite on a real kubelet, in a kind cluster that is made if it is not there
	GO=$(GO) .ci/test-kind

.PHONY: targets
targets: ## the suite on every target, side by side in bin/targets/index.html
	mkdir -p $(BIN)/targets
	$(GO) build -o $(BIN)/ ./cmd/plumbline
	for t in fake envtest kind; do rm -f $(BIN)/targets/$$t.json; $(BIN)/plumbline run --target $$t -o name --report $(BIN)/targets/$$t.json > /dev/null; test -s $(BIN)/targets/$$t.json || exit 1; done
	$(BIN)/plumbline report compare $(BIN)/targets/fake.json $(BIN)/targets/envtest.json $(BIN)/targets/kind.json -o html > $(BIN)/targets/index.html || true
	$(BIN)/plumbline report compare $(BIN)/targets/fake.json $(BIN)/targets/envtest.json $(BIN)/targets/kind.json --differing

.PHONY: kind-broken
kind-broken: ## three faults in the controller of the cluster of kind, each named by the gate
	$(GO) run ./internal/mutants/cmd/broken

.PHONY: bench-kind
bench-kind: ## TaskRuns on the cluster of kind: wall time, hand-offs, throughput; ready for benchstat
	$(GO) run ./cmd/plumbline kind up
	$(GO) run ./conformance/targets/kind/bench -context kind-plumbline -image $(KINDIMAGE) -count $(KINDCOUNT)

.PHONY: differential
differential: ## N random scripts of SEED for each shell, and N utility calls, in the simulator and with the real programs
	GO=$(GO) .ci/test-differential -n $(N) -seed $(SEED)

.PHONY: fuzz
fuzz: ## every fuzz target for FUZZTIME each
	.ci/fuzz $(FUZZTIME)

# The command milvus-wait: its binaries, byte for byte the same for the same sources,
# version and Go, wherever they are built; its manual; what is linked into it; and the
# picture of it.
VERSION   ?= $(shell git describe --tags --always --dirty)
PLATFORMS := linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64
LDFLAGS   := -s -w -buildid= -X github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/cli.Version=$(VERSION)
DIST      ?= dist

# What of the surroundings would else be in the binaries.
export CGO_ENABLED := 0
export GOFLAGS     := -trimpath -buildvcs=false -mod=readonly
export GOAMD64     := v1
export GOARM64     := v8.0
export GOEXPERIMENT :=
export GOFIPS140   := off
export GOWORK      := off

.PHONY: build sums reproducible docs licences picture $(PLATFORMS)

# The licences of what is linked ask to go with it.
build: $(PLATFORMS)
	cp LICENSE cmd/milvus-wait/THIRD_PARTY.md $(DIST)

$(PLATFORMS):
	GOOS=$(@D) GOARCH=$(@F) go build -ldflags '$(LDFLAGS)' \
		-o $(DIST)/milvus-wait_$(@D)_$(@F)$(if $(filter windows,$(@D)),.exe) ./cmd/milvus-wait

sums: build
	cd $(DIST) && sha256sum milvus-wait_* > SHA256SUMS

# Builds once more, from a copy of the sources in another directory and with an
# empty build cache, and compares.
reproducible: linux/amd64
	@set -e; copy=$$(mktemp -d); trap 'chmod -R u+w "$$copy"; rm -rf "$$copy"' EXIT; \
	git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -t "$$copy"; \
	GOCACHE="$$copy/.cache" $(MAKE) -s -C "$$copy" linux/amd64 VERSION='$(VERSION)' DIST=dist; \
	cmp $(DIST)/milvus-wait_linux_amd64 "$$copy/dist/milvus-wait_linux_amd64"; \
	echo "byte for byte the same: $$(sha256sum < $(DIST)/milvus-wait_linux_amd64)"

docs:
	go run ./cmd/milvus-wait/internal/gendocs docs

licences:
	go run ./cmd/milvus-wait/internal/licences cmd/milvus-wait/THIRD_PARTY.md

picture:
	go run ./cmd/milvus-wait/internal/picture docs/milvus-wait.svg

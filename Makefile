# Builds of the command milvus-wait: its binaries, byte for byte the same for the same
# sources, version and Go, wherever they are built; the packages of a release; its manual;
# the licences of the modules linked into it; and its picture. Below them: the checks
# before a push.
VERSION   ?= $(shell git describe --tags --always --dirty)
PLATFORMS := linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64
LDFLAGS   := -s -w -buildid= -X github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/cli.Version=$(VERSION)
DIST      ?= dist
IMAGE     ?= milvus-wait

# The time of every file in a package: that of the commit.
SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct)
export SOURCE_DATE_EPOCH

BUILDS := build release image reproducible docs licences picture $(PLATFORMS)
CHECKS := check lint gofmt vet staticcheck workflows generated test

.PHONY: $(BUILDS) $(CHECKS)

# Settings of the environment that would change the binaries. Only for builds: the
# checks run with the caller's settings, and the race detector needs cgo.
$(BUILDS): export CGO_ENABLED := 0
$(BUILDS): export GOFLAGS     := -trimpath -buildvcs=false -mod=readonly
$(BUILDS): export GOAMD64     := v1
$(BUILDS): export GOARM64     := v8.0
$(BUILDS): export GOEXPERIMENT :=
$(BUILDS): export GOFIPS140   := off
$(BUILDS): export GOWORK      := off

build: $(PLATFORMS)

$(PLATFORMS):
	GOOS=$(@D) GOARCH=$(@F) go build -ldflags '$(LDFLAGS)' \
		-o $(DIST)/milvus-wait_$(@D)_$(@F)$(if $(filter windows,$(@D)),.exe) ./cmd/milvus-wait

# Archives, Debian packages, their checksums, and the files of the image.
release: build
	.ci/package '$(DIST)' '$(VERSION)'

# For the platform of the Docker Engine. Pulls nothing.
image: release
	DOCKER_BUILDKIT=1 docker build --build-arg VERSION='$(VERSION)' --build-arg SOURCE_DATE_EPOCH \
		-t '$(IMAGE):$(patsubst v%,%,$(VERSION))' .

# Builds once more, from a copy of the sources in another directory, and compares: one
# binary with an empty build cache, then all packages under another umask.
reproducible: release
	@set -e; copy=$$(mktemp -d); trap 'chmod -R u+w "$$copy"; rm -rf "$$copy"' EXIT; umask 077; \
	git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -t "$$copy"; \
	GOCACHE="$$copy/.cache" $(MAKE) -s -C "$$copy" linux/amd64 VERSION='$(VERSION)' DIST=dist; \
	cmp $(DIST)/milvus-wait_linux_amd64 "$$copy/dist/milvus-wait_linux_amd64"; \
	$(MAKE) -s -C "$$copy" release VERSION='$(VERSION)' DIST=dist; \
	diff -u $(DIST)/SHA256SUMS "$$copy/dist/SHA256SUMS"; diff -r $(DIST)/image "$$copy/dist/image"; \
	echo 'byte for byte the same:'; cat $(DIST)/SHA256SUMS

docs:
	go run ./cmd/milvus-wait/internal/gendocs docs

licences:
	go run ./cmd/milvus-wait/internal/licences cmd/milvus-wait/THIRD_PARTY.md

picture:
	go run ./cmd/milvus-wait/internal/picture docs/milvus-wait.svg

# One after the other, also with -j: generated writes files that the others read.
check:
	$(MAKE) lint
	$(MAKE) generated
	$(MAKE) test

lint: gofmt vet staticcheck workflows

# All modules, new files included.
gofmt:
	@files=$$(git ls-files --cached --others --exclude-standard '*.go') && \
	unformatted=$$(gofmt -l $$files) && \
	if [ -n "$$unformatted" ]; then \
		printf 'not formatted:\n%s\n' "$$unformatted"; exit 1; \
	fi

vet:
	go vet ./...

staticcheck:
	go tool -modfile=tools/go.mod staticcheck ./...

# Checks the scripts in the workflows too, if shellcheck is installed.
workflows:
	go tool -modfile=tools/go.mod actionlint

# Fails if the generated code was out of date. Afterwards it is up to date.
generated:
	@before=$$(mktemp -d) && trap 'rm -rf "$$before"' EXIT && cp -R internal/wire/. "$$before" && \
	go generate ./internal/wire && diff -ru "$$before" internal/wire

test:
	go test ./...

# A static milvus-wait and root certificates, run as nobody. For other platforms:
# docker buildx build --platform linux/amd64,linux/arm64 .
FROM --platform=$BUILDPLATFORM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=unknown TARGETOS TARGETARCH
RUN make "$TARGETOS/$TARGETARCH" VERSION="$VERSION" && \
    cp "dist/milvus-wait_${TARGETOS}_${TARGETARCH}" /milvus-wait

# Root certificates, an /etc/passwd and no shell.
FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /milvus-wait /milvus-wait
COPY --from=build /src/LICENSE /src/cmd/milvus-wait/THIRD_PARTY.md /licenses/
# By number, so that Kubernetes' runAsNonRoot can tell.
USER 65532:65532
ENTRYPOINT ["/milvus-wait"]

# Of files that `make release` made: `make image` does both. No base image.
FROM scratch
ARG TARGETARCH
COPY dist/image/$TARGETARCH/ /
ARG VERSION
LABEL org.opencontainers.image.title=milvus-wait \
      org.opencontainers.image.version=$VERSION \
      org.opencontainers.image.licenses=Apache-2.0 \
      org.opencontainers.image.source=https://github.com/milvuswait/milvuswait
# By number, for Kubernetes' runAsNonRoot.
USER 65532:65532
ENTRYPOINT ["/milvus-wait"]

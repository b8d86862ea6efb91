module github.com/milvuswait/milvuswait/examples/observability

go 1.25.0

replace github.com/milvuswait/milvuswait => ../..

require (
	github.com/milvuswait/milvuswait v0.0.0
	github.com/stretchr/testify v1.12.1
)

require (
	github.com/cenkalti/backoff/v4 v4.3.0 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/sync v0.22.0 // indirect
)

module github.com/milvuswait/milvuswait/integration/rootonly

go 1.25.0

replace github.com/milvuswait/milvuswait => ../..

require github.com/milvuswait/milvuswait v0.0.0

require (
	github.com/cenkalti/backoff/v4 v4.3.0 // indirect
	golang.org/x/sync v0.22.0 // indirect
)

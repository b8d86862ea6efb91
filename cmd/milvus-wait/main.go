// Milvus-wait blocks until Milvus collections are really loaded and indexes are
// really built. Run it with --help, or see docs/milvus-wait.md.
package main

import (
	"io"
	"os"

	"google.golang.org/grpc/grpclog"

	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/cli"
)

//go:generate go run ./internal/gendocs ../../docs

func main() {
	// The logs of gRPC contain texts of servers, and would tear the bars apart.
	grpclog.SetLoggerV2(grpclog.NewLoggerV2(io.Discard, io.Discard, io.Discard))
	os.Exit(cli.Main(os.Args[1:], cli.System()))
}

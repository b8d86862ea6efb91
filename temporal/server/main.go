// Server runs a Temporal server and a fake Milvus in memory, to try the worker and the
// starter:
//
//	go run ./server
//
// It prints their addresses as an export command for the shell, and stops on a signal. Their
// data is lost then. The fake Milvus loads the collections c0 to c99: each takes longer than
// the one before, and the last two minutes.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/server/temporaltest"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/fake/fakeserver"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := serve(ctx); err != nil {
		log.Fatalln("server:", err)
	}
}

func serve(ctx context.Context) error {
	const collections, over = 100, 2 * time.Minute
	milvus, err := fakeserver.Start(fakeserver.Config{Address: "127.0.0.1:0"})
	if err != nil {
		return err
	}
	defer milvus.Close()

	silent := sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler))
	temporal := temporaltest.NewServer(temporaltest.WithBaseClientOptions(client.Options{Logger: silent}))
	defer temporal.Stop()
	if err := register(ctx, temporal.GetFrontendHostPort(), silent); err != nil {
		return err
	}

	for i := range collections {
		milvus.Set(milvuswait.Loading(fmt.Sprintf("c%d", i)), fake.LoadOver(over*time.Duration(i+1)/collections))
	}
	fmt.Printf("export TEMPORAL_ADDRESS=%s TEMPORAL_NAMESPACE=default MILVUS_URI=http://%s\n", temporal.GetFrontendHostPort(), milvus.Address())
	<-ctx.Done()
	return nil
}

// register creates the default namespace of clients, unless it exists.
func register(ctx context.Context, address string, logger sdklog.Logger) error {
	c, err := client.NewNamespaceClient(client.Options{HostPort: address, Logger: logger})
	if err != nil {
		return err
	}
	defer c.Close()

	err = c.Register(ctx, &workflowservice.RegisterNamespaceRequest{
		Namespace: "default", WorkflowExecutionRetentionPeriod: durationpb.New(24 * time.Hour),
	})
	var already *serviceerror.NamespaceAlreadyExists
	if errors.As(err, &already) {
		return nil
	}
	return err
}

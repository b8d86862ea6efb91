// Clientv2 waits with Await of milvus/client/v2. The benchmark peers builds and starts it. It
// is a separate module: that client cannot be in one build with milvus-sdk-go/v2, and takes
// minutes to compile.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/milvus-io/milvus/client/v2/index"
	"github.com/milvus-io/milvus/client/v2/milvusclient"
	"golang.org/x/sync/errgroup"

	"github.com/milvuswait/milvuswait/bench/internal/waiter"
)

func main() {
	if err := waiter.Run(waiter.Version("github.com/milvus-io/milvus/client/v2"), connect); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func connect(ctx context.Context, job waiter.Job) (func(context.Context) error, error) {
	c, err := milvusclient.New(ctx, &milvusclient.ClientConfig{Address: job.Address})
	if err != nil {
		return nil, err
	}

	// Only a call that starts work returns a task to await. The server ignores the repeated
	// call.
	one := func(ctx context.Context, collection string) error {
		task, err := c.LoadCollection(ctx, milvusclient.NewLoadCollectionOption(collection))
		if err != nil {
			return err
		}
		return task.Await(ctx)
	}

	if job.Index != "" {
		one = func(ctx context.Context, collection string) error {
			kind := index.NewGenericIndex(job.Index, job.Params)
			task, err := c.CreateIndex(ctx, milvusclient.NewCreateIndexOption(collection, job.Field, kind).WithIndexName(job.Index))
			if err != nil {
				return err
			}
			return task.Await(ctx)
		}
	}

	return func(ctx context.Context) error {
		group, ctx := errgroup.WithContext(ctx)
		for _, collection := range job.Collections {
			group.Go(func() error { return one(ctx, collection) })
		}
		return group.Wait()
	}, nil
}

package main

import (
	"context"
	"time"

	"github.com/milvus-io/milvus-sdk-go/v2/client"
	"github.com/milvus-io/milvus-sdk-go/v2/entity"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/bench/internal/waiter"
	"github.com/milvuswait/milvuswait/internal/wire"
	"github.com/milvuswait/milvuswait/rpc"
)

// Names of the waiters in this program.
const (
	ours     = "milvuswait"
	oursRows = "milvuswait, WithExpectedRows"
	sdkSync  = "milvus-sdk-go, its sync calls"
	sdkLoop  = "milvus-sdk-go, GetIndexBuildProgress loop"
	userLoop = "errgroup + 200 ms loop"
)

// runWaiter runs a waiting process.
func runWaiter(name string) error {
	const sdkModule = "github.com/milvus-io/milvus-sdk-go/v2"

	switch name {
	case ours:
		return waiter.Run(worktree, func(ctx context.Context, job waiter.Job) (func(context.Context) error, error) {
			return connectOurs(ctx, job)
		})
	case oursRows:
		return waiter.Run(worktree, func(ctx context.Context, job waiter.Job) (func(context.Context) error, error) {
			return connectOurs(ctx, job, milvuswait.WithExpectedRows(job.Rows))
		})
	}

	return waiter.Run(waiter.Version(sdkModule), func(ctx context.Context, job waiter.Job) (func(context.Context) error, error) {
		c, err := client.NewClient(ctx, client.Config{Address: job.Address})
		if err != nil {
			return nil, err
		}
		one := map[string]func(context.Context, string) error{
			sdkSync: func(ctx context.Context, collection string) error { return syncCall(ctx, c, job, collection) },
			sdkLoop: func(ctx context.Context, collection string) error {
				return every(ctx, 200*time.Millisecond, func() (bool, error) {
					total, indexed, err := c.GetIndexBuildProgress(ctx, collection, job.Field, client.WithIndexName(job.Index))
					return total == indexed, err
				})
			},
			userLoop: func(ctx context.Context, collection string) error {
				return every(ctx, 200*time.Millisecond, func() (bool, error) {
					if job.Index == "" {
						percent, err := c.GetLoadingProgress(ctx, collection, nil)
						return percent == 100, err
					}
					state, err := c.GetIndexState(ctx, collection, job.Field, client.WithIndexName(job.Index))
					return state == entity.IndexState(wire.IndexState_Finished), err
				})
			},
		}[name]
		return func(ctx context.Context) error {
			group, ctx := errgroup.WithContext(ctx)
			for _, collection := range job.Collections {
				group.Go(func() error { return one(ctx, collection) })
			}
			return group.Wait()
		}, nil
	})
}

func connectOurs(ctx context.Context, job waiter.Job, indexOptions ...milvuswait.Option) (func(context.Context) error, error) {
	conn, err := grpc.NewClient(job.Address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return nil, err
	}

	// gRPC connects with the first call only.
	if _, err := wire.GetVersion.Call(ctx, conn, &wire.GetVersionRequest{}); err != nil {
		return nil, err
	}

	p := rpc.New(conn)
	return func(ctx context.Context) error {
		switch {
		case job.Index != "":
			_, err := milvuswait.WaitForIndexBuildingComplete(ctx, p, job.Collections[0],
				append(indexOptions, milvuswait.WithIndex(job.Index))...)
			return err
		case len(job.Collections) == 1:
			_, err := milvuswait.WaitForLoadingComplete(ctx, p, job.Collections[0])
			return err
		}
		var targets []milvuswait.Target
		for _, collection := range job.Collections {
			targets = append(targets, milvuswait.Loading(collection))
		}
		_, err := milvuswait.WaitAll(ctx, p, targets)
		return err
	}, nil
}

// syncCall starts the work again, which the server ignores, and waits for it: the SDK has no
// wait without a start.
func syncCall(ctx context.Context, c client.Client, job waiter.Job, collection string) error {
	if job.Index == "" {
		return c.LoadCollection(ctx, collection, false)
	}
	kind := entity.NewGenericIndex(job.Index, "", job.Params)
	return c.CreateIndex(ctx, collection, job.Field, kind, false, client.WithIndexName(job.Index))
}

// every is the polling loop of a typical program.
func every(ctx context.Context, d time.Duration, done func() (bool, error)) error {
	for {
		if ok, err := done(); ok || err != nil {
			return err
		}
		select {
		case <-time.After(d):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

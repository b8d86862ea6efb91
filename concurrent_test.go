package milvuswait_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
)

// TestWaitsShareWhatTheyAreGiven has waits of all kinds share a Poller, an
// observer, targets and options, for the race detector to see.
func TestWaitsShareWhatTheyAreGiven(t *testing.T) {
	const each = 25
	docs, vidx := milvuswait.Loading("docs", "eu"), milvuswait.IndexBuilding("docs", "vidx").ExpectRows(100)
	targets := []milvuswait.Target{docs, vidx, milvuswait.Loading("gone")}
	p, seen := new(fake.Poller), new(fake.Observer)
	p.Set(docs, fake.LoadOver(20*time.Millisecond)).Set(vidx, fake.BuildOver(100, 20*time.Millisecond))
	shared := []milvuswait.Option{
		milvuswait.WithObserver(seen), milvuswait.WithBackoff(milvuswait.Backoff{Initial: time.Millisecond}),
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var g errgroup.Group

	for range each {
		g.Go(func() error {
			_, err := milvuswait.WaitForLoadingComplete(ctx, p, "docs", append(shared[:2:2], milvuswait.WithPartitions("eu"))...)
			return err
		})
		g.Go(func() error {
			_, err := milvuswait.WaitForIndexBuildingComplete(ctx, p, "docs", append(shared[:2:2], milvuswait.WithIndex("vidx"))...)
			return err
		})
		g.Go(func() (err error) {
			for _, err = range milvuswait.Watch(ctx, p, vidx, shared...) {
			}
			return err
		})
		g.Go(func() error {
			outcomes, err := milvuswait.WaitAll(ctx, p, targets, append(shared[:2:2], milvuswait.WithContinueOnError())...)
			if outcomes[0].Err != nil || outcomes[1].Err != nil || outcomes[2].Err == nil {
				return fmt.Errorf("two of three were to be complete: %w", err)
			}
			return nil
		})
	}

	require.NoError(t, g.Wait())
	finals := 0
	for _, target := range targets {
		for _, u := range seen.Updates(target) {
			if u.Final {
				finals++
			}
		}
	}
	require.Equal(t, each*(3+len(targets)), finals)
}

package milvusops

import (
	"context"
	"time"

	"github.com/milvuswait/milvuswait/internal/wire"
)

// Sighting is when something became true, as seen from outside.
type Sighting struct {
	NotBefore time.Time // when the last question was asked that was answered "not yet"; zero if there was none
	NotAfter  time.Time // when the first answer came that said "done"
	Polls     int
}

// Watch asks every few milliseconds, until the answer is true or ctx is done.
// Questions that fail tell nothing, and are asked again.
func Watch(ctx context.Context, every time.Duration, done func(context.Context) (bool, error)) (Sighting, error) {
	var s Sighting
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		asked := time.Now()
		ok, err := done(ctx)
		s.Polls++
		switch {
		case err == nil && ok:
			s.NotAfter = time.Now()
			return s, nil
		case err == nil:
			s.NotBefore = asked
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return s, ctx.Err()
		}
	}
}

// Indexed returns a question for Watch: whether at least rows are indexed, and
// none pending. The empty index is the only one.
func (c *Client) Indexed(collection, index string, rows int64) func(context.Context) (bool, error) {
	return func(ctx context.Context) (bool, error) {
		response, err := wire.DescribeIndex.Call(ctx, c.Conn, &wire.DescribeIndexRequest{CollectionName: collection, IndexName: index})
		if err := checked("DescribeIndex")(response.GetStatus(), err); err != nil {
			return false, err
		}
		for _, d := range response.GetIndexDescriptions() {
			if d.GetIndexedRows() < max(rows, d.GetTotalRows()) || d.GetPendingIndexRows() > 0 {
				return false, nil
			}
		}
		return true, nil
	}
}

// Loaded returns a question for Watch: whether the collection, or the partitions
// of it, are loaded.
func (c *Client) Loaded(collection string, partitions ...string) func(context.Context) (bool, error) {
	return func(ctx context.Context) (bool, error) {
		response, err := wire.GetLoadingProgress.Call(ctx, c.Conn, &wire.GetLoadingProgressRequest{
			CollectionName: collection, PartitionNames: partitions,
		})
		return response.GetProgress() >= 100, checked("GetLoadingProgress")(response.GetStatus(), err)
	}
}

// Refreshed returns a question for Watch: whether the last Refresh of the
// collection is done.
func (c *Client) Refreshed(collection string) func(context.Context) (bool, error) {
	return func(ctx context.Context) (bool, error) {
		response, err := wire.GetLoadingProgress.Call(ctx, c.Conn, &wire.GetLoadingProgressRequest{CollectionName: collection})
		done := response.GetProgress() >= 100 && response.GetRefreshProgress() >= 100
		return done, checked("GetLoadingProgress")(response.GetStatus(), err)
	}
}

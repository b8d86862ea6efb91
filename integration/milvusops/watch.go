package milvusops

import (
	"context"
	"time"

	"github.com/milvuswait/milvuswait/internal/wire"
)

// Sighting is the time at which a question became true, as seen from outside.
type Sighting struct {
	NotBefore time.Time // start of the last call answered false; zero if none was
	NotAfter  time.Time // end of the first call answered true
	Polls     int
}

// Watch asks at the interval until the answer is true or ctx is done. A question that fails
// is asked again.
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

// Indexed returns a question for Watch: whether at least rows are indexed, and none is
// pending. The empty index stands for all of the collection.
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

// Loaded returns a question for Watch: whether the collection, or each of its named
// partitions, is loaded.
func (c *Client) Loaded(collection string, partitions ...string) func(context.Context) (bool, error) {
	return func(ctx context.Context) (bool, error) {
		response, err := wire.GetLoadingProgress.Call(ctx, c.Conn, &wire.GetLoadingProgressRequest{
			CollectionName: collection, PartitionNames: partitions,
		})
		return response.GetProgress() >= 100, checked("GetLoadingProgress")(response.GetStatus(), err)
	}
}

// Refreshed returns a question for Watch: whether the last Refresh of the
// collection has ended.
func (c *Client) Refreshed(collection string) func(context.Context) (bool, error) {
	return func(ctx context.Context) (bool, error) {
		response, err := wire.GetLoadingProgress.Call(ctx, c.Conn, &wire.GetLoadingProgressRequest{CollectionName: collection})
		done := response.GetProgress() >= 100 && response.GetRefreshProgress() >= 100
		return done, checked("GetLoadingProgress")(response.GetStatus(), err)
	}
}

// Flushed returns a question for Watch: whether the flush of the collection is done, by its
// segments, timestamp and name together.
func (c *Client) Flushed(response *wire.FlushResponse, collection string) func(context.Context) (bool, error) {
	question := &wire.GetFlushStateRequest{
		SegmentIDs:     response.GetCollSegIDs()[collection].GetData(),
		FlushTs:        response.GetCollFlushTs()[collection],
		CollectionName: collection,
	}
	return func(ctx context.Context) (bool, error) {
		state, err := wire.GetFlushState.Call(ctx, c.Conn, question)
		return state.GetFlushed(), checked("GetFlushState")(state.GetStatus(), err)
	}
}

// Counted returns a question for Watch: whether at least rows are indexed. Unlike Indexed,
// it ignores rows that are pending, as there are while another client writes.
func (c *Client) Counted(collection, index string, rows int64) func(context.Context) (bool, error) {
	return func(ctx context.Context) (bool, error) {
		response, err := wire.DescribeIndex.Call(ctx, c.Conn, &wire.DescribeIndexRequest{CollectionName: collection, IndexName: index})
		if err := checked("DescribeIndex")(response.GetStatus(), err); err != nil {
			return false, err
		}

		for _, d := range response.GetIndexDescriptions() {
			if d.GetIndexedRows() < rows {
				return false, nil
			}
		}
		return true, nil
	}
}

// Found returns a question for Watch: whether a Strong query with the filter finds at least
// rows, in the named partitions or all of them.
func (c *Client) Found(collection, filter string, rows int, partitions ...string) func(context.Context) (bool, error) {
	return func(ctx context.Context) (bool, error) {
		response, err := wire.Query.Call(ctx, c.Conn, &wire.QueryRequest{
			CollectionName: collection, PartitionNames: partitions, Expr: filter, OutputFields: []string{KeyField},
			ConsistencyLevel: wire.ConsistencyLevel_Strong, // 2.2 reads it from the guarantee timestamp, which is 0
		})
		if err := checked("Query")(response.GetStatus(), err); err != nil {
			return false, err
		}

		for _, field := range response.GetFieldsData() {
			if len(field.GetScalars().GetLongData().GetData()) >= rows {
				return true, nil
			}
		}
		return false, nil
	}
}

// Merged returns a question for Watch: whether the collection has at most the given number of
// segments. While a compaction replaces segments, it fails.
func (c *Client) Merged(collection string, segments int) func(context.Context) (bool, error) {
	return func(ctx context.Context) (bool, error) {
		response, err := wire.GetPersistentSegmentInfo.Call(ctx, c.Conn, &wire.GetPersistentSegmentInfoRequest{CollectionName: collection})
		return len(response.GetInfos()) <= segments, checked("GetPersistentSegmentInfo")(response.GetStatus(), err)
	}
}

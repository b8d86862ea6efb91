package rpc

import (
	"context"
	"maps"
	"slices"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/internal/typednil"
	"github.com/milvuswait/milvuswait/internal/wire"
)

var _ milvuswait.FlushPoller = (*Poller)(nil)

// FlushMarkOf returns the flush mark of one collection from the response of Flush, a
// *milvuspb.FlushResponse of any version of go-api. The type parameter is inferred.
//
//	resp, err := stub.Flush(ctx, &milvuspb.FlushRequest{CollectionNames: []string{"docs"}})
//	…
//	mark, err := rpc.FlushMarkOf(resp, "docs")
//
// The mark of a response without any collection, as milvus-lite returns it, is zero. A
// flush without new rows has no segments, and on Milvus 2.2 and 2.3.0 a flush has no
// timestamp.
//
//   - ErrInvalid: resp is nil, or holds other collections but not this one.
//   - If the status of resp is a failure, the error of Classify for it: a failed Flush
//     has no mark.
//
// Source: milvus.proto, message FlushResponse, fields coll_segIDs and coll_flush_ts.
func FlushMarkOf[A interface{ GetData() []int64 }](resp interface {
	GetCollSegIDs() map[string]A
	GetCollFlushTs() map[string]uint64
}, collection string) (milvuswait.FlushMark, error) {
	var none milvuswait.FlushMark
	if typednil.Is(resp) {
		return none, invalid("the response of Flush is nil")
	}
	if err := checkFlush(resp); err != nil {
		return none, err
	}

	segments, timestamps := resp.GetCollSegIDs(), resp.GetCollFlushTs()
	sealed, hasSegments := segments[collection]
	timestamp, hasTimestamp := timestamps[collection]
	if !hasSegments && !hasTimestamp && len(segments)+len(timestamps) > 0 {
		return none, flushOfOthers(collection, slices.Concat(slices.Collect(maps.Keys(segments)), slices.Collect(maps.Keys(timestamps))))
	}

	mark := milvuswait.FlushMark{Timestamp: timestamp}
	if hasSegments {
		mark.Segments = slices.Clone(sealed.GetData())
	}
	return mark, nil
}

// checkFlush returns the failure that a response of Flush reports, or nil. A response that
// is no protobuf message reports none.
func checkFlush(resp any) error {
	message := wire.Message(resp)
	if message == nil {
		return nil
	}

	ours := new(wire.FlushResponse)
	if err := wire.Convert(message, ours); err != nil {
		return invalid("%T is not the response of Flush: %v", resp, err)
	}
	if ours.GetStatus() == nil {
		return nil
	}
	if f := checkResponse(flush, ours.GetStatus(), nil); f != nil {
		return f.settledByText().error(context.Background())
	}
	return nil
}

// flushOfOthers returns the error for a response of Flush that holds other collections.
func flushOfOthers(collection string, others []string) error {
	slices.Sort(others)
	return invalid("the flush does not cover collection %q, but %s", collection, quoted(slices.Compact(others)))
}

// FlushDone calls GetFlushState with the segments and the timestamp of the mark and the
// name of the collection. All three are necessary: without segments it reports true before
// all rows are counted, without the timestamp it ignores deletes, and without the name it
// ignores the timestamp.
//
// Milvus 2.2 ignores the timestamp and the name, and milvus-lite reports true for
// everything, since a flush has ended there when Flush returns.
//
//   - errors.ErrUnsupported: the server has no such call, or the stub lacks it.
//   - ErrCollectionNotFound: the collection does not exist, on 2.3 and newer.
//
// The package documents all other errors.
//
// Sources: milvus.proto, message GetFlushStateResponse; measured on 2.2.16, 2.3.5 and
// milvus-lite 3.2.2.
func (p *Poller) FlushDone(ctx context.Context, collection string, mark milvuswait.FlushMark) (bool, error) {
	if err := p.check(); err != nil {
		return false, err
	}

	resp, err := call(ctx, p, wire.GetFlushState, &wire.GetFlushStateRequest{
		SegmentIDs: mark.Segments, FlushTs: mark.Timestamp, DbName: p.database, CollectionName: collection,
	})
	if f := checkResponse(getFlushState, resp.GetStatus(), err); f != nil {
		return false, p.settled(ctx, f, collection, nil).error(ctx)
	}
	return resp.GetFlushed(), nil
}

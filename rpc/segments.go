package rpc

import (
	"context"
	"errors"
	"fmt"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/internal/wire"
)

var _ milvuswait.SegmentLister = (*Poller)(nil)

// maxSegmentList is the maximum size of a response to GetPersistentSegmentInfo. A segment
// takes about 50 B, so that gRPC's default of 4 MiB holds 80 000 segments.
const maxSegmentList = 64 << 20

// UnflushedSegments calls GetPersistentSegmentInfo, and returns the IDs of the segments
// whose state is Sealed or Flushing. The response may have up to 64 MiB, or the size set by
// WithCallOptions. It calls GetVersion before, if no poll of an index has found out the
// version.
//
// For milvus-lite it returns none, without a call: a flush has ended there when Flush
// returns.
//
//   - errors.ErrUnsupported: the server is Milvus 2.6 or newer, which does not list
//     segments that are being flushed; it has no such call, as Zilliz Cloud; or the stub
//     lacks it. An empty list of a server of unknown version is unsupported too, unless an
//     earlier list of this Poller was not empty: it may be Milvus 2.6.
//   - ErrCollectionNotFound: code 100, or GetLoadState on 2.2.
//
// A segment that a compaction replaces meanwhile is a transient failure: code 600, or the
// text "failed to get segment" on 2.2. The package documents all other errors.
//
// Sources: milvus.proto, message GetPersistentSegmentInfoResponse. On 2.2.16 and 2.3.5 a
// segment is listed as Sealed from before Flush returns until DescribeIndex counts its rows.
func (p *Poller) UnflushedSegments(ctx context.Context, collection string) ([]int64, error) {
	if err := p.check(); err != nil {
		return nil, err
	}

	v := p.serverVersion(ctx)
	switch {
	case v.lite:
		return nil, nil
	case v.isFrom(streaming):
		return nil, fmt.Errorf("%s: Milvus %v does not list segments that are being flushed: %w", getPersistentSegmentInfo, v, errors.ErrUnsupported)
	}

	resp, err := call(ctx, p, wire.GetPersistentSegmentInfo, &wire.GetPersistentSegmentInfoRequest{
		DbName: p.database, CollectionName: collection,
	})
	if f := checkResponse(getPersistentSegmentInfo, resp.GetStatus(), err); f != nil {
		if p.listsNoSegments(f) {
			// The text only: err may match ErrInvalid.
			return nil, withContextErr(ctx, fmt.Errorf("%w: %v", errors.ErrUnsupported, f.err))
		}
		return nil, p.settled(ctx, f, collection, nil).error(ctx)
	}

	var unflushed []int64
	for _, segment := range resp.GetInfos() {
		switch segment.GetState() {
		case wire.SegmentState_Sealed, wire.SegmentState_Flushing:
			unflushed = append(unflushed, segment.GetSegmentID())
		}
	}
	if len(unflushed) == 0 && !v.isKnown() {
		if err := p.version.doubt(); err != nil {
			return nil, withContextErr(ctx, err)
		}
	}
	if len(unflushed) > 0 {
		p.version.noteSegments()
	}
	return unflushed, nil
}

// noteSegments records that the server lists segments that are being flushed.
func (c *versionCheck) noteSegments() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.listsSegments = true
}

// doubt returns the error for an empty list of a server of unknown version, or nil if it has
// listed segments before. It is transient while GetVersion may still be answered.
func (c *versionCheck) doubt() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.listsSegments:
		return nil
	case !c.settled:
		return fmt.Errorf("%s: the server has not reported its version yet, which decides about an empty list", getPersistentSegmentInfo)
	}
	return fmt.Errorf("%s: a server of unknown version may not list segments that are being flushed: %w", getPersistentSegmentInfo, errors.ErrUnsupported)
}

// listsNoSegments reports whether f means that the server lists no segments, although the
// same failure of another call would end the wait or be transient. A wait makes this call
// on its own, so the program must not have to provide it.
//
//   - A mock with an embedded nil stub lacks the call.
//   - A server in C++, as milvus-lite before 3.0, refuses a call that it does not have
//     without a message, as gateways do for a missing route. It is such a server if it has
//     refused GetVersion in the same way.
func (p *Poller) listsNoSegments(f *failure) bool {
	if isStubError(f.err) {
		return !errors.Is(f.err, ErrMalformed)
	}
	return isWordless(f.err) && p.version.isWordless()
}

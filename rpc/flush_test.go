package rpc_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/internal/wire"
	"github.com/milvuswait/milvuswait/rpc"
)

type flushed = wire.FlushResponse

func TestFlushMarkOf(t *testing.T) {
	t.Parallel()
	segments := func(ids ...int64) *wire.LongArray { return &wire.LongArray{Data: ids} }
	two := &flushed{
		Status:      ok,
		CollSegIDs:  map[string]*wire.LongArray{"docs": segments(13680, 13679), "other": segments(7)},
		CollFlushTs: map[string]uint64{"docs": 470802571141054466, "other": 470802571141054467},
	}
	tests := []struct {
		name string
		resp *flushed
		want milvuswait.FlushMark
	}{
		{"2.3", two, milvuswait.FlushMark{Timestamp: 470802571141054466, Segments: []int64{13680, 13679}}},
		{"2.3, nothing new", &flushed{Status: ok, CollSegIDs: map[string]*wire.LongArray{"docs": {}}, CollFlushTs: map[string]uint64{"docs": 5}}, milvuswait.FlushMark{Timestamp: 5}},
		{"2.2", &flushed{Status: ok, CollSegIDs: map[string]*wire.LongArray{"docs": segments(3)}}, milvuswait.FlushMark{Segments: []int64{3}}},
		{"only a timestamp", &flushed{Status: ok, CollFlushTs: map[string]uint64{"docs": 5}}, milvuswait.FlushMark{Timestamp: 5}},
		{"milvus-lite", &flushed{Status: ok}, milvuswait.FlushMark{}},
		{"no status", &flushed{}, milvuswait.FlushMark{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			got, err := rpc.FlushMarkOf(tt.resp, "docs")

			require.NoError(t, err)
			require.Equal(t, tt.want, got)
		})
	}

	mark, err := rpc.FlushMarkOf(two, "docs")
	require.NoError(t, err)
	mark.Segments[0] = 1
	require.Equal(t, []int64{13680, 13679}, two.GetCollSegIDs()["docs"].GetData(), "the mark has its own segments")
}

// TestFlushMarkOf_Invalid covers responses about other collections, and none.
func TestFlushMarkOf_Invalid(t *testing.T) {
	t.Parallel()
	others := &flushed{
		Status:      ok,
		CollSegIDs:  map[string]*wire.LongArray{"b": nil, "a\x1b": nil},
		CollFlushTs: map[string]uint64{"b": 5, "c": 6},
	}

	_, err := rpc.FlushMarkOf(others, "docs")
	requireClass(t, milvuswait.ErrInvalid, err)
	require.EqualError(t, err, `invalid argument: rpc: the flush does not cover collection "docs", but "a", "b", "c"`)

	_, err = rpc.FlushMarkOf((*flushed)(nil), "docs")
	requireClass(t, milvuswait.ErrInvalid, err)
	require.EqualError(t, err, "invalid argument: rpc: the response of Flush is nil")
}

// TestFlushMarkOf_FailedFlush_HasNoMark replays failures of Flush: their responses hold no
// collection, as the responses of milvus-lite.
func TestFlushMarkOf_FailedFlush_HasNoMark(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		status *statusBody
		want   error
	}{
		{"2.2.16, dropped", dropped2216, milvuswait.ErrCollectionNotFound},
		{"2.3.5, dropped", &statusBody{Code: 100, ErrorCode: 4, Reason: "collection not found[collection=470802561083113647]"}, milvuswait.ErrCollectionNotFound},
		{"rate limit", &statusBody{Code: 8, ErrorCode: 49, Reason: "request is rejected by grpc RateLimiter middleware"}, errTransient},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			mark, err := rpc.FlushMarkOf(&flushed{Status: tt.status}, "docs")

			requireClass(t, tt.want, err)
			require.ErrorContains(t, err, "Flush: "+tt.status.GetReason())
			require.Zero(t, mark)
		})
	}
}

// ids and custom are a response of Flush without protobuf.
type (
	ids    []int64
	custom struct{ collection string }
)

func (i ids) GetData() []int64 { return i }

func (c custom) GetCollSegIDs() map[string]ids     { return map[string]ids{c.collection: {1, 2}} }
func (c custom) GetCollFlushTs() map[string]uint64 { return map[string]uint64{c.collection: 9} }

func TestFlushMarkOf_CustomType(t *testing.T) {
	t.Parallel()
	mark, err := rpc.FlushMarkOf(custom{"docs"}, "docs")

	require.NoError(t, err)
	require.Equal(t, milvuswait.FlushMark{Timestamp: 9, Segments: []int64{1, 2}}, mark)
}

// TestFlushDone_SendsAll sends the segments, the timestamp and the name of the
// collection, also for a zero mark.
func TestFlushDone_SendsAll(t *testing.T) {
	t.Parallel()
	for _, mark := range []milvuswait.FlushMark{{}, {Timestamp: 470802571141054466}, {Segments: []int64{7, 9}}, {Timestamp: 5, Segments: []int64{7}}} {
		for _, want := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				var got *flushRequest
				s := &server{Flush: func(_ context.Context, req *flushRequest) (*flushResponse, error) {
					got = req
					return &flushResponse{Status: ok, Flushed: want}, nil
				}}

				done, err := rpc.New(connect(t, s), rpc.WithDatabase("db")).FlushDone(t.Context(), "docs", mark)

				require.NoError(t, err)
				require.Equal(t, want, done)
				require.True(t, proto.Equal(&flushRequest{SegmentIDs: mark.Segments, FlushTs: mark.Timestamp, DbName: "db", CollectionName: "docs"}, got), "%v", got)
				require.Equal(t, []string{flushCall}, s.Calls(), "no GetVersion, and no GetLoadState")
			})
		}
	}
}

// TestFlushDone_Failures replays failures of real servers.
func TestFlushDone_Failures(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		status *statusBody
		state  *wire.LoadState // nil: GetLoadState must not be called
		want   error
	}{
		{"2.3.5, no collection", nope235, nil, milvuswait.ErrCollectionNotFound},
		{"2.3.5, dropped", &statusBody{Code: 100, ErrorCode: 4, Reason: "collection not found[collection=470802561083113647]"}, nil, milvuswait.ErrCollectionNotFound},
		{"2.3.5, invalid name", invalid235, nil, milvuswait.ErrInvalid},
		{"no database", &statusBody{Code: 800, ErrorCode: 1, Reason: "database not found[database=nope]"}, nil, milvuswait.ErrDatabaseNotFound},
		{"channel not found", &statusBody{Code: 500, ErrorCode: 1, Reason: "channel not found[channel=by-dev-rootcoord-dml_0_47v0]"}, nil, errTransient},
		{"words of a load", &statusBody{Code: 101, ErrorCode: 1, Reason: "collection not loaded[collection=5]"}, nil, errTransient},
		{"not loaded, and something else", &statusBody{Code: 65535, ErrorCode: 1, Reason: "what?"}, says(notLoad), errTransient},
		{"2.2, not there", nope2216, says(notExist), milvuswait.ErrCollectionNotFound},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := &server{Flush: func(context.Context, *flushRequest) (*flushResponse, error) {
					return &flushResponse{Status: tt.status, Flushed: true}, nil
				}}
				want := []string{flushCall}
				if tt.state != nil {
					want = append(want, stateCall)
					s.State = func(context.Context, *stateRequest) (*stateResponse, error) {
						return &stateResponse{Status: ok, State: *tt.state}, nil
					}
				}

				done, err := rpc.New(connect(t, s)).FlushDone(t.Context(), "docs", milvuswait.FlushMark{})

				requireClass(t, tt.want, err)
				require.False(t, done)
				require.Equal(t, want, s.Calls())
			})
		})
	}
}

func TestFlushDone_Unimplemented_IsUnsupported(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, err := rpc.New(connect(t, &server{})).FlushDone(t.Context(), "docs", milvuswait.FlushMark{})

		require.ErrorIs(t, err, errors.ErrUnsupported)
		require.Equal(t, codes.Unimplemented, status.Code(err))
		require.EqualError(t, err, "unsupported operation: GetFlushState: unimplemented: method GetFlushState not implemented")
	})
}

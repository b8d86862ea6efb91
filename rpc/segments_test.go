package rpc_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/internal/wire"
	"github.com/milvuswait/milvuswait/rpc"
)

type segment = wire.PersistentSegmentInfo

// segmentServer returns a server of the version with these segments. It counts the lists in
// *lists, if lists is not nil.
func segmentServer(version string, lists *int, segments ...*segment) *server {
	return &server{
		Version: func(context.Context, *versionRequest) (*versionResponse, error) {
			return &versionResponse{Status: ok, Version: version}, nil
		},
		Segments: func(context.Context, *segmentsRequest) (*segmentsResponse, error) {
			if lists != nil {
				*lists++
			}
			return &segmentsResponse{Status: ok, Infos: segments}, nil
		},
	}
}

func TestUnflushedSegments_ListsSealedAndFlushing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := segmentServer("v2.3.5", nil)
		var got *segmentsRequest
		s.Segments = func(_ context.Context, req *segmentsRequest) (*segmentsResponse, error) {
			got = req
			var all []*segment
			for id := range int64(9) { // all states, and an unknown one
				all = append(all, &segment{SegmentID: 100 + id, State: wire.SegmentState(id)})
			}
			return &segmentsResponse{Status: ok, Infos: all}, nil
		}

		unflushed, err := rpc.New(connect(t, s), rpc.WithDatabase("db")).UnflushedSegments(t.Context(), "docs")

		require.NoError(t, err)
		require.Equal(t, []int64{103, 105}, unflushed, "Sealed and Flushing")
		require.True(t, proto.Equal(&segmentsRequest{DbName: "db", CollectionName: "docs"}, got), "%v", got)
	})
}

// TestUnflushedSegments_Versions holds the versions without a list of segments being
// flushed, and milvus-lite, whose flush has ended when Flush returns.
func TestUnflushedSegments_Versions(t *testing.T) {
	t.Parallel()
	tests := []struct {
		version string
		lists   int
		want    []int64
		err     string // text of errors.ErrUnsupported, or ""
	}{
		{"v2.2.16", 1, []int64{3}, ""},
		{"v2.3.5-lite", 1, []int64{3}, ""}, // milvus of PyPI
		{"v2.5.27", 1, []int64{3}, ""},
		{"2.5-20250801-4ef1d9b", 1, []int64{3}, ""},
		{"custom", 1, []int64{3}, ""},
		{"", 1, []int64{3}, ""},
		{"v2.6.0", 0, nil, "GetPersistentSegmentInfo: Milvus v2.6.0 does not list segments that are being flushed: unsupported operation"},
		{"2.6-dev", 0, nil, "GetPersistentSegmentInfo: Milvus v2.6.0 does not list segments that are being flushed: unsupported operation"},
		{"v2.6.1-rc1-12-g4ef1d9bd2", 0, nil, "GetPersistentSegmentInfo: Milvus v2.6.1 does not list segments that are being flushed: unsupported operation"},
		{"v3.0.0", 0, nil, "GetPersistentSegmentInfo: Milvus v3.0.0 does not list segments that are being flushed: unsupported operation"},
		{"milvus_lite-3.2.2", 0, nil, ""},
		{"milvus_lite-2.6", 0, nil, ""},
	}
	for _, tt := range tests {
		t.Run(tt.version, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				lists := 0
				p := rpc.New(connect(t, segmentServer(tt.version, &lists, &segment{SegmentID: 3, State: wire.SegmentState_Sealed})))

				got, err := p.UnflushedSegments(t.Context(), "docs")

				require.Equal(t, tt.want, got)
				require.Equal(t, tt.lists, lists)
				if tt.err == "" {
					require.NoError(t, err)
				} else {
					require.ErrorIs(t, err, errors.ErrUnsupported)
					require.EqualError(t, err, tt.err)
				}
			})
		})
	}
}

// TestUnflushedSegments_FailureOfGetVersion_ChangesNothing makes polls without a known
// version: each lists the segments within a second.
func TestUnflushedSegments_FailureOfGetVersion_ChangesNothing(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		version func(context.Context, *versionRequest) (*versionResponse, error)
		calls   int // GetVersion, in five polls
		took    time.Duration
	}{
		{"unavailable", func(context.Context, *versionRequest) (*versionResponse, error) {
			return nil, status.Error(codes.Unavailable, "away")
		}, 3, 0},
		{"refused", func(context.Context, *versionRequest) (*versionResponse, error) {
			return nil, status.Error(codes.PermissionDenied, "no")
		}, 1, 0},
		{"hangs", func(ctx context.Context, _ *versionRequest) (*versionResponse, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}, 3, 3 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				calls := 0
				s := segmentServer("", nil, &segment{SegmentID: 3, State: wire.SegmentState_Sealed})
				s.Version = func(ctx context.Context, req *versionRequest) (*versionResponse, error) {
					calls++
					return tt.version(ctx, req)
				}
				p := rpc.New(connect(t, s))
				start := time.Now()

				for range 5 {
					got, err := p.UnflushedSegments(t.Context(), "docs")
					require.NoError(t, err)
					require.Equal(t, []int64{3}, got)
				}

				require.Equal(t, tt.calls, calls)
				require.Equal(t, tt.took, time.Since(start))
			})
		})
	}
}

// TestUnflushedSegments_EmptyListOfUnknownVersion_IsUnsupported has servers that may be Milvus
// 2.6: a wait must not believe that nothing is being flushed. It does once a segment was
// listed.
func TestUnflushedSegments_EmptyListOfUnknownVersion_IsUnsupported(t *testing.T) {
	t.Parallel()
	away := func(context.Context, *versionRequest) (*versionResponse, error) {
		return nil, status.Error(codes.Unavailable, "away")
	}
	custom := func(context.Context, *versionRequest) (*versionResponse, error) {
		return &versionResponse{Status: ok, Version: "master-20250801-4ef1d9b"}, nil
	}
	tests := []struct {
		name      string
		version   func(context.Context, *versionRequest) (*versionResponse, error)
		transient int // polls until GetVersion is given up
	}{
		{"GetVersion fails", away, 2},
		{"a custom build", custom, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := segmentServer("", nil)
				s.Version = tt.version
				p := rpc.New(connect(t, s))

				for range tt.transient {
					_, err := p.UnflushedSegments(t.Context(), "docs")
					requireClass(t, errTransient, err)
					require.NotErrorIs(t, err, errors.ErrUnsupported)
				}
				_, err := p.UnflushedSegments(t.Context(), "docs")
				require.ErrorIs(t, err, errors.ErrUnsupported)

				s.Segments = segmentServer("", nil, &segment{SegmentID: 3, State: wire.SegmentState_Sealed}).Segments
				got, err := p.UnflushedSegments(t.Context(), "docs")
				require.NoError(t, err)
				require.Equal(t, []int64{3}, got)
				s.Segments = segmentServer("", nil).Segments
				got, err = p.UnflushedSegments(t.Context(), "docs")
				require.NoError(t, err)
				require.Empty(t, got)
			})
		})
	}
}

// TestUnflushedSegments_UsesTheVersionOfTheIndexPoll polls the index first, as waits
// do: one GetVersion serves both.
func TestUnflushedSegments_UsesTheVersionOfTheIndexPoll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		versions, lists := 0, 0
		s := segmentServer("", &lists)
		s.Version = func(context.Context, *versionRequest) (*versionResponse, error) {
			versions++
			return &versionResponse{Status: ok, Version: "v2.6.3"}, nil
		}
		s.Index = func(context.Context, *indexRequest) (*indexResponse, error) {
			return &indexResponse{Status: ok, IndexDescriptions: []*description{rows("v", finished, 1, 1, 0)}}, nil
		}
		p := rpc.New(connect(t, s))

		require.NoError(t, polls[indexCall](t.Context(), p))
		_, err := p.UnflushedSegments(t.Context(), "docs")

		require.ErrorIs(t, err, errors.ErrUnsupported)
		require.Equal(t, 1, versions)
		require.Zero(t, lists)
	})
}

// TestUnflushedSegments_LongList_IsReceived lists 150 000 segments: more than 4 MiB, the
// limit of the connection. A smaller limit of the program applies.
func TestUnflushedSegments_LongList_IsReceived(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var all []*segment
		for i := range int64(150_000) {
			all = append(all, &segment{SegmentID: 470802561083313679 + i, CollectionID: 470802561083113647, PartitionID: 470802561083113648, NumRows: 2501, State: wire.SegmentState_Sealed})
		}
		require.Greater(t, proto.Size(&segmentsResponse{Infos: all}), 4<<20)
		conn := connect(t, segmentServer("v2.3.5", nil, all...))

		got, err := rpc.New(conn).UnflushedSegments(t.Context(), "docs")
		require.NoError(t, err)
		require.Len(t, got, 150_000)

		_, err = rpc.New(conn, rpc.WithCallOptions(grpc.MaxCallRecvMsgSize(1<<20))).UnflushedSegments(t.Context(), "docs")
		require.Equal(t, codes.ResourceExhausted, status.Code(err))
		requireClass(t, errTransient, err)
	})
}

// TestUnflushedSegments_Limit finds the limit of 64 MiB among the options of this call
// alone.
func TestUnflushedSegments_Limit(t *testing.T) {
	t.Parallel()
	limits := map[string]int{}
	note := func(method string, opts []grpc.CallOption) {
		i := slices.IndexFunc(opts, func(o grpc.CallOption) bool { _, found := o.(grpc.MaxRecvMsgSizeCallOption); return found })
		if i >= 0 {
			limits[method] = opts[i].(grpc.MaxRecvMsgSizeCallOption).MaxRecvMsgSize
		}
	}
	s := answering(&statusBody{}, nil)
	s.segments = func(_ context.Context, _ *segmentsRequest, opts ...grpc.CallOption) (*segmentsResponse, error) {
		note(segmentsCall, opts)
		return &segmentsResponse{Status: ok, Infos: []*segment{{SegmentID: 3, State: wire.SegmentState_Sealed}}}, nil
	}
	s.flush = func(_ context.Context, _ *flushRequest, opts ...grpc.CallOption) (*flushResponse, error) {
		note(flushCall, opts)
		return &flushResponse{Status: ok}, nil
	}

	for _, poll := range optionalPolls {
		require.NoError(t, poll(t.Context(), rpc.FromStub(s)))
	}

	require.Equal(t, map[string]int{segmentsCall: 64 << 20}, limits)
}

// TestUnflushedSegments_Failures replays failures of real servers. GetLoadState follows a
// failure without a code of its own.
func TestUnflushedSegments_Failures(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		status *statusBody
		state  *wire.LoadState // nil: GetLoadState must not be called
		want   error
	}{
		{"2.3.5, replaced by a compaction", &statusBody{Code: 600, ErrorCode: 47, Reason: "segment not found[segment=470802561083515473]"}, nil, errTransient},
		{"2.2.16, replaced by a compaction", &statusBody{ErrorCode: 1, Reason: "failed to get segment 470802686271727209"}, nil, errTransient},
		{"2.3.5, no collection", nope235, nil, milvuswait.ErrCollectionNotFound},
		{"2.2.16, no collection", nope2216, says(notExist), milvuswait.ErrCollectionNotFound},
		{"2.2.16, dropped", dropped2216, says(notExist), milvuswait.ErrCollectionNotFound},
		{"2.3.5, invalid name", invalid235, nil, milvuswait.ErrInvalid},
		{"2.2.16, invalid name", invalid2216, nil, errPermanent},
		{"no database", &statusBody{Code: 800, ErrorCode: 1, Reason: "database not found[database=nope]"}, nil, milvuswait.ErrDatabaseNotFound},
		{"not permitted", &statusBody{Code: 1401, ErrorCode: 1, Reason: "privilege not permitted"}, nil, errPermanent},
		{"something else of a collection that is not loaded", &statusBody{ErrorCode: 1, Reason: "what?"}, says(notLoad), errTransient},
		{"words of a load", &statusBody{Code: 101, ErrorCode: 1, Reason: "collection not loaded[collection=5]"}, nil, errTransient},
		{"words of a failed load", &statusBody{Code: 1, ErrorCode: 1, Reason: "show collection failed: oom"}, nil, errTransient},
		{"not ready", &statusBody{Code: 1, ErrorCode: 56, Reason: "service not ready"}, nil, errTransient},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := segmentServer("v2.3.5", nil)
				s.Segments = func(context.Context, *segmentsRequest) (*segmentsResponse, error) {
					return &segmentsResponse{Status: tt.status, Infos: []*segment{{State: wire.SegmentState_Sealed}}}, nil
				}
				want := []string{segmentsCall}
				if tt.state != nil {
					want = append(want, stateCall)
					s.State = func(context.Context, *stateRequest) (*stateResponse, error) {
						return &stateResponse{Status: ok, State: *tt.state}, nil
					}
				}

				got, err := rpc.New(connect(t, s)).UnflushedSegments(t.Context(), "docs")

				requireClass(t, tt.want, err)
				require.NotErrorIs(t, err, errors.ErrUnsupported)
				require.Nil(t, got)
				require.Equal(t, want, s.Calls())
			})
		})
	}
}

// TestUnflushedSegments_NoSuchCall covers servers without the call. A server in C++, as
// milvus-lite before 3.0, reports this without a message, and has no GetVersion either. If
// the server has answered GetVersion, a gateway has lost its route.
func TestUnflushedSegments_NoSuchCall(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, version, segments string // messages of Unimplemented; version "": answered
		unsupported             bool
	}{
		{"milvus-lite 3 without a version", "Method not implemented!", "Method not implemented!", true},
		{"another server", "", "unknown method GetPersistentSegmentInfo for service milvus.proto.milvus.MilvusService", true},
		{"server in C++", " ", " ", true},
		{"gateway without the route", "", " ", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := segmentServer("v2.3.5", nil)
				if tt.version != "" {
					s.Version = func(context.Context, *versionRequest) (*versionResponse, error) {
						return nil, status.Error(codes.Unimplemented, tt.version)
					}
				}
				s.Segments = func(context.Context, *segmentsRequest) (*segmentsResponse, error) {
					return nil, status.Error(codes.Unimplemented, tt.segments)
				}
				p := rpc.New(connect(t, s))

				for range 5 {
					err := optionalPolls[segmentsCall](t.Context(), p)

					require.Equal(t, tt.unsupported, errors.Is(err, errors.ErrUnsupported), "%v", err)
					if !tt.unsupported {
						requireClass(t, errTransient, err)
					}
				}
			})
		})
	}
}

// TestUnflushedSegments_StubEmbedsNil_IsUnsupported covers a mock without the call. Waits for
// indexes make the call on their own, and must not fail with it.
func TestUnflushedSegments_StubEmbedsNil_IsUnsupported(t *testing.T) {
	t.Parallel()
	err := optionalPolls[segmentsCall](t.Context(), rpc.FromStub(embedding{}))

	require.ErrorIs(t, err, errors.ErrUnsupported)
	require.NotErrorIs(t, err, milvuswait.ErrInvalid)
	require.ErrorContains(t, err, "unsupported operation: GetPersistentSegmentInfo: invalid argument: rpc: the stub dereferences nil in ")
}

package rpc_test

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/fake/fakeserver"
	"github.com/milvuswait/milvuswait/internal/wire"
	"github.com/milvuswait/milvuswait/rpc"
)

type (
	versionRequest  = wire.GetVersionRequest
	versionResponse = wire.GetVersionResponse
)

const (
	versionCall = "GetVersion"
	tooOld228   = "DescribeIndex: Milvus v2.2.8 is too old: " +
		"2.2.9 or newer is needed, since older versions do not count rows that are newer than the index"
)

// indexPolls are the polls of an index, by name.
var indexPolls = map[string]func(context.Context, *rpc.Poller) error{
	"by name": func(ctx context.Context, p *rpc.Poller) error {
		_, err := p.IndexBuildingProgress(ctx, "docs", "v")
		return err
	},
	"of all": func(ctx context.Context, p *rpc.Poller) error {
		_, err := p.IndexBuildingProgress(ctx, "docs", milvuswait.AllIndexes)
		return err
	},
	"list": func(ctx context.Context, p *rpc.Poller) error {
		_, errs := p.ListIndexBuilding(ctx, "docs", []string{"v"})
		return errs[0]
	},
}

func TestVersion_TooOld_IsPermanentAndNamed(t *testing.T) {
	t.Parallel()
	for name, poll := range indexPolls {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			withFake(t, fakeserver.Config{Version: "v2.2.8"}, func(t *testing.T, server *fakeserver.Server, p *rpc.Poller) {
				server.Set(milvuswait.IndexBuilding("docs", "v"), fake.Rows(0, 0))

				for n := range 3 {
					err := poll(t.Context(), p)

					requireClass(t, milvuswait.ErrInvalid, err)
					require.EqualError(t, err, tooOld228)
					require.Equal(t, n+1, server.Count(versionCall), "the server may be upgraded")
				}
			})
		})
	}
}

// TestVersion_RequestedOnce covers versions that are new enough or not known: one request,
// and polls that work. A load does not request it.
func TestVersion_RequestedOnce(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"v2.2.9", "2.3.5", "v2.6.0-dev", "milvus_lite-3.1.1", "20230829-4ef1d9b", "custom"} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			withFake(t, fakeserver.Config{Version: text}, func(t *testing.T, server *fakeserver.Server, p *rpc.Poller) {
				server.Set(milvuswait.IndexBuilding("docs", "v"), fake.Rows(100, 40))
				server.Set(milvuswait.Loading("docs"), fake.Percents(40))

				require.NoError(t, polls[loadingCall](t.Context(), p))
				require.Zero(t, server.Count(versionCall))

				for range 2 {
					for _, poll := range indexPolls {
						require.NoError(t, poll(t.Context(), p))
					}
				}
				require.Equal(t, 1, server.Count(versionCall))
				require.Equal(t, 6, server.Count(indexCall))
			})
		})
	}
}

// TestVersion_RefusedOrMalformed_ChangesNothing covers responses that the next request
// would repeat, and transient ones: the latter are requested three times.
func TestVersion_RefusedOrMalformed_ChangesNothing(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		fault fakeserver.Fault
		calls int
	}{
		{"permission", fakeserver.Refuse(codes.PermissionDenied, "no"), 1},
		{"unimplemented", fakeserver.Refuse(codes.Unimplemented, "Method not implemented!"), 1},
		{"not permitted, by code", fakeserver.Reject(1401, 0, "privilege not permitted"), 1},
		{"unimplemented by a server in C++, or a missing route", fakeserver.Refuse(codes.Unimplemented, ""), 3},
		{"unavailable", fakeserver.Refuse(codes.Unavailable, "away"), 3},
		{"not ready", fakeserver.Reject(1, 0, "not ready"), 3},
		{"empty message", fakeserver.Blank(), 3},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			withFake(t, fakeserver.Config{Version: "v2.2.8"}, func(t *testing.T, server *fakeserver.Server, p *rpc.Poller) {
				server.Set(milvuswait.IndexBuilding("docs", "v"), fake.Rows(100, 40))
				server.Fail(versionCall, tt.fault)

				for range 5 {
					require.NoError(t, polls[indexCall](t.Context(), p))
				}

				require.Equal(t, tt.calls, server.Count(versionCall))
			})
		})
	}
}

// TestVersion_FailedPolls_AreFollowedByTheVersion shows that a version which could not be
// requested is requested again: polls that fail or are canceled do not count.
func TestVersion_FailedPolls_AreFollowedByTheVersion(t *testing.T) {
	t.Parallel()
	withFake(t, fakeserver.Config{Version: "v2.2.8"}, func(t *testing.T, server *fakeserver.Server, p *rpc.Poller) {
		server.Set(milvuswait.IndexBuilding("docs", "v"), fake.Rows(0, 0))
		server.Fail(fakeserver.AnyMethod, fakeserver.Refuse(codes.Unavailable, "away"))
		for range 5 {
			requireClass(t, errTransient, polls[indexCall](t.Context(), p))
		}

		server.Heal()
		server.Fail(fakeserver.AnyMethod, fakeserver.Hang())
		for range 5 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			require.ErrorIs(t, polls[indexCall](ctx, p), context.DeadlineExceeded)
			cancel()
		}

		server.Heal()
		require.EqualError(t, polls[indexCall](t.Context(), p), tooOld228)
	})
}

// TestVersion_IsRequestedBesideTheIndex shows that the version adds no time to a poll. A
// version that does not arrive delays three polls by a second each.
func TestVersion_IsRequestedBesideTheIndex(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		index   time.Duration
		version fakeserver.Fault
		want    []time.Duration // times of the polls
	}{
		{"both slow", 5 * time.Second, fakeserver.Slow(5 * time.Second), []time.Duration{5 * time.Second, 5 * time.Second}},
		{"the version a little slower", 5 * time.Second, fakeserver.Slow(5500 * time.Millisecond), []time.Duration{5500 * time.Millisecond, 5 * time.Second}},
		{"the version hangs", 0, fakeserver.Hang(), []time.Duration{time.Second, time.Second, time.Second, 0, 0}},
		{"the version hangs once", 0, fakeserver.Hang().On(1), []time.Duration{time.Second, 0, 0}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			withFake(t, fakeserver.Config{}, func(t *testing.T, server *fakeserver.Server, p *rpc.Poller) {
				server.Set(milvuswait.IndexBuilding("docs", "v"), fake.Rows(100, 40))
				server.Fail(indexCall, fakeserver.Slow(tt.index))
				server.Fail(versionCall, tt.version)

				for _, want := range tt.want {
					start := time.Now()
					require.NoError(t, polls[indexCall](t.Context(), p))
					require.Equal(t, want, time.Since(start))
				}
			})
		})
	}
}

// TestVersion_Upgrade shows that a Poller outlives the upgrade of its server. While the
// version cannot be requested, the last one counts.
func TestVersion_Upgrade(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		text, failure := "v2.2.8", error(nil)
		s := &server{
			Version: func(context.Context, *versionRequest) (*versionResponse, error) {
				return &versionResponse{Status: ok, Version: text}, failure
			},
			Index: func(context.Context, *indexRequest) (*indexResponse, error) {
				return &indexResponse{Status: ok, IndexDescriptions: []*description{rows("v", finished, 1, 1, 0)}}, nil
			},
		}
		p := rpc.New(connect(t, s))

		require.EqualError(t, polls[indexCall](t.Context(), p), tooOld228)
		for _, failure = range []error{status.Error(codes.Unavailable, "away"), status.Error(codes.PermissionDenied, "no")} {
			for range 5 {
				require.EqualError(t, polls[indexCall](t.Context(), p), tooOld228)
			}
		}

		text, failure = "v2.2.9", nil
		require.NoError(t, polls[indexCall](t.Context(), p))
	})
}

// TestVersion_WithoutStatus_Counts covers a response with a version and no status.
func TestVersion_WithoutStatus_Counts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &server{
			Version: func(context.Context, *versionRequest) (*versionResponse, error) {
				return &versionResponse{Version: "v2.2.8"}, nil
			},
			Index: func(context.Context, *indexRequest) (*indexResponse, error) {
				return &indexResponse{Status: nope2216}, nil
			},
		}

		require.EqualError(t, polls[indexCall](t.Context(), rpc.New(connect(t, s))), tooOld228)
	})
}

// TestVersion_ConcurrentPolls_ShareTheRequest starts 16 polls at once: all get the version
// from one GetVersion.
func TestVersion_ConcurrentPolls_ShareTheRequest(t *testing.T) {
	t.Parallel()
	withFake(t, fakeserver.Config{Version: "v2.2.8"}, func(t *testing.T, server *fakeserver.Server, p *rpc.Poller) {
		server.Set(milvuswait.IndexBuilding("docs", "v"), fake.Rows(0, 0))
		server.Fail(versionCall, fakeserver.Slow(100*time.Millisecond))

		var g sync.WaitGroup
		var failed atomic.Int32
		for range 16 {
			g.Go(func() {
				if err := polls[indexCall](t.Context(), p); err != nil && err.Error() == tooOld228 {
					failed.Add(1)
				}
			})
		}
		g.Wait()

		require.EqualValues(t, 16, failed.Load())
		require.Equal(t, 1, server.Count(versionCall))
	})
}

// TestVersion_Before22 polls a server with the calls of Milvus 2.1.0 and its responses. It
// has neither GetVersion nor GetLoadingProgress, and reports no rows and no state of any
// index. A fake that lacks calls or fields is not taken for it.
func TestVersion_Before22(t *testing.T) {
	t.Parallel()
	const tooOld = "DescribeIndex: Milvus before 2.2 is too old: "
	index := &description{IndexName: "_default_idx", FieldName: "vec"}
	described := func(all ...*description) *indexResponse { return &indexResponse{Status: ok, IndexDescriptions: all} }
	tests := []struct {
		name        string
		answer      *indexResponse
		hasProgress bool
		want        string // error text; "" for none
	}{
		{"an index", described(index), false, tooOld},
		{"an unknown collection", &indexResponse{Status: &statusBody{ErrorCode: 1, Reason: "DescribeIndex failed: collection nope not found"}}, false, tooOld},
		{"a server with progress of loads", described(index), true, ""},
		{"rows", described(&description{IndexName: "v", FieldName: "v", TotalRows: 1}), false, ""},
		{"a state", described(&description{IndexName: "v", FieldName: "v", State: finished}), false, ""},
		{"no field", described(&description{IndexName: "v"}), false, ""},
		{"no name", described(&description{FieldName: "v"}), false, ""},
		{"no index", described(), false, "index not found: "},
		{"a failure with a code", &indexResponse{Status: nope235}, false, "collection not found: "},
		{"a failure with an old code", &indexResponse{Status: &statusBody{ErrorCode: 25, Reason: "gone"}}, false, "index not found: "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			loads := 0
			methods := []grpc.MethodDesc{wire.DescribeIndex.Serve(func(context.Context, *indexRequest) (*indexResponse, error) { return tt.answer, nil })}
			if tt.hasProgress {
				methods = append(methods, wire.GetLoadingProgress.Serve(func(context.Context, *loadingRequest) (*loadingResponse, error) {
					loads++
					return &loadingResponse{Status: nope235}, nil
				}))
			}
			server := grpc.NewServer()
			wire.Register(server, methods...)
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			go func() { _ = server.Serve(listener) }()
			t.Cleanup(server.Stop)
			p := rpc.New(dialAt(t, listener.Addr().String()))

			for range 3 {
				err := polls[indexCall](t.Context(), p)

				if tt.want == "" {
					require.NoError(t, err)
					continue
				}
				require.ErrorContains(t, err, tt.want)
				if tt.want == tooOld {
					requireClass(t, milvuswait.ErrInvalid, err)
				}
			}
			if tt.hasProgress {
				require.Equal(t, 1, loads, "a server that has the call is not asked again")
			}
		})
	}
}

// TestVersion_TooOld_EndsAWaitAtOnce waits on a server that is away at first.
func TestVersion_TooOld_EndsAWaitAtOnce(t *testing.T) {
	t.Parallel()
	withFake(t, fakeserver.Config{Dialect: fakeserver.Milvus22, Version: "v2.2.8"}, func(t *testing.T, server *fakeserver.Server, p *rpc.Poller) {
		server.Set(milvuswait.IndexBuilding("docs", "v"), fake.Rows(0, 0))

		_, err := milvuswait.WaitForIndexBuildingComplete(t.Context(), p, "docs", milvuswait.WithExpectedRows(10_000))

		require.ErrorContains(t, err, tooOld228)
		var failure *milvuswait.Error
		require.ErrorAs(t, err, &failure)
		require.Equal(t, 1, failure.Polls)
	})
}

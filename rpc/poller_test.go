package rpc_test

import (
	"context"
	"math"
	"sync"
	"testing"
	"testing/synctest"

	grpc_retry "github.com/grpc-ecosystem/go-grpc-middleware/retry"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/internal/wire"
	"github.com/milvuswait/milvuswait/rpc"
)

// TestRequests compares the requests at the server, in the order of the calls. Each call
// carries the database of the last WithDatabase.
func TestRequests(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		opts     []rpc.Option
		database string
	}{
		{"no option", nil, ""},
		{"a database", []rpc.Option{rpc.WithDatabase("db")}, "db"},
		{"the last database counts", []rpc.Option{rpc.WithDatabase("other"), nil, rpc.WithDatabase("db")}, "db"},
		{"no database", []rpc.Option{rpc.WithDatabase("")}, ""},
	}

	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var got []any
				s := &server{
					Loading: func(_ context.Context, req *loadingRequest) (*loadingResponse, error) {
						got = append(got, req)
						return &loadingResponse{Status: &statusBody{ErrorCode: 1}}, nil
					},
					State: func(_ context.Context, req *stateRequest) (*stateResponse, error) {
						got = append(got, req)
						return &stateResponse{Status: &statusBody{}, State: loading}, nil
					},
					Index: func(_ context.Context, req *indexRequest) (*indexResponse, error) {
						got = append(got, req)
						return &indexResponse{Status: &statusBody{ErrorCode: 1}}, nil
					},
					List: func(_ context.Context, req *listRequest) (*listResponse, error) {
						got = append(got, req)
						return &listResponse{Status: &statusBody{}}, nil
					},
				}
				p := rpc.New(connect(t, s), tt.opts...)

				_, _ = p.LoadingProgress(t.Context(), "docs", "p1", "p2")
				_, _ = p.IndexBuildingProgress(t.Context(), "docs", "vec")
				_, _ = p.IndexBuildingProgress(t.Context(), "docs", milvuswait.AllIndexes)
				require.NoError(t, p.CheckLoadState(t.Context(), "docs", "p1"))
				_, err := p.ListLoading(t.Context())
				require.NoError(t, err)
				_, _ = p.ListIndexBuilding(t.Context(), "docs", []string{"vec", "num"})

				state := &stateRequest{DbName: tt.database, CollectionName: "docs"}
				want := []any{
					&loadingRequest{DbName: tt.database, CollectionName: "docs", PartitionNames: []string{"p1", "p2"}},
					&stateRequest{DbName: tt.database, CollectionName: "docs", PartitionNames: []string{"p1", "p2"}},
					&indexRequest{DbName: tt.database, CollectionName: "docs", IndexName: "vec", Timestamp: math.MaxUint64},
					state,
					&indexRequest{DbName: tt.database, CollectionName: "docs", Timestamp: math.MaxUint64},
					state,
					&stateRequest{DbName: tt.database, CollectionName: "docs", PartitionNames: []string{"p1"}},
					&listRequest{DbName: tt.database, Type: wire.ShowType_InMemory},
					&indexRequest{DbName: tt.database, CollectionName: "docs", Timestamp: math.MaxUint64},
					state,
				}
				require.Len(t, got, len(want))
				for i := range want {
					require.Equal(t, text(want[i]), text(got[i]))
				}
			})
		})
	}
}

// text returns a message as text. Messages themselves differ after decoding, since
// protobuf keeps internal state in them.
func text(message any) string {
	return message.(interface{ String() string }).String()
}

// TestCalls_Retries_AreDisabled shows that each call passes the option of the SDK's retry
// interceptor, so that it makes one attempt. The polls make five calls: the load's fails
// without a code, so a GetLoadState follows.
func TestCalls_Retries_AreDisabled(t *testing.T) {
	t.Parallel()
	want := []grpc.CallOption{grpc_retry.Disable()}
	calls := 0

	s := &stub{
		loading: func(_ context.Context, _ *loadingRequest, opts ...grpc.CallOption) (*loadingResponse, error) {
			calls++
			require.Len(t, opts, len(want))
			require.IsType(t, want[0], opts[0])
			return &loadingResponse{Status: &statusBody{ErrorCode: 1}}, nil
		},
		state: func(_ context.Context, _ *stateRequest, opts ...grpc.CallOption) (*stateResponse, error) {
			calls++
			require.Len(t, opts, len(want))
			require.IsType(t, want[0], opts[0])
			return nil, status.Error(codes.Unavailable, "down")
		},
		index: func(_ context.Context, _ *indexRequest, opts ...grpc.CallOption) (*indexResponse, error) {
			calls++
			require.Len(t, opts, len(want))
			require.IsType(t, want[0], opts[0])
			return &indexResponse{Status: &statusBody{Code: 5}}, nil
		},
		list: func(_ context.Context, _ *listRequest, opts ...grpc.CallOption) (*listResponse, error) {
			calls++
			require.Len(t, opts, len(want))
			require.IsType(t, want[0], opts[0])
			return &listResponse{Status: &statusBody{Code: 5}}, nil
		},
	}

	for _, poll := range polls {
		require.Error(t, poll(t.Context(), rpc.FromStub(s)))
	}
	require.Equal(t, 5, calls)
}

// TestLoadingProgress_OddPercentages_AreUnchanged shows that percentages reach the caller
// unchanged, even those out of range.
func TestLoadingProgress_OddPercentages_AreUnchanged(t *testing.T) {
	t.Parallel()
	for _, want := range []milvuswait.LoadingProgress{
		{}, {Percent: 40, RefreshPercent: 100}, {Percent: 100, RefreshPercent: 0}, {Percent: -1, RefreshPercent: math.MaxInt64}, {Percent: 250},
	} {
		s := answering(nil, nil)
		s.loading = func(context.Context, *loadingRequest, ...grpc.CallOption) (*loadingResponse, error) {
			return &loadingResponse{Status: &statusBody{}, Progress: want.Percent, RefreshProgress: want.RefreshPercent}, nil
		}

		got, err := rpc.FromStub(s).LoadingProgress(t.Context(), "docs")

		require.NoError(t, err)
		require.Equal(t, want, got)
	}
}

// TestNoClient covers a missing connection or stub: every poll returns ErrInvalid and
// names the mistake.
func TestNoClient(t *testing.T) {
	t.Parallel()
	var typedNil *stub
	var nilConn *grpc.ClientConn
	const noConn, noStub, noPoller = "the connection is nil", "the stub is nil: is its client closed?", "the Poller has no connection: make it by New or FromStub"

	tests := []struct {
		name string
		p    *rpc.Poller
		want string
	}{
		{"nil connection", rpc.New(nil), noConn},
		{"typed nil connection", rpc.New(nilConn), noConn},
		{"typed nil stub", rpc.FromStub(typedNil, rpc.WithDatabase("db")), noStub},
		{"nil stub variable", rpc.FromStub(generated(nil)), noStub},
		{"zero Poller", &rpc.Poller{}, noPoller},
		{"nil Poller", nil, noPoller},
	}

	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := tt.p
			require.EqualError(t, p.CheckServer(t.Context()), "invalid argument: rpc: "+tt.want)
			for _, poll := range allPolls() {
				err := poll(t.Context(), p)

				requireClass(t, milvuswait.ErrInvalid, err)
				require.EqualError(t, err, "invalid argument: rpc: "+tt.want)
			}

			_, errs := p.ListIndexBuilding(t.Context(), "docs", []string{"a", "b"})
			require.Len(t, errs, 2)
			for _, err := range errs {
				requireClass(t, milvuswait.ErrInvalid, err)
			}
		})
	}
}

// valueStub is a stub by value instead of by pointer.
type valueStub struct{ generated }

func (valueStub) GetLoadState(context.Context, *stateRequest, ...grpc.CallOption) (*stateResponse, error) {
	return &stateResponse{Status: &statusBody{}, State: loaded}, nil
}

func TestFromStub_StubByValue_IsUsed(t *testing.T) {
	t.Parallel()
	require.NoError(t, rpc.FromStub(valueStub{}).CheckLoadState(t.Context(), "docs"))
}

// TestCheckLoadState covers each state, and failed calls. A failed response reads as
// NotExist, the zero state, so its status must decide.
func TestCheckLoadState(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		status *statusBody
		state  wire.LoadState
		want   error
	}{
		{"loading", ok, loading, nil},
		{"loaded", ok, loaded, nil},
		{"not loaded", ok, notLoad, milvuswait.ErrNotLoaded},
		{"not there", ok, notExist, milvuswait.ErrCollectionNotFound},
		{"a state from the future", ok, 17, errTransient},
		{"a failure, which reads as NotExist", &statusBody{Code: 5, Reason: "internal"}, notExist, errTransient},
		{"not ready, which reads as NotExist", &statusBody{Code: 1, ErrorCode: 56, Reason: "service not ready"}, notExist, errTransient},
		{"2.2, a failure", &statusBody{ErrorCode: 1, Reason: "what?"}, notExist, errTransient},
		{"2.2, an invalid name", invalid2216, notExist, errPermanent},
		{"2.2, a failure that tells", nope2216, notExist, milvuswait.ErrCollectionNotFound},
		{"2.3.5, unknown partition", noPart235, notExist, milvuswait.ErrPartitionNotFound},
		{"2.3.5, invalid name", invalid235, notExist, milvuswait.ErrInvalid},
		{"milvus-lite, unknown database", noDBLite, notExist, milvuswait.ErrDatabaseNotFound},
		{"what 2.3 to 2.6.15 remember of a failed load", &statusBody{Code: 65535, ErrorCode: 1, Reason: "load segment failed, OOM if load"}, notExist, milvuswait.ErrLoadFailed},
	}

	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, calls := &stub{}, 0
			s.state = func(_ context.Context, req *stateRequest, _ ...grpc.CallOption) (*stateResponse, error) {
				calls++
				return &stateResponse{Status: tt.status, State: tt.state}, nil
			}

			err := rpc.FromStub(s).CheckLoadState(t.Context(), "docs")

			requireClass(t, tt.want, err)
			require.Equal(t, 1, calls)
		})
	}

	t.Run("text", func(t *testing.T) {
		t.Parallel()
		s := &stub{state: func(context.Context, *stateRequest, ...grpc.CallOption) (*stateResponse, error) {
			return &stateResponse{Status: ok, State: notLoad}, nil
		}}
		require.EqualError(t, rpc.FromStub(s).CheckLoadState(t.Context(), "docs"), "not loaded: GetLoadState: LoadStateNotLoad")
	})
}

// TestPoll_UnclearFailure_IsSettledByGetLoadState covers polls whose failure has no clear
// code. GetLoadState decides, unless it fails itself: its response then reads as NotExist, as
// does a failed lookup of the name.
func TestPoll_UnclearFailure_IsSettledByGetLoadState(t *testing.T) {
	t.Parallel()
	const (
		unloaded = "collection 47 has not been loaded to memory or load failed"
		oom      = "load segment failed, OOM if load, maxSegmentSize=1024"
	)

	tests := []struct {
		name        string
		answer      *statusBody
		status      *statusBody // response of GetLoadState; nil: it must not be called
		state       wire.LoadState
		load, index error
	}{
		{"not there", &statusBody{ErrorCode: 1, Reason: "what?"}, ok, notExist, milvuswait.ErrCollectionNotFound, milvuswait.ErrCollectionNotFound},
		{"not loaded", &statusBody{ErrorCode: 1, Reason: unloaded}, ok, notLoad, milvuswait.ErrNotLoaded, errTransient},
		{"loading meanwhile", &statusBody{ErrorCode: 1, Reason: unloaded}, ok, loading, errTransient, errTransient},
		{"loaded meanwhile", &statusBody{ErrorCode: 1, Reason: unloaded}, ok, loaded, errTransient, errTransient},
		{"out of memory", &statusBody{ErrorCode: 1, Code: 65535, Reason: oom}, ok, notLoad, milvuswait.ErrLoadFailed, errTransient},
		{"out of memory, and so is GetLoadState", &statusBody{ErrorCode: 1, Code: 65535, Reason: oom}, &statusBody{ErrorCode: 1, Code: 65535, Reason: oom}, notExist, milvuswait.ErrLoadFailed, errTransient},
		{"GetLoadState fails, which reads as NotExist", &statusBody{ErrorCode: 1, Reason: "what?"}, &statusBody{Code: 1}, notExist, errTransient, errTransient},
		{"GetLoadState fails, but the text tells", nope2216, &statusBody{Code: 1}, notExist, milvuswait.ErrCollectionNotFound, milvuswait.ErrCollectionNotFound},
		{"GetLoadState has no permission", &statusBody{ErrorCode: 1, Reason: "what?"}, &statusBody{Code: 1401}, notExist, errTransient, errTransient},
		{"the coordinator is away", &statusBody{ErrorCode: 1, Reason: "find no available rootcoord, check rootcoord state"}, nil, notExist, errTransient, errTransient},
		{"the coordinator is slow", &statusBody{ErrorCode: 1, Reason: "rpc error: code = DeadlineExceeded desc = context deadline exceeded"}, nil, notExist, errTransient, errTransient},
		{"the proxy starts", &statusBody{ErrorCode: 1, Reason: "proxy 5 is not ready"}, nil, notExist, errTransient, errTransient},
		{"a lookup that failed on a server with codes", &statusBody{ErrorCode: 1, Code: 65535, Reason: "what?"}, ok, notExist, errTransient, errTransient},
		{"not loaded, by code", &statusBody{Code: 101}, nil, notExist, milvuswait.ErrNotLoaded, errTransient},
	}

	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, states := answering(tt.answer, nil), 0
			s.state = func(context.Context, *stateRequest, ...grpc.CallOption) (*stateResponse, error) {
				states++
				return &stateResponse{Status: tt.status, State: tt.state}, nil
			}
			p := rpc.FromStub(s)

			want := 0
			if tt.status != nil {
				want = 1
			}

			_, err := p.LoadingProgress(t.Context(), "docs")
			requireClass(t, tt.load, err)
			require.Equal(t, want, states)

			_, err = p.IndexBuildingProgress(t.Context(), "docs", "vec")
			requireClass(t, tt.index, err)
			require.Equal(t, 2*want, states)
		})
	}
}

// TestConcurrentUse polls one Poller from 16 goroutines, for the race detector. Each round
// makes four calls: one for the index, and three for the load and its state.
func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &server{
			Loading: func(context.Context, *loadingRequest) (*loadingResponse, error) {
				return &loadingResponse{Status: nope2216}, nil
			},
			State: func(context.Context, *stateRequest) (*stateResponse, error) {
				return &stateResponse{Status: ok, State: notExist}, nil
			},
			Index: func(context.Context, *indexRequest) (*indexResponse, error) {
				return &indexResponse{Status: ok, IndexDescriptions: []*description{rows("v", finished, 1, 1, 0)}}, nil
			},
		}
		p := rpc.New(connect(t, s))

		var group sync.WaitGroup
		failures := make([][]error, 16)

		for i := range failures {
			group.Go(func() {
				for range 10 {
					_, loadingErr := p.LoadingProgress(t.Context(), "docs")
					_, indexErr := p.IndexBuildingProgress(t.Context(), "docs", "")
					failures[i] = append(failures[i], loadingErr, p.CheckLoadState(t.Context(), "docs"))
					if indexErr != nil {
						failures[i] = append(failures[i], indexErr)
					}
				}
			})
		}
		group.Wait()

		for _, errs := range failures {
			require.Len(t, errs, 20)
			for _, err := range errs {
				require.ErrorIs(t, err, milvuswait.ErrCollectionNotFound)
			}
		}

		require.Len(t, s.Calls(), 16*10*4)
	})
}

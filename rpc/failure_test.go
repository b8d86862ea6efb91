package rpc_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/rpc"
)

// polls holds the methods of a Poller. The key is the first RPC of the method.
var polls = map[string]func(context.Context, *rpc.Poller) error{
	loadingCall: func(ctx context.Context, p *rpc.Poller) error {
		_, err := p.LoadingProgress(ctx, "docs")
		return err
	},
	stateCall: func(ctx context.Context, p *rpc.Poller) error {
		return p.CheckLoadState(ctx, "docs")
	},
	indexCall: func(ctx context.Context, p *rpc.Poller) error {
		_, err := p.IndexBuildingProgress(ctx, "docs", "")
		return err
	},
	listCall: func(ctx context.Context, p *rpc.Poller) error {
		_, err := p.ListLoading(ctx)
		return err
	},
}

// optionalPolls holds the methods of a Poller whose calls a server may lack.
var optionalPolls = map[string]func(context.Context, *rpc.Poller) error{
	segmentsCall: func(ctx context.Context, p *rpc.Poller) error {
		_, err := p.UnflushedSegments(ctx, "docs")
		return err
	},
	flushCall: func(ctx context.Context, p *rpc.Poller) error {
		_, err := p.FlushDone(ctx, "docs", milvuswait.FlushMark{})
		return err
	},
	importCall: func(ctx context.Context, p *rpc.Poller) error {
		_, err := p.ImportProgress(ctx, 7)
		return err
	},
	compactionCall: func(ctx context.Context, p *rpc.Poller) error {
		_, err := p.CompactionProgress(ctx, 7)
		return err
	},
	queryCall: func(ctx context.Context, p *rpc.Poller) error {
		return p.FindRow("id == 7")(ctx, milvuswait.Loading("docs"))
	},
}

// allPolls holds polls and optionalPolls.
func allPolls() map[string]func(context.Context, *rpc.Poller) error {
	all := maps.Clone(polls)
	maps.Copy(all, optionalPolls)
	return all
}

// absentCollection returns the error of a poll if the server reports that there is no
// collection. Jobs belong to none: such a failure of theirs has another cause.
func absentCollection(method string) error {
	if method == importCall || method == compactionCall {
		return errTransient
	}
	return milvuswait.ErrCollectionNotFound
}

// eachPoll runs f as a subtest for each of allPolls.
func eachPoll(t *testing.T, f func(t *testing.T, method string, poll func(context.Context, *rpc.Poller) error)) {
	t.Helper()
	for method, poll := range allPolls() {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			f(t, method, poll)
		})
	}
}

// TestBothCodesCount shows that a code, an error_code, or both identify a failure. Milvus
// 2.2 sends only error_code.
func TestBothCodesCount(t *testing.T) {
	t.Parallel()
	eachPoll(t, func(t *testing.T, method string, poll func(context.Context, *rpc.Poller) error) {
		for _, st := range []*statusBody{{Code: 100}, {ErrorCode: 4}, {Code: 100, ErrorCode: 4}} {
			err := poll(t.Context(), rpc.FromStub(answering(st, nil)))

			requireClass(t, absentCollection(method), err)
			var reported *milvuswait.ServerError
			require.ErrorAs(t, err, &reported)
			require.Equal(t, &milvuswait.ServerError{Code: st.Code, LegacyCode: int32(st.ErrorCode), Method: method}, reported)
		}
	})
}

// TestMalformedAnswers covers responses without a message or a status. They are transient:
// a proxy between client and server may have produced them.
func TestMalformedAnswers(t *testing.T) {
	t.Parallel()
	t.Run("no message", func(t *testing.T) {
		t.Parallel()
		p := rpc.FromStub(&stub{
			loading: func(context.Context, *loadingRequest, ...grpc.CallOption) (*loadingResponse, error) { return nil, nil },
			state:   func(context.Context, *stateRequest, ...grpc.CallOption) (*stateResponse, error) { return nil, nil },
			index:   func(context.Context, *indexRequest, ...grpc.CallOption) (*indexResponse, error) { return nil, nil },
			list:    func(context.Context, *listRequest, ...grpc.CallOption) (*listResponse, error) { return nil, nil },

			segments:   always[segmentsRequest, segmentsResponse](nil, nil),
			flush:      always[flushRequest, flushResponse](nil, nil),
			imports:    always[importRequest, importResponse](nil, nil),
			compaction: always[compactionRequest, compactionResponse](nil, nil),
			query:      always[queryRequest, queryResponse](nil, nil),
		})

		for method, poll := range allPolls() {
			err := poll(t.Context(), p)

			requireClass(t, errTransient, err)
			require.ErrorIs(t, err, rpc.ErrMalformed)
			require.EqualError(t, err, method+": malformed answer: no message")
		}
	})

	t.Run("no status", func(t *testing.T) {
		t.Parallel()
		for method, poll := range allPolls() {
			err := poll(t.Context(), rpc.FromStub(answering(nil, nil)))

			requireClass(t, errTransient, err)
			require.ErrorIs(t, err, rpc.ErrMalformed)
			require.EqualError(t, err, method+": malformed answer: no status")
		}
	})

	t.Run("an empty message from the wire", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			s := &server{
				Loading: func(context.Context, *loadingRequest) (*loadingResponse, error) { return &loadingResponse{}, nil },
				State:   func(context.Context, *stateRequest) (*stateResponse, error) { return &stateResponse{}, nil },
				Index:   func(context.Context, *indexRequest) (*indexResponse, error) { return &indexResponse{}, nil },
				List:    func(context.Context, *listRequest) (*listResponse, error) { return &listResponse{}, nil },
			}

			p := rpc.New(connect(t, s))
			for _, poll := range polls {
				require.ErrorIs(t, poll(t.Context(), p), rpc.ErrMalformed)
			}

			require.Len(t, s.Calls(), 4)
		})
	})
}

// TestLite24_LoadWithoutStatus_IsPermanent replays GetLoadingProgress of milvus-lite 2.4.12,
// which is the same for every collection. Progress below 100 % without a status is not from
// there, and transient.
func TestLite24_LoadWithoutStatus_IsPermanent(t *testing.T) {
	t.Parallel()
	for percent, want := range map[int64]error{100: errPermanent, 99: errTransient, 0: errTransient} {
		s := answering(nil, nil)
		s.loading = func(context.Context, *loadingRequest, ...grpc.CallOption) (*loadingResponse, error) {
			return &loadingResponse{Progress: percent}, nil
		}

		err := polls[loadingCall](t.Context(), rpc.FromStub(s))

		requireClass(t, want, err)
		require.ErrorIs(t, err, rpc.ErrMalformed)
		if percent == 100 {
			require.EqualError(t, err, "GetLoadingProgress: malformed answer: 100 % without a status, "+
				"as milvus-lite 2.4 reports for every collection: milvus-lite 3.0 or newer is needed")
		}
	}
}

// TestServerErrorIsWhole compares the ServerError with the status of the response. Detail
// replaces Reason if it contains it, and control characters are removed.
func TestServerErrorIsWhole(t *testing.T) {
	t.Parallel()
	st := &statusBody{
		ErrorCode: 1, Code: 101, Retriable: true,
		Reason: "collection not loaded[collection=5]",
		Detail: "load segment failed\x1b[2J, OOM if load:\ncollection not loaded[collection=5]",
	}

	_, err := rpc.FromStub(answering(st, nil)).LoadingProgress(t.Context(), "docs")

	requireClass(t, milvuswait.ErrLoadFailed, err)
	var reported *milvuswait.ServerError
	require.ErrorAs(t, err, &reported)
	require.Equal(t, &milvuswait.ServerError{
		Code: 101, LegacyCode: 1, Retriable: true, Method: loadingCall,
		Reason: "load segment failed[2J, OOM if load: collection not loaded[collection=5]",
	}, reported)
	require.EqualError(t, err, "load failed: GetLoadingProgress: load segment failed[2J, OOM if load: collection not loaded[collection=5] (code 101)")

	st.Detail = "something else"
	_, err = rpc.FromStub(answering(st, nil)).LoadingProgress(t.Context(), "docs")
	require.EqualError(t, err, "not loaded: GetLoadingProgress: collection not loaded[collection=5] (code 101)")
}

// TestCallErrors covers errors of a call instead of a response. No gRPC error matches a
// context error while the context of the poll is alive.
func TestCallErrors(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		err  error
		want error
		code codes.Code
		text string // error text after the name of the method
	}{
		{"unavailable", status.Error(codes.Unavailable, "connection refused"), errTransient, codes.Unavailable, "unavailable: connection refused"},
		{"another deadline", status.Error(codes.DeadlineExceeded, "slow"), errTransient, codes.DeadlineExceeded, "deadline exceeded: slow"},
		{"canceled elsewhere", status.Error(codes.Canceled, "drained"), errTransient, codes.Canceled, "canceled: drained"},
		{"closed client", status.Error(codes.Canceled, "grpc: the client connection is closing"), milvuswait.ErrInvalid, codes.Canceled, "canceled: grpc: the client connection is closing"},
		{"starting proxy", status.Error(codes.Unknown, "Milvus Proxy is not ready yet. please wait"), errTransient, codes.Unknown, "unknown: Milvus Proxy is not ready yet. please wait"},
		{"bad credentials on 2.2", status.Error(codes.Unknown, "auth check failure, please check username and password are correct"), errPermanent, codes.Unknown, "unknown: auth check failure, please check username and password are correct"},
		{"throttled", status.Error(codes.ResourceExhausted, "slow down"), errTransient, codes.ResourceExhausted, "resource exhausted: slow down"},
		{"no permission", status.Error(codes.PermissionDenied, "no"), errPermanent, codes.PermissionDenied, "permission denied: no"},
		{"bad credentials", status.Error(codes.Unauthenticated, "no"), errPermanent, codes.Unauthenticated, "unauthenticated: no"},
		{"no such RPC", status.Error(codes.Unimplemented, "unknown method"), errPermanent, codes.Unimplemented, "unimplemented: unknown method"},
		{"wrapped by an interceptor", fmt.Errorf("tracing: %w", status.Error(codes.PermissionDenied, "no")), errPermanent, codes.PermissionDenied, "permission denied: tracing: rpc error: code = PermissionDenied desc = no"},
		{"not of gRPC", io.ErrUnexpectedEOF, errTransient, codes.Unknown, "unknown: unexpected EOF"},
		{"a bare context error", context.DeadlineExceeded, errTransient, codes.DeadlineExceeded, "deadline exceeded: context deadline exceeded"},
		{"an error that says OK", okError{}, errTransient, codes.Unknown, "unknown: odd"},
		{"dirty text", status.Error(codes.Unavailable, "a\x1b]0;x\a\nb\u202ec"), errTransient, codes.Unavailable, "unavailable: a]0;x bc"},
		{"an unknown code", status.Error(codes.Code(99), "odd"), errTransient, codes.Code(99), "code(99): odd"},
	}

	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			eachPoll(t, func(t *testing.T, method string, poll func(context.Context, *rpc.Poller) error) {
				err := poll(t.Context(), rpc.FromStub(answering(nil, tt.err)))

				if _, optional := optionalPolls[method]; optional && tt.code == codes.Unimplemented {
					require.ErrorIs(t, err, errors.ErrUnsupported)
					require.EqualError(t, err, "unsupported operation: "+method+": "+tt.text)
					return
				}
				requireClass(t, tt.want, err)
				require.EqualError(t, err, method+": "+tt.text)
				require.Equal(t, tt.code, status.Code(err))
				require.NotErrorIs(t, err, context.DeadlineExceeded)
				require.NotErrorIs(t, err, context.Canceled)
			})
		})
	}
}

// okError is an error whose gRPC status is OK.
type okError struct{}

func (okError) Error() string              { return "odd" }
func (okError) GRPCStatus() *status.Status { return status.New(codes.OK, "") }

func TestCallError_Details_AreRemoved(t *testing.T) {
	t.Parallel()
	st, err := status.New(codes.Unavailable, "down").WithDetails(&errdetails.DebugInfo{Detail: strings.Repeat("x", 1<<20)})
	require.NoError(t, err)

	_, err = rpc.FromStub(answering(nil, st.Err())).LoadingProgress(t.Context(), "docs")

	got, ok := status.FromError(err)
	require.True(t, ok)
	require.Equal(t, codes.Unavailable, got.Code())
	require.Empty(t, got.Details())
}

// TestCallError_Method_NamesTheRPC shows how a wait finds out which call failed, also if
// the context of the poll is done.
func TestCallError_Method_NamesTheRPC(t *testing.T) {
	t.Parallel()
	done, cancel := context.WithCancel(t.Context())
	cancel()

	for _, ctx := range []context.Context{t.Context(), done} {
		for method, poll := range allPolls() {
			err := poll(ctx, rpc.FromStub(answering(nil, status.Error(codes.Unavailable, "away"))))

			var call interface {
				error
				Method() string
			}
			require.ErrorAs(t, err, &call)
			require.Equal(t, method, call.Method())
		}
	}
}

// overdue is a context whose deadline has passed, and whose timer has not fired yet.
type overdue struct{ context.Context }

func (overdue) Deadline() (time.Time, bool) { return time.Now(), true }

// endedStream is a connection to a server that ends every call at its deadline.
type endedStream struct{ grpc.ClientConnInterface }

func (endedStream) Invoke(context.Context, string, any, any, ...grpc.CallOption) error {
	return status.Error(codes.DeadlineExceeded, "stream terminated by RST_STREAM with error code: CANCEL")
}

func TestPoll_ServerEndsItAtTheDeadline_MatchesDeadlineExceeded(t *testing.T) {
	_, err := rpc.New(endedStream{}).LoadingProgress(overdue{t.Context()}, "docs")

	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorContains(t, err, "GetLoadingProgress: deadline exceeded: stream terminated by RST_STREAM")
}

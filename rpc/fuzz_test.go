package rpc_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/internal/untrusted"
	"github.com/milvuswait/milvuswait/internal/verdict"
	"github.com/milvuswait/milvuswait/internal/wire"
	"github.com/milvuswait/milvuswait/rpc"
)

// FuzzAnswer gives any response to every call of a Poller: a message with any status, one
// without a status, no message, or a gRPC error. The result is a progress or an error.
// The error is transient or of a single class, the same for the same response, and its
// text is clean.
func FuzzAnswer(f *testing.F) {
	const status, noStatus, noMessage, call = 0, 1, 2, 3

	f.Add(uint8(status), int32(0), int32(0), "", "", true, uint32(0), int32(3), int64(40), int64(100))
	f.Add(uint8(status), int32(0), int32(1), "can't find collection\x1b", "\xff", false, uint32(0), int32(0), int64(-1), int64(1<<62))
	f.Add(uint8(status), int32(101), int32(1), "collection not loaded[collection=5]", "oom: collection not loaded[collection=5]", false, uint32(0), int32(2), int64(0), int64(0))
	f.Add(uint8(noStatus), int32(0), int32(0), "", "", false, uint32(0), int32(-1), int64(0), int64(0))
	f.Add(uint8(noMessage), int32(0), int32(0), "", "", false, uint32(0), int32(17), int64(0), int64(0))
	f.Add(uint8(call), int32(0), int32(0), "auth check failure\u202e", "", false, uint32(codes.Unknown), int32(1), int64(0), int64(0))
	f.Add(uint8(call), int32(0), int32(0), "ok?", "", false, uint32(codes.OK), int32(1), int64(0), int64(0))

	f.Fuzz(func(t *testing.T, how uint8, code, legacy int32, reason, detail string, retriable bool, callCode uint32, state int32, a, b int64) {
		said := wire.Status{Code: code, ErrorCode: wire.ErrorCode(legacy), Reason: reason, Detail: detail, Retriable: retriable}
		p := rpc.FromStub(anything(how%4, &said, codes.Code(callCode), state, a, b))

		for method, poll := range polls {
			err := poll(context.Background(), p)

			again := poll(context.Background(), p)

			if err == nil {
				require.NoError(t, again)
				require.Contains(t, []uint8{status, call}, how%4)
				require.True(t, how%4 == call && callCode == 0 || code == 0 && legacy == 0, "%s took a failure for success", method)
				continue
			}

			require.EqualError(t, again, err.Error())
			require.Equal(t, verdict.Ends(err), verdict.Ends(again))
			requireOneClass(t, err)
			requireClean(t, err)
		}
	})
}

// anything returns a stub that gives the same response to every call. This includes
// GetLoadState, so that any state settles the open failures.
func anything(how uint8, st *statusBody, code codes.Code, state int32, a, b int64) *stub {
	err := error(nil)

	switch how {
	case 1:
		st = nil
	case 3:
		err = status.Error(code, st.Reason)
		st = &statusBody{}
	}

	return &stub{
		loading: func(context.Context, *loadingRequest, ...grpc.CallOption) (*loadingResponse, error) {
			return unless(how == 2, &loadingResponse{Status: st, Progress: a, RefreshProgress: b}), err
		},
		state: func(context.Context, *stateRequest, ...grpc.CallOption) (*stateResponse, error) {
			return unless(how == 2, &stateResponse{Status: st, State: wire.LoadState(state)}), err
		},
		index: func(context.Context, *indexRequest, ...grpc.CallOption) (*indexResponse, error) {
			one := &description{IndexName: "v", TotalRows: a, IndexedRows: b, State: wire.IndexState(state)}
			return unless(how == 2, &indexResponse{Status: st, IndexDescriptions: []*wire.IndexDescription{one, one}[:1+state&1]}), err
		},
		list: func(context.Context, *listRequest, ...grpc.CallOption) (*listResponse, error) {
			return unless(how == 2, &listResponse{Status: st, CollectionNames: []string{"docs"}, InMemoryPercentages: []int64{a}}), err
		},
	}
}

// unless returns answer, or nil if none is true.
func unless[T any](none bool, answer *T) *T {
	if none {
		return nil
	}
	return answer
}

// requireOneClass asserts that err matches at most one sentinel of a Poller, that such an
// err ends a wait, and that err matches no sentinel of the waits themselves.
func requireOneClass(t *testing.T, err error) {
	t.Helper()
	n := 0
	for _, sentinel := range []error{
		milvuswait.ErrCollectionNotFound, milvuswait.ErrPartitionNotFound, milvuswait.ErrIndexNotFound, milvuswait.ErrDatabaseNotFound,
		milvuswait.ErrAmbiguousIndex, milvuswait.ErrNotLoaded, milvuswait.ErrLoadFailed, milvuswait.ErrInvalid,
	} {
		if errors.Is(err, sentinel) {
			n++
		}
	}

	require.LessOrEqual(t, n, 1, "%v", err)
	if n == 1 {
		require.True(t, verdict.Ends(err), "%v", err)
	}

	for _, other := range []error{
		milvuswait.ErrReleased, milvuswait.ErrIndexFailed, milvuswait.ErrStalled, milvuswait.ErrUnreachable, milvuswait.ErrAborted,
		context.DeadlineExceeded, context.Canceled,
	} {
		require.NotErrorIs(t, err, other)
	}
}

// requireClean asserts that the text of err is valid UTF-8 without control characters,
// and at most 256 bytes longer than the longest text of a server.
func requireClean(t *testing.T, err error) {
	t.Helper()
	text := err.Error()
	require.True(t, utf8.ValidString(text))
	require.False(t, strings.ContainsFunc(text, func(r rune) bool { return unicode.In(r, unicode.C, unicode.Zl, unicode.Zp) }), "%q", text)
	require.LessOrEqual(t, len(text), untrusted.MaxText+256)

	var said *milvuswait.ServerError
	if errors.As(err, &said) {
		require.Equal(t, said.Reason, untrusted.Text(said.Reason))
	}
}

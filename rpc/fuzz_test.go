package rpc_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
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
		reported := wire.Status{Code: code, ErrorCode: wire.ErrorCode(legacy), Reason: reason, Detail: detail, Retriable: retriable}
		p := rpc.FromStub(anything(how%4, &reported, codes.Code(callCode), state, a, b))

		for method, poll := range answered() {
			err := poll(context.Background(), p)

			again := poll(context.Background(), p)

			if err == nil {
				require.NoError(t, again)
				require.Contains(t, []uint8{status, call}, how%4)
				require.True(t, how%4 == call && callCode == 0 || code == 0 && legacy == 0, "%s took a failure for success", method)
				continue
			}
			if class := sentinelOf(t, err); class != nil {
				require.NotContains(t, neverOf[method], class)
			}

			require.EqualError(t, again, err.Error())
			require.Equal(t, verdict.Ends(err), verdict.Ends(again))
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

	one := &description{IndexName: "v", TotalRows: a, IndexedRows: b, State: wire.IndexState(state)}
	return &stub{
		loading: always[loadingRequest](unless(how == 2, &loadingResponse{Status: st, Progress: a, RefreshProgress: b}), err),
		state:   always[stateRequest](unless(how == 2, &stateResponse{Status: st, State: wire.LoadState(state)}), err),
		index:   always[indexRequest](unless(how == 2, &indexResponse{Status: st, IndexDescriptions: []*description{one, one}[:1+state&1]}), err),
		list:    always[listRequest](unless(how == 2, &listResponse{Status: st, CollectionNames: []string{"docs"}, InMemoryPercentages: []int64{a}}), err),

		segments: always[segmentsRequest](unless(how == 2, &segmentsResponse{Status: st, Infos: []*segment{{SegmentID: a, State: wire.SegmentState(state)}}}), err),
		flush:    always[flushRequest](unless(how == 2, &flushResponse{Status: st, Flushed: a == b}), err),
		imports: always[importRequest](unless(how == 2, &importResponse{
			Status: st, State: wire.ImportState(state), RowCount: b, Infos: infos("failed_reason", st.GetReason(), "progress_percent", strconv.FormatInt(a, 10)),
		}), err),
		compaction: always[compactionRequest](unless(how == 2, &compactionResponse{Status: st, State: wire.CompactionState(state), ExecutingPlanNo: a, FailedPlanNo: b}), err),
		query:      always[queryRequest](unless(how == 2, &queryResponse{Status: st, FieldsData: []*wire.FieldData{int64s("id", a)}}), err),
	}
}

// answered returns the polls of FuzzAnswer, by name.
func answered() map[string]func(context.Context, *rpc.Poller) error {
	all := allPolls()
	all["CheckServer"] = func(ctx context.Context, p *rpc.Poller) error {
		if err := p.CheckServer(ctx); err != nil {
			return err
		}
		_, err := p.ListLoading(ctx) // CheckServer takes a missing database for a success
		if errors.Is(err, milvuswait.ErrDatabaseNotFound) {
			return err
		}
		return nil
	}
	return all
}

// neverOf holds the errors that polls never return, whatever the server reports.
var neverOf = map[string][]error{
	loadingCall:    {milvuswait.ErrJobNotFound},
	stateCall:      {milvuswait.ErrJobNotFound},
	listCall:       {milvuswait.ErrJobNotFound},
	indexCall:      {milvuswait.ErrJobNotFound, milvuswait.ErrNotLoaded, milvuswait.ErrLoadFailed, milvuswait.ErrPartitionNotFound},
	segmentsCall:   {milvuswait.ErrJobNotFound, milvuswait.ErrNotLoaded, milvuswait.ErrLoadFailed, milvuswait.ErrPartitionNotFound, milvuswait.ErrIndexNotFound, milvuswait.ErrAmbiguousIndex},
	flushCall:      {milvuswait.ErrJobNotFound, milvuswait.ErrNotLoaded, milvuswait.ErrLoadFailed, milvuswait.ErrPartitionNotFound, milvuswait.ErrIndexNotFound, milvuswait.ErrAmbiguousIndex},
	importCall:     {milvuswait.ErrCollectionNotFound, milvuswait.ErrNotLoaded, milvuswait.ErrLoadFailed, milvuswait.ErrPartitionNotFound, milvuswait.ErrIndexNotFound, milvuswait.ErrAmbiguousIndex},
	compactionCall: {milvuswait.ErrJobNotFound, milvuswait.ErrCollectionNotFound, milvuswait.ErrNotLoaded, milvuswait.ErrLoadFailed, milvuswait.ErrPartitionNotFound, milvuswait.ErrIndexNotFound, milvuswait.ErrAmbiguousIndex},
	queryCall:      {milvuswait.ErrJobNotFound, milvuswait.ErrLoadFailed, milvuswait.ErrIndexNotFound, milvuswait.ErrAmbiguousIndex},
	"CheckServer":  {milvuswait.ErrJobNotFound, milvuswait.ErrCollectionNotFound, milvuswait.ErrNotLoaded, milvuswait.ErrLoadFailed, milvuswait.ErrPartitionNotFound, milvuswait.ErrIndexNotFound, milvuswait.ErrAmbiguousIndex},
}

// unless returns answer, or nil if none is true.
func unless[T any](none bool, answer *T) *T {
	if none {
		return nil
	}
	return answer
}

// sentinelOf returns the sentinel that err matches, or nil. It asserts that err matches at
// most one sentinel of a Poller, that such an err ends a wait, and that err matches no
// sentinel of the waits themselves.
func sentinelOf(t *testing.T, err error) error {
	t.Helper()
	var matched []error
	for _, sentinel := range []error{
		milvuswait.ErrCollectionNotFound, milvuswait.ErrPartitionNotFound, milvuswait.ErrIndexNotFound, milvuswait.ErrDatabaseNotFound,
		milvuswait.ErrAmbiguousIndex, milvuswait.ErrNotLoaded, milvuswait.ErrLoadFailed, milvuswait.ErrInvalid,
		milvuswait.ErrJobNotFound,
	} {
		if errors.Is(err, sentinel) {
			matched = append(matched, sentinel)
		}
	}

	for _, other := range []error{
		milvuswait.ErrReleased, milvuswait.ErrIndexFailed, milvuswait.ErrJobFailed, milvuswait.ErrStalled, milvuswait.ErrUnreachable, milvuswait.ErrAborted,
		context.DeadlineExceeded, context.Canceled,
	} {
		require.NotErrorIs(t, err, other)
	}

	require.LessOrEqual(t, len(matched), 1, "%v", err)
	if len(matched) == 0 {
		return nil
	}
	require.True(t, verdict.Ends(err), "%v", err)
	return matched[0]
}

// requireClean asserts that the text of err is valid UTF-8 without control characters,
// and at most 256 bytes longer than the longest text of a server.
func requireClean(t *testing.T, err error) {
	t.Helper()
	text := err.Error()
	require.True(t, utf8.ValidString(text))
	require.False(t, strings.ContainsFunc(text, func(r rune) bool { return unicode.In(r, unicode.C, unicode.Zl, unicode.Zp) }), "%q", text)
	require.LessOrEqual(t, len(text), untrusted.MaxText+256)

	var reported *milvuswait.ServerError
	if errors.As(err, &reported) {
		require.Equal(t, reported.Reason, untrusted.Text(reported.Reason))
	}
}

package faults_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/internal/milvustest"
	"github.com/milvuswait/milvuswait/internal/wire"
	"github.com/milvuswait/milvuswait/rpc"
)

const (
	unexpected = wire.ErrorCode_UnexpectedError
	none       = wire.ErrorCode_Success
)

// third lists failed third responses of a server, after two successful ones. All of them
// also contain 100 %, which the wait must ignore.
var third = []struct {
	name   string
	answer answer
	want   error // nil: the wait continues
}{
	{"Canceled", refused(codes.Canceled, "drained"), nil},
	{"Unknown", refused(codes.Unknown, "what?"), nil},
	{"Unknown, a proxy that starts", refused(codes.Unknown, "Milvus Proxy is not ready yet. please wait"), nil},
	{"Unknown, credentials on 2.2", refused(codes.Unknown, "auth check failure, please check username and password are correct"), milvustest.ErrPermanent},
	{"InvalidArgument", refused(codes.InvalidArgument, "no"), milvuswait.ErrInvalid},
	{"DeadlineExceeded", refused(codes.DeadlineExceeded, "slow coordinator"), nil},
	{"NotFound", refused(codes.NotFound, "no"), milvustest.ErrPermanent},
	{"AlreadyExists", refused(codes.AlreadyExists, "no"), milvustest.ErrPermanent},
	{"PermissionDenied", refused(codes.PermissionDenied, "expired"), milvustest.ErrPermanent},
	{"ResourceExhausted", refused(codes.ResourceExhausted, "slow down"), nil},
	{"FailedPrecondition", refused(codes.FailedPrecondition, "no"), milvustest.ErrPermanent},
	{"Aborted", refused(codes.Aborted, "again"), nil},
	{"OutOfRange", refused(codes.OutOfRange, "no"), nil},
	{"Unimplemented", refused(codes.Unimplemented, "method not implemented"), milvustest.ErrPermanent},
	{"Internal", refused(codes.Internal, "boom"), nil},
	{"Unavailable, a leader switch", refused(codes.Unavailable, "leader switch"), nil},
	{"DataLoss", refused(codes.DataLoss, "gone"), nil},
	{"Unauthenticated", refused(codes.Unauthenticated, "expired"), milvustest.ErrPermanent},
	{"a code that does not exist", refused(codes.Code(99), "odd"), nil},

	{"not ready", rejected(1, wire.ErrorCode_NotReadyServe, "service not ready"), nil},
	{"not ready, on 2.2", rejected(0, wire.ErrorCode_NotReadyServe, "service not ready"), nil},
	{"a leader switch of a coordinator", rejected(65535, unexpected, "rpc error: code = Unavailable desc = leader switch"), nil},
	{"node lost", rejected(901, unexpected, "node not found"), nil},
	{"rate limit", rejected(8, wire.ErrorCode_RateLimit, "rate limit exceeded"), nil},
	{"rate limit, by error_code alone", rejected(0, wire.ErrorCode_RateLimit, "rate limit exceeded"), nil},
	{"quota", rejected(9, wire.ErrorCode_ForceDeny, "quota exceeded"), nil},
	{"canceled by the server", rejected(10000, unexpected, "context canceled"), nil},
	{"timed out on the server", rejected(10001, unexpected, "context deadline exceeded"), nil},
	{"a code of tomorrow", rejected(4711, none, "what?"), nil},
	{"no status", answer{percent: 100, blank: true}, nil},

	{"collection gone, by code alone", rejected(100, none, ""), milvuswait.ErrCollectionNotFound},
	{"collection gone, by error_code alone", rejected(0, wire.ErrorCode_CollectionNotExists, ""), milvuswait.ErrCollectionNotFound},
	{"database gone", rejected(800, none, ""), milvuswait.ErrDatabaseNotFound},
	{"not authenticated", rejected(1400, unexpected, "expired"), milvustest.ErrPermanent},
	{"privilege not permitted", rejected(1401, unexpected, "expired"), milvustest.ErrPermanent},
	{"permission denied, on 2.2", rejected(0, wire.ErrorCode_PermissionDenied, "expired"), milvustest.ErrPermanent},
	{"parameter invalid", rejected(1100, wire.ErrorCode_IllegalArgument, "no"), milvuswait.ErrInvalid},
}

// TestAnswersInTheMiddleOfAWait_Once shows for each failure whether the wait survives one of
// them, and that the failure keeps the server's code and text. Only a failure that cannot be
// a stale view ends it.
func TestAnswersInTheMiddleOfAWait_Once(t *testing.T) {
	for _, tt := range third {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			inBubbles(t, func(_ context.Context, n int) answer {
				switch {
				case n < 3:
					return percent(40)
				case n == 3:
					return tt.answer
				}
				return percent(100)
			}, func(t *testing.T, r *rig) {
				r.settles()

				err := r.run(t.Context())

				require.NotErrorIs(t, err, context.Canceled)
				require.NotErrorIs(t, err, context.DeadlineExceeded)
				if tt.want != milvuswait.ErrInvalid {
					require.NoError(t, err)
					require.Len(t, r.server.seen(), 4)
					require.Len(t, r.failures(), 1)
					err = r.failures()[0]
					require.NotErrorIs(t, err, context.Canceled)
					require.NotErrorIs(t, err, context.DeadlineExceeded)
				} else {
					requireEnded(t, tt.want, err, 3)
					require.Empty(t, r.failures())
				}

				requireKept(t, tt.answer, err)
			})
		})
	}
}

// TestAnswersInTheMiddleOfAWait_ForGood repeats each permanent failure: it ends the wait once
// it is confirmed, an absent collection after 100 ms and a refusal after 30 s.
func TestAnswersInTheMiddleOfAWait_ForGood(t *testing.T) {
	for _, tt := range third {
		if tt.want == nil {
			continue
		}

		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			inBubbles(t, func(_ context.Context, n int) answer {
				if n < 3 {
					return percent(40)
				}
				return tt.answer
			}, func(t *testing.T, r *rig) {
				r.settles()

				err := r.run(t.Context())

				polls := 3
				switch tt.want {
				case milvuswait.ErrInvalid:
				case milvustest.ErrPermanent:
					polls = len(r.server.seen())
					require.Greater(t, polls, 4)
				default:
					polls = 4
				}
				requireEnded(t, tt.want, err, polls)
				require.Len(t, r.server.seen(), polls)
				require.Len(t, r.failures(), polls-3)
				requireKept(t, tt.answer, err)
			})
		})
	}
}

// requireEnded asserts that err is of the class and of a wait with so many polls.
func requireEnded(t *testing.T, class, err error, polls int) {
	t.Helper()
	milvustest.RequireClass(t, class, err)
	var ended *milvuswait.Error
	require.ErrorAs(t, err, &ended)
	require.Equal(t, polls, ended.Polls)
	require.NotNil(t, ended.Last)
}

// settles makes GetLoadState report that "docs" is loading. A failure without a clear code is
// transient then.
func (r *rig) settles() {
	r.server.State = loadState(wire.LoadState_LoadStateLoading)
}

// requireKept asserts that err has the server's code and text.
func requireKept(t *testing.T, a answer, err error) {
	t.Helper()
	var reported *milvuswait.ServerError
	switch {
	case a.blank:
		require.ErrorIs(t, err, rpc.ErrMalformed)
	case a.err != nil:
		require.Equal(t, status.Code(a.err), status.Code(err))
		require.ErrorContains(t, err, status.Convert(a.err).Message())
	default:
		require.ErrorAs(t, err, &reported)
		require.Equal(t, []any{a.status.Code, int32(a.status.ErrorCode), a.status.Reason}, []any{reported.Code, reported.LegacyCode, reported.Reason})
	}
}

// TestServersOwnContextErrors has a server whose own context ends in every poll. The error of
// the wait does not match a context error, since its context is alive.
func TestServersOwnContextErrors(t *testing.T) {
	for _, code := range []codes.Code{codes.Canceled, codes.DeadlineExceeded} {
		t.Run(code.String(), func(t *testing.T) {
			t.Parallel()
			inBubbles(t, func(context.Context, int) answer { return refused(code, "proxy") }, func(t *testing.T, r *rig) {
				err := r.run(t.Context(), milvuswait.WithUnreachableAfter(time.Minute))

				milvustest.RequireClass(t, milvuswait.ErrUnreachable, err)
				require.NotErrorIs(t, err, context.Canceled)
				require.NotErrorIs(t, err, context.DeadlineExceeded)
				require.Equal(t, code, status.Code(err))
			})
		})
	}
}

// TestRateLimitsAreNotAnsweredByHaste shows that the delay after a rate-limited poll is at
// least as long as the delay before it.
func TestRateLimitsAreNotAnsweredByHaste(t *testing.T) {
	inBubbles(t, func(_ context.Context, n int) answer {
		switch {
		case n >= 60:
			return percent(100)
		case n%3 == 1:
			return refused(codes.ResourceExhausted, "slow down")
		case n%3 == 2:
			return rejected(8, wire.ErrorCode_RateLimit, "rate limit exceeded")
		}
		return percent(int64(n))
	}, func(t *testing.T, r *rig) {
		err := r.run(t.Context(), milvuswait.WithBackoff(milvuswait.Backoff{Jitter: milvuswait.NoJitter}))

		require.NoError(t, err)
		polls := r.server.seen()
		require.Len(t, polls, 60)
		require.Len(t, r.failures(), 40)
		for i := 1; i < len(polls)-1; i++ {
			if n := i + 1; n%3 != 0 {
				require.GreaterOrEqual(t, polls[i+1].began-polls[i].began, polls[i].began-polls[i-1].began, "after poll %d", n)
			}
		}
	})
}

// TestFailedPoll_IsOneCall shows that each failed poll is one call. The SDK's retries would
// make six calls and hide the reason.
func TestFailedPoll_IsOneCall(t *testing.T) {
	for _, code := range []codes.Code{codes.Unavailable, codes.ResourceExhausted} {
		t.Run(code.String(), func(t *testing.T) {
			t.Parallel()
			inBubbles(t, func(context.Context, int) answer { return refused(code, "leader switch") }, func(t *testing.T, r *rig) {
				err := r.run(t.Context(), steadily(time.Second), milvuswait.WithUnreachableAfter(time.Minute))

				var ended *milvuswait.Error
				require.ErrorAs(t, err, &ended)
				require.Equal(t, 61, ended.Polls)
				require.Len(t, r.server.Calls(), ended.Polls)
				require.Equal(t, code, status.Code(err))
				require.ErrorContains(t, err, "leader switch")
			})
		})
	}
}

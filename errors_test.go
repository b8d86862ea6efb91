package milvuswait_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
)

// TestErrorText shows the text of an *Error for each of its parts.
func TestErrorText(t *testing.T) {
	notFound := fmt.Errorf("%w: %w", milvuswait.ErrCollectionNotFound, &milvuswait.ServerError{
		Code: 100, LegacyCode: 4, Reason: "collection not found[collection=docs]", Method: "GetLoadingProgress",
	})
	tests := []struct {
		name string
		err  milvuswait.Error
		want string
	}{
		{"deadline", milvuswait.Error{Target: milvuswait.Loading("docs"), Cause: context.DeadlineExceeded, Polls: 60,
			Elapsed: time.Hour, Last: milvuswait.LoadingProgress{Percent: 40}},
			`milvuswait: loading "docs": context deadline exceeded (60 polls in 1h0m0s, last 40%)`},
		{"with the last error", milvuswait.Error{Target: milvuswait.Loading("docs", "eu", "us"), Cause: milvuswait.ErrUnreachable, Polls: 2,
			Elapsed: 1234567 * time.Microsecond, LastErr: errBlip},
			`milvuswait: loading "docs", partitions "eu", "us": server unreachable (2 polls in 1.23s, last error: connection refused)`},
		{"the server's word", milvuswait.Error{Target: milvuswait.Loading("docs"), Cause: notFound, Polls: 1, Elapsed: 1234567},
			`milvuswait: loading "docs": collection not found: GetLoadingProgress: collection not found[collection=docs] (code 100) (1 poll in 1.23ms)`},
		{"rows missing", milvuswait.Error{Target: milvuswait.IndexBuilding("docs", "vidx").ExpectRows(100000), Cause: context.Canceled, Polls: 9,
			Elapsed: 90 * time.Second, Last: rows(0, 0, finished)},
			`milvuswait: index "vidx" of "docs": context canceled (9 polls in 1m30s, last 0/0 rows, Finished); 0 of 100000 rows are flushed: was Flush called?`},
		{"the only index", milvuswait.Error{Target: milvuswait.IndexBuilding("docs", ""), Cause: milvuswait.ErrStalled, Polls: 9, Elapsed: time.Second},
			`milvuswait: index of "docs": stalled (9 polls in 1s)`},
		{"all indexes", milvuswait.Error{Target: milvuswait.IndexBuilding("docs", milvuswait.AllIndexes), Cause: milvuswait.ErrStalled, Polls: 9, Elapsed: time.Second},
			`milvuswait: all indexes of "docs": stalled (9 polls in 1s)`},
		{"a name that would move the cursor", milvuswait.Error{Target: milvuswait.Loading("d\x1b[2Jo\ncs"), Cause: milvuswait.ErrStalled, Polls: 9, Elapsed: time.Second},
			`milvuswait: loading "d\x1b[2Jo\ncs": stalled (9 polls in 1s)`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.want, tt.err.Error())
		})
	}
}

// TestError_HostilePollerText_IsOneShortLine returns a text of 2 MiB with control
// characters from the Poller. The error of the wait is one clean line of at most 1400 bytes.
func TestError_HostilePollerText_IsOneShortLine(t *testing.T) {
	hostile := errors.New("a\r\nb\x1b]0;title\x07\u202e" + strings.Repeat("é", 1<<20) + "\xff")
	synctest.Test(t, func(t *testing.T) {
		for _, p := range []*probe{
			failing(func(int, time.Duration) error { return hostile }),
			failing(func(int, time.Duration) error { return milvuswait.Permanent(hostile) }),
		} {
			_, err := milvuswait.WaitForLoadingComplete(t.Context(), p, "docs")

			require.ErrorIs(t, err, hostile)
			require.Less(t, len(err.Error()), 1400)
			for _, bad := range []string{"\n", "\r", "\x1b", "\x07", "\u202e", "\xff"} {
				require.NotContains(t, err.Error(), bad)
			}
		}
	})
}

// TestErrorHoldsEverything reads each field of the *Error after a deadline.
func TestErrorHoldsEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// One poll at 40 %, then failures every second until the deadline.
		p := failing(func(n int, _ time.Duration) error {
			if n == 1 {
				return nil
			}
			return &milvuswait.ServerError{Code: 1, Reason: "service not ready"}
		})

		ctx, cancel := context.WithTimeoutCause(t.Context(), 6*time.Second, errors.New("deploy window is over"))
		defer cancel()

		_, err := milvuswait.WaitForLoadingComplete(ctx, p, "docs", constant(time.Second))

		var failure *milvuswait.Error
		require.ErrorAs(t, err, &failure)
		require.Equal(t, milvuswait.Loading("docs"), failure.Target)
		require.Equal(t, milvuswait.LoadingProgress{Percent: 40}, failure.Last)
		require.Equal(t, 7, failure.Polls)
		require.Equal(t, 6*time.Second, failure.Elapsed)
		require.ErrorIs(t, failure.Cause, context.DeadlineExceeded)
		require.ErrorContains(t, err, "deploy window is over")
		var said *milvuswait.ServerError
		require.ErrorAs(t, err, &said)
		require.Equal(t, int32(1), said.Code)
	})
}

// TestLastErrIsForgottenAfterAGoodPoll shows that a successful poll clears the failure
// before it: the error at the deadline does not match errBlip.
func TestLastErrIsForgottenAfterAGoodPoll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := failing(func(n int, _ time.Duration) error {
			if n == 2 {
				return errBlip
			}
			return nil
		})
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()

		_, err := milvuswait.WaitForLoadingComplete(ctx, p, "docs", constant(time.Second))

		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.NotErrorIs(t, err, errBlip)
	})
}

// TestPermanent shows that Permanent keeps the text and the match of its error, and ends a
// wait at once, also if it is wrapped.
func TestPermanent(t *testing.T) {
	require.NoError(t, milvuswait.Permanent(nil))
	require.EqualError(t, milvuswait.Permanent(errBlip), errBlip.Error())
	require.ErrorIs(t, milvuswait.Permanent(errBlip), errBlip)

	p := failing(func(int, time.Duration) error {
		return fmt.Errorf("poll: %w", milvuswait.Permanent(errBlip))
	})
	_, err := milvuswait.WaitForLoadingComplete(t.Context(), p, "docs")
	require.ErrorIs(t, err, errBlip)
	require.Len(t, p.at, 1)
}

// TestPermanentContextErrorIsNotTheWaits returns a permanent context.Canceled from the
// Poller. The wait does not match it, since its own context is alive.
func TestPermanentContextErrorIsNotTheWaits(t *testing.T) {
	p := failing(func(int, time.Duration) error {
		return milvuswait.Permanent(fmt.Errorf("client closed: %w", context.Canceled))
	})

	_, err := milvuswait.WaitForLoadingComplete(t.Context(), p, "docs")

	require.ErrorContains(t, err, "client closed")
	require.NotErrorIs(t, err, context.Canceled)
}

func TestServerErrorText(t *testing.T) {
	require.EqualError(t, &milvuswait.ServerError{Code: 700, LegacyCode: 25, Reason: "index not found", Method: "DescribeIndex"},
		"DescribeIndex: index not found (code 700)")
	require.EqualError(t, &milvuswait.ServerError{LegacyCode: 1}, "the server gave no reason (error code 1)")
	require.EqualError(t, &milvuswait.ServerError{Code: 1, Reason: "a\x1b[2J\nb"}, "a[2J b (code 1)")
}

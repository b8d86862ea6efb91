package milvuswait_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
)

// failedAtLength returns the error of a poll that a server answered at such length.
func failedAtLength(sentinel error) error {
	said := &milvuswait.ServerError{Code: 65535, Reason: strings.Repeat("reason ", 1<<20), Method: "GetLoadingProgress"}
	return milvuswait.Permanent(fmt.Errorf("%w: %w", sentinel, said))
}

func TestLongReasonsLeaveWhatStandsBehindThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := failing(func(n int, _ time.Duration) error {
			if n < 3 {
				return nil
			}
			return failedAtLength(milvuswait.ErrLoadFailed)
		})

		_, err := milvuswait.WaitForLoadingComplete(t.Context(), p, "docs", constant(time.Second))

		require.Regexp(t, `^milvuswait: loading "docs": load failed: GetLoadingProgress: reason .* \(cut\) \(code 65535\) \(3 polls in 2s, last 40%\)$`, err.Error())
		require.Less(t, len(err.Error()), 1400)

		late := milvuswait.Error{
			Target: milvuswait.IndexBuilding("docs", "").ExpectRows(10), Cause: milvuswait.ErrStalled, Polls: 3, Elapsed: time.Second,
			Last: rows(0, 0, finished), LastErr: failedAtLength(milvuswait.ErrLoadFailed),
		}
		require.Regexp(t, `last error: load failed: .* \(code 65535\)\); 0 of 10 rows are flushed: was Flush called\?$`, late.Error())
	})
}

func TestLongReasonsLeaveTheOtherTargets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := failing(func(int, time.Duration) error { return failedAtLength(milvuswait.ErrLoadFailed) })

		_, err := milvuswait.WaitAll(t.Context(), p, collections(20), milvuswait.WithContinueOnError())

		text := err.Error()
		require.Regexp(t, `^milvuswait: 20 of 20 targets failed: loading "c0": load failed: .*; loading "c9": load failed: .*; and 10 more$`, text)
		require.Equal(t, 10, strings.Count(text, "(cut) (code 65535) (1 poll in 0s)"))
		require.Less(t, len(text), 64<<10)
	})
}

// Names of any length are cut too: what is joined is short whatever its parts are.
func TestLongNamesLeaveTheOtherTargets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		targets := collections(12)
		for i := range targets {
			targets[i] = milvuswait.Loading(fmt.Sprintf("c%d%s", i, strings.Repeat("x", 1<<20)))
		}
		p := failing(func(int, time.Duration) error { return failedAtLength(milvuswait.ErrLoadFailed) })

		_, err := milvuswait.WaitAll(t.Context(), p, targets, milvuswait.WithContinueOnError())

		require.Less(t, len(err.Error()), 64<<10)
		require.Contains(t, err.Error(), `; loading "c9xxx`)
	})
}

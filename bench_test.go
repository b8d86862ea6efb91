package milvuswait_test

import (
	"context"
	"testing"

	"github.com/milvuswait/milvuswait"
)

// BenchmarkPoll is what the loop itself costs for each poll: the time-out of the
// poll, the decision, the update, the timer; no I/O, and in virtual time, where a
// sleep costs no more than the change of goroutines.
func BenchmarkPoll(b *testing.B) {
	b.ReportAllocs()
	left := b.N
	p := milvuswait.PollerFuncs{
		Loading: func(context.Context, string, ...string) (milvuswait.LoadingProgress, error) {
			if left--; left <= 0 {
				return milvuswait.LoadingProgress{Percent: 100}, nil
			}
			return milvuswait.LoadingProgress{Percent: int64(left % 100)}, nil
		},
	}
	inBubble(b, func(*testing.T) {
		if _, err := milvuswait.WaitForLoadingComplete(context.Background(), p, "docs"); err != nil {
			b.Error(err)
		}
	})
}

package milvuswait_test

import (
	"context"
	"runtime"
	"strconv"
	"testing"
	"unsafe"

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

// BenchmarkWaitAll is what many targets cost: ns and live heap for each, and ns
// for each poll, in virtual time and with a Poller that takes none. Every target
// is polled five times.
func BenchmarkWaitAll(b *testing.B) {
	for _, n := range []int{1000, 10_000, 100_000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			targets := collections(n)
			var heap, polls, most int64
			for b.Loop() {
				inBubble(b, func(t *testing.T) {
					before := int64(liveHeap())
					seen := make([]uint8, n)
					o := milvuswait.ObserverFunc(func(u milvuswait.Update) {
						polls++
						if polls%int64(5*n) == int64(3*n) {
							heap = int64(liveHeap()) - before
							most = int64(runtime.NumGoroutine())
						}
					})
					p := milvuswait.PollerFuncs{
						Loading: func(_ context.Context, collection string, _ ...string) (milvuswait.LoadingProgress, error) {
							i, _ := strconv.Atoi(collection[1:])
							seen[i]++ // of one poll at a time
							return milvuswait.LoadingProgress{Percent: int64(seen[i]) * 20}, nil
						},
					}
					if _, err := milvuswait.WaitAll(context.Background(), p, targets, milvuswait.WithObserver(o)); err != nil {
						b.Error(err)
					}
				})
			}
			outcomes := int64(unsafe.Sizeof(milvuswait.Outcome{})) * int64(n)
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/target")
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(polls), "ns/poll")
			b.ReportMetric(float64(heap-outcomes)/float64(n), "B/target")
			b.ReportMetric(float64(most), "goroutines")
			b.ReportMetric(0, "ns/op")
		})
	}
}

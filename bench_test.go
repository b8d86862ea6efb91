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

// BenchmarkWaitAll is what many targets cost: ns for each target and for each
// poll, live heap beyond the outcomes, and goroutines, in virtual time and with a
// Poller that takes none. Every target is polled five times.
func BenchmarkWaitAll(b *testing.B) {
	const polls = 5
	for _, n := range []int{1000, 10_000, 100_000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			targets := collections(n)
			wait := func(opts ...milvuswait.Option) {
				inBubble(b, func(t *testing.T) {
					seen := make([]uint8, n)
					p := milvuswait.PollerFuncs{
						Loading: func(_ context.Context, collection string, _ ...string) (milvuswait.LoadingProgress, error) {
							i, _ := strconv.Atoi(collection[1:])
							seen[i]++ // of one poll at a time
							return milvuswait.LoadingProgress{Percent: int64(seen[i]) * 100 / polls}, nil
						},
					}
					if _, err := milvuswait.WaitAll(context.Background(), p, targets, opts...); err != nil {
						b.Error(err)
					}
				})
			}
			heap, goroutines := liveHeap(), 0
			updates, used := 0, int64(0)
			wait(milvuswait.WithObserver(milvuswait.ObserverFunc(func(milvuswait.Update) {
				if updates++; updates == 3*n {
					used, goroutines = int64(liveHeap())-int64(heap), runtime.NumGoroutine()
				}
			})))
			for b.Loop() {
				wait()
			}
			perTarget := float64(b.Elapsed().Nanoseconds()) / float64(b.N) / float64(n)
			b.ReportMetric(perTarget, "ns/target")
			b.ReportMetric(perTarget/polls, "ns/poll")
			b.ReportMetric(float64(used)/float64(n)-float64(unsafe.Sizeof(milvuswait.Outcome{})), "B/target")
			b.ReportMetric(float64(goroutines), "goroutines")
			b.ReportMetric(0, "ns/op")
		})
	}
}

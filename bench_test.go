package milvuswait_test

import (
	"context"
	"fmt"
	"runtime"
	"strconv"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/internal/usage"
)

// BenchmarkPoll measures the overhead of the loop for each poll: the poll's timeout, the
// decision, the update and the timer. There is no I/O. It runs in virtual time, where a
// sleep costs only the switch between goroutines.
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

// shape is a scenario with n targets. Each target is complete at its fifth poll.
type shape struct {
	name    string
	targets func(n int) []milvuswait.Target
	poller  func(n int) milvuswait.Poller
}

// shapePolls is the number of polls for each target of a shape.
const shapePolls = 5

var shapes = []shape{
	{"loads", collections, func(n int) milvuswait.Poller { return rounds(n) }},
	{"listed loads", collections, func(n int) milvuswait.Poller {
		lists := make([]map[string]milvuswait.LoadingProgress, shapePolls)
		for i := range lists {
			lists[i] = make(map[string]milvuswait.LoadingProgress, n)
			for _, t := range collections(n) {
				lists[i][t.Collection()] = milvuswait.LoadingProgress{Percent: int64(i+1) * 100 / shapePolls}
			}
		}
		return &listedRounds{Poller: rounds(n), lists: lists}
	}},
	{"pairs of indexes", func(n int) []milvuswait.Target {
		targets := make([]milvuswait.Target, 0, n)
		for _, t := range collections(n / 2) {
			targets = append(targets, milvuswait.IndexBuilding(t.Collection(), "dense"), milvuswait.IndexBuilding(t.Collection(), "sparse"))
		}
		return targets
	}, func(n int) milvuswait.Poller { return &pairedRounds{rounds(n), make([]int64, n)} }},
}

// rounds returns a Poller for n loads. Each poll of a collection adds a fifth.
func rounds(n int) milvuswait.PollerFuncs {
	seen := make([]uint8, n)
	return milvuswait.PollerFuncs{
		Loading: func(_ context.Context, collection string, _ ...string) (milvuswait.LoadingProgress, error) {
			i, _ := strconv.Atoi(collection[1:])
			seen[i]++ // no lock: a collection has one poll at a time
			return milvuswait.LoadingProgress{Percent: int64(seen[i]) * 100 / shapePolls}, nil
		},
	}
}

// listedRounds is a Lister with one prepared list for each round.
type listedRounds struct {
	milvuswait.Poller
	lists []map[string]milvuswait.LoadingProgress
	asked int
}

func (l *listedRounds) ListLoading(context.Context) (map[string]milvuswait.LoadingProgress, error) {
	l.asked++
	return l.lists[l.asked-1], nil
}

// pairedRounds is an IndexLister. Each list of a collection adds a fifth to its indexes.
type pairedRounds struct {
	milvuswait.Poller
	seen []int64
}

func (p *pairedRounds) ListIndexBuilding(_ context.Context, collection string, indexes []string) ([]milvuswait.IndexBuildingProgress, []error) {
	i, _ := strconv.Atoi(collection[1:])
	p.seen[i]++

	progress := milvuswait.IndexBuildingProgress{TotalRows: shapePolls, IndexedRows: p.seen[i], State: milvuswait.IndexStateInProgress}
	if p.seen[i] == shapePolls {
		progress.State = milvuswait.IndexStateFinished
	}

	all := make([]milvuswait.IndexBuildingProgress, len(indexes))
	for i := range all {
		all[i] = progress
	}
	return all, make([]error, len(indexes))
}

// cost measures a wait for n targets in the middle of its third round of polls. It returns
// the live heap per target, without the outcome itself, and the number of goroutines.
func (s shape) cost(t require.TestingT, n int) (heap float64, goroutines int) {
	targets, p := s.targets(n), s.poller(n)
	before, used, updates := usage.LiveHeap(), int64(0), 0
	_, err := milvuswait.WaitAll(context.Background(), p, targets, milvuswait.WithObserver(milvuswait.ObserverFunc(func(milvuswait.Update) {
		if updates++; updates == 2*n+n/2 {
			used, goroutines = usage.LiveHeap()-before, runtime.NumGoroutine()
		}
	})))
	require.NoError(t, err)
	runtime.KeepAlive(p)
	return float64(used)/float64(n) - float64(unsafe.Sizeof(milvuswait.Outcome{})), goroutines
}

// BenchmarkWaitAll measures WaitAll with many targets: ns per target and per poll, live heap
// per target without its outcome, and goroutines. It runs in virtual time, and polls take
// no time.
func BenchmarkWaitAll(b *testing.B) {
	for _, s := range shapes {
		for _, n := range []int{1000, 10_000, 100_000} {
			b.Run(fmt.Sprintf("%s/%d", s.name, n), func(b *testing.B) {
				targets := s.targets(n)
				var heap float64
				var goroutines int
				inBubble(b, func(t *testing.T) { heap, goroutines = s.cost(t, n) })

				for b.Loop() {
					b.StopTimer()
					p := s.poller(n)
					b.StartTimer()
					inBubble(b, func(t *testing.T) {
						if _, err := milvuswait.WaitAll(context.Background(), p, targets); err != nil {
							b.Error(err)
						}
					})
				}

				perTarget := float64(b.Elapsed().Nanoseconds()) / float64(b.N) / float64(n)
				b.ReportMetric(perTarget, "ns/target")
				b.ReportMetric(perTarget/shapePolls, "ns/poll")
				b.ReportMetric(heap, "B/target")
				b.ReportMetric(float64(goroutines), "goroutines")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}

// BenchmarkWorkersAlone measures the same polls without a scheduler: 16 workers, one channel
// for jobs and one for results, and a timeout for each poll. The difference to
// BenchmarkWaitAll is the cost of scheduling and deciding.
func BenchmarkWorkersAlone(b *testing.B) {
	const n, workers = 10_000, 16
	targets := collections(n)

	for b.Loop() {
		b.StopTimer()
		p := rounds(n)
		b.StartTimer()
		inBubble(b, func(t *testing.T) {
			jobs, results := make(chan string, workers), make(chan milvuswait.LoadingProgress, workers)

			for range workers {
				go func() {
					for collection := range jobs {
						ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
						progress, err := p.LoadingProgress(ctx, collection)
						cancel()
						if err != nil {
							b.Error(err)
						}
						results <- progress
					}
				}()
			}

			inFlight := 0
			for range shapePolls {
				for _, target := range targets {
					if inFlight == workers {
						<-results
						inFlight--
					}
					jobs <- target.Collection()
					inFlight++
				}
			}

			for ; inFlight > 0; inFlight-- {
				<-results
			}
			close(jobs)
		})
	}

	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n/shapePolls, "ns/poll")
	b.ReportMetric(0, "ns/op")
}

// TestWaitAllHeapAndGoroutines holds the memory of a target at 470 bytes, and shows that
// 20 000 targets need no more goroutines than 1000.
func TestWaitAllHeapAndGoroutines(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector has a heap of its own")
	}
	for _, s := range shapes {
		t.Run(s.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				few := 0
				for _, n := range []int{1000, 20_000} {
					heap, goroutines := s.cost(t, n)
					if few == 0 {
						few = goroutines
						continue
					}
					require.LessOrEqual(t, heap, 470.0, "bytes for each target")
					require.Equal(t, few, goroutines)
				}
			})
		})
	}
}

package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/milvuswait/milvuswait/bench/internal/waiter"
	"github.com/milvuswait/milvuswait/integration/milvusops"
)

// round is one measurement: work begins, and all arms wait for it at the same time.
type round struct {
	job   waiter.Job
	begin func(ctx context.Context) error // starts the work

	// watch returns the time at which the work ends, as seen from outside. It is called when
	// the arms begin to wait. watched is the RPC that it calls.
	watch   func(ctx context.Context) (milvusops.Sighting, error)
	watched string
}

// sample is the result of one wait of a round.
type sample struct {
	late  time.Duration // negative: early
	early bool          // early by more than the watcher's uncertainty
	rpcs  map[string]int
	cpu   time.Duration
	err   string
	hung  bool // the wait ended only by its time limit
}

func (s sample) total() int {
	n := 0
	for _, c := range s.rpcs {
		n += c
	}
	return n
}

// watchEvery is the interval between the calls of the watcher.
const watchEvery = 5 * time.Millisecond

// run runs the round, and returns a sample for each arm.
func (b *bench) run(ctx context.Context, r round, arms []arm) ([]sample, error) {
	runners := make([]*runner, len(arms))
	for i, a := range arms {
		process, err := a.start(ctx, r.job)
		if err != nil {
			return nil, err
		}
		defer process.close()
		b.noteVersion(process.arm.name, process.version)
		runners[i] = process
	}
	if err := r.begin(ctx); err != nil {
		return nil, err
	}

	before, err := serverCounts(ctx, b.metrics)
	if err != nil {
		return nil, err
	}

	var seen milvusops.Sighting
	var watchErr error
	var watcher sync.WaitGroup
	watcher.Go(func() { seen, watchErr = r.watch(ctx) })

	for _, process := range runners {
		if err := process.release(); err != nil {
			return nil, err
		}
	}

	results, errs := make([]waiter.Result, len(arms)), make([]error, len(arms))
	counts := make([]map[string]int, len(arms))
	var waiters sync.WaitGroup
	for i, process := range runners {
		waiters.Go(func() {
			results[i], errs[i] = process.result()
			counts[i] = process.proxy.taken()
		})
	}

	waiters.Wait()
	watcher.Wait()
	if watchErr != nil {
		return nil, fmt.Errorf("watcher: %w", watchErr)
	}

	after, err := serverCounts(ctx, b.metrics)
	if err != nil {
		return nil, err
	}

	b.counted.add(before, after, append(counts, map[string]int{r.watched: seen.Polls}))
	samples := make([]sample, len(arms))
	for i, result := range results {
		if errs[i] != nil {
			return nil, errs[i]
		}
		returned := time.Unix(0, result.Returned)
		samples[i] = sample{
			late:  returned.Sub(seen.NotAfter),
			early: returned.Before(seen.NotBefore),
			rpcs:  counts[i],
			cpu:   time.Duration(result.CPU),
			err:   result.Err,
			hung:  result.Returned-result.Began >= int64(r.job.Limit),
		}
	}

	return samples, nil
}

// tally compares the counts of the proxies and the watcher with the server's count.
type tally struct{ here, server int }

// add adds the counts of all methods called by the waiters or the watcher.
func (t *tally) add(before, after map[string]int, counts []map[string]int) {
	methods := make(map[string]bool)
	for _, c := range counts {
		for method, n := range c {
			methods[method] = true
			t.here += n
		}
	}
	for method := range methods {
		t.server += after[method] - before[method]
	}
}

package milvuswait_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v4"

	"github.com/milvuswait/milvuswait"
)

var errBlip = errors.New("connection refused")

var errNotLoaded = fmt.Errorf("%w: %w", milvuswait.ErrNotLoaded, &milvuswait.ServerError{
	Code: 101, LegacyCode: 1, Reason: "collection not loaded[collection=7]", Method: "GetLoadingProgress",
})

const (
	none       = milvuswait.IndexStateNone
	inProgress = milvuswait.IndexStateInProgress
	finished   = milvuswait.IndexStateFinished
)

// collections returns n loads: "c0", "c1" and so on.
func collections(n int) []milvuswait.Target {
	targets := make([]milvuswait.Target, n)
	for i := range targets {
		targets[i] = milvuswait.Loading(fmt.Sprintf("c%d", i))
	}
	return targets
}

// rows returns the progress of an index with all remaining rows pending, as servers report
// it.
func rows(total, indexed int64, state milvuswait.IndexState) milvuswait.IndexBuildingProgress {
	return milvuswait.IndexBuildingProgress{
		TotalRows: total, IndexedRows: indexed, PendingIndexRows: total - indexed, State: state,
	}
}

// probe is a Poller whose results are a function of the number of the poll, from 1, and of
// the time since the first poll. It records the times and timeouts of its polls.
type probe struct {
	load  func(n int, at time.Duration) (milvuswait.LoadingProgress, error)
	index func(n int, at time.Duration) (milvuswait.IndexBuildingProgress, error)
	hang  func(ctx context.Context, n int) // called before the result; it may block

	mu    sync.Mutex
	start time.Time
	at    []time.Duration // start of each poll
	ended []time.Duration
	until []time.Duration // timeout of each poll
}

func (p *probe) begin(ctx context.Context) (n int, at time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.start.IsZero() {
		p.start = time.Now()
	}

	at = time.Since(p.start)
	p.at = append(p.at, at)
	if deadline, ok := ctx.Deadline(); ok {
		p.until = append(p.until, time.Until(deadline))
	}
	return len(p.at), at
}

func (p *probe) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = append(p.ended, time.Since(p.start))
}

func (p *probe) LoadingProgress(ctx context.Context, _ string, _ ...string) (milvuswait.LoadingProgress, error) {
	defer p.end()
	n, at := p.begin(ctx)
	if p.hang != nil {
		p.hang(ctx, n)
	}
	return p.load(n, at)
}

func (p *probe) IndexBuildingProgress(ctx context.Context, _, _ string) (milvuswait.IndexBuildingProgress, error) {
	defer p.end()
	n, at := p.begin(ctx)
	if p.hang != nil {
		p.hang(ctx, n)
	}
	return p.index(n, at)
}

// loadAt returns a load at the given percentage until done, and at 100 % from then on.
func loadAt(percent int64, done time.Duration) *probe {
	return &probe{load: func(_ int, at time.Duration) (milvuswait.LoadingProgress, error) {
		if at >= done {
			percent = 100
		}
		return milvuswait.LoadingProgress{Percent: percent}, nil
	}}
}

// percents returns a load with one percentage per poll. It repeats the last one.
func percents(values ...int64) *probe {
	return &probe{load: func(n int, _ time.Duration) (milvuswait.LoadingProgress, error) {
		return milvuswait.LoadingProgress{Percent: values[min(n, len(values))-1]}, nil
	}}
}

// failing returns a load whose polls fail with the error of f, or report 40 % if f returns
// nil.
func failing(f func(n int, at time.Duration) error) *probe {
	return &probe{load: func(n int, at time.Duration) (milvuswait.LoadingProgress, error) {
		if err := f(n, at); err != nil {
			return milvuswait.LoadingProgress{}, err
		}
		return milvuswait.LoadingProgress{Percent: 40}, nil
	}}
}

// indexes returns an index with one progress per poll. It repeats the last one.
func indexes(answers ...milvuswait.IndexBuildingProgress) *probe {
	return &probe{index: func(n int, _ time.Duration) (milvuswait.IndexBuildingProgress, error) {
		return answers[min(n, len(answers))-1], nil
	}}
}

// recorder is an Observer. It keeps all updates.
type recorder struct{ updates []milvuswait.Update }

func (r *recorder) Observe(u milvuswait.Update) { r.updates = append(r.updates, u) }

func (r *recorder) last() milvuswait.Update { return r.updates[len(r.updates)-1] }

// gauge is a Poller with counts of its polls: in flight, at most in flight, and of each
// collection.
type gauge struct {
	took     time.Duration
	inFlight atomic.Int32
	most     atomic.Int32
	mu       sync.Mutex
	at       []time.Time
	of       map[string]int
	answer   func(ctx context.Context, collection string, n int) (milvuswait.LoadingProgress, error)
}

func (g *gauge) LoadingProgress(ctx context.Context, collection string, _ ...string) (milvuswait.LoadingProgress, error) {
	now := g.inFlight.Add(1)
	defer g.inFlight.Add(-1)
	for most := g.most.Load(); now > most && !g.most.CompareAndSwap(most, now); most = g.most.Load() {
	}

	g.mu.Lock()
	if g.of == nil {
		g.of = map[string]int{}
	}
	g.of[collection]++
	n := g.of[collection]
	g.at = append(g.at, time.Now())
	g.mu.Unlock()

	if g.took > 0 {
		time.Sleep(g.took)
	}
	return g.answer(ctx, collection, n)
}

func (g *gauge) IndexBuildingProgress(context.Context, string, string) (milvuswait.IndexBuildingProgress, error) {
	return milvuswait.IndexBuildingProgress{}, milvuswait.ErrIndexNotFound
}

// listing is a gauge with lists of all loads. A list takes 20 ms.
type listing struct {
	gauge
	start   time.Time
	percent func(i int, at time.Duration) int64
	list    func(n int, at time.Duration, all map[string]milvuswait.LoadingProgress) error // changes list n, or fails it
	state   error                                                                          // result of CheckLoadState
	listed  func() map[string]milvuswait.LoadingProgress
	lists   []time.Duration
	checks  int
}

func (l *listing) ListLoading(context.Context) (map[string]milvuswait.LoadingProgress, error) {
	at := time.Since(l.start)
	l.lists = append(l.lists, at)
	time.Sleep(20 * time.Millisecond)
	all := l.listed()
	err := l.list(len(l.lists), at, all)
	return all, err
}

func (l *listing) CheckLoadState(context.Context, string, ...string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.checks++
	return l.state
}

// newListing returns a server with n collections, c0 and so on. Their percentages are a
// function of the number and the time. A single poll takes 1 ms.
func newListing(n int, percent func(i int, at time.Duration) int64) *listing {
	l := &listing{start: time.Now(), percent: percent}

	l.answer = func(_ context.Context, collection string, _ int) (milvuswait.LoadingProgress, error) {
		var i int
		if _, err := fmt.Sscanf(collection, "c%d", &i); err != nil || i >= n {
			return milvuswait.LoadingProgress{}, milvuswait.ErrCollectionNotFound
		}
		return milvuswait.LoadingProgress{Percent: percent(i, time.Since(l.start)), RefreshPercent: 100}, nil
	}

	l.list = func(int, time.Duration, map[string]milvuswait.LoadingProgress) error { return nil }
	l.of = map[string]int{}
	l.took = time.Millisecond

	l.listed = func() map[string]milvuswait.LoadingProgress {
		all := map[string]milvuswait.LoadingProgress{}
		for i := range n {
			all[fmt.Sprintf("c%d", i)] = milvuswait.LoadingProgress{Percent: percent(i, time.Since(l.start))}
		}
		return all
	}

	return l
}

// evenly returns the percentages of loads that progress evenly and end after d.
func evenly(d time.Duration) func(int, time.Duration) int64 {
	return func(_ int, at time.Duration) int64 { return int64(min(100, 100*at/d)) }
}

// indexServer is an IndexLister. Its indexes are built at the third list, "slow" at the
// fifth, and "nope" does not exist.
type indexServer struct {
	milvuswait.PollerFuncs
	asked [][]string
	lens  int // number of results missing in a list
}

func (s *indexServer) ListIndexBuilding(_ context.Context, _ string, indexes []string) ([]milvuswait.IndexBuildingProgress, []error) {
	s.asked = append(s.asked, indexes)
	progresses, errs := make([]milvuswait.IndexBuildingProgress, len(indexes)), make([]error, len(indexes))

	for i, index := range indexes {
		n := int64(len(s.asked))
		switch {
		case index == "nope":
			errs[i] = milvuswait.ErrIndexNotFound
		case index == "slow" && n < 5 || n < 3:
			progresses[i] = rows(10, n, inProgress)
		default:
			progresses[i] = rows(10, 10, finished)
		}
	}
	return progresses[s.lens:], errs
}

// every sets a delay of exactly d between polls: no jitter, and no adaptation to the
// progress.
func every(d time.Duration) milvuswait.Option {
	return milvuswait.WithBackoff(milvuswait.Backoff{
		Initial: d, Max: d, Multiplier: 1, Jitter: milvuswait.NoJitter, Lateness: 1, IgnoreProgress: true,
	})
}

// constant sets a custom generator; it always returns d.
func constant(d time.Duration) milvuswait.Option {
	return milvuswait.WithBackoffFunc(func() func() time.Duration { return backoff.NewConstantBackOff(d).NextBackOff })
}

// sequence is a generator of the given delays. It returns backoff.Stop after the last one.
type sequence struct {
	delays []time.Duration
}

func (s *sequence) next() time.Duration {
	if len(s.delays) == 0 {
		return backoff.Stop
	}
	d := s.delays[0]
	s.delays = s.delays[1:]
	return d
}

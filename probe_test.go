package milvuswait_test

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/milvuswait/milvuswait"
)

var errBlip = errors.New("connection refused")

// probe is a Poller whose answers are a function of the poll's number, from 1,
// and of the time since the probe was made. It notes when polls began.
type probe struct {
	load  func(n int, at time.Duration) (milvuswait.LoadingProgress, error)
	index func(n int, at time.Duration) (milvuswait.IndexBuildingProgress, error)
	hang  func(ctx context.Context, n int) // before the answer

	mu    sync.Mutex
	start time.Time
	at    []time.Duration // when polls began
	ended []time.Duration
	until []time.Duration // the time-outs they were given
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

// loadAt is a load that shows percent until done, and 100 then.
func loadAt(percent int64, done time.Duration) *probe {
	return &probe{load: func(_ int, at time.Duration) (milvuswait.LoadingProgress, error) {
		if at >= done {
			percent = 100
		}
		return milvuswait.LoadingProgress{Percent: percent}, nil
	}}
}

// percents is a load that shows one value a poll and repeats the last one.
func percents(values ...int64) *probe {
	return &probe{load: func(n int, _ time.Duration) (milvuswait.LoadingProgress, error) {
		return milvuswait.LoadingProgress{Percent: values[min(n, len(values))-1]}, nil
	}}
}

// failing is a load whose polls fail as f says, and show 40 % where it says nil.
func failing(f func(n int, at time.Duration) error) *probe {
	return &probe{load: func(n int, at time.Duration) (milvuswait.LoadingProgress, error) {
		if err := f(n, at); err != nil {
			return milvuswait.LoadingProgress{}, err
		}
		return milvuswait.LoadingProgress{Percent: 40}, nil
	}}
}

// indexes is an index that shows one answer a poll and repeats the last one.
func indexes(answers ...milvuswait.IndexBuildingProgress) *probe {
	return &probe{index: func(n int, _ time.Duration) (milvuswait.IndexBuildingProgress, error) {
		return answers[min(n, len(answers))-1], nil
	}}
}

// rows is an answer as servers give it.
func rows(total, indexed int64, state milvuswait.IndexState) milvuswait.IndexBuildingProgress {
	return milvuswait.IndexBuildingProgress{
		TotalRows: total, IndexedRows: indexed, PendingIndexRows: total - indexed, State: state,
	}
}

// recorder keeps updates.
type recorder struct{ updates []milvuswait.Update }

func (r *recorder) Observe(u milvuswait.Update) { r.updates = append(r.updates, u) }

func (r *recorder) last() milvuswait.Update { return r.updates[len(r.updates)-1] }

const (
	none       = milvuswait.IndexStateNone
	inProgress = milvuswait.IndexStateInProgress
	finished   = milvuswait.IndexStateFinished
)

package main

import (
	"context"
	"math"
	"math/rand/v2"
	"time"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/internal/traces"
)

// replay is a Poller that shows a trace. A poll sees the state half a round trip
// after it was sent.
type replay struct {
	trace *traces.Trace
	start time.Time
	rand  *rand.Rand
	polls int
}

const traceRows = 1_000_000_000

func (r *replay) look() float64 {
	trip := traces.RoundTrip(r.rand)
	r.polls++
	time.Sleep(trip / 2)
	share := r.trace.At(time.Since(r.start))
	time.Sleep(trip - trip/2)
	return share
}

func (r *replay) LoadingProgress(context.Context, string, ...string) (milvuswait.LoadingProgress, error) {
	return milvuswait.LoadingProgress{Percent: int64(math.Round(100 * r.look()))}, nil
}

func (r *replay) IndexBuildingProgress(context.Context, string, string) (milvuswait.IndexBuildingProgress, error) {
	share := r.look()
	p := milvuswait.IndexBuildingProgress{State: milvuswait.IndexStateInProgress}
	if share == traces.Unknown {
		return p, nil
	}
	p.TotalRows = traceRows
	p.IndexedRows = int64(share * traceRows)
	p.PendingIndexRows = p.TotalRows - p.IndexedRows
	if share == 1 {
		p.State = milvuswait.IndexStateFinished
	}
	return p, nil
}

// wait is how one wait went.
type wait struct {
	took  time.Duration // until the end was visible
	late  time.Duration
	polls int
}

// waitOut runs a wait over a trace, in a bubble.
func waitOut(trace *traces.Trace, seed uint64, opts ...milvuswait.Option) (wait, error) {
	p := &replay{trace: trace, start: time.Now(), rand: rand.New(rand.NewPCG(seed, 1))}
	var err error
	if trace.Index {
		_, err = milvuswait.WaitForIndexBuildingComplete(context.Background(), p, "docs", opts...)
	} else {
		_, err = milvuswait.WaitForLoadingComplete(context.Background(), p, "docs", opts...)
	}
	return wait{trace.Done(), time.Since(p.start) - trace.Done(), p.polls}, err
}

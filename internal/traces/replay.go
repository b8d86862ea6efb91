package traces

import (
	"context"
	"math"
	"math/rand/v2"
	"time"

	"github.com/milvuswait/milvuswait"
)

// Wait is how one wait over a trace went.
type Wait struct {
	Took    time.Duration // until the end was visible
	Late    time.Duration // what the wait took besides
	Polls   int
	Slowest time.Duration // of the polls
}

// Replay runs a wait over a trace, in the bubble of its caller. The seed is that
// of the round trips.
func Replay(trace *Trace, seed uint64, opts ...milvuswait.Option) (Wait, error) {
	p := &replay{trace: trace, start: time.Now(), rand: rand.New(rand.NewPCG(seed, 1))}
	var err error
	if trace.Index {
		_, err = milvuswait.WaitForIndexBuildingComplete(context.Background(), p, "docs", opts...)
	} else {
		_, err = milvuswait.WaitForLoadingComplete(context.Background(), p, "docs", opts...)
	}
	return Wait{trace.Done(), time.Since(p.start) - trace.Done(), p.polls, p.slowest}, err
}

// replay is a Poller that shows a trace. A poll sees the state half a round trip
// after it was sent.
type replay struct {
	trace   *Trace
	start   time.Time
	rand    *rand.Rand
	polls   int
	slowest time.Duration
}

const rows = 1_000_000_000

func (r *replay) look() float64 {
	trip := roundTrip(r.rand)
	r.polls, r.slowest = r.polls+1, max(r.slowest, trip)
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
	if share == Unknown {
		return p, nil
	}
	p.TotalRows = rows
	p.IndexedRows = int64(share * rows)
	p.PendingIndexRows = p.TotalRows - p.IndexedRows
	if share == 1 {
		p.State = milvuswait.IndexStateFinished
	}
	return p, nil
}

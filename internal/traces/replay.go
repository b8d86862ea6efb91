package traces

import (
	"context"
	"math"
	"math/rand/v2"
	"time"

	"github.com/milvuswait/milvuswait"
)

// Wait is the result of one wait over a trace.
type Wait struct {
	Took    time.Duration // time until the complete state was visible
	Late    time.Duration // time from then until the wait returned
	Polls   int
	Slowest time.Duration // longest poll
}

// Replay runs a wait over a trace, in the bubble of its caller. The seed draws the round
// trips.
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

// replay is a Poller that reports the progress of a trace. A poll reports the progress at half
// of its round trip.
type replay struct {
	trace   *Trace
	start   time.Time
	rand    *rand.Rand
	polls   int
	slowest time.Duration
}

// rows is the number of rows of every index, enough for any share to be exact.
const rows = 1_000_000_000

// look makes a round trip and returns the progress.
func (r *replay) look() float64 {
	trip := roundTrip(r.rand)
	r.polls, r.slowest = r.polls+1, max(r.slowest, trip)

	share := r.trace.At(time.Since(r.start) + trip/2)
	time.Sleep(trip)
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

package milvuswait_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/stretchr/testify/require"

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
	slow  time.Duration // the longest poll
}

const traceRows = 1_000_000_000

func (r *replay) look() float64 {
	trip := traces.RoundTrip(r.rand)
	r.polls, r.slow = r.polls+1, max(r.slow, trip)
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
	if share == traces.Unknown {
		return milvuswait.IndexBuildingProgress{State: milvuswait.IndexStateInProgress}, nil
	}
	p := milvuswait.IndexBuildingProgress{TotalRows: traceRows, State: milvuswait.IndexStateInProgress}
	p.IndexedRows = int64(share * traceRows)
	p.PendingIndexRows = p.TotalRows - p.IndexedRows
	if share == 1 {
		p.State = milvuswait.IndexStateFinished
	}
	return p, nil
}

// waited is how one wait went.
type waited struct {
	trace *traces.Trace
	late  time.Duration
	polls int
	slow  time.Duration
}

// waitOut runs a wait over a trace, in a bubble.
func waitOut(trace *traces.Trace, seed uint64, opts ...milvuswait.Option) (waited, error) {
	p := &replay{trace: trace, start: time.Now(), rand: rand.New(rand.NewPCG(seed, 1))}
	var err error
	if trace.Index {
		_, err = milvuswait.WaitForIndexBuildingComplete(context.Background(), p, "docs", opts...)
	} else {
		_, err = milvuswait.WaitForLoadingComplete(context.Background(), p, "docs", opts...)
	}
	return waited{trace, time.Since(p.start) - trace.Done(), p.polls, p.slow}, err
}

func TestPaceKeepsItsPromise(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		drawn := traces.Draw(100, 1)
		for i := range drawn {
			w, err := waitOut(&drawn[i], uint64(i))

			require.NoError(t, err)
			promise := 2*w.slow + min(5*time.Second, max(100*time.Millisecond, w.trace.Done()/50))
			name := fmt.Sprintf("%s, trace %d, %v", w.trace.Family, i, w.trace.Done())
			require.GreaterOrEqual(t, w.late, time.Duration(0), "early: %s", name)
			require.LessOrEqual(t, w.late, promise, "late: %s", name)
		}
	})
}

// BenchmarkPace reports, for the 21 families of synthetic traces, how late waits
// return and after how many polls, on the real loop in virtual time:
//
//	go test -run '^$' -bench Pace -benchtime 1x .
func BenchmarkPace(b *testing.B) {
	settings := []struct {
		name string
		opts []milvuswait.Option
	}{
		{"default", nil},
		{"fixed 200 ms", []milvuswait.Option{constant(200 * time.Millisecond)}},
		{"plain exponential", []milvuswait.Option{
			milvuswait.WithBackoff(milvuswait.Backoff{Lateness: 1, IgnoreProgress: true}),
		}},
	}
	for _, s := range settings {
		for _, kind := range []string{"loads", "indexes"} {
			b.Run(s.name+"/"+kind, func(b *testing.B) {
				var late, polls, n float64
				for b.Loop() {
					inBubble(b, func(*testing.T) {
						for seed := range uint64(5) { // one draw of 100 each is off by 10 %
							drawn := traces.Draw(100, seed)
							for i := range drawn {
								if drawn[i].Index != (kind == "indexes") {
									continue
								}
								w, err := waitOut(&drawn[i], uint64(i), s.opts...)
								if err != nil {
									b.Error(err)
								}
								late, polls, n = late+w.late.Seconds(), polls+float64(w.polls), n+1
							}
						}
					})
				}
				b.ReportMetric(late/n, "s-late/wait")
				b.ReportMetric(polls/n, "polls/wait")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}

// inBubble runs f in virtual time, for which a bubble wants a test.
func inBubble(b *testing.B, f func(t *testing.T)) {
	all := func(string, string) (bool, error) { return true, nil }
	if !testing.RunTests(all, []testing.InternalTest{{Name: b.Name(), F: func(t *testing.T) { synctest.Test(t, f) }}}) {
		b.Fatal("the bubble failed")
	}
}

// constant is a delay that nothing changes.
func constant(d time.Duration) milvuswait.Option {
	return milvuswait.WithBackoffFunc(func() milvuswait.BackOff { return backoff.NewConstantBackOff(d) })
}

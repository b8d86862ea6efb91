package milvuswait_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/internal/traces"
)

func TestPaceKeepsItsPromise(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		drawn := traces.Draw(100, 1)
		for i := range drawn {
			w, err := traces.Replay(&drawn[i], uint64(i))

			require.NoError(t, err)
			promise := 2*w.Slowest + min(5*time.Second, max(100*time.Millisecond, w.Took/50))
			name := fmt.Sprintf("%s, trace %d, %v", drawn[i].Family, i, w.Took)
			require.GreaterOrEqual(t, w.Late, time.Duration(0), "early: %s", name)
			require.LessOrEqual(t, w.Late, promise, "late: %s", name)
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
								w, err := traces.Replay(&drawn[i], uint64(i), s.opts...)
								if err != nil {
									b.Error(err)
								}
								late, polls, n = late+w.Late.Seconds(), polls+float64(w.Polls), n+1
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

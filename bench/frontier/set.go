package main

import (
	"fmt"
	"math"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/internal/traces"
)

// set is a set of traces with the waits over them.
type set struct {
	title, text string
	worse       string // why fixed intervals are less late, if some are
	traces      []traces.Trace
	paces       []pace
	results     [][]traces.Wait // by pace
	pairs       []pair          // by fixed interval, ascending
}

// pair has a fixed interval and this library at a setting that polls as often.
type pair struct {
	interval time.Duration
	fixed    []traces.Wait

	lateness float64 // the setting
	most     time.Duration
	ours     []traces.Wait
	equal    bool // false if this library polls more, or less, often at any setting
}

// intervals are the fixed intervals that this library is compared with at equal polls. A search
// begins at the guess for Lateness, which is close to the result on the 21 families.
var intervals = []struct {
	interval time.Duration
	guess    float64
}{
	{100 * time.Millisecond, 0.00026},
	{150 * time.Millisecond, 0.00125},
	{200 * time.Millisecond, 0.00235},
	{300 * time.Millisecond, 0.00494},
	{400 * time.Millisecond, 0.00799},
	{500 * time.Millisecond, 0.01143},
	{700 * time.Millisecond, 0.01946},
	{time.Second, 0.03467},
	{1500 * time.Millisecond, 0.06824},
	{2 * time.Second, 0.11064},
}

// measure replays the traces at all paces, then at equal polls.
func (s *set) measure(t *testing.T) {
	fixedWaits := map[time.Duration][]traces.Wait{}
	for _, i := range intervals {
		fixedWaits[i.interval] = replay(t, s.traces, fixed("", i.interval).opts...)
	}
	for _, p := range s.paces {
		waits, known := fixedWaits[p.interval]
		if !known {
			waits = replay(t, s.traces, p.opts...)
		}
		s.results = append(s.results, waits)
	}

	for _, i := range intervals {
		p := pair{interval: i.interval, fixed: fixedWaits[i.interval], most: maxDelay(i.interval)}
		p.lateness, p.equal = search(summarize(p.fixed).polls, i.guess, minLateness, maxLateness, func(lateness float64) float64 {
			p.ours = replay(t, s.traces, milvuswait.WithBackoff(milvuswait.Backoff{Lateness: lateness, Max: p.most}))
			return summarize(p.ours).polls
		})
		s.pairs = append(s.pairs, p)
	}
}

// maxDelay returns Backoff.Max for the comparison with a fixed interval: the default, and four
// intervals from 1.5 s on, since the default is too short to poll as seldom.
func maxDelay(interval time.Duration) time.Duration { return max(5*time.Second, 4*interval) }

// The settings of Backoff.Lateness that search may return. From 1 on it bounds no delay.
const (
	minLateness = 0.0001
	maxLateness = 0.999
)

// tolerance is the share by which a count may fall short of the target of a search.
const tolerance = 0.002

// search returns the x from least to most at which count reaches a target: it is not above the
// target, and at most the tolerance below it. The count must fall as x grows. search begins
// with a guess and calls count with the returned x last. It returns false if the target is out
// of reach.
func search(target, guess, least, most float64, count func(x float64) float64) (float64, bool) {
	aim := math.Log(target * (1 - tolerance/2))
	type point struct{ x, above float64 } // logarithms of x and of the count in terms of the aim
	var last, low, high *point            // low and high are the closest counts above and below the aim

	x := guess
	for range 40 {
		n := count(x)
		if n <= target && n >= target*(1-tolerance) {
			return x, true
		}
		p := &point{math.Log(x), math.Log(n) - aim}
		if p.above > 0 && x >= most || p.above < 0 && x <= least {
			return x, false
		}
		if p.above > 0 {
			low = p
		} else {
			high = p
		}

		// Interpolate in a bracket, but no closer to its ends than a twentieth. Without one,
		// extrapolate and go a third further, to get one. A first slope is assumed.
		if low != nil && high != nil {
			part := low.above / (low.above - high.above)
			x = math.Exp(low.x + min(max(part, 0.05), 0.95)*(high.x-low.x))
		} else {
			slope := 0.7
			if last != nil {
				slope = max(0.05, (last.above-p.above)/(p.x-last.x))
			}
			x = math.Exp(p.x + 1.33*p.above/slope)
		}
		x = min(max(x, least), most)
		last = p
	}
	return x, false
}

// replay runs a wait over each trace, in one bubble of virtual time for each processor.
func replay(t *testing.T, all []traces.Trace, opts ...milvuswait.Option) []traces.Wait {
	waits := make([]traces.Wait, len(all))
	bubbles := runtime.GOMAXPROCS(0)
	ok := t.Run("replay", func(t *testing.T) {
		for b := range bubbles {
			t.Run(fmt.Sprint(b), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					for i := b; i < len(all); i += bubbles {
						w, err := traces.Replay(&all[i], uint64(i), opts...)
						if err != nil {
							t.Fatalf("%s, trace %d: %v", all[i].Family, i, err)
						}
						waits[i] = w
					}
				})
			})
		}
	})
	if !ok {
		t.FailNow()
	}
	return waits
}

package oracle_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/internal/oracle"
)

// TestNext has the time of the next poll after the last answer.
func TestNext(t *testing.T) {
	type options = oracle.Options
	type answers = []oracle.Answer
	steady := milvuswait.Backoff{Initial: second, Max: 10 * second, Multiplier: 2, Lateness: 1}
	blind := milvuswait.Backoff{Initial: second, Max: 10 * second, Multiplier: 2, Lateness: 1, IgnoreProgress: true}
	steep := milvuswait.Backoff{Multiplier: 10}
	slow := at(10, 7)
	slow.Begin = 6 * second

	for _, tt := range []struct {
		name    string
		options options
		answers answers
		want    float64 // seconds
	}{
		{"first of a load", options{Target: load}, answers{at(0.1, 0)}, 0.14},
		{"first of an index", options{Target: index}, answers{at(0.1, rows(9, 0, 9, 2))}, 0.2},
		{"grown", options{Target: load, Backoff: blind}, answers{at(1, 0), at(2, 0), at(4, 0)}, 8},
		{"grown to the maximum", options{Target: load, Backoff: blind}, answers{at(1, 0), at(2, 0), at(4, 0), at(8, 0), at(16, 0)}, 26},
		{"a fifth of the time left", options{Target: load, Backoff: steady}, answers{at(1, 0), at(2, 0), at(10, 50)}, 11.6},
		{"far from the end", options{Target: load, Backoff: steep}, answers{at(100, 0), at(150, 20), at(200, 40)}, 204},
		{"near the end", options{Target: load, Backoff: steep}, answers{at(100, 0), at(150, 40), at(200, 80)}, 200 + math.Sqrt(7*0.02*5)},
		{"as much left as one and a half of the last step but one", options{Target: load, Backoff: steep},
			answers{at(100, 0), at(150, 40), at(200, 41)}, 200 + math.Sqrt(7*0.02*math.Sqrt(59.0/41*100))},
		{"overdue", options{Target: load, Backoff: milvuswait.Backoff{Initial: second, Max: 100 * second, Multiplier: 10, Lateness: 1}},
			append(answers{at(10, 0)}, slices.Repeat(answers{at(110, 99)}, 27)...), 111.04},
		{"no prediction after a failure", options{Target: load, Backoff: steady}, answers{at(1, 0), at(2, 80), at(3, errBlip)}, 7},
		{"2 % of the time waited", options{Target: load}, append(slices.Repeat(answers{at(1, 0)}, 50), at(100, 0)), 102},
		{"as long as the last answer took", options{Target: load, Backoff: milvuswait.Backoff{Max: 10 * second}}, answers{slow}, 14},
		{"near the end, after a list", options{Target: load, Backoff: steep}, answers{at(100, 0), at(150, 40), listed(at(300, 99))}, 301.2},
		{"after a list", options{Target: load}, answers{listed(at(0.1, 0))}, 0.2},
		{"by a custom generator", options{Target: load, Delay: func(n int) time.Duration { return time.Duration(n) * second }}, answers{at(1, 0), at(2, 0)}, 3},
		{"never at once", options{Target: load, Delay: func(int) time.Duration { return 0 }}, answers{at(1, 0)}, 1.001},

		{"a tenth of the settle time", options{Target: load, Settle: 5 * second}, answers{at(0.1, 100)}, 0.6},
		{"settled", options{Target: load, Backoff: blind, Settle: 500 * time.Millisecond}, answers{at(1, 100)}, 1.5},
		{"stalled", options{Target: load, Backoff: blind, Stall: 500 * time.Millisecond}, answers{at(1, 7)}, 1.5},
		{"before the budget ends", options{Target: load, Backoff: blind, Unreachable: 500 * time.Millisecond}, answers{at(1, errBlip)}, 1.44},
		{"none before the budget ends", options{Target: load, Backoff: blind, Unreachable: 500 * time.Millisecond}, answers{at(1, errBlip), at(1.45, errBlip)}, 1.49},
		{"the deadline before the budget", options{Target: load, Backoff: blind, Unreachable: 500 * time.Millisecond, Deadline: 1490 * time.Millisecond},
			answers{at(1, errBlip), at(1.45, errBlip)}, 1.49},
		{"confirms", options{Target: load, Backoff: blind}, answers{at(1, 7), at(2, milvuswait.ErrNotLoaded)}, 2.1},
		{"confirms again", options{Target: load, Backoff: blind, Grace: 1950 * time.Millisecond}, answers{at(1, 7), at(1.94, milvuswait.ErrNotLoaded), at(1.96, milvuswait.ErrNotLoaded)}, 2.04},
		{"confirms at once", options{Target: load, Backoff: blind}, answers{at(1, 7), at(2, milvuswait.ErrNotLoaded), slowly(at(2.2, milvuswait.ErrNotLoaded))}, 2.201},
		{"confirms without a custom generator", options{Target: load, Delay: func(n int) time.Duration { return time.Duration(n+1) * second }},
			answers{at(1, 7), at(2, milvuswait.ErrNotLoaded), at(2.1, 7)}, 4.1},
		{"confirms before the deadline", options{Target: load, Deadline: 2100 * time.Millisecond}, answers{at(1, 7), at(2, milvuswait.ErrNotLoaded)}, 2.05},
		{"refused for 30 s", options{Target: load, Delay: func(int) time.Duration { return time.Minute }}, answers{at(1, 7), at(2, errDenied), at(3, errBlip)}, 32},
		{"never", options{Target: load, Deadline: 9 * second, Delay: func(int) time.Duration { return math.MaxInt64 }}, answers{at(1, 7)}, 8.95},
		{"after the grace", options{Target: load, Backoff: blind, Grace: 1500 * time.Millisecond}, answers{at(1, milvuswait.ErrNotLoaded)}, 1.5},

		{"last poll", options{Target: load, Backoff: blind, Deadline: 2 * second}, answers{at(1.5, 7)}, 1.95},
		{"last poll when settled", options{Target: load, Backoff: blind, Deadline: 2 * second, Settle: 490 * time.Millisecond}, answers{at(1.5, 100)}, 1.99},
		{"none after the last", options{Target: load, Backoff: blind, Deadline: 2 * second}, answers{at(1.96, 7)}, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			all := oracle.Judge(tt.options, tt.answers)
			last := all[len(all)-1]
			want := time.Duration(math.Round(tt.want * float64(second)))
			require.InDelta(t, want, last.Next, float64(time.Microsecond), "%v", last.Next)
			require.NoError(t, last.CheckNext(last.Next))
		})
	}
}

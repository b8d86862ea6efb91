package oracle_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/internal/oracle"
)

// TestCheck has, for every rule, a wait that breaks it. The error names the rule and both
// files.
func TestCheck(t *testing.T) {
	options := oracle.Options{
		Target: load, Deadline: time.Minute, Settle: 2 * second, Stall: 30 * second, Unreachable: 20 * second, Grace: 5 * second,
	}
	judge := func(answers ...oracle.Answer) *oracle.Facts {
		all := oracle.Judge(options, answers)
		return &all[len(all)-1]
	}
	end := func(f *oracle.Facts, seconds float64, err error) error {
		return f.CheckEnd(time.Duration(seconds*float64(second)), err)
	}
	timedOut := &milvuswait.Error{Cause: context.DeadlineExceeded}

	for _, tt := range []struct {
		name string
		got  error
		want oracle.Rule
	}{
		{"ends before it has settled", end(judge(at(1, 100)), 1, nil), oracle.Settle},
		{"goes on after it has settled", judge(at(1, 100), at(3, 100)).CheckNext(4 * second), oracle.Settle},
		{"ends otherwise after it has settled", end(judge(at(1, 100), at(3, 100)), 3, milvuswait.ErrStalled), oracle.Settle},
		{"ends later than its answer", end(judge(at(1, 100), at(3, 100)), 4, nil), oracle.Settle},
		{"stalls early", end(judge(at(1, 7), at(30, 7)), 30, milvuswait.ErrStalled), oracle.Stall},
		{"does not stall", judge(at(1, 7), at(31, 7)).CheckNext(32 * second), oracle.Stall},
		{"is unreachable early", end(judge(at(1, errBlip)), 1, milvuswait.ErrUnreachable), oracle.Unreachable},
		{"is not unreachable", judge(at(1, errBlip), at(21, errBlip)).CheckNext(22 * second), oracle.Unreachable},
		{"is unreachable after the budget", end(judge(at(1, errBlip)), 21, milvuswait.ErrUnreachable), oracle.Unreachable},
		{"forgets a tolerated failure", end(judge(at(1, errBlip)), 20.99, &milvuswait.Error{Cause: milvuswait.ErrUnreachable}), oracle.Unreachable},
		{"ends by one absent answer", end(judge(at(1, 7), at(6, milvuswait.ErrNotLoaded)), 6, milvuswait.ErrReleased), oracle.Confirm},
		{"goes on after two absent answers", judge(at(1, 7), at(6, milvuswait.ErrNotLoaded), at(6.2, milvuswait.ErrCollectionNotFound)).CheckNext(7 * second), oracle.Confirm},
		{"confirms late", judge(at(1, 7), at(6, milvuswait.ErrNotLoaded)).CheckPace(6101 * time.Millisecond), oracle.Confirm},
		{"ends by one refusal", end(judge(at(1, 7), at(6, errDenied)), 6, errDenied), oracle.Refused},
		{"goes on after 30 s of refusals", judge(at(1, 7), at(6, errDenied), at(36, errDenied)).CheckNext(37 * second), oracle.Refused},
		{"polls beyond the budget", judge(at(1, errBlip), at(20, errBlip)).CheckTimeout(30 * second), oracle.Timeout},
		{"ends within the grace", end(judge(at(1, milvuswait.ErrNotLoaded)), 1, milvuswait.ErrNotLoaded), oracle.Grace},
		{"goes on after the grace", judge(at(5, milvuswait.ErrNotLoaded)).CheckNext(6 * second), oracle.Grace},
		{"ends by a transient failure", end(judge(at(1, errBlip)), 1, errBlip), oracle.Transient},
		{"goes on after a permanent failure", judge(at(6, milvuswait.ErrNotLoaded)).CheckNext(7 * second), oracle.Permanent},
		{"times out early", end(judge(at(1, 7)), 1, timedOut), oracle.Deadline},
		{"does not time out", end(judge(at(1, 7)), 61, timedOut), oracle.Deadline},
		{"times out without an Error", end(judge(at(1, 7)), 60, context.DeadlineExceeded), oracle.Deadline},

		{"polls late", judge(at(1, 7)).CheckBounds(2 * second), oracle.Bounds},
		{"polls early, as at a turn", judge(at(1, 7)).CheckBounds(1002 * time.Millisecond), oracle.Turns},
		{"misses a turn", judge(at(1, 7)).CheckTurns(32 * second), oracle.Turns},
		{"leaves the last poll out", judge(at(1, 7)).CheckLastPoll(time.Minute), oracle.LastPoll},
		{"polls when no answer can arrive", judge(at(1, 7)).CheckLastPoll(59990 * time.Millisecond), oracle.LastPoll},
		{"polls at another time", judge(at(1, 7)).CheckNext(1070 * time.Millisecond), oracle.Pace},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var b *oracle.Breach
			require.ErrorAs(t, tt.got, &b)
			require.Equal(t, tt.want.Name, b.Rule.Name)
			for _, part := range []string{tt.want.Name, tt.want.File, tt.want.Oracle} {
				require.ErrorContains(t, tt.got, part)
			}
			require.FileExists(t, "../../"+tt.want.File)
			require.FileExists(t, "../../"+tt.want.Oracle)
		})
	}
}

package simulation_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/fake/fakeserver"
	"github.com/milvuswait/milvuswait/internal/simulation"
)

// TestDrawsReachEverything checks that the drawn scenarios cover all cases. A rule about a
// case that never occurs would never fail.
func TestDrawsReachEverything(t *testing.T) {
	ends, answers, seen := map[simulation.Class]int{}, map[simulation.Class]int{}, map[string]int{}
	note := func(what string, happens bool) {
		if happens {
			seen[what]++
		}
	}

	for seed := range uint64(600) {
		s := simulation.Draw(seed)
		o := s.Options
		note("Watch", o.Watch)
		note("a server that is away", len(s.Outages) > 0)
		note("connections that break", len(s.Breaks) > 0)
		note("more than 100 targets", len(s.Targets) > 100)
		note("WithSettle", o.Settle > 0)
		note("WithStartGrace", o.Grace > 0)
		note("WithRefresh", o.Refresh)
		note("RowsAtStart", o.Criterion == milvuswait.RowsAtStart)
		note("ServerState", o.Criterion == milvuswait.ServerState)
		note("no deadline", o.Deadline == 0)
		note("generators that stop", o.Own != nil && o.Own.Stop > 0)
		note("the default pace", o.Own == nil && o.Backoff.Max == 0)
		note("one poll in flight", o.InFlight == 1)
		note("Milvus 2.2", s.Dialect == fakeserver.Milvus22)
		note("Milvus 2.3", s.Dialect == fakeserver.Milvus23)
		note("milvus-lite", s.Dialect == fakeserver.MilvusLite)

		targets := map[milvuswait.Target]int{}
		for _, target := range s.Targets {
			targets[target]++
			note("a target that is there twice", targets[target] == 2)
			note("AllIndexes", target.Index() == milvuswait.AllIndexes)
			note("ExpectRows", target.ExpectedRows() > 0)
		}

		for _, c := range s.Collections {
			note("dropped and made anew", len(c.Gone) > 0 && c.Gone[0].From > 0 && c.Gone[0].To < s.Span)
			for _, thing := range c.Things {
				for _, state := range thing.States {
					note("an answer that never comes", state.Takes == fake.Forever)
					switch p := state.Says.(type) {
					case milvuswait.LoadingProgress:
						note("a percentage out of range", p.Percent < 0 || p.Percent > 100)
					case milvuswait.IndexBuildingProgress:
						note("rows out of range", p.PendingIndexRows < 0)
					}
				}
			}
		}

		shown, tolerated := map[milvuswait.Target]float64{}, map[milvuswait.Target]simulation.Event{}
		log := play(t, s, ways[0].play)
		for _, e := range log {
			switch {
			case final(e):
				ends[e.Answer.Err]++
				before, confirmed := tolerated[e.Target]
				note("a confirmed absence", confirmed && unconfirmed(before.Answer.Err)(before) && absent[e.Answer.Err])
				note("refusals for 30 s", confirmed && e.Answer.Err == before.Answer.Err && e.Answer.Err == "PermissionDenied")
				note("a budget that ends without a poll", e.Answer.Err == "server unreachable" && !answered(log, e))
			case update(e) && e.Answer.Progress != nil:
				note("progress that falls", e.Answer.Progress.Fraction() < shown[e.Target])
				shown[e.Target] = e.Answer.Progress.Fraction()
			case e.Kind == simulation.Ended:
				answers[e.Answers[0].Err]++
			}

			if e.Kind == simulation.Told {
				before, failing := tolerated[e.Target]
				delete(tolerated, e.Target)
				if e.Answer.Err != "" {
					tolerated[e.Target] = e
				}
				absence := absent[e.Answer.Err] && e.Answer.Progress != nil && update(e)
				note("an absence in the grace, after progress", absence && e.At < o.Grace)
				note("a stale absence", failing && unconfirmed(before.Answer.Err)(before) && absent[before.Answer.Err] && e.Answer.Err == "")
				note("a single refusal", failing && before.Answer.Err == "PermissionDenied" && e.Answer.Err == "")
			}
			note("a poll that ends with the budget", e.Kind == simulation.Started && o.Budget > 0 && e.Limit-e.At < min(o.Budget, pollTime(o)) && e.Limit != o.Deadline)
		}

		if seed%3 == 0 {
			for _, e := range play(t, s, ways[2].play) {
				note("a list that serves", len(e.Listed) > 1)
				note("a list of indexes", len(e.Asked) > 1)
				note("the state of a load", e.Kind == simulation.Checked)
				note("a list that fails", e.Kind == simulation.Ended && e.Asked == nil && e.Listed == nil)
			}
		}
	}

	for _, class := range []simulation.Class{
		"", "deadline exceeded", "canceled", "stalled", "server unreachable", "aborted", "released during the wait",
		"collection not found", "partition not found", "index not found", "database not found", "ambiguous index",
		"not loaded", "load failed", "index build failed", "Unauthenticated", "PermissionDenied", "Unimplemented",
		"InvalidArgument", "code 1100", "code 1401",
	} {
		require.Positive(t, ends[class], "no target ends as %q", class)
	}

	for _, class := range []simulation.Class{
		"out of time", "cut", "Unavailable", "Aborted", "Internal", "Unknown", "ResourceExhausted", "DeadlineExceeded", "Canceled",
		"code 1", "code 8", "code 503",
	} {
		require.Positive(t, answers[class], "no poll ends as %q", class)
	}

	for _, what := range []string{
		"Watch", "a server that is away", "connections that break", "more than 100 targets", "WithSettle", "WithStartGrace", "WithRefresh",
		"RowsAtStart", "ServerState", "no deadline", "generators that stop", "the default pace", "one poll in flight",
		"dropped and made anew", "progress that falls", "a list that serves", "a list of indexes", "the state of a load", "a list that fails",
		"Milvus 2.2", "Milvus 2.3", "milvus-lite", "a target that is there twice", "AllIndexes", "ExpectRows", "an answer that never comes",
		"a percentage out of range", "rows out of range", "a confirmed absence", "a stale absence", "an absence in the grace, after progress",
		"a single refusal", "refusals for 30 s", "a budget that ends without a poll", "a poll that ends with the budget",
	} {
		require.Positive(t, seen[what], what)
	}

	t.Logf("ends %v\nanswers %v\nseen %v", ends, answers, seen)
}

// absent are the classes of answers that require a confirmation.
var absent = map[simulation.Class]bool{"collection not found": true, "database not found": true, "index not found": true, "partition not found": true, "not loaded": true}

// answered reports whether a poll of the target ended with an update.
func answered(log simulation.Log, update simulation.Event) bool {
	return slices.ContainsFunc(log, func(e simulation.Event) bool {
		return e.Kind == simulation.Ended && e.At == update.At && slices.Contains(e.Asked, update.Target)
	})
}

// pollTime returns the initial timeout of a poll.
func pollTime(o simulation.Options) time.Duration {
	if o.PollTime[0] > 0 {
		return o.PollTime[0]
	}
	return 10 * time.Second
}

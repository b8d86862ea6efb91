package simulation_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/internal/simulation"
)

// TestLogsAgree compares equal logs of two ways of running a scenario. A change to any line
// of one of them must be a difference.
func TestLogsAgree(t *testing.T) {
	s := simulation.Draw(5)
	fake, server := play(t, s, ways[0].play), play(t, s, ways[1].play)
	require.NoError(t, simulation.Compare(fake, server))
	require.Greater(t, len(fake), 10)

	for _, tt := range []struct {
		name   string
		change func(simulation.Log) simulation.Log
	}{
		{"an event is missing", func(l simulation.Log) simulation.Log { return slices.Delete(l, 4, 5) }},
		{"the last event is missing", func(l simulation.Log) simulation.Log { return l[:len(l)-1] }},
		{"an event is there twice", func(l simulation.Log) simulation.Log { return slices.Insert(l, 4, l[4]) }},
		{"an event is a nanosecond late", func(l simulation.Log) simulation.Log { l[4].At++; return l }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.Error(t, simulation.Compare(tt.change(slices.Clone(fake)), server))
		})
	}
}

// TestNothingOfAnEventIsLeftOut compares pairs of events with one difference.
func TestNothingOfAnEventIsLeftOut(t *testing.T) {
	load := milvuswait.LoadingProgress{Percent: 40}
	index := milvuswait.IndexBuildingProgress{TotalRows: 10, IndexedRows: 4, PendingIndexRows: 6, State: milvuswait.IndexStateInProgress}

	events := func(a simulation.Answer) []simulation.Event {
		target := milvuswait.Loading("docs")
		return []simulation.Event{
			{Kind: simulation.Ended, Asked: []milvuswait.Target{target}, Answers: []simulation.Answer{a}},
			{Kind: simulation.Ended, Listed: map[string]simulation.Answer{"docs": a}},
			{Kind: simulation.Told, Target: target, Answer: a},
			{Kind: simulation.Returned, Target: target, Answer: a},
		}
	}

	for name, answers := range map[string][2]simulation.Answer{
		"the answer":            {{Progress: load}, {Progress: index}},
		"that there is one":     {{Progress: load}, {}},
		"the percentage":        {{Progress: load}, {Progress: milvuswait.LoadingProgress{Percent: 41}}},
		"the refresh":           {{Progress: load}, {Progress: milvuswait.LoadingProgress{Percent: 40, RefreshPercent: 100}}},
		"the rows":              {{Progress: index}, {Progress: with(index, func(p *milvuswait.IndexBuildingProgress) { p.TotalRows++ })}},
		"the indexed rows":      {{Progress: index}, {Progress: with(index, func(p *milvuswait.IndexBuildingProgress) { p.IndexedRows++ })}},
		"the pending rows":      {{Progress: index}, {Progress: with(index, func(p *milvuswait.IndexBuildingProgress) { p.PendingIndexRows = 0 })}},
		"the state":             {{Progress: index}, {Progress: with(index, func(p *milvuswait.IndexBuildingProgress) { p.State++ })}},
		"the reason":            {{Progress: index}, {Progress: with(index, func(p *milvuswait.IndexBuildingProgress) { p.FailReason = "disk" })}},
		"the name of the index": {{Progress: index}, {Progress: with(index, func(p *milvuswait.IndexBuildingProgress) { p.IndexName = "vidx" })}},
		"the error":             {{Err: "Unavailable"}, {Err: "Internal"}},
	} {
		t.Run(name, func(t *testing.T) {
			one, other := events(answers[0]), events(answers[1])
			for i := range one {
				require.NoError(t, simulation.Compare(one[i:i+1], one[i:i+1]))
				require.Error(t, simulation.Compare(one[i:i+1], other[i:i+1]))
			}
		})
	}

	for name, change := range map[string]func(*simulation.Event){
		"the last failure":  func(e *simulation.Event) { e.Last = "Internal" },
		"the polls":         func(e *simulation.Event) { e.Polls++ },
		"the time":          func(e *simulation.Event) { e.Elapsed++ },
		"the contradiction": func(e *simulation.Event) { e.Odd = true },
		"the next poll":     func(e *simulation.Event) { e.Next++ },
		"the end":           func(e *simulation.Event) { e.Final = true },
	} {
		t.Run(name, func(t *testing.T) {
			one := simulation.Log{{Kind: simulation.Told, Target: milvuswait.Loading("docs"), Answer: simulation.Answer{Progress: load}}}
			other := slices.Clone(one)
			change(&other[0])
			require.Error(t, simulation.Compare(one, other))
		})
	}
}

// with returns p after a change.
func with(p milvuswait.IndexBuildingProgress, change func(*milvuswait.IndexBuildingProgress)) milvuswait.IndexBuildingProgress {
	change(&p)
	return p
}

package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
)

func TestScenario_SameSeed_IsTheSame(t *testing.T) {
	require.Equal(t, newScenario(7, 100, time.Hour), newScenario(7, 100, time.Hour))
	require.NotEqual(t, newScenario(7, 100, time.Hour), newScenario(8, 100, time.Hour))
}

func TestHistories_HaveNoGaps(t *testing.T) {
	s := newScenario(1, 500, time.Hour)
	for _, subject := range s.subjects {
		whole := int64(100)
		if subject.rows > 0 {
			whole = subject.rows
		}
		var begin time.Duration
		for _, span := range subject.history {
			require.Greater(t, span.until, begin)
			if span.state == running {
				require.Less(t, max(span.from, span.to), whole, "what is running is not complete")
			}
			if span.state == complete {
				require.Equal(t, whole, span.from)
				require.Equal(t, whole, span.to)
			}
			begin = span.until
		}
		require.GreaterOrEqual(t, begin, time.Hour)
	}
}

func TestScenarios_EveryEvent_Happens(t *testing.T) {
	s := newScenario(1, 1000, 10*time.Minute)
	states := map[milvuswait.Kind]map[state]bool{milvuswait.KindLoading: {}, milvuswait.KindIndexBuilding: {}}
	for _, subject := range s.subjects {
		for _, span := range subject.history {
			states[subject.target.Kind()][span.state] = true
		}
	}
	require.Equal(t, map[state]bool{running: true, complete: true, broken: true, notLoaded: true, noCollection: true}, states[milvuswait.KindLoading])
	require.Equal(t, map[state]bool{
		running: true, complete: true, broken: true, uncounted: true, noCollection: true, noIndex: true,
	}, states[milvuswait.KindIndexBuilding])

	kinds := map[string]bool{}
	for _, g := range s.goals {
		switch {
		case g.target.Kind() == milvuswait.KindLoading && g.target.Partitions() != nil:
			kinds["partition"] = true
		case g.target.Kind() == milvuswait.KindLoading:
			kinds["collection"] = true
		case g.target.Index() == milvuswait.AllIndexes && len(g.on) > 1:
			kinds["all indexes"] = true
		case g.target.Index() == "":
			kinds["the only index"] = true
		case g.target.ExpectedRows() > 0:
			kinds["rows of an index"] = true
		default:
			kinds["index"] = true
		}
	}
	require.Len(t, kinds, 6)
}

// The checks must accept the server's answer at its own instant, and reject many answers of
// other instants.
func TestServer_Responses_AgreeWithTheHistory(t *testing.T) {
	s := newScenario(3, 200, 10*time.Minute)
	told, refused := 0, 0
	for i := range s.subjects {
		subject := &s.subjects[i]
		for at := time.Duration(0); at < 10*time.Minute; at += 7919 * time.Millisecond {
			step := subject.step(at)
			if step.Progress == nil {
				require.Error(t, step.Err)
				require.False(t, subject.history.was(at, at, running, complete))
				continue
			}

			progress := step.Progress
			if index, ok := progress.(milvuswait.IndexBuildingProgress); ok {
				index.IndexName = subject.target.Index()
				progress = index
			}

			told++
			require.True(t, subject.could(at-time.Millisecond, at+time.Millisecond, progress), "%v at %v: %v", subject.target, at, progress)
			require.Equal(t, progress.Complete(), subject.history.was(at, at, complete, uncounted))
			if later := at + time.Minute; !subject.could(later, later, progress) {
				refused++
			}
		}
	}

	require.Greater(t, refused, told/4)
}

func TestSince_IsTheStartOfTheState(t *testing.T) {
	h := history{
		{until: 2 * time.Second, state: running, to: 50},
		{until: 4 * time.Second, state: running, from: 50, to: 99},
		{until: 6 * time.Second, state: complete, from: 100, to: 100},
	}
	for at, since := range map[time.Duration]time.Duration{
		0: 0, 3 * time.Second: 0, 4 * time.Second: 4 * time.Second, 5 * time.Second: 4 * time.Second, time.Minute: 4 * time.Second,
	} {
		require.Equal(t, since, h.since(at), "at %v", at)
	}
}

func TestWeather_Changes(t *testing.T) {
	s := newScenario(1, 1, time.Minute)
	calm, rough := 0, 0

	for n := range 100 {
		now := time.Duration(n)*weatherLasts + time.Second
		w := s.weather(now)
		require.Equal(t, time.Duration(n+1)*weatherLasts, w.until)
		if s.calm(now, now) {
			calm++
			require.Empty(t, w.faults)
		} else {
			rough++
		}
	}

	require.Positive(t, calm)
	require.Positive(t, rough)
}

package simulation_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/internal/oracle"
	"github.com/milvuswait/milvuswait/internal/simulation"
)

// TestCheckWork_ChangedLog_NamesBrokenRule changes logs of waits so that they break a rule. Each
// change names the rule, and reports whether it found something to change.
func TestCheckWork_ChangedLog_NamesBrokenRule(t *testing.T) {
	// succeed makes the target succeed at the time of its final update.
	succeed := func(w *simulation.Work, l *simulation.WorkLog, target milvuswait.Target) {
		for i := range l.Updates {
			if u := &l.Updates[i]; u.Final && u.Target == target {
				u.Err = nil
			}
		}
		l.Outcomes[slices.Index(w.Targets, target)].Err = nil
	}
	failedJob := func(w *simulation.Work, l *simulation.WorkLog) bool {
		for _, o := range l.Outcomes {
			if errors.Is(o.Err, milvuswait.ErrJobFailed) {
				succeed(w, l, o.Target)
				return true
			}
		}
		return false
	}
	requests := func(l *simulation.WorkLog, change func(p *simulation.WorkPoll, i int) bool) bool {
		for _, p := range l.Polls {
			for i := range p.Requests {
				if change(p, i) {
					return true
				}
			}
		}
		return false
	}

	for _, tt := range []struct {
		rule, name string
		change     func(*simulation.Work, *simulation.WorkLog) bool
	}{
		{"one update a poll, and one final update", "none is final", func(_ *simulation.Work, l *simulation.WorkLog) bool {
			for i := range l.Updates {
				l.Updates[i].Final = false
			}
			return true
		}},
		{"a job that failed never succeeds", "it does", failedJob},
		{"an index that is complete has the rows of every flush before it", "a segment is flushed later", func(w *simulation.Work, l *simulation.WorkLog) bool {
			o := w.Options
			if !o.Segments || o.Unlisted || o.Criterion != milvuswait.AllRows || len(w.Troubles) > 0 {
				return false
			}
			for i := range w.Data {
				for k := range w.Data[i].Segments {
					w.Data[i].Segments[k].Flushed += time.Hour
				}
			}
			return slices.ContainsFunc(l.Outcomes, func(o milvuswait.Outcome) bool {
				d := slices.IndexFunc(w.Data, func(d *simulation.Data) bool { return d.Name == o.Target.Collection() })
				return o.Err == nil && o.Target.Kind() == milvuswait.KindIndexBuilding && len(w.Data[d].Segments) > 0 && w.Data[d].Segments[0].Sealed < 0
			})
		}},
		{"a complete target was verified", "it was not", func(_ *simulation.Work, l *simulation.WorkLog) bool {
			found := len(l.Verified) > 0 && slices.ContainsFunc(l.Outcomes, func(o milvuswait.Outcome) bool { return o.Err == nil })
			l.Verified = nil
			return found
		}},
		{"a wait whose server cannot list segments is unconfirmed", "it is confirmed", func(w *simulation.Work, l *simulation.WorkLog) bool {
			found := false
			for i := range l.Updates {
				found = found || l.Updates[i].Unconfirmed && l.Updates[i].Final && l.Updates[i].Err == nil
				l.Updates[i].Unconfirmed = false
			}
			for i := range l.Outcomes {
				l.Outcomes[i].Unconfirmed = false
			}
			return found
		}},
		{"a poll makes no more requests than it needs", "segments are listed twice", func(_ *simulation.Work, l *simulation.WorkLog) bool {
			return requests(l, func(p *simulation.WorkPoll, i int) bool {
				if p.Requests[i].Of != oracle.ListSegments || len(p.Covers) == 0 {
					return false
				}
				p.Requests = slices.Insert(p.Requests, i, p.Requests[i])
				return true
			})
		}},
		{"segments are listed once for all indexes of a collection", "they were all flushed at first", func(w *simulation.Work, l *simulation.WorkLog) bool {
			if len(w.Targets) > 1 || w.Targets[0].ExpectedRows() > 0 {
				return false
			}
			lists := 0
			for _, p := range l.Polls {
				for i := range p.Requests {
					if p.Requests[i].Of == oracle.ListSegments && p.Requests[i].Err == nil {
						lists++
						p.Requests[i].Unflushed = nil
					}
				}
			}
			return lists > 2
		}},
		{"the verdict is the oracle's", "the progress after the list is missing", func(w *simulation.Work, l *simulation.WorkLog) bool {
			if _, marked := w.Targets[0].FlushMark(); len(w.Targets) > 1 || l.Err != nil || marked {
				return false
			}
			p := l.Polls[len(l.Polls)-1]
			n := len(p.Requests) - 1
			if n < 1 || p.Requests[n].Of != oracle.Describe {
				return false
			}
			p.Requests, p.End = p.Requests[:n], p.Requests[n-1].End
			return true
		}},
		{"the times of polls are the oracle's", "a timeout is longer", func(w *simulation.Work, l *simulation.WorkLog) bool {
			l.Polls[0].Limit++
			return len(w.Targets) == 1
		}},
	} {
		t.Run(tt.rule+": "+tt.name, func(t *testing.T) {
			for seed := range uint64(400) {
				if w, log := playWork(t, seed); tt.change(w, log) {
					require.ErrorContains(t, simulation.CheckWork(w, log), "broken rule: "+tt.rule)
					return
				}
			}
			require.Fail(t, "no seed shows it")
		})
	}
}

// TestDrawWork_ReachesEveryKind checks that the draws cover the cases that the rules are about.
func TestDrawWork_ReachesEveryKind(t *testing.T) {
	seen := map[string]int{}
	for seed := range uint64(300) {
		w, log := playWork(t, seed)
		for _, o := range log.Outcomes {
			seen[string(o.Target.Kind())]++
			seen["reason "+milvuswait.Reason(o.Err)]++
			if o.Unconfirmed {
				seen["unconfirmed"]++
			}
		}
		for _, u := range log.Updates {
			seen["waiting for "+string(u.WaitingFor)]++
		}
		for _, method := range []string{"DescribeIndex", "GetPersistentSegmentInfo", "GetFlushState", "verify"} {
			if len(w.Troubles[method]) > 0 {
				seen["trouble with "+method]++
			}
		}
	}

	for _, what := range []string{
		"index_building", "flushing", "importing", "compacting", "serving", "unconfirmed", "waiting for flush", "waiting for verify",
		"reason ", "reason timed_out", "reason job_failed", "reason job_not_found", "reason collection_not_found", "reason stalled", "reason unreachable",
		"reason aborted", "reason failed",
		"trouble with DescribeIndex", "trouble with GetPersistentSegmentInfo", "trouble with GetFlushState", "trouble with verify",
	} {
		require.Positive(t, seen[what], what)
	}
}

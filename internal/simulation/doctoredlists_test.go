package simulation_test

import (
	"slices"
	"time"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/internal/simulation"
)

// doctoredLists are the changes to waits with lists.
var doctoredLists = []doctoring{
	{"a load at 0 % is looked at twice", "its state is not requested", func(c *copied) bool {
		before := len(c.log)
		c.log = slices.DeleteFunc(c.log, kind(simulation.Checked))
		return len(c.log) < before
	}},
	{"a load at 0 % is looked at twice", "its state is requested immediately", func(c *copied) bool {
		for i, e := range c.log {
			if e.Kind == simulation.Ended && len(e.Asked) == 1 && e.Answers[0] == percent(0) && c.about(e.Asked[0], simulation.Ended)[0].At == e.At {
				c.log = slices.Insert(c.log, i+1, simulation.Event{At: e.At, Kind: simulation.Checked, Target: e.Asked[0]})
				return true
			}
		}
		return false
	}},
	{"an absent answer is confirmed by a poll of its own", "by a list", func(c *copied) bool {
		for _, t := range c.Targets {
			told, starts, ends := c.about(t, simulation.Told), c.about(t, simulation.Started), c.about(t, simulation.Ended)
			for i, u := range told {
				first := slices.IndexFunc(ends, func(e *simulation.Event) bool { return e.At == u.At })
				if !plain(t) || !unconfirmed("collection not found")(*u) || i == len(told)-1 || first < 0 || first+1 >= len(ends) {
					continue
				}
				start, end := starts[first+1], ends[first+1]
				start.Asked, end.Asked, end.Answers = nil, nil, nil
				end.Listed = map[string]simulation.Answer{t.Collection(): percent(7)}
				return end.At == told[i+1].At
			}
		}
		return false
	}},
	{"targets that share a poll share it from the first", "loads are polled one by one", func(c *copied) bool {
		t, _ := c.target(plain)
		return c.change(list(simulation.Started), func(e *simulation.Event) { e.Asked = []milvuswait.Target{t} })
	}},
	{"targets that share a poll share it from the first", "indexes are polled one by one", func(c *copied) bool {
		return c.change(func(e simulation.Event) bool { return e.Kind == simulation.Started && len(e.Asked) > 1 },
			func(e *simulation.Event) { e.Asked = e.Asked[:1] })
	}},
	{"lists rest when they fail", "one follows at once", func(c *copied) bool {
		i := slices.IndexFunc(c.log, func(e simulation.Event) bool { return list(simulation.Ended)(e) && e.Listed == nil })
		if i < 0 {
			return false
		}
		next := c.log[i].At + 999*time.Millisecond
		c.log = slices.Insert(c.log, i+1,
			simulation.Event{At: next, Kind: simulation.Started, Poll: 1 << 20},
			simulation.Event{At: next, Kind: simulation.Ended, Poll: 1 << 20, Answers: []simulation.Answer{{Err: "Unavailable"}}})
		return true
	}},
	{"a list serves all targets due together", "one is polled alone", func(c *copied) bool {
		t, found := c.target(plain)
		lists := 0
		for i := range c.log {
			e := &c.log[i]
			if e.Asked != nil || e.Kind != simulation.Started && e.Kind != simulation.Ended {
				continue
			}
			if lists++; lists <= 2 { // the start and the end of the first list
				if e.Kind == simulation.Ended && len(e.Listed) < 2 {
					return false
				}
				continue
			}
			e.Asked = []milvuswait.Target{t}
			if e.Kind == simulation.Ended {
				e.Answers = []simulation.Answer{e.Listed[t.Collection()]}
				return found && !c.Options.Refresh && c.Options.Own == nil && e.Listed != nil && len(c.about(t, simulation.Told)) > 2
			}
		}
		return false
	}},
}

// plain reports whether lists of all loads cover a target.
func plain(t milvuswait.Target) bool {
	return t.Kind() == milvuswait.KindLoading && t.Partitions() == nil
}

// list returns a filter for events of the kind about a list of all loads.
func list(k simulation.Kind) func(simulation.Event) bool {
	return func(e simulation.Event) bool { return e.Kind == k && e.Asked == nil }
}

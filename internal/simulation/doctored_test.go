package simulation_test

import (
	"slices"
	"time"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/internal/simulation"
)

// doctoring is a change to a wait. The changed wait breaks a rule. It changes the log or, if
// this is simpler, the scenario. It reports whether it found something to change.
type doctoring struct {
	rule, name string
	doctor     func(*copied) bool
}

// doctored are all changes to waits without lists.
var doctored = slices.Concat(doctoredPolls, doctoredEnds, doctoredUpdates, doctoredPace)

var doctoredPolls = []doctoring{
	{"events come as they follow from each other", "an update comes before its poll has ended", func(c *copied) bool {
		t := c.Targets[0]
		if c.polls(t) == 0 || len(c.about(t, simulation.Told)) < 2 {
			return false
		}
		end, told := c.about(t, simulation.Ended)[0], c.about(t, simulation.Told)[0]
		end.Line, told.Line = told.Line, end.Line
		return end.At == told.At
	}},
	{"events come as they follow from each other", "an update comes after the return", func(c *copied) bool {
		return c.change(final, func(e *simulation.Event) { e.Line = len(c.log) + 1 })
	}},
	{"polls that start end before the wait does", "a poll never ends", func(c *copied) bool {
		return c.remove(kind(simulation.Ended))
	}},
	{"polls that start end before the wait does", "a poll ends afterwards", func(c *copied) bool {
		return c.change(kind(simulation.Ended), func(e *simulation.Event) { e.At = c.log[len(c.log)-1].At + 1 })
	}},
	{"a target has one poll in flight at most", "two polls at a time", func(c *copied) bool {
		return c.change(kind(simulation.Started), func(e *simulation.Event) {
			other := *e
			other.Poll = 1 << 20
			c.log = slices.Insert(c.log, 1, other, simulation.Event{
				At: e.At + 1, Kind: simulation.Ended, Poll: 1 << 20, Asked: e.Asked, Answers: []simulation.Answer{{Err: "Unavailable"}},
			})
		})
	}},
	{"no more polls are in flight than allowed", "one too many", func(c *copied) bool {
		both := len(c.log) > 1 && c.log[0].Kind == simulation.Started && c.log[1].Kind == simulation.Started
		c.Options.InFlight = 1
		return both
	}},
	{"a server on which polls only time out gets one poll at a time", "by as many as ever", func(c *copied) bool {
		if len(c.Targets) < 3 || c.Options.InFlight < 2 || c.Options.InFlight > 3 {
			return false
		}
		for i := range c.log {
			if c.log[i].Kind == simulation.Ended {
				c.log[i].Answers = []simulation.Answer{{Err: "out of time"}}
			}
		}
		return len(c.log) > 60
	}},
	{"polls are no more than the budget has", "many at once", func(c *copied) bool {
		i := slices.IndexFunc(c.log, update)
		if len(c.Targets) < 2 || i < 0 {
			return false
		}
		after, asked := c.log[i].At, c.about(c.log[i].Target, simulation.Started)[0].Asked
		var more simulation.Log
		for n := range 21 {
			more = append(more,
				simulation.Event{At: after, Kind: simulation.Started, Poll: 1<<20 + n, Asked: asked},
				simulation.Event{At: after, Kind: simulation.Ended, Poll: 1<<20 + n, Asked: asked, Answers: []simulation.Answer{{Err: "Unavailable"}}})
		}
		c.log = slices.Insert(c.log, i+1, more...)
		return true
	}},
	{"every poll has its time and no more", "none", func(c *copied) bool {
		return c.change(kind(simulation.Started), func(e *simulation.Event) { e.Limit = 0 })
	}},
	{"every poll has its time and no more", "a little more", func(c *copied) bool {
		return c.change(kind(simulation.Started), func(e *simulation.Event) { e.Limit++ })
	}},
	{"every poll has its time and no more", "no more after one that had too little", func(c *copied) bool {
		t, found := c.target(func(t milvuswait.Target) bool {
			ends := c.about(t, simulation.Ended)
			return c.Options.Deadline == 0 && len(ends) > 1 && ends[0].Answers[0].Err == "out of time" && c.Options.PollTime[0] < c.Options.PollTime[1]
		})
		if found {
			second := c.about(t, simulation.Started)[1]
			second.Limit = second.At + c.Options.PollTime[0]
		}
		return found
	}},
	{"no poll starts when the context has ended", "at the very deadline", func(c *copied) bool {
		c.Options.Deadline = c.log[slices.IndexFunc(c.log, kind(simulation.Ended))].At
		return c.change(kind(simulation.Started), func(e *simulation.Event) { e.At = c.Options.Deadline })
	}},
	{"no poll of a target outlives its end", "it ends before its last poll", func(c *copied) bool {
		t, found := c.target(c.ended(""))
		if found {
			c.end(t).At--
		}
		return found
	}},
	{"every first poll starts before any second", "one is forgotten until late", func(c *copied) bool {
		t, found := c.target(func(t milvuswait.Target) bool { return c.polls(t) == 1 })
		_, second := c.target(func(t milvuswait.Target) bool { return c.polls(t) > 1 })
		if found && second {
			c.about(t, simulation.Started)[0].At = c.log[len(c.log)-1].At
		}
		return found && second
	}},
	{"first polls start in the order of the targets", "the last is the first", func(c *copied) bool {
		if len(c.Targets) < 4 || c.Options.InFlight != 1 {
			return false
		}
		last := c.Targets[len(c.Targets)-1]
		if c.polls(last) == 0 || last == c.Targets[0] {
			return false
		}
		c.about(last, simulation.Started)[0].At, c.about(c.Targets[0], simulation.Started)[0].At = 0, c.about(last, simulation.Started)[0].At
		return true
	}},
}

var doctoredEnds = []doctoring{
	{"every target ends once, and no update follows", "twice", func(c *copied) bool {
		e := c.find(final)
		c.log = slices.Insert(c.log, len(c.log)-1, *e)
		return true
	}},
	{"every target ends once, and no update follows", "never", func(c *copied) bool { return c.remove(final) }},
	{"every target ends once, and no update follows", "an update follows", func(c *copied) bool {
		u := c.find(update)
		if u != nil {
			c.log = slices.Insert(c.log, len(c.log)-1, *u)
		}
		return u != nil
	}},
	{"success means that the last poll was complete", "99 %", func(c *copied) bool {
		t, found := c.target(func(t milvuswait.Target) bool { return t.Kind() == milvuswait.KindLoading && c.ended("")(t) })
		if found {
			ends := c.about(t, simulation.Ended)
			ends[len(ends)-1].Answers = []simulation.Answer{percent(99)}
		}
		return found
	}},
	{"success means that the last poll was complete", "the deadline passed", endAs("deadline exceeded", "")},
	{"success means that the last poll was complete", "too few rows", func(c *copied) bool {
		t, found := c.target(func(t milvuswait.Target) bool { return t.Kind() == milvuswait.KindIndexBuilding && c.ended("")(t) })
		if found {
			ends := c.about(t, simulation.Ended)
			p := ends[len(ends)-1].Answers[0].Progress.(milvuswait.IndexBuildingProgress)
			p.PendingIndexRows, p.State, p.IndexedRows = 1, milvuswait.IndexStateInProgress, -1
			ends[len(ends)-1].Answers = []simulation.Answer{{Progress: p}}
		}
		return found
	}},
	{"success means that the last poll was complete", "it had not settled", func(c *copied) bool {
		_, found := c.target(c.ended(""))
		c.Options.Settle += time.Hour
		return found
	}},
	{"a complete target ends at that very poll", "it goes on", func(c *copied) bool {
		t, found := c.target(func(t milvuswait.Target) bool { return t.Kind() == milvuswait.KindLoading && c.polls(t) > 3 })
		if found && c.Options.Settle == 0 && !c.Options.Refresh {
			c.about(t, simulation.Ended)[1].Answers = []simulation.Answer{percent(100)}
			return true
		}
		return false
	}},
	{"success is true in the world", "the collection was never there", func(c *copied) bool {
		t, found := c.target(c.ended(""))
		for _, collection := range c.Collections {
			if collection.Name == t.Collection() {
				collection.Gone = []simulation.Span{{From: 0, To: 1 << 60}}
			}
		}
		return found && c.Options.Criterion == milvuswait.AllRows
	}},
	{"a permanent failure ends at that very poll", "it goes on", func(c *copied) bool {
		t, found := c.target(func(t milvuswait.Target) bool { return c.polls(t) > 2 })
		if found {
			c.about(t, simulation.Ended)[0].Answers = []simulation.Answer{{Err: "Unauthenticated"}}
		}
		return found
	}},
	{"a permanent failure ends at that very poll", "it ends for another reason", endAs("released during the wait", "not loaded")},
	{"nothing else ends a wait", "a passing failure", func(c *copied) bool {
		t, found := c.target(c.ended("server unreachable"))
		if found {
			c.end(t).Answer.Err = "Unavailable"
		}
		return found
	}},
	{"nothing else ends a wait", "an absent answer that is not confirmed", endAt(unconfirmed("collection not found"))},
	{"nothing else ends a wait", "a refusal after a success", endAt(func(e simulation.Event) bool {
		return update(e) && e.Answer.Err == "PermissionDenied" && e.Answer.Progress != nil
	})},
	{"nothing else ends a wait", "a good answer", endAs("", "collection not found")},
	{"a deadline ends waits when it comes, and only then", "before", endAs("", "deadline exceeded")},
	{"a deadline ends waits when it comes, and only then", "afterwards", func(c *copied) bool {
		limit := c.Options.Deadline
		return c.change(func(e simulation.Event) bool { return final(e) && e.At == limit && limit > 0 }, func(e *simulation.Event) { e.At++ })
	}},
	{"a deadline ends waits when it comes, and only then", "called something else", func(c *copied) bool {
		return c.change(func(e simulation.Event) bool { return final(e) && e.Answer.Err == "deadline exceeded" },
			func(e *simulation.Event) { e.Answer.Err = "canceled" })
	}},
	{"a server is unreachable after the budget, not before", "before", func(c *copied) bool {
		_, found := c.target(c.ended("server unreachable"))
		c.Options.Budget += time.Hour
		return found
	}},
	{"a server is unreachable after the budget, not before", "it goes on", func(c *copied) bool {
		t, found := c.target(func(t milvuswait.Target) bool {
			ends := c.about(t, simulation.Ended)
			return len(ends) > 3 && ends[0].Answers[0].Err == "Unavailable" && ends[1].Answers[0].Err == "Unavailable"
		})
		if found {
			c.Options.Budget = c.about(t, simulation.Ended)[1].At / 2
		}
		return found
	}},
	{"a server is unreachable after the budget, not before", "it has answered", endAs("", "server unreachable")},
	{"no wait outlasts the budget", "it ends later", func(c *copied) bool {
		t, found := c.target(func(t milvuswait.Target) bool {
			told, ends := c.about(t, simulation.Told), c.about(t, simulation.Ended)
			return c.end(t).Answer.Err == "server unreachable" && len(told) == len(ends)+1
		})
		if found {
			c.end(t).At++
		}
		return found
	}},
	{"every poll has its time and no more", "more than the budget", func(c *copied) bool {
		limit := c.Options.PollTime[0]
		if limit == 0 {
			limit = 10 * time.Second
		}
		return c.change(func(e simulation.Event) bool {
			return e.Kind == simulation.Started && c.Options.Deadline == 0 && len(c.Targets) == 1 && e.At == 0 && e.Limit < limit
		}, func(e *simulation.Event) { e.Limit = limit })
	}},
	{"the failure of one ends the others, or does not", "the server is unreachable, and they are aborted", func(c *copied) bool {
		unreachable := 0
		for _, t := range c.Targets {
			if c.end(t).Answer.Err == "server unreachable" {
				unreachable++
			}
		}
		last := c.end(c.Targets[len(c.Targets)-1])
		if c.Options.Continue || unreachable < 2 || last.Answer.Err != "server unreachable" || c.ended("server unreachable")(last.Target) {
			return false
		}
		last.Answer.Err = "aborted"
		return true
	}},
	{"a standstill is one after its time, not before", "before", func(c *copied) bool {
		_, found := c.target(c.ended("stalled"))
		c.Options.Stall += time.Hour
		return found
	}},
	{"a standstill is one after its time, not before", "it goes on", func(c *copied) bool {
		t, found := c.target(func(t milvuswait.Target) bool {
			ends := c.about(t, simulation.Ended)
			return t.Kind() == milvuswait.KindLoading && len(ends) > 4 && c.Options.Stall == 0 && !c.Options.Refresh
		})
		if found {
			ends := c.about(t, simulation.Ended)
			for _, e := range ends[:3] {
				e.Answers = []simulation.Answer{percent(7)}
			}
			c.Options.Stall = ends[2].At - ends[0].At
		}
		return found
	}},
	{"the failure of one ends the others, or does not", "it does not", func(c *copied) bool {
		aborted := c.change(func(e simulation.Event) bool { return final(e) && e.Answer.Err == "aborted" }, func(*simulation.Event) {})
		c.Options.Continue = true
		return aborted && c.Options.Own == nil
	}},
	{"the failure of one ends the others, or does not", "it should", func(c *copied) bool {
		first := time.Duration(1 << 60)
		for _, t := range c.Targets {
			if c.ended("stalled")(t) {
				first = min(first, c.end(t).At)
			}
		}
		later := c.find(func(e simulation.Event) bool { return final(e) && e.Answer.Err == "" && e.At > first+time.Second })
		c.Options.Continue = false
		return later != nil && c.Options.Own == nil
	}},
	{"the failure of one ends the others, or does not", "siblings are joined", func(c *copied) bool {
		return c.change(kind(simulation.Over), func(e *simulation.Event) { e.Failed++ })
	}},
}

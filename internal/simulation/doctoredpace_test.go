package simulation_test

import (
	"slices"
	"time"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/internal/simulation"
)

var doctoredPace = []doctoring{
	{"delays are within their bounds", "too long", func(c *copied) bool {
		return c.Options.Deadline == 0 && c.change(update, func(e *simulation.Event) { e.Next += time.Hour })
	}},
	{"delays are within their bounds", "too short", func(c *copied) bool {
		return c.Options.Deadline == 0 && c.change(update, func(e *simulation.Event) { e.Next = 2 * time.Microsecond })
	}},
	{"delays are those of Backoff, to the microsecond", "a little longer", func(c *copied) bool {
		return c.change(update, func(e *simulation.Event) { e.Next += 2 * time.Microsecond })
	}},
	{"delays are those of Backoff, to the microsecond", "an absent answer is confirmed late", func(c *copied) bool {
		return c.change(unconfirmed("collection not found"), func(e *simulation.Event) { e.Next += 2 * time.Microsecond })
	}},
	{"delays are those of Backoff, to the microsecond", "an absent answer is confirmed at the pace", func(c *copied) bool {
		return c.change(unconfirmed("not loaded"), func(e *simulation.Event) { e.Next = time.Second })
	}},
	{"a poll comes when the verdict can change", "after a complete target has settled", func(c *copied) bool {
		for _, t := range c.Targets {
			told, ends := c.about(t, simulation.Told), c.about(t, simulation.Ended)
			if t.Kind() != milvuswait.KindLoading || c.Options.Settle == 0 || len(told) < 3 || len(ends) < 3 || told[1].Next < 2*c.Options.Settle {
				continue
			}
			ends[0].Answers, ends[1].Answers = []simulation.Answer{percent(7)}, []simulation.Answer{percent(100)}
			return c.Options.Deadline == 0 && !c.Options.Refresh
		}
		return false
	}},
	{"a poll comes when the verdict can change", "after a standstill", func(c *copied) bool {
		t, found := c.target(func(t milvuswait.Target) bool {
			told, ends := c.about(t, simulation.Told), c.about(t, simulation.Ended)
			return c.Options.Deadline == 0 && len(told) > 1 && len(ends) > 1 && ends[0].Answers[0].Err == ""
		})
		if found {
			c.Options.Stall = c.about(t, simulation.Told)[0].Next - time.Millisecond
			c.about(t, simulation.Ended)[0].Answers = []simulation.Answer{percent(7)}
		}
		return found && t.Kind() == milvuswait.KindLoading && !c.Options.Refresh
	}},
	{"a poll comes when the verdict can change", "after the grace", func(c *copied) bool {
		u := c.find(func(e simulation.Event) bool { return update(e) && e.Answer.Err != "" && e.Next > 10*time.Millisecond })
		if u != nil {
			c.Options.Grace = u.At + u.Next/2
		}
		return u != nil && c.Options.Deadline == 0
	}},
	{"the last poll is just before the deadline", "after the budget", func(c *copied) bool {
		u := c.find(func(e simulation.Event) bool {
			return update(e) && e.Answer.Err == "Unavailable" && e.Next > 10*time.Millisecond
		})
		if u != nil {
			c.Options.Budget = u.At + u.Next/2
		}
		return u != nil && u.Polls == 1 && c.Options.Deadline == 0 && c.Options.Grace == 0
	}},
	{"the last poll is just before the deadline", "it rests early", func(c *copied) bool {
		limit := c.Options.Deadline
		return c.change(func(e simulation.Event) bool { return update(e) && e.At < limit-2*time.Second },
			func(e *simulation.Event) { e.Next = limit - e.At })
	}},
	{"the last poll is just before the deadline", "it is to come when no answer can be there in time", func(c *copied) bool {
		limit := c.Options.Deadline
		return c.change(func(e simulation.Event) bool { return update(e) && e.At < limit-2*time.Second },
			func(e *simulation.Event) { e.Next = limit - 49*time.Millisecond - e.At })
	}},
	{"the last poll is just before the deadline", "a poll comes after the last", func(c *copied) bool {
		limit := c.Options.Deadline
		t, found := c.target(func(t milvuswait.Target) bool { return limit > 0 && c.polls(t) > 1 })
		if found {
			u := c.about(t, simulation.Told)[0]
			u.Next = limit - u.At
		}
		return found
	}},
	{"polls start when they are due", "late", func(c *copied) bool {
		return len(c.Targets) == 1 && c.change(update, func(e *simulation.Event) { e.Next -= time.Millisecond / 2 }) && c.polls(c.Targets[0]) > 1
	}},
	{"polls start when they are due", "early", func(c *copied) bool {
		return len(c.Targets) == 1 && c.change(update, func(e *simulation.Event) { e.Next++ }) && c.polls(c.Targets[0]) > 1
	}},
	{"a poll that is due comes", "a poll of an update does not", func(c *copied) bool {
		t := c.Targets[0]
		told := c.about(t, simulation.Told)
		if len(c.Targets) > 1 || len(told) < 3 || c.end(t).Answer.Err != "deadline exceeded" || told[0].At+told[0].Next > c.end(t).At-time.Second {
			return false
		}
		c.log = slices.DeleteFunc(c.log, func(e simulation.Event) bool {
			return e.At > told[0].At && (e.Kind == simulation.Started || e.Kind == simulation.Ended || update(e))
		})
		return true
	}},
	{"a poll that is due comes", "no poll comes at all", func(c *copied) bool {
		end := c.end(c.Targets[0])
		if len(c.Targets) > 1 || end.Answer.Err != "deadline exceeded" {
			return false
		}
		c.log = slices.DeleteFunc(c.log, func(e simulation.Event) bool {
			return e.Kind == simulation.Started || e.Kind == simulation.Ended || update(e)
		})
		return true
	}},
	{"a completion is noticed in time", "late", func(c *copied) bool {
		t, found := c.target(func(t milvuswait.Target) bool { return c.ended("")(t) && c.polls(t) > 3 && t.ExpectedRows() == 0 })
		for _, collection := range c.Collections {
			for _, thing := range collection.Things {
				thing.States = reliable(thing.Target)
			}
			collection.Gone = nil
		}
		failed := slices.ContainsFunc(c.about(t, simulation.Ended), func(e *simulation.Event) bool { return e.Answers[0].Err != "" })
		o := c.Options
		return found && !failed && o.Settle == 0 && !o.Refresh && o.Criterion == milvuswait.AllRows
	}},
}

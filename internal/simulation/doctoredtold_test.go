package simulation_test

import (
	"slices"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/internal/simulation"
)

var doctoredUpdates = []doctoring{
	{"one update a poll, in order", "one is missing", func(c *copied) bool { return c.remove(update) }},
	{"one update a poll, in order", "one comes late", func(c *copied) bool {
		return c.change(update, func(e *simulation.Event) { e.At++ })
	}},
	{"one update a poll, in order", "polls are counted wrongly", func(c *copied) bool {
		return c.change(update, func(e *simulation.Event) { e.Polls++ })
	}},
	{"one update a poll, in order", "the time is wrong", func(c *copied) bool {
		return c.change(update, func(e *simulation.Event) { e.Elapsed++ })
	}},
	{"updates are raw", "the greatest is kept", func(c *copied) bool {
		for _, t := range c.Targets {
			told := c.about(t, simulation.Told)
			for i := 1; i < len(told) && t.Kind() == milvuswait.KindLoading; i++ {
				before, now := told[i-1].Answer.Progress, told[i].Answer.Progress
				if before != nil && now != nil && before.Fraction() > now.Fraction() {
					told[i].Answer.Progress = before
					return true
				}
			}
		}
		return false
	}},
	{"updates are raw", "a failure is hidden", func(c *copied) bool {
		return c.change(func(e simulation.Event) bool { return update(e) && e.Answer.Err != "" }, func(e *simulation.Event) { e.Answer.Err = "" })
	}},
	{"outcomes are those of the targets, in their order", "two are swapped", func(c *copied) bool {
		i := slices.IndexFunc(c.log, kind(simulation.Returned))
		if len(c.Targets) < 2 || c.Targets[0] == c.Targets[1] {
			return false
		}
		c.log[i], c.log[i+1] = c.log[i+1], c.log[i]
		return true
	}},
	{"outcomes are those of the targets, in their order", "one is missing", func(c *copied) bool {
		return c.remove(kind(simulation.Returned))
	}},
	{"outcomes are those of the targets, in their order", "one is empty", func(c *copied) bool {
		return c.change(func(e simulation.Event) bool { return e.Kind == simulation.Returned && e.Polls > 0 },
			func(e *simulation.Event) { *e = simulation.Event{At: e.At, Kind: e.Kind, Target: e.Target} })
	}},
	{"outcomes are those of the targets, in their order", "an error is that of another wait", func(c *copied) bool {
		return c.change(kind(simulation.Returned), func(e *simulation.Event) { e.Odd = true })
	}},
	{"the last failure is kept", "it is not", func(c *copied) bool {
		return c.change(func(e simulation.Event) bool { return final(e) && e.Last != "" }, func(e *simulation.Event) { e.Last = "" })
	}},
	{"the last failure is kept", "an older one is", func(c *copied) bool {
		return c.change(func(e simulation.Event) bool { return final(e) && e.Last == "" }, func(e *simulation.Event) { e.Last = "Internal" })
	}},
}

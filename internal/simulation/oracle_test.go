package simulation_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/internal/simulation"
)

// TestOracleRefusesBrokenWaits requires each rule to reject logs that break it: correct
// logs with one change.
func TestOracleRefusesBrokenWaits(t *testing.T) {
	refused := map[string]bool{}
	refuse := func(d doctoring, way func(*simulation.Scenario) (simulation.Log, error)) {
		refused[d.rule] = true
		t.Run(d.rule+": "+d.name, func(t *testing.T) {
			for seed := range uint64(400) {
				c := &copied{Scenario: simulation.Draw(seed)}
				c.log = play(t, c.Scenario, way)
				require.Empty(t, simulation.Broken(c.Scenario, c.log))
				if d.doctor(c) {
					require.Contains(t, simulation.Broken(c.Scenario, c.log), d.rule, "seed %d", seed)
					require.ErrorContains(t, simulation.Check(c.Scenario, c.log), ".go; or ")
					return
				}
			}
			t.Fatal("no seed has what is to be changed")
		})
	}

	for _, d := range doctored {
		refuse(d, ways[0].play)
	}
	for _, d := range doctoredLists {
		refuse(d, ways[2].play)
	}

	for _, rule := range simulation.RuleNames() {
		require.True(t, refused[rule], "nothing breaks the rule: %s", rule)
	}
	for _, file := range simulation.RuleFiles() {
		require.FileExists(t, "../../"+file)
	}
}

// copied is a scenario and its log, with methods to change them.
type copied struct {
	*simulation.Scenario
	log simulation.Log
}

// find returns the first matching event, or nil if there is none.
func (c *copied) find(is func(simulation.Event) bool) *simulation.Event {
	if i := slices.IndexFunc(c.log, is); i >= 0 {
		return &c.log[i]
	}
	return nil
}

// change changes the first matching event, and reports whether there is one.
func (c *copied) change(is func(simulation.Event) bool, change func(*simulation.Event)) bool {
	e := c.find(is)
	if e != nil {
		change(e)
	}
	return e != nil
}

// about returns the events of a kind about a target.
func (c *copied) about(target milvuswait.Target, kind simulation.Kind) []*simulation.Event {
	var all []*simulation.Event
	for i := range c.log {
		if e := &c.log[i]; e.Kind == kind && (e.Target == target || slices.Contains(e.Asked, target)) {
			all = append(all, e)
		}
	}
	return all
}

// remove removes the first matching event, and reports whether there is one.
func (c *copied) remove(is func(simulation.Event) bool) bool {
	i := slices.IndexFunc(c.log, is)
	if i >= 0 {
		c.log = slices.Delete(c.log, i, i+1)
	}
	return i >= 0
}

// target returns the first matching target, and reports whether there is one.
func (c *copied) target(is func(milvuswait.Target) bool) (milvuswait.Target, bool) {
	if i := slices.IndexFunc(c.Targets, is); i >= 0 {
		return c.Targets[i], true
	}
	return milvuswait.Target{}, false
}

// polls returns the number of polls of a target.
func (c *copied) polls(t milvuswait.Target) int { return len(c.about(t, simulation.Started)) }

// end returns the final update of a target.
func (c *copied) end(t milvuswait.Target) *simulation.Event {
	told := c.about(t, simulation.Told)
	return told[len(told)-1]
}

// ended returns a filter for targets with the class as their end, at the end of a poll.
func (c *copied) ended(class simulation.Class) func(milvuswait.Target) bool {
	return func(t milvuswait.Target) bool {
		ends := c.about(t, simulation.Ended)
		return c.end(t).Answer.Err == class && len(ends) > 0 && ends[len(ends)-1].At == c.end(t).At
	}
}

// endAs changes the class of an end from was to is, for the first target with this class.
func endAs(was, is simulation.Class) func(*copied) bool {
	return func(c *copied) bool {
		t, found := c.target(c.ended(was))
		if found {
			c.end(t).Answer.Err = is
		}
		return found
	}
}

// endAt lets the only target end at its first matching update.
func endAt(is func(simulation.Event) bool) func(*copied) bool {
	return func(c *copied) bool {
		u := c.find(is)
		if u == nil || len(c.Targets) > 1 {
			return false
		}

		at := u.At
		u.Final, u.Next = true, 0
		c.log = slices.DeleteFunc(c.log, func(e simulation.Event) bool {
			return e.At > at && e.Kind != simulation.Returned && e.Kind != simulation.Over
		})
		return true
	}
}

// unconfirmed returns a filter for updates with an absent answer of the class, before the poll
// that should confirm it.
func unconfirmed(class simulation.Class) func(simulation.Event) bool {
	return func(e simulation.Event) bool {
		return update(e) && e.Answer.Err == class && e.Answer.Progress != nil && e.Next == 100*time.Millisecond
	}
}

func final(e simulation.Event) bool  { return e.Kind == simulation.Told && e.Final }
func update(e simulation.Event) bool { return e.Kind == simulation.Told && !e.Final }
func kind(k simulation.Kind) func(simulation.Event) bool {
	return func(e simulation.Event) bool { return e.Kind == k }
}

// percent returns the answer with a progress of n %.
func percent(n int64) simulation.Answer {
	return simulation.Answer{Progress: milvuswait.LoadingProgress{Percent: n, RefreshPercent: 100}}
}

// reliable returns the states of an always complete thing.
func reliable(t milvuswait.Target) []simulation.State {
	s := simulation.State{Says: milvuswait.LoadingProgress{Percent: 100, RefreshPercent: 100}, Takes: time.Millisecond}
	if t.Kind() == milvuswait.KindIndexBuilding {
		s.Says = milvuswait.IndexBuildingProgress{State: milvuswait.IndexStateFinished}
	}
	return []simulation.State{s}
}

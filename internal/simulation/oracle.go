package simulation

import (
	"fmt"
	"slices"
	"time"

	"github.com/milvuswait/milvuswait/internal/oracle"
)

// rule is a property of every log. Its check returns the first breach, or nil.
type rule struct {
	name  string
	file  string // the library's file, unless the breach names a rule of the oracle
	check func(*evidence) *breach
}

// breach describes how a log breaks a rule.
type breach struct {
	of   *history // nil if no single target is concerned
	text string
	rule oracle.Rule // the rule of the oracle, if it decides
}

// broken returns a breach about h, or about no single target if h is nil.
func broken(h *history, format string, args ...any) *breach {
	return &breach{of: h, text: fmt.Sprintf(format, args...)}
}

// by sets the rule of the oracle that the breach violates.
func (b *breach) by(r oracle.Rule) *breach {
	b.rule = r
	return b
}

// refused returns the breach for an entry rejected by the oracle.
func refused(h *history, e *entry, err error) *breach {
	b := err.(*oracle.Breach)
	return broken(h, "poll %d: %s", e.number, b.Text).by(b.Rule)
}

// rules are all rules: first the rules of polls, then of lists, ends, updates and the pace.
// The order matters, because Check returns the first breach.
var rules = slices.Concat(ofPolls, ofLists, ofEnds, ofUpdates, ofPace)

var ofPolls = []rule{
	{"events come as they follow from each other", "scheduler.go", asTheyFollow},
	{"polls that start end before the wait does", "scheduler.go", pollsEnd},
	{"a target has one poll in flight at most", "scheduler.go", onePollAtATime},
	{"no more polls are in flight than allowed", "throttle.go", inFlight},
	{"a server on which polls only time out gets one poll at a time", "scheduler.go", oneProbe},
	{"polls are no more than the budget has", "throttle.go", inBudget},
	{"every poll has its time and no more", "poll.go", pollTimes},
	{"no poll starts when the context has ended", "scheduler.go", noPollTooLate},
	{"no poll of a target outlives its end", "scheduler.go", noPollAfterTheEnd},
	{"every first poll starts before any second", "scheduler.go", firstPollsFirst},
	{"first polls start in the order of the targets", "scheduler.go", firstPollsInOrder},
}

var ofLists = []rule{
	{"an absent answer is confirmed by a poll of its own", "batch.go", confirmedAlone},
	{"a load at 0 % is looked at twice", "loading.go", zerosAreChecked},
	{"targets that share a poll share it from the first", "batch.go", listsComeFirst},
	{"lists rest when they fail", "batch.go", listsRest},
	{"a list serves all targets due together", "batch.go", listsServe},
}

var ofEnds = []rule{
	{"every target ends once, and no update follows", "scheduler.go", endsOnce},
	{"success means that the last poll was complete", "state.go", endsForReason(is(""))},
	{"a complete target ends at that very poll", "state.go", ends(is(""))},
	{"success is true in the world", "state.go", successIsTrue},
	{"a permanent failure ends at that very poll", "failure.go", ends(byAnswer)},
	{"nothing else ends a wait", "failure.go", endsForReason(byAnswer)},
	{"a deadline ends waits when it comes, and only then", "wait.go", deadlineEnds},
	{"a server is unreachable after the budget, not before", "scheduler.go", both(ends(is(unreachable)), unreachableHasReason)},
	{"no wait outlasts the budget", "failure.go", budgetEnds},
	{"a standstill is one after its time, not before", "state.go", both(ends(is(stalled)), endsForReason(is(stalled)))},
	{"the failure of one ends the others, or does not", "scheduler.go", siblingsEnd},
}

var ofUpdates = []rule{
	{"one update a poll, in order", "update.go", updates},
	{"updates are raw", "update.go", updatesAreRaw},
	{"outcomes are those of the targets, in their order", "waitall.go", outcomes},
	{"the last failure is kept", "update.go", lastFailure},
}

var ofPace = []rule{
	{"delays are within their bounds", "backoff.go", delays},
	{"delays are those of Backoff, to the microsecond", "backoff.go", delaysAreBackoffs},
	{"a poll comes when the verdict can change", "state.go", turnsAreKept},
	{"the last poll is just before the deadline", "state.go", lastPollIsLate},
	{"polls start when they are due", "scheduler.go", punctual},
	{"a poll that is due comes", "scheduler.go", noPollIsLost},
	{"a completion is noticed in time", "backoff.go", prompt},
}

// Check returns an error for the first broken rule, with the files to change and the end of
// the log about the target. It returns nil if the log keeps all rules.
func Check(s *Scenario, log Log) error {
	v := gather(s, log)
	for _, r := range rules {
		if b := r.check(v); b != nil {
			return fmt.Errorf("broken rule: %s: %s\n%s\n%v%s", r.name, b.text, b.where(r), s, b.context(s, log))
		}
	}
	return nil
}

// where returns the rule of the oracle, if any, and the files to change.
func (b *breach) where(r rule) string {
	if b.rule.Name != "" {
		return fmt.Sprintf("rule of the oracle: %s\n%s", b.rule.Name, b.rule.Where())
	}
	return oracle.Rule{Name: r.name, File: r.file, Oracle: "the check of the rule in internal/simulation/oracle.go"}.Where()
}

// context returns the state of the target's collection and the last lines of the log about
// the target.
func (b *breach) context(s *Scenario, log Log) string {
	if b.of == nil {
		return ""
	}
	return "\n" + s.describe(b.of.target) + log.About(b.of.target, 40)
}

// each calls check for all histories and returns the first breach.
func each(v *evidence, check func(*history) *breach) *breach {
	for _, h := range v.histories {
		if b := check(h); b != nil {
			return b
		}
	}
	return nil
}

// eachEntry calls check for all entries of all histories and returns the first breach.
func eachEntry(v *evidence, check func(*history, *entry) *breach) *breach {
	return each(v, func(h *history) *breach {
		for _, e := range h.entries {
			if b := check(h, e); b != nil {
				return b
			}
		}
		return nil
	})
}

// limit returns the time at which the context ends, or 0 for never.
func (o *Options) limit() time.Duration {
	if o.Cancel > 0 && (o.Deadline == 0 || o.Cancel < o.Deadline) {
		return o.Cancel
	}
	return o.Deadline
}

// workers returns the maximum number of polls in flight.
func (v *evidence) workers() int {
	n := v.s.Options.InFlight
	if n == 0 {
		n = 16
	}
	if v.s.Options.Watch {
		n = 1
	}
	return min(n, len(v.histories))
}

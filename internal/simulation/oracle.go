package simulation

import (
	"fmt"
	"time"
)

// rule is something that holds for every log of a wait. It returns what breaks it,
// and whose history that is, if it is one target's.
type rule struct {
	name  string
	check func(*evidence) *breach
}

// breach is how a log breaks a rule.
type breach struct {
	of   *history // nil if it is that of no one target
	text string
}

func broken(h *history, format string, args ...any) *breach {
	return &breach{h, fmt.Sprintf(format, args...)}
}

// rules are all of them: first those of the polls, then of ends, of what is told,
// and of the pace.
var rules = []rule{
	{"events come as they follow from each other", asTheyFollow},
	{"polls that start end before the wait does", pollsEnd},
	{"a target has one poll in flight at most", onePollAtATime},
	{"no more polls are in flight than allowed", inFlight},
	{"a server on which polls only time out is asked by one at a time", oneProbe},
	{"polls are no more than the budget has", inBudget},
	{"every poll has its time and no more", pollTimes},
	{"no poll starts when the context has ended", noPollTooLate},
	{"no poll of a target outlives its end", noPollAfterTheEnd},
	{"every first poll starts before any second", firstPollsFirst},
	{"first polls start in the order of the targets", firstPollsInOrder},

	{"a load at 0 % is looked at twice", zerosAreChecked},
	{"what one poll can serve it serves from the first", listsComeFirst},
	{"lists rest when they fail", listsRest},
	{"lists serve what is due together", listsServe},

	{"every target ends once, and is told nothing more", endsOnce},
	{"success means that the last poll was complete", successIsComplete},
	{"what is complete ends at that very poll", completeEnds},
	{"success is true in the world", successIsTrue},
	{"a permanent failure ends at that very poll", permanentEnds},
	{"nothing else ends a wait", endsHaveReasons},
	{"a deadline ends waits when it comes, and only then", deadlineEnds},
	{"a server is unreachable after the budget, not before", unreachableEnds},
	{"a standstill is one after its time, not before", stallEnds},
	{"the failure of one ends the others, or does not", siblingsEnd},

	{"one update a poll, in order", updates},
	{"updates are raw", updatesAreRaw},
	{"outcomes are those of the targets, in their order", outcomes},
	{"the last failure is kept", lastFailure},

	{"delays are within their bounds", delays},
	{"a poll comes when the verdict can change", turnsAreKept},
	{"the last poll is just before the deadline", lastPollIsLate},
	{"polls start when they are due", punctual},
	{"a poll that is due comes", noPollIsLost},
	{"what is complete is noticed in time", prompt},
}

// Check returns what is wrong with the log of a scenario, or nil: the first rule
// that is broken, how, and what the log says of the target.
func Check(s *Scenario, log Log) error {
	v := gather(s, log)
	for _, r := range rules {
		if b := r.check(v); b != nil {
			return fmt.Errorf("not so: %s: %s\n%v%s", r.name, b.text, s, b.context(s, log))
		}
	}
	return nil
}

// context returns the end of what the log says of the target.
func (b *breach) context(s *Scenario, log Log) string {
	if b.of == nil {
		return ""
	}
	return "\n" + s.describe(b.of.target) + log.About(b.of.target, 40)
}

// each returns the first breach of a history.
func each(v *evidence, check func(*history) *breach) *breach {
	for _, h := range v.histories {
		if b := check(h); b != nil {
			return b
		}
	}
	return nil
}

// eachEntry returns the first breach of an entry.
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

// limit returns when the context ends at the latest, 0 for never.
func (o *Options) limit() time.Duration {
	if o.Cancel > 0 && (o.Deadline == 0 || o.Cancel < o.Deadline) {
		return o.Cancel
	}
	return o.Deadline
}

// workers returns how many polls may be in flight.
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

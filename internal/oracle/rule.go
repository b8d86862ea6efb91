package oracle

import "fmt"

// Rule names a rule of a wait and the two files with its statements.
type Rule struct {
	Name   string
	File   string // the product's statement, relative to the root of the repository
	Oracle string // the second statement
}

const (
	decision = "internal/oracle/oracle.go"
	failing  = "internal/oracle/failure.go"
	pacing   = "internal/oracle/pace.go"
)

// The rules common to all kinds of waits. The rules of one kind are in the file of the kind.
var (
	Settle      = Rule{"settle: complete for as long as WithSettle asks", "state.go", decision}
	Stall       = Rule{"stall: no change for as long as WithStallTimeout allows", "state.go", decision}
	Unreachable = Rule{"unreachable: no answer for as long as WithUnreachableAfter allows, and no longer", "failure.go", failing}
	Grace       = Rule{"grace: an absent target is tolerated at the start", "failure.go", failing}
	Transient   = Rule{"transient: a wait outlives a transient failure", "failure.go", failing}
	Permanent   = Rule{"permanent: a first or decisive failure ends a wait at once", "failure.go", failing}
	Confirm     = Rule{"confirm: an absent answer is confirmed by another one, 100 ms later", "failure.go", failing}
	Refused     = Rule{"refused: a server is believed that has refused for 30 s", "failure.go", failing}
	Timeout     = Rule{"timeout: a poll has its timeout, and outlasts neither the deadline nor the budget", "failure.go", failing}
	Deadline    = Rule{"deadline: after the deadline only success counts", "wait.go", decision}

	Bounds   = Rule{"bounds: a delay is within the bounds of Backoff", "backoff.go", pacing}
	Turns    = Rule{"turns: a poll comes when the verdict can change", "state.go", pacing}
	LastPoll = Rule{"last poll: one poll comes just before the deadline, or the end of the budget", "state.go", pacing}
	Pace     = Rule{"pace: a delay is the one that Backoff describes", "backoff.go", pacing}
)

// Where returns the files to change after a breach of the rule.
func (r Rule) Where() string {
	return fmt.Sprintf("change %s; or %s, if the rule itself is wrong", r.File, r.Oracle)
}

// Breach is the error of a wait that broke a rule.
type Breach struct {
	Rule Rule
	Text string // expected and observed behaviour
}

func (r Rule) broken(format string, args ...any) error {
	return &Breach{r, fmt.Sprintf(format, args...)}
}

// Error returns the name of the rule, the breach, and the files to change.
func (b *Breach) Error() string {
	return fmt.Sprintf("broken rule: %s\n%s\n%s", b.Rule.Name, b.Text, b.Rule.Where())
}

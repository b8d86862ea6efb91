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
	pacing   = "internal/oracle/pace.go"
)

// The rules common to all kinds of waits. The rules of one kind are in the file of the kind.
var (
	Settle      = Rule{"settle: complete for as long as WithSettle asks", "state.go", decision}
	Stall       = Rule{"stall: no change for as long as WithStallTimeout allows", "state.go", decision}
	Unreachable = Rule{"unreachable: only failures for as long as WithUnreachableAfter allows", "state.go", decision}
	Grace       = Rule{"grace: an absent target is tolerated at the start", "state.go", decision}
	Transient   = Rule{"transient: a wait outlives a transient failure", "state.go", decision}
	Permanent   = Rule{"permanent: a permanent failure ends a wait at once", "state.go", decision}
	Deadline    = Rule{"deadline: after the deadline only success counts", "wait.go", decision}

	Bounds   = Rule{"bounds: a delay is within the bounds of Backoff", "backoff.go", pacing}
	Turns    = Rule{"turns: a poll comes when the verdict can change", "state.go", pacing}
	LastPoll = Rule{"last poll: one poll comes just before the deadline", "state.go", pacing}
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

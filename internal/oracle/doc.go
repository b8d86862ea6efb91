// Package oracle states the rules of a wait a second time, for the tests: when a wait ends,
// with which error, and when it polls again. It uses the product's types and errors, and
// none of its decisions. FuzzVerdict, internal/simulation and bench/soak judge by it.
//
// [Judge] is a function of the options and of all answers of one target. It returns the
// [Facts] of every answer: the verdict, the deciding rule, and the time of the next
// poll. The Check methods compare facts with the behaviour of a wait, and return a [Breach].
//
// # Where a rule is stated
//
// A [Rule] has a name, the product's file and the oracle's file. docs/semantics.md has the
// same rules in prose.
//
//	rule.go                     the names and files of the common rules
//	oracle.go                   the verdict, common to all kinds
//	failure.go                  the failures, their confirmation, the budget and the timeouts
//	pace.go                     the delays, the turns, and the last poll
//	verify.go                   the call of the function of WithVerify
//	loading.go                  all rules of loads
//	indexbuilding.go            all rules of index builds, except those of flushes.go
//	flushes.go                  the flushes before an index: its mark, and its segments
//	flushing.go, importing.go, compacting.go, serving.go
//	                            all rules of their kinds
//	kinds.go                    the table of kinds
//	check.go                    the comparison with a wait
//
// A new kind needs one file with its methods, and one line in the table. An unknown kind
// panics.
//
// The statements differ from the product's in form on purpose. For example, state.go moves
// its clocks forward after failures; the oracle has one clock that stands still during them.
// failure.go keeps the times it needs; the oracle keeps the failed answers themselves. segments.go
// keeps the segments to wait for; the oracle keeps every request, and asks which of them ended
// before the newest DescribeIndex began.
//
// # After a failure
//
// A failing input of FuzzVerdict, or a failing seed of the simulation, prints the broken rule
// and both files. Read the rule in docs/semantics.md first. If the wait broke it, change the
// product. If the page has changed, change the page, the product and the oracle. Never change
// the oracle to match the product alone.
package oracle

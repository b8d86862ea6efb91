// Package simulation runs waits for many targets against a simulated server, drawn from one
// seed, and judges them by the log of all events.
//
// [Draw] turns a seed into a [Scenario]: up to 200 targets, the options of the wait, and
// the state of every target over time. Progress rises, jumps and falls; responses are slow
// or never come; servers return every kind of error; connections break; the server goes
// away and comes back; collections are dropped and created again; loads are released;
// indexes fail. The true state is a function of time alone, so the number of polls does not
// influence it.
//
// A scenario runs in a bubble of testing/synctest in three ways. RunFake uses fake.Poller.
// RunServer uses package rpc and an in-memory fake server. RunLists does the same with the
// optional interfaces of package rpc: lists, and the state of loads. Each way returns a
// [Log]: starts and ends of polls, updates and outcomes, with times in nanoseconds.
//
// [Check] compares a log with the promises of the library. Package oracle judges the
// answers of each target: the verdict, its error, and the time of the next poll. The rules
// here use these facts, and add the rules of the scheduler, of lists and of updates. A
// failure names the rule and the files to change. [Compare] returns the first difference
// between two logs. The logs of RunFake and RunServer are equal, line by line. The log of
// RunLists differs, because a list is another poll.
//
// # Work
//
// A [Work] is a wait for the other kinds, and for indexes whose rows are being flushed. Its
// server is a Poller itself: it has segments that are sealed, written and then indexed, writers
// that go on to flush, lists that fail or are refused for less and for more than 30 s, imports,
// and compactions that forget failed plans. [CheckWork] compares the end of each wait with this
// world, without the oracle; then the requests, the verdicts and the times with the oracle.
//
// # Order
//
// Goroutines that wake at the same instant run in any order. Therefore every answer comes
// at an instant of its own: of 512 nanoseconds, each target owns one, and the changes of
// the world own the first. Several polls may start at the same instant, as the first ones
// do; the log sorts them in the order of the targets. It sorts the other events of an
// instant by cause and effect. A rule checks that the events of one target really came in
// this order.
//
// The library's own jitter cannot be seeded. Scenarios disable it or use custom generators,
// with jitter drawn from the seed.
//
// # Use
//
//	go test ./internal/simulation                                     # 1000 seeds
//	go test ./internal/simulation -run TestSeeds -seeds 20000 -timeout 2h
//	go test ./internal/simulation -run TestSeeds -seed 123            # one, again
//	go test ./internal/simulation -run TestWorkSeeds -seeds 20000     # the same for works
//
// Every second seed also runs with lists. The largest bubbles have about 110 goroutines,
// because at most 48 polls are in flight: with 300 or more, the race detector is
// unreliable.
package simulation

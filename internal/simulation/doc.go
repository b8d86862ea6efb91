// Package simulation runs waits for many targets against a simulated server, all
// of it drawn from one number, and judges them by the log of what happened.
//
// Of a seed [Draw] makes a [Scenario]: up to 200 targets, the options of the
// wait, and for everything that is waited for what is true of it when. Progress
// rises, jumps and falls, answers are slow or never come, servers say every kind of
// error, connections break, the server goes away and comes back, collections are
// dropped and made anew, loads released, indexes fail. The truth is a function of
// time alone, so that it is the same however often it is asked for.
//
// A scenario is played in a bubble of testing/synctest in three ways: by RunFake
// through fake.Poller; by RunServer through package rpc and a fake server in
// memory; and by RunLists the same, with all that package rpc offers besides the
// two questions of a Poller: lists, and the state of loads. Each returns a [Log]:
// polls that started and ended, updates, outcomes, at the nanosecond.
//
// [Check] compares a log with the promises of the library. Package oracle judges the answers
// of each target: the verdict, its error, and the time of the next poll. The rules here use
// these facts, and add the rules of the scheduler, of lists and of updates. A failure names
// the rule and the files to change. [Compare] returns the first difference of two logs: RunFake
// and RunServer have equal ones, line by line. RunLists does not, since a list is another poll.
//
// # Order
//
// Goroutines that wake at the same instant run in any order. So every answer comes
// at an instant of its own: of 512 nanoseconds each target has one to itself, and
// what the world does by itself has the first. Polls may start at the same instant,
// as the first ones do; the log has them in the order of the targets. It has the
// other events of an instant in the order in which they follow from each other, and a
// rule says that those of one target came so.
//
// The library's own jitter comes from a generator that nothing can seed. Scenarios
// turn it off, or bring generators of their own, whose jitter is drawn from the
// seed.
//
// # Use
//
//	go test ./internal/simulation                                     # 1000 seeds
//	go test ./internal/simulation -run TestSeeds -seeds 20000 -timeout 2h
//	go test ./internal/simulation -run TestSeeds -seed 123            # one, again
//
// Every second seed is played with lists, too. The largest bubbles have some 110
// goroutines, since no more than 48 polls are in flight: with 300 and more the race
// detector is not reliable.
package simulation

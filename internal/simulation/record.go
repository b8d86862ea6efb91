package simulation

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/milvuswait/milvuswait"
)

// recorder is a Poller that logs the polls of another one. It delays each poll on its way
// to the server, so that no poll ends at the instant of its start. It delays the answer by
// a few nanoseconds, so that no two answers arrive at the same instant.
type recorder struct {
	poller  milvuswait.Poller
	s       *Scenario
	parent  context.Context
	start   time.Time
	targets map[milvuswait.Target]milvuswait.Target // distinct targets, by the target without expected rows
	rank    map[milvuswait.Target]int

	mu    sync.Mutex
	log   Log
	polls int
}

// newRecorder returns a recorder of polls of p. The context parent is the context of the
// whole wait.
func newRecorder(parent context.Context, s *Scenario, start time.Time, p milvuswait.Poller) *recorder {
	r := &recorder{poller: p, s: s, parent: parent, start: start, targets: map[milvuswait.Target]milvuswait.Target{}, rank: map[milvuswait.Target]int{}}
	for i, t := range s.distinct() {
		r.targets[t.ExpectRows(0)], r.rank[t] = t, i
	}
	return r
}

func (r *recorder) now() time.Duration { return time.Since(r.start) }

func (r *recorder) add(e Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.log = append(r.log, e)
}

// ask makes a poll by calling question, and logs its start and its end. It returns the
// context's error if the context ended before question was called.
func (r *recorder) ask(ctx context.Context, asked []milvuswait.Target, question func() Event) error {
	e := Event{At: r.now(), Kind: Started}
	name := "all loads"
	for _, target := range asked {
		e.Asked = append(e.Asked, r.targets[target])
		name = target.String()
	}
	if limit, ok := ctx.Deadline(); ok {
		e.Limit = limit.Sub(r.start)
	}

	r.mu.Lock()
	r.polls++
	e.Poll = r.polls
	r.log = append(r.log, e)
	r.mu.Unlock()

	var answer Event
	lost := pause(ctx, r.s.odd("on the way: "+name, e.At))
	if lost == nil {
		answer = question()
	} else {
		for range max(1, len(asked)) {
			answer.Answers = append(answer.Answers, r.answer(ctx, nil, lost))
		}
	}

	// An interrupted poll returns at once: the wait is over, and aligning its end would
	// delay it.
	if !slices.Contains(answer.Answers, Answer{Err: cut}) {
		r.align(e.Asked)
	}

	e.At, e.Kind, e.Limit, e.Answers, e.Listed = r.now(), Ended, 0, answer.Answers, answer.Listed
	r.add(e)
	return lost
}

// lane is a number of nanoseconds. Within it, each target owns one nanosecond, at which its
// answers arrive. The changes of the scenario own the first.
const lane = 512

// align pauses until the next instant owned by the first of the targets.
func (r *recorder) align(asked []milvuswait.Target) {
	mine := time.Duration(len(r.rank) + 1) // lists of all loads
	if len(asked) > 0 {
		mine = time.Duration(r.rank[asked[0]] + 1)
	}
	// Ignore the error, the end of the wait: the caller of the poll notices it too.
	_ = pause(r.parent, (mine-r.now()%lane+lane)%lane)
}

// answer converts a progress or an error to an Answer. At the end of a context, chance
// decides who notices first. Therefore the clock decides here.
func (r *recorder) answer(ctx context.Context, p milvuswait.Progress, err error) Answer {
	limit, limited := ctx.Deadline()
	switch {
	case err == nil:
		return Answer{Progress: p}
	case r.parent.Err() != nil || r.s.Options.Deadline > 0 && r.now() >= r.s.Options.Deadline:
		return Answer{Err: cut}
	case limited && !time.Now().Before(limit):
		return Answer{Err: outOfTime}
	case ctx.Err() != nil:
		return Answer{Err: cut}
	}
	return Answer{Err: classOf(err)}
}

// LoadingProgress implements milvuswait.Poller.
func (r *recorder) LoadingProgress(ctx context.Context, collection string, partitions ...string) (p milvuswait.LoadingProgress, err error) {
	lost := r.ask(ctx, []milvuswait.Target{milvuswait.Loading(collection, partitions...)}, func() Event {
		p, err = r.poller.LoadingProgress(ctx, collection, partitions...)
		return Event{Answers: []Answer{r.answer(ctx, p, err)}}
	})
	return p, cmp.Or(lost, err)
}

// IndexBuildingProgress implements milvuswait.Poller.
func (r *recorder) IndexBuildingProgress(ctx context.Context, collection, index string) (p milvuswait.IndexBuildingProgress, err error) {
	lost := r.ask(ctx, []milvuswait.Target{milvuswait.IndexBuilding(collection, index)}, func() Event {
		p, err = r.poller.IndexBuildingProgress(ctx, collection, index)
		return Event{Answers: []Answer{r.answer(ctx, p, err)}}
	})
	return p, cmp.Or(lost, err)
}

// pause returns nil after d, or the context's error if it ends earlier.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	return ctx.Err()
}

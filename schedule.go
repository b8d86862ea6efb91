package milvuswait

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
)

// errSibling ends the targets that have not failed themselves.
var errSibling = fmt.Errorf("%w: another target failed", ErrAborted)

// scheduler drives many cores: heaps of due times on the goroutine of the
// caller, and workers that make the polls.
type scheduler struct {
	clock
	asker
	cfg     *config
	workers int // the most polls that may be under way

	outcomes []Outcome
	entries  []entry
	same     []int32 // for each outcome, its entry

	loads    dueHeap // loads that a list can serve
	others   dueHeap
	pending  int // entries that have not ended
	inFlight int
	over     error // why the rest is not polled any more

	seq      int64
	budget   budget
	lists    lists
	failing  bool          // all polls have failed
	down     time.Duration // since then
	good     time.Duration // when the server last answered
	timeouts int           // polls that timed out since one did not
}

// entry is one target.
type entry struct {
	core     core
	unlisted time.Duration // no list serves it before
	pos      int32         // in its heap, or -1
	first    int32         // its first outcome
	sibling  int32         // the next entry with an index of the same collection, in a ring
	misses   uint8         // lists in a row that had not got it
	alone    bool          // its next poll is its own, whatever a list could do
	ended    bool
}

func newScheduler(ctx context.Context, p Poller, c *config, outcomes []Outcome) (*scheduler, error) {
	s := &scheduler{
		clock: newClock(ctx), asker: newAsker(p), cfg: c, outcomes: outcomes, lists: lists{own: c.backoffFunc != nil},
		entries: make([]entry, 0, len(outcomes)), same: make([]int32, len(outcomes)),
	}
	known := make(map[Target]int32, len(outcomes))
	for i := range outcomes {
		t := outcomes[i].Target
		k, found := known[t]
		if !found {
			pace, err := c.newPace(t.kind)
			if err != nil {
				return nil, err
			}
			k = int32(len(s.entries))
			known[t] = k
			s.entries = append(s.entries, entry{core: newCore(c, t, pace, s.limit), pos: -1, first: int32(i), sibling: k})
		}
		s.same[i] = k
	}
	if s.indexLister != nil {
		linkIndexes(s.entries)
	}
	for i := range s.entries {
		s.push(&s.entries[i], 0)
	}
	s.pending, s.workers = len(s.entries), min(c.maxInFlight, len(s.entries))
	return s, nil
}

// linkIndexes makes a ring of the entries with indexes of each collection.
func linkIndexes(entries []entry) {
	last := make(map[string]int32)
	for i := range entries {
		e := &entries[i]
		if e.core.target.kind != KindIndexBuilding {
			continue
		}
		if before, found := last[e.core.target.collection]; found {
			e.sibling, entries[before].sibling = entries[before].sibling, int32(i)
		}
		last[e.core.target.collection] = int32(i)
	}
}

// run waits for all targets.
func (s *scheduler) run() {
	ctx, cancel := context.WithCancel(s.ctx)
	jobs, results := make(chan job, s.workers), make(chan result, s.workers)
	send := func(r result) {
		r.end = s.now()
		results <- r
	}
	var g errgroup.Group
	for range s.workers {
		g.Go(func() error {
			for j := range jobs {
				s.do(ctx, j, send)
			}
			return nil
		})
	}
	defer func() {
		// Also when an observer or the Poller panics: no goroutine outlives the call.
		cancel()
		close(jobs)
		for ; s.inFlight > 0; s.inFlight-- {
			<-results
		}
		_ = g.Wait() // workers return no errors
	}()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for s.pending > 0 {
		var wake <-chan time.Time
		var done <-chan struct{}
		if s.over == nil && !s.ended(s.now()) {
			timer.Reset(s.dispatch(jobs))
			wake, done = timer.C, s.ctx.Done()
		} else if s.inFlight == 0 {
			s.endRest()
			return
		}
		select {
		case r := <-results:
			s.takeAll(r, results)
			if s.over != nil {
				cancel()
			}
		case <-wake:
		case <-done:
		}
	}
}

// dispatch starts the polls that are due and may be made, and returns the time
// until more can be.
func (s *scheduler) dispatch(jobs chan<- job) time.Duration {
	for s.inFlight < s.most() {
		d := s.next()
		if d.e == nil {
			break
		}
		now := s.now()
		if d.at > now {
			return d.at - now
		}
		if d.e.core.polls > 0 {
			if wait := s.budget.take(now); wait > 0 {
				return wait
			}
		}
		jobs <- s.job(d.e, now)
		s.inFlight++
	}
	return noLimit // until a result comes, or the context ends
}

// most returns how many polls may be under way: one, if polls only time out.
func (s *scheduler) most() int {
	if s.timeouts >= s.workers {
		return 1
	}
	return s.workers
}

// takeAll takes r and what else is there already.
func (s *scheduler) takeAll(r result, results <-chan result) {
	for {
		s.inFlight--
		s.take(r)
		select {
		case r = <-results:
		default:
			return
		}
	}
}

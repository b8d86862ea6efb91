package milvuswait

import (
	"context"
	"errors"
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
	groups   map[string][]*entry

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
	self     [1]*entry     // what a poll of its own serves
	pos      int32         // in its heap, or -1
	first    int32         // its first outcome
	alone    bool          // its next poll is its own, whatever a list could do
	misses   uint8         // lists in a row that had not got it
	unlisted time.Duration // no list serves it before
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
			s.entries = append(s.entries, entry{core: newCore(c, t, pace, s.limit), first: int32(i), pos: -1})
		}
		s.same[i] = k
	}
	if s.indexLister != nil {
		s.groups = groups(s.entries)
	}
	for i := range s.entries {
		e := &s.entries[i]
		e.self[0] = e
		s.push(e, 0)
	}
	s.pending, s.workers = len(s.entries), min(c.maxInFlight, len(s.entries))
	return s, nil
}

// groups returns the entries of indexes by collection, where there are several.
func groups(entries []entry) map[string][]*entry {
	count := make(map[string]int)
	for i := range entries {
		if t := &entries[i].core.target; t.kind == KindIndexBuilding {
			count[t.collection]++
		}
	}
	several := make(map[string][]*entry)
	for i := range entries {
		if t := &entries[i].core.target; t.kind == KindIndexBuilding && count[t.collection] > 1 {
			several[t.collection] = append(several[t.collection], &entries[i])
		}
	}
	return several
}

// run waits for all targets.
func (s *scheduler) run() {
	ctx, cancel := context.WithCancel(s.ctx)
	jobs, results := make(chan job, s.workers), make(chan result, s.workers)
	var g errgroup.Group
	for range s.workers {
		g.Go(func() error {
			for j := range jobs {
				s.do(ctx, j, results)
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

// take has the cores decide about what a job brought.
func (s *scheduler) take(r result) {
	if r.panic != nil {
		panic(r.panic)
	}
	now := s.now()
	if r.failed != nil {
		s.listFailed(now, r)
		return
	}
	switch r.job.kind {
	case pollOne:
		s.observe(r.job.served[0], now, r.one)
		return
	case listLoads:
		s.lists.done(now, len(r.job.served)-r.missing)
	}
	for i, e := range r.job.served {
		a := r.answers[i]
		if r.job.kind == listLoads && a.progress == nil {
			e.miss(now)
			s.ask(e, now)
			continue
		}
		if r.job.kind == listLoads && e.core.wantsListCheck(now, a.progress) {
			s.ask(e, now) // the list cannot tell whether 0 % is a beginning
			continue
		}
		e.misses = 0
		s.observe(e, now, a)
	}
}

// miss notes that a list has not got e, an alias or what nobody has loaded yet: it
// goes by its own pace for a while, and not by that of the lists.
func (e *entry) miss(now time.Duration) {
	e.unlisted = now + min(listRest<<e.misses, listRestMax)
	e.misses = min(e.misses+1, 6)
}

// ask makes e due at once, for a poll of its own.
func (s *scheduler) ask(e *entry, now time.Duration) {
	e.alone = true
	s.push(e, now)
}

// listFailed falls back to single polls.
func (s *scheduler) listFailed(now time.Duration, r result) {
	a := answer{err: r.failed, timedOut: r.timedOut}
	s.lists.failed(now)
	for _, e := range r.job.served {
		if s.ended(now) {
			s.observe(e, now, a)
		} else {
			s.ask(e, now)
		}
	}
	s.note(now, a)
}

// note keeps what an answer says of the server.
func (s *scheduler) note(now time.Duration, a answer) {
	if a.err != nil && s.ended(now) {
		return // which says nothing of the server
	}
	if a.timedOut {
		s.timeouts++
	} else {
		s.timeouts = 0
	}
	if a.err == nil || isPermanent(a.err) {
		s.failing, s.good = false, now
		return
	}
	if !s.failing {
		s.failing, s.down = true, max(now-a.took, s.good)
	}
	// A server that answers nobody is asked for few of the targets: those that have
	// been due all the while need not wait for their turn to know.
	next := s.next()
	overdue := next.e != nil && next.at <= s.down
	if budget := s.cfg.unreachableAfter; budget > 0 && now-s.down >= budget && s.over == nil && overdue {
		s.over = fmt.Errorf("%w: no poll of any target has succeeded for %v", ErrUnreachable, round(now-s.down))
	}
}

// observe has the core of e decide about an answer.
func (s *scheduler) observe(e *entry, now time.Duration, a answer) {
	s.note(now, a)
	if s.over != nil && a.err != nil {
		e.core.polls++
		if errors.Is(s.over, ErrUnreachable) {
			e.core.lastErr = a.err
		}
		s.end(e, now, s.over)
		return
	}
	d := s.judge(&e.core, now, a)
	switch {
	case d.verdict == done:
		s.end(e, now, nil)
	case s.over != nil:
		s.end(e, now, s.over)
	case d.verdict == failed:
		s.end(e, now, d.err)
		if !s.cfg.continueOnError && !s.ended(now) {
			s.over = errSibling
		}
	default:
		s.cfg.observe(e.core.update(now, a.err, d))
		if d.verdict == again {
			s.push(e, now+d.delay)
		}
	}
}

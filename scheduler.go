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

// scheduler drives many waitStates: heaps of due times on the goroutine of the
// caller, and workers that make the polls.
type scheduler struct {
	clock
	pollMaker
	cfg     *config
	workers int // the most polls that may be under way

	outcomes []Outcome
	entries  []entry
	entryOf  []int32 // for each outcome, its entry

	loads     dueHeap // loads that a list can serve
	others    dueHeap
	pending   int // entries that have not ended
	inFlight  int
	stopCause error // why the rest is not polled any more

	seq          int64
	bucket       tokenBucket
	lists        lists
	failing      bool          // all polls have failed
	failingSince time.Duration // since then
	lastAnswerAt time.Duration // when the server last answered
	timeouts     int           // polls that timed out since one did not
}

// entry is one target.
type entry struct {
	state            waitState
	noListBefore     time.Duration // no list serves it before
	pos              int32         // in its heap, or -1
	firstOutcome     int32         // its first outcome
	nextIndex        int32         // the next entry with an index of the same collection, in a ring
	misses           uint8         // lists in a row that had not got it
	pollIndividually bool          // its next poll is its own, whatever a list could do
	ended            bool
}

func newScheduler(ctx context.Context, p Poller, c *config, outcomes []Outcome) (*scheduler, error) {
	s := &scheduler{
		clock: newClock(ctx), pollMaker: newPollMaker(p), cfg: c, outcomes: outcomes, lists: lists{customBackoff: c.backoffFunc != nil},
		entries: make([]entry, 0, len(outcomes)), entryOf: make([]int32, len(outcomes)),
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
			s.entries = append(s.entries, entry{state: newWaitState(c, t, pace, s.deadline), pos: -1, firstOutcome: int32(i), nextIndex: k})
		}
		s.entryOf[i] = k
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
		var ctxDone <-chan struct{}
		if s.stopCause == nil && !s.ended(s.now()) {
			timer.Reset(s.dispatch(jobs))
			wake, ctxDone = timer.C, s.ctx.Done()
		} else if s.inFlight == 0 {
			s.endRest()
			return
		}
		select {
		case r := <-results:
			s.handleResults(r, results)
			if s.stopCause != nil {
				cancel()
			}
		case <-wake:
		case <-ctxDone:
		}
	}
}

// dispatch starts the polls that are due and may be made, and returns the time
// until more can be.
func (s *scheduler) dispatch(jobs chan<- job) time.Duration {
	for s.inFlight < s.maxInFlight() {
		d := s.peek()
		if d.e == nil {
			break
		}
		now := s.now()
		if d.at > now {
			return d.at - now
		}
		if d.e.state.polls > 0 {
			if wait := s.bucket.take(now); wait > 0 {
				return wait
			}
		}
		jobs <- s.nextJob(d.e, now)
		s.inFlight++
	}
	return noDeadline // until a result comes, or the context ends
}

// maxInFlight returns how many polls may be under way: one, if polls only time out.
func (s *scheduler) maxInFlight() int {
	if s.timeouts >= s.workers {
		return 1
	}
	return s.workers
}

// push makes e due at a time.
func (s *scheduler) push(e *entry, at time.Duration) {
	s.seq++
	d := dueEntry{at, s.seq, e}
	if s.listable(e, at) {
		s.loads.add(d)
	} else {
		s.others.add(d)
	}
}

// peek returns what is due first; nothing is if its entry is nil.
func (s *scheduler) peek() dueEntry {
	switch {
	case len(s.loads) == 0 && len(s.others) == 0:
		return dueEntry{}
	case len(s.loads) == 0:
		return s.others[0]
	case len(s.others) == 0 || s.loads[0].before(s.others[0]):
		return s.loads[0]
	}
	return s.others[0]
}

// handleResults handles r and what else is there already.
func (s *scheduler) handleResults(r result, results <-chan result) {
	for {
		s.inFlight--
		s.handleResult(r)
		select {
		case r = <-results:
		default:
			return
		}
	}
}

// handleResult has the waitStates decide about what a job brought. It may have lain there for
// as long as an observer took: what counts is when it came.
func (s *scheduler) handleResult(r result) {
	if r.panic != nil {
		panic(r.panic)
	}
	now := r.end
	switch r.job.kind {
	case pollOne:
		s.handleAnswer(r.job.one, now, r.answer)
	case listLoads:
		s.handleLoads(now, r)
	case listIndexes:
		if unsupported(r.answers) {
			s.handleNoIndexLists(now, r)
			return
		}
		for i, e := range r.job.served {
			s.handleAnswer(e, now, r.answers[i])
		}
	}
}

// handleAnswer has the state of e decide about an answer.
func (s *scheduler) handleAnswer(e *entry, now time.Duration, a answer) {
	s.trackHealth(now, a)
	if s.stopCause != nil && a.err != nil {
		e.state.polls++
		// What was cut off tells nothing of the server.
		if errors.Is(s.stopCause, ErrUnreachable) && !a.interrupted {
			e.state.lastErr = a.err
		}
		s.end(e, now, s.stopCause)
		return
	}
	d := s.judge(&e.state, now, a)
	switch {
	case d.verdict == succeeded:
		s.end(e, now, nil)
	case s.stopCause != nil:
		s.end(e, now, s.stopCause)
	case d.verdict == failed:
		s.end(e, now, d.err)
		if !s.cfg.continueOnError && !s.ended(now) {
			s.stopCause = errSibling
		}
	default:
		s.cfg.notify(e.state.update(now, a.err, d))
		if d.verdict == pollAgain {
			s.push(e, now+d.delay)
		}
	}
}

// trackHealth keeps what an answer says of the server.
func (s *scheduler) trackHealth(now time.Duration, a answer) {
	if a.err != nil && s.ended(now) {
		return // which says nothing of the server
	}
	if a.timedOut {
		s.timeouts++
	} else {
		s.timeouts = 0
	}
	if a.err == nil || isPermanent(a.err) {
		s.failing, s.lastAnswerAt = false, max(s.lastAnswerAt, now)
		return
	}
	if !s.failing {
		s.failing, s.failingSince = true, max(now-a.took, s.lastAnswerAt)
	}
	// A server that answers nobody is asked for few of the targets: those that have
	// been due all the while need not wait for their turn to know.
	next := s.peek()
	overdue := next.e != nil && next.at <= s.failingSince
	if budget := s.cfg.unreachableAfter; budget > 0 && now-s.failingSince >= budget && s.stopCause == nil && overdue {
		s.stopCause = fmt.Errorf("%w: no poll of any target has succeeded for %v", ErrUnreachable, round(now-s.failingSince))
	}
}

// end tells how e ended.
func (s *scheduler) end(e *entry, now time.Duration, cause error) {
	u := e.state.finish(now, cause)
	e.ended = true
	s.pending--
	o := &s.outcomes[e.firstOutcome]
	o.Progress, o.Err, o.Polls, o.Elapsed = u.Progress, u.Err, u.Polls, u.Elapsed
	s.cfg.notify(u)
}

// endRest ends all entries that have not ended, when none is polled any more.
func (s *scheduler) endRest() {
	cause, now := s.stopCause, s.now()
	if cause == nil {
		cause = s.interruption()
	}
	for i := range s.entries {
		if e := &s.entries[i]; !e.ended {
			s.end(e, now, cause)
		}
	}
}

package milvuswait

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
)

// scheduler waits for many targets at once. It plans the polls, workers make them, and
// the waitState of each target decides about the answers, as in a wait for one target.
//
// # The loop
//
// run repeats five steps on the goroutine of WaitAll's caller:
//
//  1. Return once all entries have ended. If the context has ended or stopCause is
//     set, start no more polls, and end the remaining entries once none is in flight.
//  2. endExpired: end the entries whose unreachable budget is over. dispatch: send a
//     job to the workers for each entry that is due, within the bounds of throttle.
//  3. Sleep until a result arrives, the next entry is due, or the context ends.
//  4. handleResults: pass each answer to the waitState of its entry.
//  5. Act on the decision: queue the entry for its next poll, or end it; call the
//     observer; set stopCause if the failure of one target ends all.
//
// # Who owns an entry
//
// An entry is in exactly one of four places: waiting in a heap of queue (pos >= 0), for
// its next poll, for verify or for its end; in flight (in exactly one job); parked until the deadline
// (verdict awaitDeadline); or ended. Only the caller's goroutine writes entries, and never
// one in flight. A worker only reads, and only the entries of its job. The channels of
// jobs and results order these accesses, so that entries need no lock.
//
// # First polls precede second ones
//
// A missing collection or a missing permission is found by a target's first poll, and
// without WithContinueOnError it ends the whole call. So all entries start in the queue
// at time 0, and nothing gets ahead of them: a second poll is due later, or has a greater
// seq. For the same reason first polls take no token from throttle.
//
// # When a list is made
//
// One call covers several entries in two cases (batch.go). Loads of whole collections
// wait in a heap of their own: if two or more are due within batcher.window, one list of
// all loads covers them, unless a list is in flight or lists are suspended because the
// last one was of no use. When an index is due, one call covers all queued indexes of
// its collection. An entry that a list did not answer is polled individually at once, and
// so is one whose absence must be confirmed, after 100 ms.
//
// # When the server is unreachable
//
// A waitState ends its own target when its own polls got no answer for
// WithUnreachableAfter. On a server that hangs, most targets get no turn in this time. So
// the scheduler counts for all of them (health.go): once no poll of any target was answered
// for this long, and an entry was due all the while, every target ends with ErrUnreachable.
// A permanent error, such as "not found", is an answer too. The timeout of a job outlasts
// neither budget.
type scheduler struct {
	clock
	pollMaker         // shared with the workers, never written
	cfg       *config // read-only

	targets  targetTable
	queue    queue
	batcher  batcher
	throttle throttle
	health   health

	stopCause error // ends the targets that are not complete yet; nil until then
}

// errSibling ends the targets that did not fail themselves.
var errSibling = fmt.Errorf("%w: another target failed", ErrAborted)

// entry is the state of one target. See scheduler for who may access it. WaitAll holds
// one for each target, so that its size counts: TestWaitAllHeapAndGoroutines bounds it.
type entry struct {
	state            waitState
	noListBefore     time.Duration // lists of loads leave this entry out until then
	pos              int32         // position in its heap, -1 while in none
	firstOutcome     int32         // index of its first outcome; equal targets share an entry
	nextIndex        int32         // next entry of the ring of indexes of its collection
	misses           uint8         // lists in a row without this load
	pollIndividually bool          // no list covers its next poll, or it ends without one
	verifying        bool          // queued for verify, or in flight for it
	ended            bool          // its outcome is filled in
}

// targetTable holds the entries and the outcomes they fill in.
type targetTable struct {
	entries  []entry
	outcomes []Outcome // WaitAll's result, one per target of the caller
	entryOf  []int32   // entry of each outcome
	pending  int       // number of entries that have not ended
}

// newScheduler makes an entry for each distinct target and queues it for its first poll.
func newScheduler(ctx context.Context, p Poller, c *config, outcomes []Outcome) (*scheduler, error) {
	s := &scheduler{clock: newClock(ctx), pollMaker: newPollMaker(p), cfg: c}
	s.batcher = newBatcher(s.pollMaker, c)
	t := &s.targets
	t.entries, t.outcomes, t.entryOf = make([]entry, 0, len(outcomes)), outcomes, make([]int32, len(outcomes))

	// Equal targets share an entry, and so their polls.
	known := make(map[Target]int32, len(outcomes))
	for i := range outcomes {
		target := outcomes[i].Target
		k, found := known[target]
		if !found {
			pace, err := c.newPace(findKind(target.kind))
			if err != nil {
				return nil, err
			}
			k = int32(len(t.entries))
			known[target] = k
			t.entries = append(t.entries, entry{state: newWaitState(c, target, pace, s.deadline), pos: -1, firstOutcome: int32(i), nextIndex: k})
		}
		t.entryOf[i] = k
	}

	// The entries do not move any more: pointers to them stay valid from here on.
	linkIndexes(t.entries)
	for i := range t.entries {
		s.enqueue(&t.entries[i], 0)
	}
	t.pending, s.throttle.maxInFlight = len(t.entries), min(c.maxInFlight, len(t.entries))
	return s, nil
}

// run waits for all targets and fills in their outcomes.
func (s *scheduler) run() {
	ctx, cancel := context.WithCancel(s.ctx)

	// Start the workers. Both channels hold as many values as there are workers, and no
	// more jobs are in flight than that: neither side ever blocks on a send.
	workers := s.throttle.maxInFlight
	jobs, results := make(chan job, workers), make(chan result, workers)
	send := func(r result) {
		r.end = s.now()
		results <- r
	}
	var g errgroup.Group
	for range workers {
		g.Go(func() error {
			for j := range jobs {
				s.do(ctx, j, send)
			}
			return nil
		})
	}

	// No goroutine outlives the call, even if an observer or the Poller panics.
	defer func() {
		cancel()
		close(jobs)
		for ; s.throttle.inFlight > 0; s.throttle.inFlight-- {
			<-results
		}
		_ = g.Wait() // workers return no errors
	}()

	timer := time.NewTimer(0)
	defer timer.Stop()
	for s.targets.pending > 0 {
		var wake <-chan time.Time
		var ctxDone <-chan struct{}
		if s.stopCause == nil && !s.ended(s.now()) {
			// End the entries without time for another poll, start the due polls, and wake
			// up for the next one.
			expiry := s.endExpired()
			if s.stopCause != nil || s.targets.pending == 0 {
				cancel()
				continue
			}
			timer.Reset(min(expiry, s.dispatch(jobs)))
			wake, ctxDone = timer.C, s.ctx.Done()
		} else if s.throttle.inFlight == 0 {
			// Nothing is in flight any more: this goroutine owns all entries.
			s.endRest()
			return
		}
		// Else the wait is over, and only the results of polls in flight count: wake and
		// ctxDone are nil and never ready.

		select {
		case r := <-results:
			s.handleResults(r, results)
			if s.stopCause != nil {
				cancel() // the polls in flight
			}
		case <-wake:
		case <-ctxDone:
		}
	}
}

// dispatch starts the polls that are due, as far as throttle allows, and returns the
// time until it can start another one.
func (s *scheduler) dispatch(jobs chan<- job) time.Duration {
	// While polls only time out, one at a time is enough to see the server come back.
	limit := s.throttle.maxInFlight
	if s.health.timeouts >= limit {
		limit = 1
	}

	for s.throttle.inFlight < limit {
		first := s.queue.first()
		if first.e == nil {
			break
		}

		// Sleep until the first entry is due.
		now := s.now()
		if first.at > now {
			return first.at - now
		}

		// Take a token for all but the target's first poll.
		if first.e.state.polls > 0 {
			if wait := s.throttle.take(now); wait > 0 {
				return wait
			}
		}

		// From here until its result is received, the job's entries belong to a worker.
		j := s.nextJob(first.e, now)
		j.timeout = s.timeoutOf(j, first.at, now)
		jobs <- j
		s.throttle.inFlight++
	}

	return noDeadline // until a result arrives, or the context ends
}

// enqueue queues e for a poll at the given time.
func (s *scheduler) enqueue(e *entry, at time.Duration) {
	s.queue.add(e, at, s.batcher.canList(e, at))
}

// handleResults handles r and all results that have arrived since, so that dispatch
// plans with everything known.
func (s *scheduler) handleResults(r result, results <-chan result) {
	for {
		s.throttle.inFlight--
		s.handleResult(r)
		select {
		case r = <-results:
		default:
			return
		}
	}
}

// handleResult passes the answers of a job to its entries, which belong to the caller's
// goroutine again. The result may have waited while an observer ran, so that the time of
// its arrival counts, not the present.
func (s *scheduler) handleResult(r result) {
	if r.panic != nil {
		panic(r.panic)
	}

	now := r.end
	s.health.addCall(r)
	switch r.job.kind {
	case pollOne:
		s.handleAnswer(r.job.one, now, r.answer)
	case listLoads:
		s.handleLoads(now, r)
	case listIndexes:
		s.handleIndexes(now, r)
	case verifyOne:
		s.handleVerify(r.job.one, now, r.answer)
	}
}

// handleAnswer has the waitState of e decide about an answer, and queues or ends e.
func (s *scheduler) handleAnswer(e *entry, now time.Duration, a answer) {
	s.trackHealth(now, a)

	// A failed poll decides nothing once the wait is over for all. If the server was
	// unreachable, keep the error, unless the end of the wait interrupted this poll.
	if s.stopCause != nil && a.err != nil {
		e.state.noteInterrupted(now, a)
		if errors.Is(s.stopCause, ErrUnreachable) && !a.interrupted {
			e.state.outage.lastErr = a.err
		}
		s.end(e, now, s.stopCause)
		return
	}

	s.loadSegments(e, now)
	d := s.judge(&e.state, now, a)
	s.shareSegments(e)
	s.act(e, now, a, d)
}

// handleVerify has the waitState of e decide about the result of verify.
func (s *scheduler) handleVerify(e *entry, now time.Duration, a answer) {
	e.verifying = false
	if s.stopCause != nil && a.interrupted {
		s.end(e, now, s.stopCause) // an interrupted verify has found nothing out
		return
	}
	s.act(e, now, a, s.judgeVerify(&e.state, now, a))
}

// act queues or ends e after an answer. A complete answer wins over stopCause, and
// stopCause over all others.
func (s *scheduler) act(e *entry, now time.Duration, a answer, d decision) {
	switch {
	case d.verdict == succeeded:
		s.end(e, now, nil)
	case s.stopCause != nil:
		s.end(e, now, s.stopCause)
	case d.verdict == failed:
		cause := d.err
		if errors.Is(cause, ErrUnreachable) && e.state.budgetEnd() <= now {
			cause = s.unreachable(&e.state, now)
		}
		s.fail(e, now, cause)
	case d.verdict == verifying:
		// The update of this poll follows after verify.
		e.verifying = true
		s.queue.add(e, now, false)
	default:
		s.cfg.notify(e.state.update(now, a.err, d))
		if d.verdict == pollAgain {
			e.pollIndividually = d.alone
			s.enqueue(e, now+d.delay)
		} else if d.verdict == awaitBudget {
			s.queue.expire(e, now+d.delay)
		} // otherwise e stays parked until endRest
	}
}

// fail ends e with a failure, and all others too unless they go on. If the server is
// unreachable for all, they fail for the same reason.
func (s *scheduler) fail(e *entry, now time.Duration, cause error) {
	s.end(e, now, cause)

	// The end of the context fails all targets: it is no failure of a sibling.
	if s.cfg.continueOnError || s.ended(now) {
		return
	}
	s.stopCause = errSibling
	if errors.Is(cause, ErrUnreachable) && s.outOfReach(now) {
		s.stopCause = s.unreachableForAll(now)
	}
}

// end ends e, fills in its first outcome and calls the observer. A nil cause is success.
// The entry must not be in flight; if it is still queued, nothing is dispatched any more.
func (s *scheduler) end(e *entry, now time.Duration, cause error) {
	u := e.state.finish(now, cause)
	e.ended = true
	s.targets.pending--

	o := &s.targets.outcomes[e.firstOutcome]
	o.Progress, o.Err, o.Unconfirmed, o.Polls, o.Elapsed = u.Progress, u.Err, u.Unconfirmed, u.Polls, u.Elapsed
	s.cfg.notify(u)
}

// endRest ends all entries that have not ended. None may be in flight.
func (s *scheduler) endRest() {
	cause, now := s.stopCause, s.now()
	if cause == nil {
		cause = s.interruption()
	}

	for i := range s.targets.entries {
		if e := &s.targets.entries[i]; !e.ended {
			s.end(e, now, cause)
		}
	}
}

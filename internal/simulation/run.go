package simulation

import (
	"context"
	"errors"
	"time"

	"github.com/milvuswait/milvuswait"
)

// horizon returns a time long after the end of every wait. A wait that is still running
// then will never end: its context is cancelled, and the log shows it.
func (s *Scenario) horizon() time.Duration { return 50*s.Span + time.Hour }

// lull is the time after the end of a wait in which no event may follow.
const lull = time.Second

// errCause is the cause of a cancelled context.
var errCause = errors.New("the user has gone")

// run runs the wait and returns its log. The function with returns the Poller of the wait
// for a given recorder of p.
func (s *Scenario) run(start time.Time, p milvuswait.Poller, with func(*recorder) milvuswait.Poller) Log {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)

	if s.Options.Deadline > 0 {
		var stop context.CancelFunc
		ctx, stop = context.WithDeadline(ctx, start.Add(s.Options.Deadline))
		defer stop()
	}

	if s.Options.Cancel > 0 {
		defer time.AfterFunc(s.Options.Cancel, func() { cancel(errCause) }).Stop()
	}

	defer time.AfterFunc(s.horizon(), func() { cancel(errors.New("it never ends")) }).Stop()
	r := newRecorder(ctx, s, start, p)
	asked := with(r)
	outcomes, err := s.wait(ctx, asked, append(s.options(), milvuswait.WithObserver(milvuswait.ObserverFunc(r.told))))

	for _, o := range outcomes {
		r.add(ended(r.now(), o))
	}

	over := Event{At: r.now(), Kind: Over}
	_, over.Offers = asked.(milvuswait.Lister)

	var joined interface{ Unwrap() []error }
	var single *milvuswait.Error
	switch {
	case errors.As(err, &single) && err == error(single):
		over.Failed = 1
	case errors.As(err, &joined):
		over.Failed = len(joined.Unwrap())
	}

	r.add(over)
	time.Sleep(lull)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.log.order(r.rank)
	return r.log
}

// wait runs the wait as the scenario requires. With Watch, it converts the last update to
// an outcome.
func (s *Scenario) wait(ctx context.Context, p milvuswait.Poller, opts []milvuswait.Option) ([]milvuswait.Outcome, error) {
	if !s.Options.Watch {
		return milvuswait.WaitAll(ctx, p, s.Targets, opts...)
	}
	var o milvuswait.Outcome
	for u, err := range milvuswait.Watch(ctx, p, s.Targets[0], opts...) {
		o = milvuswait.Outcome{Target: u.Target, Progress: u.Progress, Err: err, Polls: u.Polls, Elapsed: u.Elapsed}
	}
	return []milvuswait.Outcome{o}, o.Err
}

// told logs an update.
func (r *recorder) told(u milvuswait.Update) {
	e := Event{
		At: r.now(), Kind: Told, Target: u.Target, Answer: Answer{u.Progress, classOf(u.Err)},
		Polls: u.Polls, Elapsed: u.Elapsed, Next: u.Next, Final: u.Final,
	}
	if u.Final {
		e.judge(u.Err)
	}
	r.add(e)
}

// ended returns the event of an outcome.
func ended(at time.Duration, o milvuswait.Outcome) Event {
	e := Event{At: at, Kind: Returned, Target: o.Target, Answer: Answer{Progress: o.Progress}, Polls: o.Polls, Elapsed: o.Elapsed}
	e.judge(o.Err)
	return e
}

// judge sets the fields of e from the final error, and marks e as odd if the two contradict
// each other.
func (e *Event) judge(err error) {
	var failure *milvuswait.Error
	if !errors.As(err, &failure) {
		e.Answer.Err = classOf(err)
		e.Odd = err != nil
		return
	}
	e.Answer.Err, e.Last = classOf(failure.Cause), classOf(failure.LastErr)
	e.Odd = failure.Target != e.Target || failure.Last != e.Answer.Progress || failure.Polls != e.Polls || failure.Elapsed != e.Elapsed
}

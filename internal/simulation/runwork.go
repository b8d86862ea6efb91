package simulation

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/internal/oracle"
)

// WorkLog is everything that happened in a wait for a Work.
type WorkLog struct {
	Polls    []*WorkPoll // in the order of their starts
	Updates  []WorkUpdate
	Verified []VerifyCall
	Outcomes []milvuswait.Outcome
	Err      error
	Over     time.Duration // time of the return
}

// WorkPoll is one poll: all requests with the same context.
type WorkPoll struct {
	Begin, End, Limit time.Duration
	Name              string              // collection or job
	Covers            []milvuswait.Target // without marks and expected rows; of indexes, those whose progress was requested
	Requests          []WorkRequest
	Cut               bool // the end of the wait interrupted it
}

// WorkRequest is one request, with a result for each target that it is about.
type WorkRequest struct {
	oracle.Request
	Method string
	Says   map[milvuswait.Target]milvuswait.Progress // by the targets of Covers
	Mark   milvuswait.FlushMark                      // argument of FlushState
}

// WorkUpdate is an update and its time.
type WorkUpdate struct {
	At time.Duration
	milvuswait.Update
}

// VerifyCall is one call of the function of WithVerify.
type VerifyCall struct {
	Target     milvuswait.Target
	Begin, End time.Duration
	Err        error
}

// server is the simulated server of a Work. It logs the requests it answers.
type server struct {
	w      *Work
	start  time.Time
	parent context.Context

	mu    sync.Mutex
	log   WorkLog
	polls map[context.Context]*WorkPoll
	lanes map[string]time.Duration // lane of each name, for its first request of an instant
	taken map[laneOf]time.Duration // number of requests of a name at an instant
}

type laneOf struct {
	name string
	at   time.Duration
}

// Run runs the wait and returns its log. Call it in a synctest bubble.
func (w *Work) Run() *WorkLog {
	s := &server{w: w, start: time.Now(), polls: map[context.Context]*WorkPoll{}, lanes: map[string]time.Duration{}, taken: map[laneOf]time.Duration{}}
	for _, t := range w.Targets {
		for _, name := range []string{t.Collection(), t.String()} {
			if _, known := s.lanes[name]; !known {
				s.lanes[name] = time.Duration(len(s.lanes)+1) * lanesOfName
			}
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), w.Options.Deadline)
	defer cancel()
	s.parent = ctx

	observe := milvuswait.ObserverFunc(func(u milvuswait.Update) { s.log.Updates = append(s.log.Updates, WorkUpdate{s.now(), u}) })
	opts := append(s.options(), milvuswait.WithObserver(observe))
	s.log.Outcomes, s.log.Err = milvuswait.WaitAll(ctx, s.poller(), w.Targets, opts...)
	s.log.Over = s.now()
	return &s.log
}

// options returns the options for the library.
func (s *server) options() []milvuswait.Option {
	o := &s.w.Options
	opts := []milvuswait.Option{
		milvuswait.WithBackoff(milvuswait.Backoff{Jitter: milvuswait.NoJitter}), milvuswait.WithSettle(o.Settle),
		milvuswait.WithStallTimeout(o.Stall), milvuswait.WithStartGrace(o.Grace), milvuswait.WithUnreachableAfter(o.Budget),
	}
	if o.Criterion != milvuswait.AllRows {
		opts = append(opts, milvuswait.WithIndexCriterion(o.Criterion))
	}
	if o.Continue {
		opts = append(opts, milvuswait.WithContinueOnError())
	}
	if o.Verify {
		opts = append(opts, milvuswait.WithVerify(s.verify))
	}
	return opts
}

// poller returns the server as a Poller with the abilities of the options.
func (s *server) poller() milvuswait.Poller {
	f := milvuswait.PollerFuncs{
		IndexBuilding: s.indexBuilding, Flush: s.flush, Import: s.importState, Compaction: s.compaction, Server: s.check,
	}
	if s.w.Options.Segments {
		f.Segments = s.segments
	}
	if s.w.Options.Lists {
		f.IndexBuildingList = s.indexBuildingList
	}
	return f
}

func (s *server) now() time.Duration { return time.Since(s.start) }

// ask makes one request: it waits for as long as the server takes, and calls answer at the
// instant of the answer. No two requests end at once.
func (s *server) ask(ctx context.Context, method, name string, covers []milvuswait.Target, answer func(now time.Duration, r *WorkRequest)) WorkRequest {
	return s.askAbout(ctx, WorkRequest{Method: method}, name, covers, answer)
}

// askAbout is ask with some fields of the request.
func (s *server) askAbout(ctx context.Context, r WorkRequest, name string, covers []milvuswait.Target, answer func(now time.Duration, r *WorkRequest)) WorkRequest {
	s.mu.Lock()
	p, begin := s.polls[ctx], s.now()
	if p == nil {
		p = &WorkPoll{Begin: begin, Name: name}
		if limit, limited := ctx.Deadline(); limited {
			p.Limit = limit.Sub(s.start)
		}
		s.polls[ctx] = p
		s.log.Polls = append(s.log.Polls, p)
	}
	p.Covers = append(p.Covers, covers...)
	mine := s.lane(name)
	s.mu.Unlock()

	if r.Err = s.delay(ctx, r.Method, mine, name); r.Err == nil {
		r.Says = map[milvuswait.Target]milvuswait.Progress{}
		answer(s.now(), &r)
	}
	r.Begin, r.End = begin, s.now()
	r.Of, r.Transient = kindOf(r.Method), passes(r.Err)

	s.mu.Lock()
	defer s.mu.Unlock()
	p.End, p.Cut = r.End, errors.Is(r.Err, context.Canceled) || r.Err != nil && s.parent.Err() != nil
	p.Requests = append(p.Requests, r)
	return r
}

// lanesOfName is the number of requests of one name that may start at one instant.
const lanesOfName = 8

// lane returns the nanosecond at which a request of the name ends, of the next ones: so no two
// requests end at once.
func (s *server) lane(name string) time.Duration {
	this := laneOf{name, s.now()}
	n := s.taken[this]
	s.taken[this]++
	return (s.lanes[name] + n) % lane
}

// kindOf returns the kind of a request for an index.
func kindOf(method string) oracle.RequestKind {
	switch method {
	case segments:
		return oracle.ListSegments
	case flushState:
		return oracle.FlushState
	}
	return oracle.Describe
}

// delay waits until the answer of a request, and returns the error of the trouble it is in.
func (s *server) delay(ctx context.Context, method string, mine time.Duration, name string) error {
	now := s.now()
	trouble, troubled := s.w.trouble(method, now)
	if troubled && trouble.Err == nil {
		<-ctx.Done()
		return ctx.Err()
	}

	odd := (&Scenario{Seed: s.w.Seed}).odd(method+name, now)
	d := 100*time.Microsecond + odd*odd/time.Microsecond/10 // up to 4 ms, mostly short
	d += (mine - (now+d)%lane + lane) % lane
	if err := pause(ctx, d); err != nil {
		return err
	}
	return trouble.Err
}

// describeAll returns the results for the named indexes of a collection.
func (s *server) describeAll(ctx context.Context, collection string, names []string) ([]milvuswait.IndexBuildingProgress, []error) {
	all, errs := make([]milvuswait.IndexBuildingProgress, len(names)), make([]error, len(names))
	covers := make([]milvuswait.Target, len(names))
	for i, name := range names {
		covers[i] = milvuswait.IndexBuilding(collection, name)
	}

	r := s.ask(ctx, describe, collection, covers, func(now time.Duration, r *WorkRequest) {
		d := s.w.data(collection)
		for i, name := range names {
			all[i] = d.index(slices.Index(d.Indexes, name), now)
			r.Says[covers[i]] = all[i]
		}
	})
	for i := range errs {
		errs[i] = r.Err
	}
	return all, errs
}

func (s *server) indexBuilding(ctx context.Context, collection, index string) (milvuswait.IndexBuildingProgress, error) {
	all, errs := s.describeAll(ctx, collection, []string{index})
	return all[0], errs[0]
}

func (s *server) indexBuildingList(ctx context.Context, collection string, indexes []string) ([]milvuswait.IndexBuildingProgress, []error) {
	return s.describeAll(ctx, collection, indexes)
}

func (s *server) segments(ctx context.Context, collection string) ([]int64, error) {
	r := s.ask(ctx, segments, collection, nil, func(now time.Duration, r *WorkRequest) {
		r.Unflushed = s.w.data(collection).unflushed(now)
	})
	return r.Unflushed, r.Err
}

func (s *server) flush(ctx context.Context, collection string, mark milvuswait.FlushMark) (bool, error) {
	var covers []milvuswait.Target
	if target := milvuswait.Flushing(collection, mark); slices.Contains(s.w.Targets, target) {
		covers = append(covers, target)
	}
	r := s.askAbout(ctx, WorkRequest{Method: flushState, Mark: mark}, collection, covers, func(now time.Duration, r *WorkRequest) {
		r.Done = s.w.data(collection).flushed(mark, now)
		for _, t := range covers {
			r.Says[t] = milvuswait.FlushProgress{Flushed: r.Done}
		}
	})
	return r.Done, r.Err
}

// job makes a request about a job.
func (s *server) job(ctx context.Context, method string, target milvuswait.Target) (p milvuswait.Progress, err error) {
	i := slices.IndexFunc(s.w.Jobs, func(j *Job) bool { return j.Target == target })
	r := s.ask(ctx, method, target.String(), []milvuswait.Target{target}, func(now time.Duration, r *WorkRequest) {
		p, r.Err = s.w.Jobs[i].at(now)
		r.Says[target] = p
	})
	return p, r.Err
}

func (s *server) importState(ctx context.Context, job int64) (milvuswait.ImportProgress, error) {
	p, err := s.job(ctx, imports, milvuswait.Importing(job))
	progress, _ := p.(milvuswait.ImportProgress)
	return progress, err
}

func (s *server) compaction(ctx context.Context, id int64) (milvuswait.CompactionProgress, error) {
	p, err := s.job(ctx, compacts, milvuswait.Compacting(id))
	progress, _ := p.(milvuswait.CompactionProgress)
	return progress, err
}

func (s *server) check(ctx context.Context) error {
	server := milvuswait.Serving()
	return s.ask(ctx, serves, "server", []milvuswait.Target{server}, func(_ time.Duration, r *WorkRequest) {
		r.Says[server] = milvuswait.ServingProgress{}
	}).Err
}

// verify is the function of WithVerify.
func (s *server) verify(ctx context.Context, t milvuswait.Target) error {
	s.mu.Lock()
	mine := s.lane(t.String())
	s.mu.Unlock()

	call := VerifyCall{Target: t, Begin: s.now()}
	call.Err = s.delay(ctx, verifies, mine, t.String())
	call.End = s.now()

	s.mu.Lock()
	defer s.mu.Unlock()
	s.log.Verified = append(s.log.Verified, call)
	return call.Err
}

// byEnd returns the polls in the order of their ends.
func (l *WorkLog) byEnd() []*WorkPoll {
	all := slices.Clone(l.Polls)
	slices.SortStableFunc(all, func(a, b *WorkPoll) int { return cmp.Compare(a.End, b.End) })
	return all
}

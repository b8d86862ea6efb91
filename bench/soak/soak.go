package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/rpc"
)

// soak is a run of the server with faults and of the waits for its targets.
type soak struct {
	*scenario
	server  *server
	referee referee
	poller  *rpc.Poller

	finished        atomic.Int64 // end of the run, measured from the start of the server
	rounds, singles atomic.Int64

	mu    sync.Mutex
	tally tally
	wrong []error
}

// mostWrong is the number of errors after which the run stops.
const mostWrong = 20

// dial returns a connection to the server. It counts all calls.
func (s *soak) dial() (*grpc.ClientConn, error) {
	return grpc.NewClient("passthrough:///"+s.server.address, append(rpc.DialOptions(),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithUnaryInterceptor(func(ctx context.Context, method string, req, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
			err := invoke(ctx, method, req, reply, conn, opts...)
			s.mu.Lock()
			defer s.mu.Unlock()
			s.tally.rpc(path.Base(method), err)
			return err
		}),
	)...)
}

// run runs waits until ctx ends. It returns an error only if the run itself fails. Errors
// of the library are in s.wrong.
func (s *soak) run(ctx context.Context) (err error) {
	conn, err := s.dial()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	s.poller = rpc.New(conn)

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return s.server.trouble(ctx) })
	g.Go(func() error { return s.each(ctx, s.round) })

	const singles = 4
	for i := range singles {
		g.Go(func() error {
			return s.each(ctx, func(ctx context.Context, n int) { s.single(ctx, n*singles+i) })
		})
	}

	return g.Wait()
}

// errWrong ends a run with too many errors.
var errWrong = errors.New("enough is wrong")

// each calls f until ctx ends, or until there are too many errors.
func (s *soak) each(ctx context.Context, f func(ctx context.Context, n int)) error {
	for n := 0; ctx.Err() == nil; n++ {
		f(ctx, n)
		s.mu.Lock()
		enough := len(s.wrong) >= mostWrong
		s.mu.Unlock()
		if enough {
			return errWrong
		}
	}
	return nil
}

// bound returns a context for one wait, with a deadline and, in one case of four, a
// cancellation. The end of the run cancels it too. The returned function releases the
// context and returns the wait's actual times.
func (s *soak) bound(ctx context.Context, r *rand.Rand, least, most time.Duration) (context.Context, func() wait) {
	w := wait{begin: s.server.now()}
	timeout, patience := between(r, least, most), between(r, 0, most)
	w.deadline = w.begin + timeout

	bounded, cancelTimeout := context.WithTimeout(ctx, timeout)
	bounded, cancel := context.WithCancel(bounded)

	cancelled := make(chan time.Duration, 1)
	var timer *time.Timer
	if oneIn(r, 4) {
		timer = time.AfterFunc(patience, func() {
			cancelled <- s.server.now()
			cancel()
		})
	}

	return bounded, func() wait {
		if timer != nil && !timer.Stop() {
			w.cancelled = <-cancelled
		}
		if ctx.Err() != nil { // even if both happened at about the same time
			w.cancelled = max(w.begin, time.Duration(s.finished.Load()))
		}

		cancel()
		cancelTimeout()
		return w
	}
}

// round runs one WaitAll for all goals.
func (s *soak) round(ctx context.Context, n int) {
	r := random(s.seed, streamRounds, n)
	goals := make([]*goal, 0, len(s.goals)+8)
	for i := range s.goals {
		goals = append(goals, &s.goals[i])
	}

	for range min(8, len(s.goals)) {
		goals = append(goals, goals[r.IntN(len(s.goals))]) // duplicates
	}

	r.Shuffle(len(goals), func(i, j int) { goals[i], goals[j] = goals[j], goals[i] })
	targets := make([]milvuswait.Target, len(goals))
	for i, g := range goals {
		targets[i] = g.target
	}

	least, most := 5*time.Second, 15*time.Second
	if oneIn(r, 2) {
		least, most = 25*time.Second, 40*time.Second
	}

	rec := newRecorder(s.poller, s.server.now)
	seen := &witness{rec: rec}
	bounded, end := s.bound(ctx, r, least, most)
	outcomes, err := milvuswait.WaitAll(bounded, rec, targets, milvuswait.WithContinueOnError(), milvuswait.WithObserver(seen),
		milvuswait.WithMaxInFlight(4+r.IntN(60)), milvuswait.WithPollTimeout(2*time.Second, 8*time.Second))

	w := end()
	seen.end()
	s.rounds.Add(1)

	if len(outcomes) != len(goals) {
		s.blame(fmt.Errorf("round %d: %d outcomes for %d targets: %w", n, len(outcomes), len(goals), err))
		return
	}
	failed := false

	for i, o := range outcomes {
		failed = failed || o.Err != nil
		if o.Target != goals[i].target {
			s.blame(fmt.Errorf("round %d: outcome %d is of %v, and should be of %v", n, i, o.Target, goals[i].target))
		}
		s.judge(w, seen, goals[i], o)
	}

	if failed != (err != nil) {
		s.blame(fmt.Errorf("round %d: the error is %v, that an outcome has one is %v", n, err, failed))
	}

	s.close(rec, seen)
}

// single runs one wait for a random goal, by Watch or by a function of its kind.
func (s *soak) single(ctx context.Context, n int) {
	r := random(s.seed, streamSingles, n)
	g := &s.goals[r.IntN(len(s.goals))]
	rec := newRecorder(s.poller, s.server.now)
	seen := &witness{rec: rec}
	bounded, end := s.bound(ctx, r, time.Second, 30*time.Second)
	o := milvuswait.Outcome{Target: g.target}
	options := []milvuswait.Option{milvuswait.WithObserver(seen), milvuswait.WithPollTimeout(2*time.Second, 8*time.Second)}

	budget := time.Duration(0)
	if oneIn(r, 3) {
		budget = between(r, 500*time.Millisecond, 4*time.Second) // about as long as an outage
		options = append(options, milvuswait.WithUnreachableAfter(budget))
	}

	if oneIn(r, 3) {
		var last milvuswait.Update
		for u, err := range milvuswait.Watch(bounded, rec, g.target, options...) {
			last, o.Err = u, err
		}
		o.Progress, o.Elapsed = last.Progress, last.Elapsed
	} else {
		o.Progress, o.Err = waitFor(bounded, rec, g.target, options)
		o.Elapsed = seen.of(g.target).elapsed
	}

	w := end()
	w.budget = budget
	seen.end()
	s.singles.Add(1)

	s.judge(w, seen, g, o)
	s.close(rec, seen)
}

// waitFor waits for one target by the function of its kind.
func waitFor(ctx context.Context, p milvuswait.Poller, t milvuswait.Target, options []milvuswait.Option) (milvuswait.Progress, error) {
	if t.Kind() == milvuswait.KindLoading {
		if t.Partitions() != nil {
			options = append(options, milvuswait.WithPartitions(t.Partitions()...))
		}
		return known(milvuswait.WaitForLoadingComplete(ctx, p, t.Collection(), options...))
	}

	if t.Index() != "" {
		options = append(options, milvuswait.WithIndex(t.Index()))
	}
	return known(milvuswait.WaitForIndexBuildingComplete(ctx, p, t.Collection(), append(options, milvuswait.WithExpectedRows(t.ExpectedRows()))...))
}

// known returns the progress in the form of an outcome: nil if no poll has succeeded.
func known[P interface {
	milvuswait.Progress
	comparable
}](p P, err error) (milvuswait.Progress, error) {
	var none P
	if err != nil && p == none {
		return nil, err
	}
	return p, err
}

// judge judges an outcome and counts it.
func (s *soak) judge(w wait, seen *witness, g *goal, o milvuswait.Outcome) {
	c := seen.of(g.target)
	c.outcome = o
	if err := s.referee.judge(w, g, c); err != nil {
		s.blame(err)
	}

	late, fair := s.referee.lateness(w, g, c)
	s.mu.Lock()
	defer s.mu.Unlock()

	s.tally.outcome(o.Err)
	if fair {
		s.tally.late = append(s.tally.late, late)
	}
}

// close counts the polls and updates of a wait after its judgement.
func (s *soak) close(rec *recorder, seen *witness) {
	updates, behind := seen.count()
	if behind > 0 {
		s.blame(fmt.Errorf("%d updates after the wait had returned", behind))
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	s.tally.polls += rec.count()
	s.tally.updates += updates
}

// blame records an error of the library.
func (s *soak) blame(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wrong = append(s.wrong, err)
}

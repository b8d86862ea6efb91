package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/milvuswait/milvuswait/bench/internal/clock"
	"github.com/milvuswait/milvuswait/fake/fakeserver"
	"github.com/milvuswait/milvuswait/internal/usage"
)

// run is a soak with its preparation and its final checks.
type run struct {
	out      io.Writer
	plan     plan
	length   time.Duration
	scenario *scenario
}

// newRun returns a run for the seed. One seed in three uses Milvus 2.2.
func newRun(out io.Writer, seed uint64, targets int, length time.Duration) *run {
	const slack = 2 * time.Minute // for the preparation and the final checks
	r := &run{out: out, length: length}
	r.plan = plan{seed: seed, goals: targets, length: length + slack, dialect: int(fakeserver.Milvus23)}
	if seed%3 == 0 {
		r.plan.dialect = int(fakeserver.Milvus22)
	}
	r.scenario = newScenario(seed, targets, r.plan.length)
	return r
}

func (r *run) say(format string, args ...any) { fmt.Fprintf(r.out, format+"\n", args...) }

// do runs the soak twice, first as a short rehearsal, and returns all errors of the
// library. The error err is a failure of the run itself.
func (r *run) do(ctx context.Context) (wrong []error, err error) {
	r.say("soak: seed %d, %d targets of %d loads and indexes, a server like Milvus %v, for %v",
		r.plan.seed, len(r.scenario.goals), len(r.scenario.subjects), fakeserver.Dialect(r.plan.dialect), r.length)

	// The rehearsal makes all permanent allocations of a first use, so that they do not
	// count as leaks.
	if wrong, err = r.soak(ctx, time.Second, io.Discard); err != nil || len(wrong) > 0 {
		return wrong, err
	}

	before, err := measure()
	if err != nil {
		return nil, err
	}
	wrong, err = r.soak(ctx, r.length, r.out)
	return append(wrong, r.leftBehind(before)...), err
}

// soak runs the server and the waits for the given length.
func (r *run) soak(ctx context.Context, length time.Duration, out io.Writer) (wrong []error, err error) {
	r.plan.start = clock.Now()
	server := &server{plan: r.plan}
	if err := server.start(); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, server.stop()) }()

	s := &soak{scenario: r.scenario, server: server, referee: referee{r.scenario, server.down}}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()

	// Set the end before the cancellation: waits judge their cancellation by it.
	end := time.AfterFunc(length, func() {
		s.finished.Store(int64(server.now()))
		cancel()
	})
	defer end.Stop()

	samples := newSampler(s, out, length)
	err = returns(ctx, func() error { return s.run(ctx) })
	if errors.Is(err, errWrong) {
		err = nil
	}

	samples.stop()
	s.report(out)
	return s.wrong, err
}

// hangs is the time after the end of a run at which a function still running counts as
// hanging.
const hangs = time.Minute

// returns runs f and returns its error. If f is still running long after the end of ctx, it
// returns an error with all stacks.
func returns(ctx context.Context, f func() error) error {
	done := make(chan error, 1)
	go func() { done <- f() }()

	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}

	select {
	case err := <-done:
		return err
	case <-time.After(hangs):
		return fmt.Errorf("something did not return within %v of its end:\n%s", hangs, stacks())
	}
}

// stacks returns the stacks of all goroutines.
func stacks() string {
	text := make([]byte, 1<<20)
	return strings.TrimSpace(string(text[:runtime.Stack(text, true)]))
}

// report prints the results of the run.
func (s *soak) report(out io.Writer) {
	t := &s.tally
	kills, down := 0, time.Duration(0)
	for _, o := range s.server.outages {
		if o.killed {
			kills++
		}
		down += o.to - o.from
	}

	fmt.Fprintf(out, "%d rounds of WaitAll and %d single waits: %s\n", s.rounds.Load(), s.singles.Load(), counts(t.outcomes))
	fmt.Fprintf(out, "%d polls, %d updates, RPCs: %s\n", t.polls, t.updates, counts(t.rpcs))
	fmt.Fprintf(out, "RPCs that failed: %s\n", counts(t.refused))
	fmt.Fprintf(out, "server killed %d times, stopped %d times, away for %v\n", kills, len(s.server.outages)-kills, down.Round(time.Millisecond))
	fmt.Fprintf(out, "reported late without a fault: p50 %v, p99 %v, most %v, of %d\n",
		round(percentile(t.late, 0.5)), round(percentile(t.late, 0.99)), round(percentile(t.late, 1)), len(t.late))
}

func round(d time.Duration) time.Duration { return d.Round(100 * time.Microsecond) }

// belongings holds the resources of this process.
type belongings struct {
	goroutines, descriptors int
	heap                    int64
}

// measure returns the resources in use.
func measure() (belongings, error) {
	u, err := usage.Of(os.Getpid())
	return belongings{runtime.NumGoroutine(), u.Descriptors, usage.LiveHeap()}, err
}

// heapSlack is the heap growth in bytes that does not count as a leak.
const heapSlack = 4 << 20

// leftBehind returns an error for each resource left behind by the run. It retries for 5 s,
// because connections end shortly after their Close.
func (r *run) leftBehind(before belongings) []error {
	var after belongings
	for range 50 {
		var err error
		if after, err = measure(); err != nil {
			return []error{err}
		}
		if len(leaks(before, after)) == 0 {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}

	r.say("before and after: %d and %d goroutines, %d and %d descriptors, %s and %s of heap",
		before.goroutines, after.goroutines, before.descriptors, after.descriptors, mebibytes(before.heap), mebibytes(after.heap))

	wrong := leaks(before, after)
	if after.goroutines > before.goroutines {
		r.say("%s", stacks())
	}
	return wrong
}

// leaks returns an error for each resource with a higher value after the run than before.
func leaks(before, after belongings) (wrong []error) {
	if after.goroutines > before.goroutines {
		wrong = append(wrong, fmt.Errorf("%d goroutines are left behind", after.goroutines-before.goroutines))
	}
	if after.descriptors > before.descriptors {
		wrong = append(wrong, fmt.Errorf("%d descriptors are left behind", after.descriptors-before.descriptors))
	}
	if after.heap > before.heap+heapSlack {
		wrong = append(wrong, fmt.Errorf("%s of heap are left behind", mebibytes(after.heap-before.heap)))
	}
	return wrong
}

func mebibytes[N int64 | uint64](n N) string {
	return fmt.Sprintf("%.1f MiB", math.Round(float64(n)/(1<<20)*10)/10)
}

// sampler regularly prints the state of the run.
type sampler struct {
	done chan struct{}
	end  chan struct{}
}

// newSampler starts a sampler. It prints about six times during the run, but at most once a
// second.
func newSampler(s *soak, out io.Writer, length time.Duration) *sampler {
	p := &sampler{done: make(chan struct{}), end: make(chan struct{})}
	begin := time.Now()
	ticker := time.NewTicker(max(time.Second, length/6))
	go func() {
		defer close(p.end)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
			case <-p.done:
				return
			}

			u, err := usage.Of(os.Getpid())
			if err != nil {
				continue // the run itself will report this
			}

			s.mu.Lock()
			polls, wrong := s.tally.polls, len(s.wrong)
			s.mu.Unlock()
			fmt.Fprintf(out, "%5.0fs  %d rounds, %d single waits, %d polls judged, %d wrong, RSS %s, %d goroutines, %d descriptors\n",
				time.Since(begin).Seconds(), s.rounds.Load(), s.singles.Load(), polls, wrong, mebibytes(u.RSS), runtime.NumGoroutine(), u.Descriptors)
		}
	}()
	return p
}

// stop stops the output. After its return, the sampler prints nothing more.
func (p *sampler) stop() {
	close(p.done)
	<-p.end
}

package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/milvuswait/milvuswait/bench/internal/child"
	"github.com/milvuswait/milvuswait/bench/internal/clock"
)

// server is the server process, over all its restarts.
type server struct {
	plan    plan
	address string

	mu      sync.Mutex
	process *child.Process
	outages []outage
}

// outage is a period in which the server did not respond.
type outage struct {
	from, to time.Duration // measured from the start of the server
	killed   bool          // killed; otherwise stopped
}

// recovery is the maximum time after an outage until clients have reconnected.
const recovery = 3 * time.Second

func (s *server) now() time.Duration { return clock.Now() - s.plan.start }

// start starts the process. A restart uses the same address. It retries for 2 s, because
// the kernel may not release the port at once.
func (s *server) start() error {
	args := []string{
		serveCommand, "-seed", fmt.Sprint(s.plan.seed), "-targets", fmt.Sprint(s.plan.goals), "-length", s.plan.length.String(),
		"-start", s.plan.start.String(), "-dialect", fmt.Sprint(s.plan.dialect),
	}
	if s.address != "" {
		args = append(args, "-address", s.address)
	}

	var err error
	for range 10 {
		var p *child.Process
		if p, err = child.Start(args...); err == nil {
			s.mu.Lock()
			s.process, s.address = p, p.Address
			s.mu.Unlock()
			return nil
		}
		time.Sleep(200 * time.Millisecond)
	}
	return err
}

// stop ends the process permanently.
func (s *server) stop() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process == nil {
		return nil
	}

	p := s.process
	s.process = nil
	return p.Kill()
}

// trouble causes one outage after another until ctx ends.
func (s *server) trouble(ctx context.Context) error {
	for n := 0; ; n++ {
		r := random(s.plan.seed, streamTrouble, n)
		if !pause(ctx, between(r, 3*time.Second, 20*time.Second)) {
			return nil
		}

		killed, lasts := oneIn(r, 2), between(r, 200*time.Millisecond, 4*time.Second)
		end := s.outage(killed)
		pause(ctx, lasts)
		if err := end(); err != nil {
			return err
		}
	}
}

// outage begins an outage. The returned function ends it, and returns the errors of both
// steps.
func (s *server) outage(killed bool) (end func() error) {
	s.mu.Lock()
	defer s.mu.Unlock()

	s.outages = append(s.outages, outage{from: s.now(), to: never, killed: killed})
	var begun error
	if killed {
		begun = s.process.Kill()
	} else {
		begun = s.process.Freeze()
	}
	process := s.process

	return func() error {
		var ended error
		if killed {
			ended = s.start()
		} else {
			ended = process.Thaw()
		}

		s.mu.Lock()
		defer s.mu.Unlock()
		s.outages[len(s.outages)-1].to = s.now()
		return errors.Join(begun, ended)
	}
}

// never is later than all other times. It is the end of a running outage.
const never = time.Duration(1<<63 - 1)

// down returns the length of the outages in a period, including the recovery after each.
func (s *server) down(from, to time.Duration) (sum time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range s.outages {
		end := to
		if o.to < never-recovery {
			end = min(to, o.to+recovery)
		}
		sum += max(0, end-max(from, o.from))
	}
	return sum
}

// pause waits for d and returns true, or returns false as soon as ctx ends.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

package main

import (
	"context"
	"flag"
	"net"
	"time"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/bench/internal/child"
	"github.com/milvuswait/milvuswait/bench/internal/clock"
	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/fake/fakeserver"
	"github.com/milvuswait/milvuswait/internal/bridge"
)

// serveCommand is the first argument of a server process.
const serveCommand = "serve"

// plan holds the parameters of a server. Together with the time, they determine its state,
// so that a restarted server can continue.
type plan struct {
	seed    uint64
	goals   int
	length  time.Duration
	start   time.Duration // by the system-wide clock
	dialect int
}

// serve runs a server process until its parent ends it.
func serve(args []string) error {
	var p plan
	f := flag.NewFlagSet(serveCommand, flag.ContinueOnError)
	f.Uint64Var(&p.seed, "seed", 0, "")
	f.IntVar(&p.goals, "targets", 0, "")
	f.DurationVar(&p.length, "length", 0, "")
	f.DurationVar(&p.start, "start", 0, "")
	f.IntVar(&p.dialect, "dialect", 0, "")
	address := f.String("address", "127.0.0.1:0", "")
	if err := f.Parse(args); err != nil {
		return err
	}

	s := newScenario(p.seed, p.goals, p.length)
	server, err := fakeserver.Start(fakeserver.Config{Address: "127.0.0.1:0", Dialect: fakeserver.Dialect(p.dialect)})
	if err != nil {
		return err
	}
	defer server.Close()

	now := func() time.Duration { return clock.Now() - p.start }
	for i := range s.subjects {
		server.Set(s.subjects[i].target, s.subjects[i].script(now))
	}

	go func() {
		for {
			w := s.weather(now())
			w.begin(server)
			time.Sleep(w.until - now())
		}
	}()

	// Accept connections only now, when everything is set. Until here, the server has
	// another port.
	listener, err := net.Listen("tcp", *address)
	if err != nil {
		return err
	}

	way := bridge.New(listener, func(ctx context.Context) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", server.Address())
	})
	defer way.Close()
	return child.Serve(listener.Addr().String())
}

// script returns the script of the subject. It depends only on the clock, not on the time
// of the call to Set.
func (s *subject) script(now func() time.Duration) fake.Script {
	return fake.ScriptFunc(func(int, time.Duration) fake.Step { return s.step(now()) })
}

// step returns the server's answer about the subject at t.
func (s *subject) step(t time.Duration) fake.Step {
	m := s.history.at(t)
	switch m.state {
	case noCollection:
		return fake.Step{Err: milvuswait.ErrCollectionNotFound}
	case noIndex:
		return fake.Step{Err: milvuswait.ErrIndexNotFound}
	case notLoaded:
		return fake.Step{Err: milvuswait.ErrNotLoaded}
	}

	if s.rows > 0 {
		return fake.Step{Progress: *s.index(m.span, m.value)}
	}
	if m.state == broken {
		return fake.Step{Err: milvuswait.ErrLoadFailed}
	}
	return fake.Step{Progress: milvuswait.LoadingProgress{Percent: m.value, RefreshPercent: 100}}
}

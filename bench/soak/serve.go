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

// serveCommand is the first argument of a process that is to be the server.
const serveCommand = "serve"

// plan is what a server has to know to be the one that was killed: everything
// else follows from it and the time.
type plan struct {
	seed    uint64
	goals   int
	length  time.Duration
	start   time.Duration // by the clock
	dialect int
}

// serve is the life of a server.
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
	// Nobody may ask before everything is set: the server that is asked has another
	// port until then.
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

// script plays the history by the clock, whenever it was set.
func (s *subject) script(now func() time.Duration) fake.Script {
	return fake.ScriptFunc(func(int, time.Duration) fake.Step { return s.step(now()) })
}

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

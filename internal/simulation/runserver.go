package simulation

import (
	"context"
	"fmt"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake/fakeserver"
	"github.com/milvuswait/milvuswait/internal/wire"
	"github.com/milvuswait/milvuswait/rpc"
)

// RunServer runs the scenario with package rpc and an in-memory fake server. Call it in a
// synctest bubble.
func (s *Scenario) RunServer() (Log, error) {
	return s.serve(fakeserver.Milvus23, func(r *recorder) milvuswait.Poller { return pollerOnly{r} })
}

// serve runs the scenario against a server of the dialect.
func (s *Scenario) serve(dialect fakeserver.Dialect, with func(*recorder) milvuswait.Poller) (log Log, err error) {
	start := time.Now()
	srv, err := fakeserver.Start(fakeserver.Config{Dialect: dialect})
	if err != nil {
		return nil, err
	}
	defer srv.Close()

	conn, err := srv.Dial(grpc.WithConnectParams(grpc.ConnectParams{Backoff: backoff.Config{BaseDelay: s.Span, Multiplier: 1, MaxDelay: s.Span}}))
	if err != nil {
		return nil, err
	}
	defer conn.Close()

	defer s.unfold(stage{
		set:  srv.Set,
		drop: srv.Drop,
		said: func(f *fault) error { return f.ofServer },
	}, start)()

	// Stop the disturbances before the deferred calls close the connection and the server.
	stop := s.disturb(srv, conn)
	log = s.run(start, rpc.New(conn), with)
	if failed := stop(); failed != nil {
		return nil, fmt.Errorf("simulation: %w", failed)
	}
	return log, nil
}

// disturb schedules the breaks of the connection and the outages of the server. The
// returned function cancels the remaining ones and returns the error of a failed restart.
func (s *Scenario) disturb(srv *fakeserver.Server, conn *grpc.ClientConn) func() error {
	const harmless = "CheckHealth" // not called by any poll
	srv.Fail(harmless, fakeserver.Drop())

	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	var mu sync.Mutex
	var failed error

	at := func(d time.Duration, do func()) {
		running.Go(func() {
			if pause(ctx, d) == nil {
				do()
			}
		})
	}

	for _, broken := range s.Breaks {
		at(broken, func() {
			_, _ = wire.CheckHealth.Call(ctx, conn, &wire.CheckHealthRequest{}) // the call fails, because it breaks the connection
		})
	}

	for _, away := range s.Outages {
		at(away.From, srv.Stop)
		at(away.To, func() {
			if err := srv.Restart(); err != nil {
				mu.Lock()
				failed = err
				mu.Unlock()
			}
			conn.ResetConnectBackoff() // otherwise the client's jitter would decide when it reconnects
		})
	}

	return func() error {
		cancel()
		running.Wait()
		return failed
	}
}

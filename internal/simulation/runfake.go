package simulation

import (
	"context"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
)

// RunFake runs the scenario with a fake.Poller. Call it in a synctest bubble.
func (s *Scenario) RunFake() Log {
	start := time.Now()
	var p fake.Poller
	stop := s.unfold(stage{
		set:  func(t milvuswait.Target, script fake.Script) { p.Set(t, script) },
		drop: p.Drop,
		said: func(f *fault) error { return f.ofPoller },
	}, start)
	defer stop()
	return s.run(start, &breaking{&p, s, start}, func(r *recorder) milvuswait.Poller { return pollerOnly{r} })
}

// pollerOnly hides the optional interfaces of a Poller.
type pollerOnly struct{ milvuswait.Poller }

// breaking is a Poller over a simulated connection. It breaks at the times of the scenario,
// and reaches no server during an outage.
type breaking struct {
	poller milvuswait.Poller
	s      *Scenario
	start  time.Time
}

var errBroken = status.Error(codes.Unavailable, "the connection broke")

// over runs a poll. It fails with errBroken if the connection breaks during the poll or an
// outage prevents it.
func (b *breaking) over(ctx context.Context, poll func(context.Context) error) error {
	now := time.Since(b.start)
	broken := time.Duration(-1)
	note := func(at time.Duration) {
		if at > now && (broken < 0 || at < broken) {
			broken = at
		}
	}

	for _, at := range b.s.Breaks {
		note(at)
	}
	for _, away := range b.s.Outages {
		if away.has(now) {
			return errBroken
		}
		note(away.From)
	}

	if broken < 0 {
		return poll(ctx)
	}

	lasting, cancel := context.WithDeadline(ctx, b.start.Add(broken))
	defer cancel()
	err := poll(lasting)
	if err != nil && lasting.Err() != nil && ctx.Err() == nil {
		return errBroken
	}
	return err
}

// LoadingProgress implements milvuswait.Poller.
func (b *breaking) LoadingProgress(ctx context.Context, collection string, partitions ...string) (p milvuswait.LoadingProgress, err error) {
	err = b.over(ctx, func(ctx context.Context) (err error) {
		p, err = b.poller.LoadingProgress(ctx, collection, partitions...)
		return err
	})
	return p, err
}

// IndexBuildingProgress implements milvuswait.Poller.
func (b *breaking) IndexBuildingProgress(ctx context.Context, collection, index string) (p milvuswait.IndexBuildingProgress, err error) {
	err = b.over(ctx, func(ctx context.Context) (err error) {
		p, err = b.poller.IndexBuildingProgress(ctx, collection, index)
		return err
	})
	return p, err
}

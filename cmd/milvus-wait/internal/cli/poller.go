package cli

import (
	"context"
	"sync"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/dial"
	"github.com/milvuswait/milvuswait/rpc"
)

// poller is a Poller of package rpc that explains failed connections. Connecting is thus
// part of a wait: a server that is not up yet is polled like one that goes away later, and
// only a permanent failure of the connection, such as of TLS, ends the wait at once.
type poller struct {
	*rpc.Poller
	line *line
}

// line is the connection to the server, as the last calls have found it.
type line struct {
	endpoint dial.Endpoint

	mu      sync.Mutex
	failure *dial.Error // nil if the last call reached the server
	at      time.Time   // time of failure
}

// explainInterval is the minimum time between two explanations. An explanation may connect
// to the server, and many polls fail at the same time.
const explainInterval = 300 * time.Millisecond

// LoadingProgress implements milvuswait.Poller.
func (p *poller) LoadingProgress(ctx context.Context, collection string, partitions ...string) (milvuswait.LoadingProgress, error) {
	ctx, contact := dial.WithContact(ctx)
	progress, err := p.Poller.LoadingProgress(ctx, collection, partitions...)
	return progress, p.line.explain(ctx, contact, err)
}

// IndexBuildingProgress implements milvuswait.Poller.
func (p *poller) IndexBuildingProgress(ctx context.Context, collection, index string) (milvuswait.IndexBuildingProgress, error) {
	ctx, contact := dial.WithContact(ctx)
	progress, err := p.Poller.IndexBuildingProgress(ctx, collection, index)
	return progress, p.line.explain(ctx, contact, err)
}

// CheckLoadState implements milvuswait.LoadStateChecker.
func (p *poller) CheckLoadState(ctx context.Context, collection string, partitions ...string) error {
	ctx, contact := dial.WithContact(ctx)
	return p.line.explain(ctx, contact, p.Poller.CheckLoadState(ctx, collection, partitions...))
}

// ListLoading implements milvuswait.Lister.
func (p *poller) ListLoading(ctx context.Context) (map[string]milvuswait.LoadingProgress, error) {
	ctx, contact := dial.WithContact(ctx)
	list, err := p.Poller.ListLoading(ctx)
	return list, p.line.explain(ctx, contact, err)
}

// ListIndexBuilding implements milvuswait.IndexLister.
func (p *poller) ListIndexBuilding(ctx context.Context, collection string, indexes []string) ([]milvuswait.IndexBuildingProgress, []error) {
	ctx, contact := dial.WithContact(ctx)
	progresses, errs := p.Poller.ListIndexBuilding(ctx, collection, indexes)
	for i, err := range errs {
		errs[i] = p.line.explain(ctx, contact, err)
	}
	return progresses, errs
}

// UnflushedSegments implements milvuswait.SegmentLister.
func (p *poller) UnflushedSegments(ctx context.Context, collection string) ([]int64, error) {
	ctx, contact := dial.WithContact(ctx)
	segments, err := p.Poller.UnflushedSegments(ctx, collection)
	return segments, p.line.explain(ctx, contact, err)
}

// ImportProgress implements milvuswait.ImportPoller.
func (p *poller) ImportProgress(ctx context.Context, job int64) (milvuswait.ImportProgress, error) {
	ctx, contact := dial.WithContact(ctx)
	progress, err := p.Poller.ImportProgress(ctx, job)
	return progress, p.line.explain(ctx, contact, err)
}

// CompactionProgress implements milvuswait.CompactionPoller.
func (p *poller) CompactionProgress(ctx context.Context, id int64) (milvuswait.CompactionProgress, error) {
	ctx, contact := dial.WithContact(ctx)
	progress, err := p.Poller.CompactionProgress(ctx, id)
	return progress, p.line.explain(ctx, contact, err)
}

// CheckServer implements milvuswait.ServerChecker.
func (p *poller) CheckServer(ctx context.Context) error {
	ctx, contact := dial.WithContact(ctx)
	return p.line.explain(ctx, contact, p.Poller.CheckServer(ctx))
}

// FindRow returns a function for milvuswait.WithVerify, as that of rpc.Poller.
func (p *poller) FindRow(filter string) func(context.Context, milvuswait.Target) error {
	find := p.Poller.FindRow(filter)
	return func(ctx context.Context, t milvuswait.Target) error {
		ctx, contact := dial.WithContact(ctx)
		return p.line.explain(ctx, contact, find(ctx, t))
	}
}

// explain returns err, or the reason why its call did not reach the server. A permanent
// reason is marked by Permanent.
func (l *line) explain(ctx context.Context, contact *dial.Contact, err error) error {
	if contact.Reached() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.failure = nil
		return err
	}

	lost := contact.Failure()
	switch {
	case err == nil, lost == nil:
		return err
	case ctx.Err() != nil:
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.failure == nil {
			l.failure, l.at = dial.Unanswered(l.endpoint), time.Time{}
		}
		return err // the error of ctx is of more use to the wait
	case codeOf(err) != codes.Unavailable:
		return err // it belongs to another call of the same poll
	}

	failure := l.find(ctx, lost.Message())
	if failure.Final() {
		return milvuswait.Permanent(&lostError{failure})
	}
	return &lostError{failure}
}

// find returns the failure of a connection for gRPC's text.
func (l *line) find(ctx context.Context, text string) *dial.Error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failure == nil || time.Since(l.at) >= explainInterval {
		l.failure, l.at = dial.Explain(ctx, text, l.endpoint), time.Now()
	}
	return l.failure
}

// last returns the failure of the connection, or nil if the last call reached the server.
func (l *line) last() *dial.Error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.failure
}

// lostError is the error of a poll that did not reach the server. The hint has the advice.
type lostError struct{ failure *dial.Error }

func (e *lostError) Error() string { return e.failure.Brief() }
func (e *lostError) Unwrap() error { return e.failure }

package faults_test

import (
	"context"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/milvuswait/milvuswait/internal/milvustest"
	"github.com/milvuswait/milvuswait/internal/wire"
)

// answer is what a poll is answered with: so many percent, unless it fails.
type answer struct {
	percent int64
	status  *wire.Status // nil for success
	err     error        // of gRPC
	blank   bool         // no status at all, and no more
}

func percent(n int64) answer { return answer{percent: n} }

func rejected(code int32, legacy wire.ErrorCode, reason string) answer {
	return answer{percent: 100, status: &wire.Status{Code: code, ErrorCode: legacy, Reason: reason}}
}

func refused(code codes.Code, message string) answer {
	return answer{percent: 100, err: status.Error(code, message)}
}

// server is a Milvus where "docs" is as far as it is told, and which remembers
// the polls.
type server struct {
	milvustest.Server
	answer func(ctx context.Context, n int) answer
	start  time.Time

	mu    sync.Mutex
	polls []*poll
}

// poll is a poll as the server sees it; times are since the server began.
type poll struct {
	began, ended time.Duration // ended is 0 while it is under way
	timeout      time.Duration // that came with it; 0 for none
	gaveUp       error         // of its context, when the answer was there
}

// newServer returns a server whose n-th poll, from 1, is answered so.
func newServer(f func(ctx context.Context, n int) answer) *server {
	s := &server{answer: f, start: time.Now()}
	s.Loading = func(ctx context.Context, _ *wire.GetLoadingProgressRequest) (*wire.GetLoadingProgressResponse, error) {
		a := s.poll(ctx)
		if a.blank {
			return &wire.GetLoadingProgressResponse{}, nil
		}
		return &wire.GetLoadingProgressResponse{Status: a.body(), Progress: a.percent, RefreshProgress: 100}, a.err
	}
	s.Index = func(ctx context.Context, req *wire.DescribeIndexRequest) (*wire.DescribeIndexResponse, error) {
		a := s.poll(ctx)
		if a.blank {
			return &wire.DescribeIndexResponse{}, nil
		}
		state := wire.IndexState_InProgress
		if a.percent == 100 {
			state = wire.IndexState_Finished
		}
		return &wire.DescribeIndexResponse{Status: a.body(), IndexDescriptions: []*wire.IndexDescription{{
			IndexName: req.GetIndexName(), State: state, TotalRows: 100, IndexedRows: a.percent, PendingIndexRows: 100 - a.percent,
		}}}, a.err
	}
	return s
}

func (a answer) body() *wire.Status {
	if a.status != nil {
		return a.status
	}
	return &wire.Status{}
}

func (s *server) poll(ctx context.Context) answer {
	p := &poll{began: time.Since(s.start)}
	if deadline, ok := ctx.Deadline(); ok {
		p.timeout = time.Until(deadline)
	}
	s.mu.Lock()
	s.polls = append(s.polls, p)
	n := len(s.polls)
	s.mu.Unlock()
	a := s.answer(ctx, n)
	s.mu.Lock()
	defer s.mu.Unlock()
	p.ended, p.gaveUp = time.Since(s.start), ctx.Err()
	return a
}

// seen returns the polls so far.
func (s *server) seen() []poll {
	s.mu.Lock()
	defer s.mu.Unlock()
	polls := make([]poll, len(s.polls))
	for i, p := range s.polls {
		polls[i] = *p
	}
	return polls
}

// hang returns when the client has given up.
func hang(ctx context.Context) answer {
	<-ctx.Done()
	return answer{err: status.FromContextError(ctx.Err()).Err()}
}

// later answers after d, if the client has not given up before.
func later(ctx context.Context, d time.Duration, a answer) answer {
	select {
	case <-time.After(d):
		return a
	case <-ctx.Done():
		return hang(ctx)
	}
}

func loadState(state wire.LoadState) func(context.Context, *wire.GetLoadStateRequest) (*wire.GetLoadStateResponse, error) {
	return func(context.Context, *wire.GetLoadStateRequest) (*wire.GetLoadStateResponse, error) {
		return &wire.GetLoadStateResponse{Status: &wire.Status{}, State: state}, nil
	}
}

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

// answer is the response to a poll: a percentage, a failed status, or a gRPC error.
type answer struct {
	percent int64
	status  *wire.Status // nil means success
	err     error        // gRPC error
	blank   bool         // empty response, without a status
}

func percent(n int64) answer { return answer{percent: n} }

func rejected(code int32, legacy wire.ErrorCode, reason string) answer {
	return answer{percent: 100, status: &wire.Status{Code: code, ErrorCode: legacy, Reason: reason}}
}

func refused(code codes.Code, message string) answer {
	return answer{percent: 100, err: status.Error(code, message)}
}

// server is a Milvus whose responses are a function of the number of the poll. It records
// the polls.
type server struct {
	milvustest.Server
	answer func(ctx context.Context, n int) answer
	start  time.Time

	mu    sync.Mutex
	polls []*poll
}

// poll is a poll at the server. Times are since the start of the server.
type poll struct {
	began, ended time.Duration // ended is 0 while in flight
	timeout      time.Duration // timeout from the client; 0 means none
	gaveUp       error         // error of the context at the end of the poll
}

// newServer returns a server whose response to poll n, from 1, is f(ctx, n).
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

// seen returns a copy of the polls so far.
func (s *server) seen() []poll {
	s.mu.Lock()
	defer s.mu.Unlock()
	polls := make([]poll, len(s.polls))
	for i, p := range s.polls {
		polls[i] = *p
	}
	return polls
}

// hang returns after the client has canceled the call.
func hang(ctx context.Context) answer {
	<-ctx.Done()
	return answer{err: status.FromContextError(ctx.Err()).Err()}
}

// later returns a after d, or an error if the client cancels the call before.
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

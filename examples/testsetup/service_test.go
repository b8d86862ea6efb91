package testsetup_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/milvus-io/milvus-sdk-go/v2/client"
	"github.com/milvus-io/milvus-sdk-go/v2/entity"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/examples/testsetup"
	"github.com/milvuswait/milvuswait/fake"
)

var (
	docs    = milvuswait.Loading("docs")
	errDown = status.Error(codes.Unavailable, "connection refused")
	vector  = []float32{1, 2, 3, 4}
)

// stub is a server with a script for its loads. Every search has the same result.
type stub struct {
	fake.Poller
	script fake.Script
	found  []int64
	refuse error
}

func (s *stub) LoadCollection(_ context.Context, collection string, _ bool, _ ...client.LoadCollectionOption) error {
	if s.refuse == nil {
		s.Set(milvuswait.Loading(collection), s.script)
	}
	return s.refuse
}

func (s *stub) Search(context.Context, string, []string, string, []string, []entity.Vector, string, entity.MetricType, int,
	entity.SearchParam, ...client.SearchQueryOptionFunc,
) ([]client.SearchResult, error) {
	return []client.SearchResult{{ResultCount: len(s.found), IDs: entity.NewColumnInt64("id", s.found)}}, s.refuse
}

func (s *stub) service() *testsetup.Service {
	return testsetup.New(s, &s.Poller, "docs", slog.New(slog.DiscardHandler))
}

// TestSlowStart loads for 40 minutes. The load stalls for 10 minutes and loses a node, and the
// server is unreachable for 4 minutes.
func TestSlowStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		load := fake.LoadOver(40*time.Minute).StallAt(30, 10*time.Minute).FallAt(80, 70)
		s := &stub{script: fake.WithOutage(load, errDown, 30*time.Minute, 4*time.Minute), found: []int64{7, 8}}
		service := s.service()
		require.ErrorIs(t, service.Ready(), testsetup.ErrNotReady)
		start, started := time.Now(), make(chan error)
		go func() { started <- service.Start(t.Context()) }()

		time.Sleep(15 * time.Minute)
		_, err := service.Search(t.Context(), vector, 2)
		require.EqualError(t, err, "not ready: loading docs, 30%")

		time.Sleep(17 * time.Minute)
		_, err = service.Search(t.Context(), vector, 2)
		require.ErrorIs(t, err, testsetup.ErrNotReady)
		require.ErrorContains(t, err, "connection refused")

		require.NoError(t, <-started)
		require.WithinRange(t, time.Now(), start.Add(54*time.Minute), start.Add(54*time.Minute+5*time.Second))
		keys, err := service.Search(t.Context(), vector, 2)
		require.NoError(t, err)
		require.Equal(t, []int64{7, 8}, keys)
	})
}

func TestFailedStart(t *testing.T) {
	load := fake.LoadOver(40 * time.Minute)
	noMemory := &milvuswait.ServerError{Code: 101, Reason: "insufficient memory", Method: "GetLoadingProgress"}
	tests := []struct {
		name   string
		script fake.Script
		want   error
		after  time.Duration
	}{
		{"stalled", load.StallAt(30, fake.Forever), milvuswait.ErrStalled, 12*time.Minute + 15*time.Minute},
		{"released by another program", load.FailAt(50, milvuswait.ErrNotLoaded), milvuswait.ErrReleased, 20 * time.Minute},
		{"given up by the server", load.FailAt(50, errors.Join(milvuswait.ErrLoadFailed, noMemory)), milvuswait.ErrLoadFailed, 20 * time.Minute},
		{"dropped", load.FailAt(75, milvuswait.ErrCollectionNotFound), milvuswait.ErrCollectionNotFound, 30 * time.Minute},
		{"server away for good", fake.WithOutage(load, errDown, 10*time.Minute, fake.Forever), milvuswait.ErrUnreachable, 15 * time.Minute},
		{"no permission", fake.WithError(load, milvuswait.Permanent(errDown), 1), errDown, 0},
		{"too slow", fake.LoadOver(3 * time.Hour), context.DeadlineExceeded, time.Hour},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &stub{script: tt.script}
				service, start := s.service(), time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()

				err := service.Start(ctx)

				require.ErrorIs(t, err, tt.want)
				require.WithinRange(t, time.Now(), start.Add(tt.after), start.Add(tt.after+10*time.Second))
				_, err = service.Search(t.Context(), vector, 1)
				require.ErrorIs(t, err, testsetup.ErrNotReady)
				require.ErrorIs(t, err, tt.want)
			})
		})
	}
}

func TestNothingToLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &stub{refuse: errors.New("index not found")}
		service := s.service()

		require.ErrorIs(t, service.Start(t.Context()), s.refuse)

		require.Empty(t, s.Calls(), "there is nothing to wait for")
		require.ErrorIs(t, service.Ready(), testsetup.ErrNotReady)
	})
}

func TestSearchFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &stub{script: fake.Percents(100)}
		service := s.service()
		require.NoError(t, service.Start(t.Context()))
		require.Len(t, s.Calls(docs), 1, "what is loaded already costs one poll")
		s.refuse = errDown

		_, err := service.Search(t.Context(), vector, 1)

		require.ErrorIs(t, err, errDown)
		require.NotErrorIs(t, err, testsetup.ErrNotReady)
	})
}

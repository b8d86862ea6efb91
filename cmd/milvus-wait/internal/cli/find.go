package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/dial"
	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/exit"
	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/output"
)

// allLoads returns a target for each collection that is loading or loaded. An empty result
// is an error.
func (a *app) allLoads(ctx context.Context, s *server, wait *waitFlags) (targets []milvuswait.Target, err error) {
	err = a.ask(ctx, s, "asking for the loaded collections", wait, func(ctx context.Context) error {
		targets, err = s.loading(ctx)
		return err
	})
	if err == nil && len(targets) == 0 {
		err = fmt.Errorf("there is nothing to wait for: no collection %s is loading or loaded; name those that will be", s.inDatabase())
	}
	return targets, err
}

// loading returns a target for each collection that is loading or loaded, sorted by name.
func (s *server) loading(ctx context.Context) ([]milvuswait.Target, error) {
	loading, err := s.poller.ListLoading(ctx)
	if err != nil {
		return nil, err
	}

	var targets []milvuswait.Target
	for _, name := range slices.Sorted(maps.Keys(loading)) {
		// milvus-lite also lists collections without a load.
		if loading[name].Percent == 0 && errors.Is(s.poller.CheckLoadState(ctx, name), milvuswait.ErrNotLoaded) {
			continue
		}
		targets = append(targets, milvuswait.Loading(name))
	}
	return targets, nil
}

// allIndexes returns a target for each collection with indexes. An empty result is an
// error.
func (a *app) allIndexes(ctx context.Context, s *server, wait *waitFlags) (targets []milvuswait.Target, err error) {
	known := make(map[string]bool) // collections of earlier attempts
	err = a.ask(ctx, s, "asking for the indexes", wait, func(ctx context.Context) error {
		targets, err = s.indexed(ctx, known)
		return err
	})
	if err == nil && len(targets) == 0 {
		err = fmt.Errorf("there is nothing to wait for: no collection %s has an index", s.inDatabase())
	}
	return targets, err
}

// indexed returns a target for each collection with indexes. It skips the requests for
// collections in known and adds its findings there: known[name] is true if the collection
// has indexes. Thus a server with many collections need not answer for all of them in one
// attempt.
func (s *server) indexed(ctx context.Context, known map[string]bool) ([]milvuswait.Target, error) {
	names, err := s.collections(ctx)
	if err != nil {
		return nil, err
	}

	// A failed request does not stop the others, because their findings remain in known.
	var (
		mu    sync.Mutex
		group errgroup.Group
	)
	group.SetLimit(16)
	for _, name := range names {
		mu.Lock()
		_, asked := known[name]
		mu.Unlock()
		if asked {
			continue
		}
		group.Go(func() error {
			_, err := s.poller.IndexBuildingProgress(ctx, name, milvuswait.AllIndexes)
			// A collection dropped meanwhile needs no wait.
			none := errors.Is(err, milvuswait.ErrIndexNotFound) || errors.Is(err, milvuswait.ErrCollectionNotFound)
			if err != nil && !none {
				return err
			}

			mu.Lock()
			defer mu.Unlock()
			known[name] = !none
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}

	var targets []milvuswait.Target
	for _, name := range names {
		if known[name] {
			targets = append(targets, milvuswait.IndexBuilding(name, milvuswait.AllIndexes))
		}
	}
	return targets, nil
}

// ask calls question until it succeeds, with the pace of a wait. Transient errors are
// tolerated for --unreachable.
func (a *app) ask(ctx context.Context, s *server, what string, wait *waitFlags, question func(context.Context) error) error {
	poller := milvuswait.PollerFuncs{Loading: func(ctx context.Context, _ string, _ ...string) (milvuswait.LoadingProgress, error) {
		if err := question(ctx); err != nil {
			return milvuswait.LoadingProgress{}, err
		}
		return milvuswait.LoadingProgress{Percent: 100}, nil
	}}
	report := milvuswait.OnChange(milvuswait.ObserverFunc(func(u milvuswait.Update) {
		if u.Err != nil && !u.Final && !a.global.quiet {
			output.Line(a.Stderr, a.mask.Text(fmt.Sprintf("%s: going on: %v", what, u.Err)))
		}
	}))

	_, err := milvuswait.WaitForLoadingComplete(ctx, poller, "all", append(wait.asking(), milvuswait.WithObserver(report))...)
	var ended *milvuswait.Error
	if errors.As(err, &ended) {
		return &askError{what, ended, s.line.last()}
	}
	return err
}

// askError is the error of a question without an answer. It replaces the text of the
// wait's own error, which is about a load.
type askError struct {
	what  string
	ended *milvuswait.Error
	lost  *dial.Error // failure of the connection, or nil
}

func (e *askError) Error() string {
	text := fmt.Sprintf("%s: %s", e.what, exit.Text(e.ended.Cause))
	if errors.Is(e.ended, context.DeadlineExceeded) || errors.Is(e.ended, milvuswait.ErrUnreachable) {
		text += " (no target is known yet)"
	}
	if e.ended.LastErr != nil {
		text += fmt.Sprintf(", last error: %v", e.ended.LastErr)
	}

	var advice string
	switch {
	case e.lost != nil:
		advice = aboutConnection(errors.New(text), e.lost)
	case errors.Is(e.ended, milvuswait.ErrDatabaseNotFound):
		advice = adviceDatabase
	default:
		advice = refusal(e.ended, "ShowCollections, and IndexDetail for indexes")
	}
	if advice != "" {
		text += "; " + advice
	}
	return text
}

func (e *askError) Unwrap() error { return e.ended }

package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/dial"
)

// allLoads returns a target for each collection that is loading or loaded. An empty result
// is an error.
func (a *app) allLoads(ctx context.Context, s *server, wait *waitFlags) (targets []milvuswait.Target, err error) {
	known := make(map[string]bool)
	none := fmt.Errorf("%w: no collection %s is loading or loaded; name those that will be", errNothing, s.inDatabase())
	err = a.ask(ctx, s, "asking for the loaded collections", wait, func(ctx context.Context) error {
		names, err := s.loading(ctx, known)
		targets = each(names, func(name string) milvuswait.Target { return milvuswait.Loading(name) })
		return orNothing(err, len(targets), none, known)
	})
	return targets, err
}

// allIndexes returns a target for each collection with indexes. An empty result is an
// error.
func (a *app) allIndexes(ctx context.Context, s *server, wait *waitFlags) (targets []milvuswait.Target, err error) {
	known := make(map[string]bool)
	none := fmt.Errorf("%w: no collection %s has an index", errNothing, s.inDatabase())
	err = a.ask(ctx, s, "asking for the indexes", wait, func(ctx context.Context) error {
		names, err := s.indexed(ctx, known)
		targets = each(names, func(name string) milvuswait.Target { return milvuswait.IndexBuilding(name, milvuswait.AllIndexes) })
		return orNothing(err, len(targets), none, known)
	})
	return targets, err
}

// errNothing is in the error of a list without targets. It is absent in the sense of
// --grace, as the targets would be if they were named.
var errNothing = &nothingError{}

type nothingError struct{}

func (*nothingError) Error() string        { return "there is nothing to wait for" }
func (*nothingError) Is(target error) bool { return target == milvuswait.ErrNotLoaded }

// orNothing returns err or, if there are no targets, none. It clears known then, because
// the next attempt must check all collections again.
func orNothing(err error, targets int, none error, known map[string]bool) error {
	if err == nil && targets == 0 {
		clear(known)
		return none
	}
	return err
}

// each returns the targets for names.
func each(names []string, target func(string) milvuswait.Target) []milvuswait.Target {
	targets := make([]milvuswait.Target, len(names))
	for i, name := range names {
		targets[i] = target(name)
	}
	return targets
}

// loading returns the names of the collections that are loading or loaded, sorted.
func (s *server) loading(ctx context.Context, known map[string]bool) ([]string, error) {
	percents, err := s.poller.ListLoading(ctx)
	if err != nil {
		return nil, err
	}

	// A list without percentages, as of milvus-lite before 3.2, does not report the loads.
	if percents == nil {
		names, err := s.collections(ctx)
		if err != nil {
			return nil, err
		}
		return choose(names, known, func(name string) (bool, error) { return s.isLoading(ctx, name) })
	}

	// milvus-lite also lists collections without a load, at 0 %.
	return choose(slices.Sorted(maps.Keys(percents)), known, func(name string) (bool, error) {
		if percents[name].Percent > 0 {
			return true, nil
		}
		return !errors.Is(s.poller.CheckLoadState(ctx, name), milvuswait.ErrNotLoaded), nil
	})
}

// isLoading reports whether the collection is loading or loaded.
func (s *server) isLoading(ctx context.Context, name string) (bool, error) {
	err := s.poller.CheckLoadState(ctx, name)
	if errors.Is(err, milvuswait.ErrNotLoaded) || errors.Is(err, milvuswait.ErrCollectionNotFound) {
		return false, nil
	}
	return true, err
}

// indexed returns the names of the collections with indexes, sorted.
func (s *server) indexed(ctx context.Context, known map[string]bool) ([]string, error) {
	names, err := s.collections(ctx)
	if err != nil {
		return nil, err
	}
	return choose(names, known, func(name string) (bool, error) {
		_, err := s.poller.IndexBuildingProgress(ctx, name, milvuswait.AllIndexes)
		// A collection dropped meanwhile needs no wait.
		if errors.Is(err, milvuswait.ErrIndexNotFound) || errors.Is(err, milvuswait.ErrCollectionNotFound) {
			return false, nil
		}
		return true, err
	})
}

// choose returns the names for which check returns true, in their order. It skips the names
// in known and adds its findings there. Thus a server with many collections need not answer
// for all of them in one attempt.
func choose(names []string, known map[string]bool, check func(name string) (bool, error)) ([]string, error) {
	// A failed check does not stop the others, because their findings remain in known.
	var (
		mu    sync.Mutex
		group errgroup.Group
	)
	group.SetLimit(16)
	for _, name := range names {
		mu.Lock()
		_, checked := known[name]
		mu.Unlock()
		if checked {
			continue
		}
		group.Go(func() error {
			chosen, err := check(name)
			if err != nil {
				return err
			}

			mu.Lock()
			defer mu.Unlock()
			known[name] = chosen
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}

	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !known[name] }), nil
}

// ask calls question until it succeeds, with the pace of a wait. Transient errors are
// tolerated for --unreachable, and missing targets for --grace. The wait for the targets
// has the rest of the grace.
func (a *app) ask(ctx context.Context, s *server, what string, wait *waitFlags, question func(context.Context) error) error {
	poller := milvuswait.PollerFuncs{Loading: func(ctx context.Context, _ string, _ ...string) (milvuswait.LoadingProgress, error) {
		if err := question(ctx); err != nil {
			return milvuswait.LoadingProgress{}, err
		}
		return milvuswait.LoadingProgress{Percent: 100}, nil
	}}
	start := time.Now()
	options := append(wait.asking(), milvuswait.WithStartGrace(wait.grace), milvuswait.WithObserver(a.masked(a.output.Asking(what))))
	_, err := milvuswait.WaitForLoadingComplete(ctx, poller, "all", options...)
	wait.grace = max(0, wait.grace-time.Since(start))

	var ended *milvuswait.Error
	switch {
	case !errors.As(err, &ended):
		return err
	case errors.Is(ended.Cause, errNothing):
		return errors.New(ended.Cause.Error()) // only a wait that is named can have the reason "not loaded"
	default:
		return &askError{what, ended, s.line.last(), s.from}
	}
}

// askError is the error of a question without an answer. It replaces the text of the
// wait's own error, which is about a load.
type askError struct {
	what  string
	ended *milvuswait.Error
	lost  *dial.Error // failure of the connection, or nil
	from  sources
}

func (e *askError) Error() string {
	text := fmt.Sprintf("%s: %v", e.what, e.ended.Cause)
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
		advice = e.from.adviceDatabase()
	default:
		advice = refusal(e.ended, "ShowCollections, and IndexDetail for indexes", e.from.adviceToken())
	}
	if advice != "" {
		text += "; " + advice
	}
	return text
}

func (e *askError) Unwrap() error { return e.ended }

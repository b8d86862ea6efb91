package temporalwait

import (
	"context"
	"sync"
	"time"

	"github.com/milvuswait/milvuswait"
)

// lists shares list calls between the waits of one worker on one cluster. A list covers
// every load of the cluster, even if a chunk waits for only a few. If each chunk made its
// own list calls, the server's work would grow with the square of the number of loads.
type lists struct {
	lister milvuswait.Lister

	mu       sync.Mutex
	newest   *list // latest successful list
	underWay *list
}

// list is one list call, made by one of the waits for all of them.
type list struct {
	began time.Time
	done  chan struct{} // closed at the end of the call
	loads map[string]milvuswait.LoadingProgress
	err   error
	cut   bool // the wait that made the call ended before the call did
}

// shared returns p with shared lists, for one wait whose first attempt began at the given
// time. It returns p itself if p cannot list.
func (a *Activities) shared(cluster string, p milvuswait.Poller, began time.Time) milvuswait.Poller {
	lister, ok := p.(milvuswait.Lister)
	if !ok {
		return p
	}

	a.mu.Lock()
	defer a.mu.Unlock()

	l := a.lists[cluster]
	if l == nil {
		if a.lists == nil {
			a.lists = make(map[string]*lists)
		}
		l = &lists{lister: lister}
		a.lists[cluster] = l
	}

	return &view{Poller: p, lists: l, began: began, used: time.Now()}
}

// view is the Poller of one wait, with shared lists. Unwrap makes the other optional
// interfaces of the Poller available.
type view struct {
	milvuswait.Poller
	lists *lists
	began time.Time // start of the first attempt
	used  time.Time // start of the latest list it returned; initially of this attempt
}

// Unwrap returns the underlying Poller.
func (v *view) Unwrap() milvuswait.Poller { return v.Poller }

// ListLoading returns a list whose call began after the previous list of this wait. It
// reuses the call in flight, or a call that began within half the lateness of the default
// pace: 1 % of the time waited, at least 50 ms, at most 2.5 s. Otherwise it makes a new
// call. WaitAll never calls it concurrently.
func (v *view) ListLoading(ctx context.Context) (map[string]milvuswait.LoadingProgress, error) {
	for {
		l, mine := v.lists.take(v.used, time.Since(v.began))
		if mine {
			v.lists.fetch(ctx, l)
		}

		select {
		case <-l.done:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if l.cut && !mine {
			continue // it shows nothing about the server
		}
		v.used = l.began
		return l.loads, l.err
	}
}

// take returns a recent enough list for a wait. If mine is true, the list is new, and the
// caller must make its call.
func (s *lists) take(after time.Time, waited time.Duration) (l *list, mine bool) {
	oldest := time.Now().Add(-min(max(50*time.Millisecond, waited/100), 2500*time.Millisecond))
	s.mu.Lock()
	defer s.mu.Unlock()

	if l := s.newest; l != nil && l.began.After(after) && l.began.After(oldest) {
		return l, false
	}
	if l := s.underWay; l != nil && l.began.After(after) {
		return l, false
	}

	l = &list{began: time.Now(), done: make(chan struct{})}
	s.underWay = l
	return l, true
}

// fetch performs the call of l. If the Poller panics, the panic reaches the wait that made
// the call; for the others, the list counts as cut, and one of them makes another.
func (s *lists) fetch(ctx context.Context, l *list) {
	l.cut = true
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.underWay == l {
			s.underWay = nil
		}
		if l.err == nil && !l.cut && (s.newest == nil || l.began.After(s.newest.began)) {
			s.newest = l
		}
		close(l.done)
	}()
	l.loads, l.err = s.lister.ListLoading(ctx)
	l.cut = l.err != nil && ctx.Err() != nil
}

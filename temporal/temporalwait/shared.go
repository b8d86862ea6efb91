package temporalwait

import (
	"context"
	"sync"
	"time"

	"github.com/milvuswait/milvuswait"
)

// lists is what the waits of one worker on one cluster share. A list tells of every
// load of the cluster, however few a chunk waits for: were each chunk to ask for
// its own, the work of the server would grow with the square of the loads.
type lists struct {
	lister milvuswait.Lister

	mu       sync.Mutex
	newest   *list // that was answered
	underWay *list
}

// list is one list, made by one of the waits for all.
type list struct {
	began time.Time
	done  chan struct{} // closed when there is an answer
	loads map[string]milvuswait.LoadingProgress
	err   error
	cut   bool // the wait that made it has ended
}

// shared returns p for one wait, which began then, so that its lists are shared.
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

// view is the Poller of one wait, with shared lists. A wait finds the other optional
// interfaces of the Poller by Unwrap.
type view struct {
	milvuswait.Poller
	lists *lists
	began time.Time // of the wait, in its first attempt
	used  time.Time // when the newest list that it was given began; at first, this attempt
}

// Unwrap returns the Poller without shared lists.
func (v *view) Unwrap() milvuswait.Poller { return v.Poller }

// ListLoading returns a list that began after the one that this wait was given
// before: one that is under way, or one that began no longer ago than half of the
// lateness of the default pace (1 % of the time waited, 50 ms at least, 2.5 s at
// most), or else a new one. WaitAll asks for one list at a time.
func (v *view) ListLoading(ctx context.Context) (map[string]milvuswait.LoadingProgress, error) {
	for {
		l, mine := v.lists.take(v.used, time.Since(v.began))
		if mine {
			v.lists.make(ctx, l)
		}
		select {
		case <-l.done:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if l.cut && !mine {
			continue // it says nothing of the server
		}
		v.used = l.began
		return l.loads, l.err
	}
}

// take returns a list that is new enough for a wait, or a new one that is for its
// caller to make.
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

// make makes l. A panic of the Poller is that of the wait that made it, and cut for
// the others.
func (s *lists) make(ctx context.Context, l *list) {
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

package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/internal/oracle"
	"github.com/milvuswait/milvuswait/rpc"
)

// poll is one call to the server and its result. The result was true at some instant
// between begin and end.
type poll struct {
	begin, end time.Duration
	progress   milvuswait.Progress // set if err is nil
	err        error
}

// recorder is the Poller of one wait. It records its polls.
type recorder struct {
	*rpc.Poller
	now func() time.Duration

	mu    sync.Mutex
	last  map[milvuswait.Target]poll
	good  map[milvuswait.Target]poll
	upset map[milvuswait.Target]time.Duration // end of the last failed or slow poll
	away  map[milvuswait.Target]failures      // since the last successful poll
	were  map[milvuswait.Target]failures      // before the last poll
	mute  map[milvuswait.Target]time.Duration // start of the first poll without a response since the last response
	lists []list
	polls int
}

// failures holds, for two classes of errors, the end of the first failed poll since a
// success; 0 means none.
type failures struct{ absent, refused time.Duration }

// list is a list call, a poll of all loads.
type list struct {
	poll
	loads map[string]milvuswait.LoadingProgress
}

func newRecorder(p *rpc.Poller, now func() time.Duration) *recorder {
	return &recorder{
		Poller: p, now: now,
		last: map[milvuswait.Target]poll{}, good: map[milvuswait.Target]poll{}, upset: map[milvuswait.Target]time.Duration{},
		away: map[milvuswait.Target]failures{}, were: map[milvuswait.Target]failures{},
		mute: map[milvuswait.Target]time.Duration{},
	}
}

// asked returns the target without its expected rows, because a Poller does not know them.
func asked(t milvuswait.Target) milvuswait.Target { return t.ExpectRows(0) }

// slow is the duration above which a poll must have met a fault.
const slow = 300 * time.Millisecond

// note records an individual poll. The order matters: were must hold the failures before
// this poll. r.mu must be held.
func (r *recorder) note(t milvuswait.Target, p poll) {
	r.last[t], r.were[t] = p, r.away[t]
	if p.err == nil {
		r.good[t] = p
	}

	r.away[t] = r.were[t].and(p)
	if _, mute := r.mute[t]; p.err == nil || oracle.Absent(p.err) || status.Code(p.err) == codes.PermissionDenied {
		delete(r.mute, t)
	} else if !mute {
		r.mute[t] = p.begin
	}

	if p.err != nil || p.end-p.begin > slow {
		r.upset[t] = p.end
	}
}

// and returns the failures after another poll.
func (f failures) and(p poll) failures {
	first := func(at *time.Duration) {
		if *at == 0 {
			*at = p.end
		}
	}

	switch {
	case p.err == nil:
		return failures{}
	case oracle.Absent(p.err) && !errors.Is(p.err, milvuswait.ErrLoadFailed):
		first(&f.absent)
	case milvuswait.Reason(p.err) == "failed" && status.Code(p.err) == codes.PermissionDenied:
		first(&f.refused)
	}
	return f
}

// LoadingProgress performs a poll and records it.
func (r *recorder) LoadingProgress(ctx context.Context, collection string, partitions ...string) (milvuswait.LoadingProgress, error) {
	begin := r.now()
	progress, err := r.Poller.LoadingProgress(ctx, collection, partitions...)

	r.mu.Lock()
	defer r.mu.Unlock()
	r.polls++
	r.note(milvuswait.Loading(collection, partitions...), poll{begin, r.now(), progress, err})
	return progress, err
}

// CheckLoadState performs a check and records it as part of the previous poll.
func (r *recorder) CheckLoadState(ctx context.Context, collection string, partitions ...string) error {
	err := r.Poller.CheckLoadState(ctx, collection, partitions...)

	r.mu.Lock()
	defer r.mu.Unlock()
	t := milvuswait.Loading(collection, partitions...)
	p := r.last[t]
	p.end, p.err = r.now(), err
	r.last[t] = p
	if oracle.Absent(err) { // the poll counts as failed now
		r.away[t] = r.were[t].and(p)
	}
	return err
}

// IndexBuildingProgress performs a poll and records it.
func (r *recorder) IndexBuildingProgress(ctx context.Context, collection, index string) (milvuswait.IndexBuildingProgress, error) {
	begin := r.now()
	progress, err := r.Poller.IndexBuildingProgress(ctx, collection, index)

	r.mu.Lock()
	defer r.mu.Unlock()
	r.polls++
	r.note(milvuswait.IndexBuilding(collection, index), poll{begin, r.now(), progress, err})
	return progress, err
}

// ListLoading performs a list call and records it.
func (r *recorder) ListLoading(ctx context.Context) (map[string]milvuswait.LoadingProgress, error) {
	begin := r.now()
	loads, err := r.Poller.ListLoading(ctx)

	r.mu.Lock()
	defer r.mu.Unlock()
	r.polls++

	const enough = 64 // a list is relevant for a few seconds only
	if len(r.lists) == enough {
		r.lists = append(r.lists[:0], r.lists[1:]...)
	}
	r.lists = append(r.lists, list{poll{begin: begin, end: r.now(), err: err}, loads})
	return loads, err
}

// ListIndexBuilding performs a list call of indexes and records it as a poll of each.
func (r *recorder) ListIndexBuilding(ctx context.Context, collection string, indexes []string) ([]milvuswait.IndexBuildingProgress, []error) {
	begin := r.now()
	progresses, errs := r.Poller.ListIndexBuilding(ctx, collection, indexes)

	r.mu.Lock()
	defer r.mu.Unlock()
	r.polls++
	for i, index := range indexes {
		r.note(milvuswait.IndexBuilding(collection, index), poll{begin, r.now(), progresses[i], errs[i]})
	}
	return progresses, errs
}

// evidence returns the evidence to judge an end at this instant. A wait does not report its
// source. For a load, several lists and polls may have decided, so evidence returns all
// recent ones.
func (r *recorder) evidence(t milvuswait.Target) claim {
	r.mu.Lock()
	defer r.mu.Unlock()
	t = asked(t)
	c := claim{end: r.now(), upset: r.upset[t], before: r.were[t]}
	if p, ok := r.last[t]; ok {
		c.deciding = append(c.deciding, p)
		c.last = p
	}

	_, c.polled = r.good[t]
	c.mute = r.mute[t]
	if p, ok := r.good[t]; ok {
		c.good = append(c.good, p)
	}

	// Lists cover only loads of whole collections.
	if t.Kind() != milvuswait.KindLoading || t.Partitions() != nil {
		return c
	}
	for _, l := range r.lists {
		if l.err != nil || l.end-l.begin > slow {
			c.upset = max(c.upset, l.end)
		}
		if progress, listed := l.loads[t.Collection()]; listed {
			p := l.poll
			p.progress = progress
			c.deciding, c.good = append(c.deciding, p), append(c.good, p)
		}
	}

	c.deciding = newest(c.deciding, c.end)
	return c
}

// newest returns the polls that ended within the last second before by, or else the latest
// one.
func newest(polls []poll, by time.Duration) []poll {
	var latest poll
	var recent []poll
	for _, p := range polls {
		if p.end >= by-time.Second {
			recent = append(recent, p)
		}
		if p.end >= latest.end {
			latest = p
		}
	}

	if recent == nil && len(polls) > 0 {
		return []poll{latest}
	}
	return recent
}

// count returns the number of recorded polls.
func (r *recorder) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.polls
}

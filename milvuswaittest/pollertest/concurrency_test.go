package pollertest_test

import (
	"context"
	"maps"
	"os"
	"os/exec"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/milvuswaittest/pollertest"
)

// mixing keeps its arguments in a field: it is correct for one call at a time.
type mixing struct {
	milvuswait.Poller
	mu         sync.Mutex
	collection string
}

func (m *mixing) LoadingProgress(ctx context.Context, collection string, partitions ...string) (milvuswait.LoadingProgress, error) {
	m.mu.Lock()
	m.collection = collection
	m.mu.Unlock()

	time.Sleep(time.Millisecond)

	m.mu.Lock()
	defer m.mu.Unlock()
	return m.Poller.LoadingProgress(ctx, m.collection, partitions...)
}

func (m *mixing) Unwrap() milvuswait.Poller { return m.Poller }

func TestRun_AnswersMixedUp_Fails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, w := newFake()

		r := run(&mixing{Poller: p}, w)

		require.NotEmpty(t, r.defects)
		for _, defect := range r.defects {
			require.Regexp(t, `^LoadingProgress\(.*\) returned another answer while other calls were under way than alone: `+
				`a Poller has to be safe for concurrent use$`, defect)
		}
	})
}

// panicking panics during concurrent calls.
type panicking struct {
	milvuswait.Poller
	mu sync.Mutex
}

func (p *panicking) IndexBuildingProgress(ctx context.Context, collection, index string) (milvuswait.IndexBuildingProgress, error) {
	if !p.mu.TryLock() {
		panic("busy")
	}
	defer p.mu.Unlock()

	time.Sleep(time.Millisecond)
	return p.Poller.IndexBuildingProgress(ctx, collection, index)
}

func (p *panicking) Unwrap() milvuswait.Poller { return p.Poller }

func TestPanicsOfCallsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, w := newFake()

		r := run(&panicking{Poller: p}, w)

		require.NotEmpty(t, r.defects)
		for _, defect := range r.defects {
			require.Regexp(t, `^IndexBuildingProgress\(.*\) panicked: busy$`, defect)
		}
	})
}

const childVariable = "POLLERTEST_CHILD"

// racing counts its calls without a lock.
type racing struct {
	listing
	loads, checks, lists, indexLists int
}

func (r *racing) LoadingProgress(ctx context.Context, collection string, partitions ...string) (milvuswait.LoadingProgress, error) {
	r.loads++
	return r.Poller.LoadingProgress(ctx, collection, partitions...)
}

func (r *racing) CheckLoadState(ctx context.Context, collection string, partitions ...string) error {
	r.checks++
	return r.listing.CheckLoadState(ctx, collection, partitions...)
}

func (r *racing) ListLoading(ctx context.Context) (map[string]milvuswait.LoadingProgress, error) {
	r.lists++
	return r.listing.ListLoading(ctx)
}

func (r *racing) ListIndexBuilding(ctx context.Context, collection string, indexes []string) ([]milvuswait.IndexBuildingProgress, []error) {
	r.indexLists++
	return r.listing.ListIndexBuilding(ctx, collection, indexes)
}

// refilling returns the same map from every list, filled under a lock. It takes a millisecond
// to return, so that another caller fills the map before the first one reads it.
type refilling struct {
	listing
	mu   sync.Mutex
	list map[string]milvuswait.LoadingProgress
}

func (r *refilling) ListLoading(ctx context.Context) (map[string]milvuswait.LoadingProgress, error) {
	list, err := r.listing.ListLoading(ctx)

	r.mu.Lock()
	maps.Copy(r.list, list)
	r.mu.Unlock()

	time.Sleep(time.Millisecond)
	return r.list, err
}

// TestChild fails by a data race in its Poller.
func TestChild(t *testing.T) {
	p, w := newFake()
	switch os.Getenv(childVariable) {
	case "racing":
		pollertest.Run(t, &racing{listing: listing{Poller: p}}, w)
	case "refilling":
		pollertest.Run(t, &refilling{listing: listing{Poller: p}, list: map[string]milvuswait.LoadingProgress{}}, w)
	default:
		t.Skip("runs as a child of TestRaces")
	}
}

func TestRaces(t *testing.T) {
	if !raceDetector {
		t.Skip("only the race detector finds them")
	}

	for child, methods := range map[string][]string{
		"racing": {
			"(*racing).LoadingProgress", "(*racing).CheckLoadState", "(*racing).ListLoading", "(*racing).ListIndexBuilding",
		},
		"refilling": {"(*refilling).ListLoading"},
	} {
		t.Run(child, func(t *testing.T) {
			command := exec.Command(os.Args[0], "-test.run=^TestChild$")
			command.Env = append(os.Environ(), childVariable+"="+child)

			out, err := command.CombinedOutput()

			require.Error(t, err)
			require.Contains(t, string(out), "WARNING: DATA RACE")

			for _, method := range methods {
				require.Contains(t, string(out), method)
			}
		})
	}
}

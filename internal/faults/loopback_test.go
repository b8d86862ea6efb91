package faults_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/internal/bridge"
	"github.com/milvuswait/milvuswait/internal/milvustest"
)

// safety is the maximum duration of a wait in real time. It is generous, for busy machines.
const safety = 2 * time.Minute

// realWait is a wait in real time on a separate goroutine.
type realWait struct {
	good, bad chan struct{} // one value for each successful or failed poll, up to 100
	ended     chan error
}

// begin starts a wait. It ends with the test, or after safety.
func (r *rig) begin(t *testing.T, opts ...milvuswait.Option) *realWait {
	ctx, cancel := context.WithTimeout(t.Context(), safety)
	w := &realWait{good: make(chan struct{}, 100), bad: make(chan struct{}, 100), ended: make(chan error, 1)}

	told := milvuswait.ObserverFunc(func(u milvuswait.Update) {
		polls := w.good
		if u.Err != nil {
			polls = w.bad
		}
		select {
		case polls <- struct{}{}:
		default:
		}
	})

	var running sync.WaitGroup
	running.Go(func() { w.ended <- r.run(ctx, append(opts, milvuswait.WithObserver(told))...) })

	t.Cleanup(func() {
		cancel()
		running.Wait()
	})
	return w
}

// midway waits for event, and fails the test if the wait ends before it.
func (w *realWait) midway(t *testing.T, event <-chan struct{}) {
	t.Helper()
	select {
	case <-event:
	case err := <-w.ended:
		require.FailNow(t, "the wait is over too soon", "%v", err)
	}
}

func (w *realWait) complete(t *testing.T) {
	t.Helper()
	require.NoError(t, <-w.ended)
}

// completeSoon is complete with a time limit, for a server that is reachable from now on.
func (w *realWait) completeSoon(t *testing.T) {
	t.Helper()
	const slack = 20 * time.Second // for busy machines
	reached := time.Now()
	w.complete(t)
	require.Less(t, time.Since(reached), reconnecting+maxDelay+slack)
}

func plaintext() grpc.DialOption { return grpc.WithTransportCredentials(insecure.NewCredentials()) }

// TestOutagesOverLoopback runs all outages at once: some end only by a keepalive, after 20 s.
func TestOutagesOverLoopback(t *testing.T) {
	if testing.Short() {
		t.Skip("20 s")
	}

	var all []*interrupted
	for _, o := range outages {
		for _, k := range kinds {
			for _, a := range adapters {
				all = append(all, interrupt(t, o, k, a))
			}
		}
	}

	for _, i := range all {
		i.wait.midway(t, i.felt)
		if i.silent {
			i.wait.midway(t, i.felt) // a second failure: the call began during the outage
		}
		i.asked = len(i.rig.server.seen())
		i.over.Store(true)
		i.rig.bridge.Pass()
	}

	for _, i := range all {
		t.Run(i.name+", "+i.rig.name+" by "+i.adapter, func(t *testing.T) {
			i.wait.complete(t)
			if i.deaf {
				require.Equal(t, 2, i.asked)
			}
			if i.deadly {
				require.GreaterOrEqual(t, i.rig.bridge.Accepted(), 2)
			}
			first := i.rig.failures()[0]
			if i.silent {
				require.ErrorContains(t, first, "poll timed out after 1s: ")
			} else {
				require.Equal(t, codes.Unavailable, status.Code(first))
			}
		})
	}
}

// interrupted is a wait with an outage during its second call. The server answers every
// call, so polls fail because of the outage only.
type interrupted struct {
	outage
	adapter string
	rig     *rig
	wait    *realWait
	begun   atomic.Bool   // whether the outage has begun
	felt    chan struct{} // one value for each failed poll since then, up to two
	asked   int           // calls at the server at the end of the outage
	over    atomic.Bool   // whether the load or the index is complete
}

// interrupt starts a wait with outage o.
func interrupt(t *testing.T, o outage, k kind, a adapter) *interrupted {
	t.Helper()
	i := &interrupted{outage: o, adapter: a.name, felt: make(chan struct{}, 2)}
	i.rig = &rig{kind: k, server: newServer(func(_ context.Context, n int) answer {
		if i.over.Load() {
			return percent(100)
		}
		if n == 2 {
			i.begun.Store(true)
			i.begins(i.rig.bridge)
		}
		return percent(40)
	})}

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	milvustest.ServeOn(t, &i.rig.server.Server, listener)
	i.rig.bridge, err = bridge.Listen(listener.Addr().String())
	require.NoError(t, err)
	t.Cleanup(i.rig.bridge.Close)

	i.rig.connect(t, a, i.rig.bridge.Address(), plaintext())
	opts := []milvuswait.Option{milvuswait.WithObserver(milvuswait.ObserverFunc(func(u milvuswait.Update) {
		if u.Err != nil && i.begun.Load() {
			select {
			case i.felt <- struct{}{}:
			default:
			}
		}
	}))}
	if o.silent {
		opts = append(opts, milvuswait.WithPollTimeout(time.Second, 3*time.Second))
	}
	i.wait = i.rig.begin(t, opts...)
	return i
}

// Tests use the ports in turn, so that no two have the same one. The first port is random,
// since other processes may look for ports too.
var (
	somePort   = rand.Int64N(1 << 32)
	portsTaken atomic.Int64
)

// freeAddress returns an address without a listener. Systems do not use its port range for
// outgoing connections, and the tests of real servers do not use it either.
func freeAddress(t *testing.T) string {
	t.Helper()
	const first, end = 21100, 23900
	for range end - first {
		address := fmt.Sprintf("127.0.0.1:%d", first+(somePort+portsTaken.Add(1))%(end-first))
		if listener, err := net.Listen("tcp", address); err == nil {
			require.NoError(t, listener.Close())
			return address
		}
	}
	require.FailNow(t, "no free port")
	return ""
}

func TestRefusedAtTheStart(t *testing.T) {
	each(t, func(t *testing.T, k kind, a adapter) {
		r := &rig{kind: k, server: newServer(func(context.Context, int) answer { return percent(100) })}
		address := freeAddress(t)
		r.connect(t, a, address, plaintext())

		w := r.begin(t)
		w.midway(t, w.bad)
		listener, err := net.Listen("tcp", address)
		require.NoError(t, err)
		milvustest.ServeOn(t, &r.server.Server, listener)

		w.complete(t)
		require.Equal(t, codes.Unavailable, status.Code(r.failures()[0]))
		require.ErrorContains(t, r.failures()[0], "connection refused")
		require.ErrorContains(t, r.failures()[0], address)
	})
}

func TestWait_NoServer_IsUnreachable(t *testing.T) {
	each(t, func(t *testing.T, k kind, a adapter) {
		r := &rig{kind: k}
		address := freeAddress(t)
		r.connect(t, a, address, plaintext())

		err := <-r.begin(t, milvuswait.WithUnreachableAfter(time.Second)).ended

		milvustest.RequireClass(t, milvuswait.ErrUnreachable, err)
		require.ErrorContains(t, err, "connection refused")
		require.ErrorContains(t, err, address)
	})
}

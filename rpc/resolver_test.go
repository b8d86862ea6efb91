package rpc_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/balancer"
	"google.golang.org/grpc/resolver"

	"github.com/milvuswait/milvuswait/rpc"
)

func TestResolver_Requests_AreServedOncePerSecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		n.names["milvus"] = []string{"192.0.2.1"}
		r, err := rpc.NewDNSBuilder(n.lookup).Build(targetOf(t, "dns:///milvus"), new(resolved), resolver.BuildOptions{})
		require.NoError(t, err)
		defer r.Close()
		start := time.Now()

		for time.Since(start) < 9500*time.Millisecond {
			r.ResolveNow(resolver.ResolveNowOptions{})
			time.Sleep(time.Millisecond)
		}

		require.Len(t, n.looked(), 10)
	})
}

func TestResolver_FailedLookups_EndWithoutRequests(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		n.names["milvus"] = []string{"192.0.2.1"}
		var cc resolved
		r, err := rpc.NewDNSBuilder(n.lookup).Build(targetOf(t, "dns:///milvus"), &cc, resolver.BuildOptions{})
		require.NoError(t, err)
		defer r.Close()
		time.Sleep(time.Minute)
		require.Len(t, n.looked(), 1)

		n.change(func() { delete(n.names, "milvus") })
		r.ResolveNow(resolver.ResolveNowOptions{})
		time.Sleep(time.Hour)

		lookups := n.looked()
		require.Len(t, lookups, 1+8)
		require.GreaterOrEqual(t, lookups[8].Sub(lookups[1]), 7*time.Second)
		require.Equal(t, []string{"192.0.2.1:443"}, cc.addresses, "gRPC keeps its addresses")
		require.EqualError(t, cc.err, "dns: A record lookup error: lookup milvus on 10.96.0.10:53: no such host")
	})
}

func TestResolver_NoAddresses_AreReported(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var cc resolved
		r, err := rpc.NewDNSBuilder(func(context.Context, string) ([]string, error) { return nil, nil }).
			Build(targetOf(t, "dns:///milvus"), &cc, resolver.BuildOptions{})
		require.NoError(t, err)
		synctest.Wait()
		r.Close()

		require.ErrorContains(t, cc.err, "produced zero addresses")
	})
}

func TestResolver_RefusedState_IsFollowedByALookup(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		n.names["milvus"] = []string{"192.0.2.1"}
		cc := resolved{refusal: balancer.ErrBadResolverState}
		r, err := rpc.NewDNSBuilder(n.lookup).Build(targetOf(t, "dns:///milvus"), &cc, resolver.BuildOptions{})
		require.NoError(t, err)
		defer r.Close()

		time.Sleep(2 * time.Second)

		require.Len(t, n.looked(), 2)
	})
}

func TestResolver_HangingLookup_EndsAfter30s(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var cc resolved
		r, err := rpc.NewDNSBuilder(func(ctx context.Context, _ string) ([]string, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}).Build(targetOf(t, "dns:///milvus"), &cc, resolver.BuildOptions{})
		require.NoError(t, err)

		time.Sleep(30*time.Second + time.Nanosecond)

		synctest.Wait()
		require.ErrorIs(t, cc.err, context.DeadlineExceeded)
		r.Close()
	})
}

// TestResolver_Close_LeavesNoGoroutine closes the resolver in every phase of its loop. A
// bubble fails if a goroutine remains in it.
func TestResolver_Close_LeavesNoGoroutine(t *testing.T) {
	t.Parallel()
	for name, lookup := range map[string]func(context.Context, string) ([]string, error){
		"during a lookup": func(ctx context.Context, _ string) ([]string, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		},
		"after a failure": func(context.Context, string) ([]string, error) { return nil, context.DeadlineExceeded },
		"after a success": func(context.Context, string) ([]string, error) { return []string{"192.0.2.1"}, nil },
	} {
		for _, after := range []time.Duration{0, time.Second / 2, 5 * time.Second} {
			t.Run(name+" "+after.String(), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					var cc resolved
					r, err := rpc.NewDNSBuilder(lookup).Build(targetOf(t, "dns:///milvus"), &cc, resolver.BuildOptions{})
					require.NoError(t, err)
					time.Sleep(after)

					start := time.Now()
					r.Close()
					calls := cc.calls
					r.ResolveNow(resolver.ResolveNowOptions{})
					require.Zero(t, time.Since(start))

					time.Sleep(time.Minute)
					require.Equal(t, calls, cc.calls)
					require.NotErrorIs(t, cc.err, context.Canceled)
				})
			})
		}
	}
}

package rpc_test

import (
	"context"
	"net/url"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/resolver"

	"github.com/milvuswait/milvuswait/rpc"
)

// resolved is a resolver.ClientConn. It keeps the last state and error, and counts the
// calls.
type resolved struct {
	resolver.ClientConn // nil: the resolver calls no other methods
	mu                  sync.Mutex
	addresses           []string
	endpoints           int
	err                 error
	calls               int
	refusal             error // result of UpdateState
}

func (r *resolved) UpdateState(s resolver.State) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.addresses, r.endpoints, r.err = nil, len(s.Endpoints), nil
	for _, a := range s.Addresses {
		r.addresses = append(r.addresses, a.Addr)
	}
	r.calls++
	return r.refusal
}

func (r *resolved) ReportError(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.err = err
	r.calls++
}

// targetOf parses a target as gRPC does.
func targetOf(t *testing.T, target string) resolver.Target {
	t.Helper()
	u, err := url.Parse(target)
	require.NoError(t, err)
	return resolver.Target{URL: *u}
}

// TestResolver_Names_AreLookedUpWithTheirPort covers the forms of a target with a name.
// gRPC's default port is 443, and its default host localhost.
func TestResolver_Names_AreLookedUpWithTheirPort(t *testing.T) {
	t.Parallel()
	for target, want := range map[string]struct{ host, port string }{
		"dns:///milvus:19530":              {"milvus", "19530"},
		"dns:milvus:19530":                 {"milvus", "19530"},
		"dns:///milvus":                    {"milvus", "443"},
		"dns:///milvus.default.svc.:19530": {"milvus.default.svc.", "19530"},
		"dns:///localhost:19530":           {"localhost", "19530"},
		"dns:///:19530":                    {"localhost", "19530"},
		"dns:///1.2.3:19530":               {"1.2.3", "19530"},
		"dns:///milvus:grpc":               {"milvus", "grpc"},
		"dns://192.0.2.53/milvus:19530":    {"milvus", "19530"},
	} {
		t.Run(target, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var cc resolved
				r, err := rpc.NewDNSBuilder(func(_ context.Context, host string) ([]string, error) {
					require.Equal(t, want.host, host)
					return []string{"192.0.2.1", "2001:db8::1", "fe80::1%eth0"}, nil
				}).Build(targetOf(t, target), &cc, resolver.BuildOptions{})
				require.NoError(t, err)
				defer r.Close()
				synctest.Wait()

				require.Equal(t, []string{
					"192.0.2.1:" + want.port, "[2001:db8::1]:" + want.port, "[fe80::1%eth0]:" + want.port,
				}, cc.addresses)
				require.Equal(t, 3, cc.endpoints)
			})
		})
	}
}

// TestResolver_OtherEndpoints_AreServedAsByGRPC covers IP addresses and malformed targets.
// The result, or the error, is the one of gRPC's resolver.
func TestResolver_OtherEndpoints_AreServedAsByGRPC(t *testing.T) {
	t.Parallel()
	builder := rpc.NewDNSBuilder(func(context.Context, string) ([]string, error) {
		panic("there is no name to look up")
	})
	for _, target := range []string{
		"dns:///192.0.2.1:19530", "dns:///192.0.2.1", "dns:///[2001:db8::1]:19530", "dns:///2001:db8::1", "dns:///[::1]",
		"dns:///[fe80::1%25eth0]:19530", "dns:///[::ffff:192.0.2.1]:19530", "dns://192.0.2.53/192.0.2.1:19530",
		"dns:///", "dns:///milvus:", "dns:///[::1]:", "dns:///a:b:c", "dns:///[::1", "dns:///[milvus]x:1",
	} {
		var got, want resolved
		_, wantErr := resolver.Get("dns").Build(targetOf(t, target), &want, resolver.BuildOptions{})

		r, err := builder.Build(targetOf(t, target), &got, resolver.BuildOptions{})

		require.Equal(t, wantErr, err, target)
		require.Equal(t, want.addresses, got.addresses, target)
		if err == nil {
			require.Len(t, got.addresses, 1, target)
			r.ResolveNow(resolver.ResolveNowOptions{})
			r.Close()
		}
	}
}

package integration_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/milvus-io/milvus-sdk-go/v2/client"
	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait/integration/milvusops"
	"github.com/milvuswait/milvuswait/integration/realserver"
	"github.com/milvuswait/milvuswait/rpc"
)

const (
	modeVariable    = "MILVUSWAIT_INTEGRATION"
	serversVariable = "MILVUSWAIT_INTEGRATION_SERVERS"
	summaryVariable = "MILVUSWAIT_INTEGRATION_SUMMARY"
	slowVariable    = "MILVUSWAIT_INTEGRATION_SLOW"
)

var (
	standalone = []realserver.Release{realserver.Milvus23, realserver.Milvus22}
	all        = []realserver.Release{realserver.Milvus23, realserver.Milvus22, realserver.Lite32}
)

func TestMain(m *testing.M) {
	flag.Parse()
	if os.Getenv(summaryVariable) != "" {
		if err := whole(os.Getenv, flag.Lookup); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	code := m.Run()
	if err := errors.Join(sites.close(), binary.remove(), summary.write(os.Getenv(summaryVariable))); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// site is a server shared by the tests.
type site struct {
	server *realserver.Server
	ops    *milvusops.Client
	watch  *milvusops.Client // has a separate connection
	poller *rpc.Poller
}

// newSite connects to the server until the end of the process.
func newSite(server *realserver.Server) (*site, error) {
	conn, err := server.Dial()
	if err != nil {
		return nil, err
	}
	watching, err := server.Dial()
	if err != nil {
		return nil, err
	}
	ops := milvusops.New(conn)
	return &site{server: server, ops: ops, watch: milvusops.New(watching), poller: rpc.New(ops.Conn)}, nil
}

func (s *site) is(releases ...realserver.Release) bool {
	return slices.Contains(releases, s.server.Release())
}

// like reports whether the server has the kind of one of the releases.
func (s *site) like(releases []realserver.Release) bool {
	return slices.ContainsFunc(releases, func(r realserver.Release) bool { return r.Kind == s.server.Release().Kind })
}

// lite reports whether the server is a milvus-lite.
func (s *site) lite() bool { return s.server.Release().Kind == realserver.Lite }

// is22 reports whether the server is a Milvus 2.2, which has no refresh and no timestamps of
// flushes.
func (s *site) is22() bool {
	r := s.server.Release()
	return r.Kind != realserver.Lite && strings.HasPrefix(strings.TrimPrefix(r.Version, "v"), "2.2.")
}

// sites are the shared servers, each started by the first test that needs it.
var sites siteCache

type siteCache struct {
	mu      sync.Mutex
	entries map[realserver.Release]*siteEntry
}

type siteEntry struct {
	once sync.Once
	site *site
	err  error
}

func (c *siteCache) get(r realserver.Release) (*site, error) {
	c.mu.Lock()
	if c.entries == nil {
		c.entries = make(map[realserver.Release]*siteEntry)
	}
	e := c.entries[r]
	if e == nil {
		e = new(siteEntry)
		c.entries[r] = e
	}
	c.mu.Unlock()
	e.once.Do(func() { e.site, e.err = launch(r) })
	return e.site, e.err
}

func (c *siteCache) close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var errs []error
	for _, e := range c.entries {
		if e.site != nil {
			errs = append(errs, e.site.server.Close())
		}
	}
	return errors.Join(errs...)
}

// launch starts a server, or attaches to the server of MILVUS_URI.
func launch(r realserver.Release) (*site, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Minute)
	defer cancel()
	var server *realserver.Server
	var err error
	if r.Kind == realserver.Other {
		server, err = realserver.Attach(ctx, os.Getenv(realserver.URIVariable), os.Getenv(realserver.TokenVariable))
	} else {
		server, err = realserver.Launch(ctx, r)
	}
	if err != nil {
		return nil, err
	}
	return newSite(server)
}

// on runs the test for each of the releases, for those of MILVUSWAIT_INTEGRATION_SERVERS
// of the same kinds, or for the one server of MILVUS_URI.
func on(t *testing.T, releases []realserver.Release, test func(t *testing.T, s *site)) {
	t.Helper()
	mode := os.Getenv(modeVariable)
	switch {
	case os.Getenv(realserver.URIVariable) != "":
		releases = []realserver.Release{{Kind: realserver.Other}}
	case mode == "":
		t.Skipf("takes minutes: set %s=1 to run it on servers of its own, or %s to the address of yours", modeVariable, realserver.URIVariable)
	case mode != "1" && mode != "require":
		t.Fatalf("%s is %q, and neither 1 nor require", modeVariable, mode)
	}
	if chosen := os.Getenv(serversVariable); chosen != "" && os.Getenv(realserver.URIVariable) == "" {
		var err error
		releases, err = choose(chosen, releases)
		require.NoError(t, err)
	}
	if len(releases) == 0 {
		t.Skipf("%s has no server of this test", serversVariable)
	}
	for _, r := range releases {
		t.Run(r.String(), func(t *testing.T) {
			start := time.Now()
			s, err := sites.get(r)
			if errors.Is(err, realserver.ErrUnavailable) && mode != "require" {
				t.Skip(err)
			}
			require.NoError(t, err)
			t.Cleanup(func() {
				if t.Failed() {
					t.Logf("%v said at last:\n%s", s.server.Release(), s.server.Log())
				}
			})
			if took := time.Since(start); took > time.Second {
				t.Logf("%v at %s, ready after %.1f s", s.server.Release(), s.server.Address(), took.Seconds())
			}
			test(t, s)
		})
	}
}

// choose returns the chosen releases of the kinds in the arguments.
func choose(names string, releases []realserver.Release) ([]realserver.Release, error) {
	var servers []realserver.Release
	for text := range strings.SplitSeq(names, ",") {
		r, err := realserver.ParseRelease(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", serversVariable, err)
		}
		if slices.ContainsFunc(releases, func(of realserver.Release) bool { return of.Kind == r.Kind }) {
			servers = append(servers, r)
		}
	}
	return servers, nil
}

// client connects a client of milvus-sdk-go to the server. It is closed at the end of the
// test.
func (s *site) client(ctx context.Context, t *testing.T) client.Client {
	t.Helper()
	config := client.Config{Address: s.server.URI()}
	if user, password, found := strings.Cut(s.server.Token(), ":"); found {
		config.Username, config.Password = user, password
	} else {
		config.APIKey = s.server.Token()
	}
	c, err := client.NewClient(ctx, config)
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// environ is the environment for a program that connects to the server.
func (s *site) environ() []string {
	return append(os.Environ(), realserver.URIVariable+"="+s.server.URI(), realserver.TokenVariable+"="+s.server.Token())
}

// slow reports whether cases of several minutes are enabled.
func slow() bool { return os.Getenv(slowVariable) != "" }

// ours skips the test on a server from Attach.
func (s *site) ours(t *testing.T, why string) {
	t.Helper()
	if s.server.Release().Kind == realserver.Other {
		t.Skipf("%s is set, and this test %s", realserver.URIVariable, why)
	}
}

// within returns the test's context, with a deadline.
func within(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

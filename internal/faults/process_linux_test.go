package faults_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"runtime/pprof"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/fake/fakeserver"
	"github.com/milvuswait/milvuswait/internal/bridge"
	"github.com/milvuswait/milvuswait/internal/child"
	"github.com/milvuswait/milvuswait/internal/milvustest"
)

// addressVariable marks the process of a server. It holds the address to listen on.
const addressVariable = "FAULTS_TEST_ADDRESS"

func TestMain(m *testing.M) {
	if address := os.Getenv(addressVariable); address != "" {
		if err := serve(address); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// serve runs a server until stdin ends. It reads percentages from stdin: "docs" and its index
// are at the last one. It listens after the first one, and confirms each on stdout.
func serve(address string) error {
	srv, err := fakeserver.Start(fakeserver.Config{Address: "127.0.0.1:0"})
	if err != nil {
		return err
	}
	defer srv.Close()

	var door *bridge.Bridge
	for {
		var n int64
		if _, err := fmt.Scan(&n); err != nil {
			return err
		}

		srv.Set(load.target, fake.Percents(n))
		srv.Set(index.target, fake.Rows(100, n))
		if door == nil {
			listener, err := net.Listen("tcp", address)
			if err != nil {
				return err
			}
			door = bridge.New(listener, func(ctx context.Context) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, "tcp", srv.Address())
			})
			defer door.Close()
		}
		fmt.Println(n)
	}
}

// process is a server in a separate process.
type process struct {
	address string
	*child.Process
	in  io.Writer
	out *bufio.Reader
}

// start starts a server. It is killed at the end of the test.
func start(t *testing.T, address string, percent int) *process {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), addressVariable+"="+address)
	cmd.Stderr = os.Stderr

	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)

	p := &process{address: address, in: in, out: bufio.NewReader(out)}
	p.Process, err = child.Start(cmd)
	require.NoError(t, err)

	t.Cleanup(func() { require.NoError(t, p.Kill()) })
	p.set(t, percent)
	return p
}

// set changes the percentage of the server, and returns when it applies.
func (p *process) set(t *testing.T, percent int) {
	t.Helper()
	_, err := fmt.Fprintln(p.in, percent)
	require.NoError(t, err)
	line, err := p.out.ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, fmt.Sprintln(percent), line)
}

// waiting returns a server at 40 %, and a wait after its first successful poll.
func waiting(t *testing.T, k kind, a adapter, opts ...milvuswait.Option) (*process, *rig, *realWait) {
	t.Helper()
	server := start(t, freeAddress(t), 40)
	r := &rig{kind: k}
	r.connect(t, a, server.address, plaintext())
	w := r.begin(t, opts...)
	w.midway(t, w.good)
	return server, r, w
}

// leavesNothing runs f, which starts parallel tests. It asserts that they leave no goroutine,
// connection or file behind.
func leavesNothing(t *testing.T, f func(t *testing.T)) {
	t.Helper()

	// Connections of earlier tests may need a moment to end.
	require.Eventually(t, func() bool { return !connected() }, safety, 10*time.Millisecond, "other tests have left connections")
	goroutines, descriptors := runtime.NumGoroutine(), milvustest.OpenFiles(t)
	t.Run("waits", f)

	// require.Eventually runs one goroutine itself. The network poller of the runtime opens up
	// to two descriptors at its first use.
	require.Eventually(t, func() bool { return runtime.NumGoroutine() <= goroutines+1 }, safety, 10*time.Millisecond)
	require.LessOrEqual(t, milvustest.OpenFiles(t), descriptors+2)
}

// connected reports whether a goroutine of gRPC or of a bridge exists.
func connected() bool {
	var stacks bytes.Buffer
	_ = pprof.Lookup("goroutine").WriteTo(&stacks, 2) // writing to a buffer cannot fail
	return strings.Contains(stacks.String(), "google.golang.org/grpc") || strings.Contains(stacks.String(), "internal/bridge.")
}

func TestKilledServerIsStartedAgain(t *testing.T) {
	leavesNothing(t, func(t *testing.T) {
		each(t, func(t *testing.T, k kind, a adapter) {
			server, r, w := waiting(t, k, a)

			require.NoError(t, server.Kill())
			w.midway(t, w.bad)
			start(t, server.address, 100)

			w.completeSoon(t)
			for _, err := range r.failures() {
				require.Equal(t, codes.Unavailable, status.Code(err))
			}
		})
	})
}

func TestFrozenServerGoesOn(t *testing.T) {
	leavesNothing(t, func(t *testing.T) {
		each(t, func(t *testing.T, k kind, a adapter) {
			server, r, w := waiting(t, k, a, milvuswait.WithPollTimeout(300*time.Millisecond, time.Second))

			require.NoError(t, server.Freeze())
			for range 3 {
				w.midway(t, w.bad)
			}
			require.NoError(t, server.Thaw())
			server.set(t, 100)

			w.complete(t)
			require.ErrorContains(t, r.failures()[0], "poll timed out after 300ms: ")
		})
	})
}

func TestFrozenServerIsKilled(t *testing.T) {
	leavesNothing(t, func(t *testing.T) {
		each(t, func(t *testing.T, k kind, a adapter) {
			server, _, w := waiting(t, k, a, milvuswait.WithPollTimeout(300*time.Millisecond, time.Second))

			require.NoError(t, server.Freeze())
			w.midway(t, w.bad)
			require.NoError(t, server.Kill())
			start(t, server.address, 100)

			w.completeSoon(t)
		})
	})
}

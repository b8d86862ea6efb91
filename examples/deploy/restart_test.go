package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/fake/fakeserver"
)

// deployed is a command of a file, run against the server.
type deployed struct {
	name string
	run  func(t *testing.T, s *fakeserver.Server, o *output) error
}

// output collects the output of one command.
type output struct {
	strings.Builder
	failed   chan struct{} // closed once the output reports a failed call
	reported bool
}

func (o *output) Write(text []byte) (int, error) {
	n, err := o.Builder.Write(text)
	if !o.reported && strings.Contains(o.String(), "going on") {
		o.reported = true
		close(o.failed)
	}
	return n, err
}

// all returns every command of the files.
func all(t *testing.T) (commands []deployed) {
	t.Helper()
	binary := filepath.Join(bin, "milvus-wait")
	path := "PATH=" + bin + string(os.PathListSeparator) + os.Getenv("PATH")
	start := func(t *testing.T, o *output, env []string, name string, args ...string) error {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		cmd := exec.CommandContext(ctx, name, args...)
		cmd.Env = append([]string{path}, env...)
		cmd.Stdout, cmd.Stderr = o, o // the same writer: no two writes at once
		return cmd.Run()
	}

	for file, pod := range pods(t) {
		for _, c := range waits(pod) {
			commands = append(commands, deployed{file + " " + c.Name, func(t *testing.T, s *fakeserver.Server, o *output) error {
				address, secret := tunnel(t, s)
				args := strings.Split(strings.ReplaceAll(strings.Join(c.Args, "\n"), c.VolumeMounts[0].MountPath, secret), "\n")
				return start(t, o, []string{"MILVUS_URI=" + address}, binary, args...)
			}})
		}
	}

	services := compose(t).Services
	for _, name := range []string{"milvus-ready", "milvus-loaded"} {
		commands = append(commands, deployed{"compose.yaml " + name, func(t *testing.T, s *fakeserver.Server, o *output) error {
			return start(t, o, []string{"MILVUS_URI=http://" + s.Address()}, binary, services[name].Command...)
		}})
	}

	_, step := waitStep(t, workflow(t).Jobs["deploy"])
	return append(commands,
		deployed{"github-actions.yaml", func(t *testing.T, s *fakeserver.Server, o *output) error {
			return start(t, o, []string{"MILVUS_URI=http://" + s.Address(), "GITHUB_OUTPUT=" + filepath.Join(t.TempDir(), "output")}, "bash", "-e", "-c", step)
		}},
		deployed{"wait.sh", func(t *testing.T, s *fakeserver.Server, o *output) error {
			return start(t, o, []string{"MILVUS_URI=http://" + s.Address()}, "sh", "wait.sh", "docs", "images")
		}},
	)
}

// tunnel returns an https address of the server and a directory like the mounted Secret.
// Its connections end together with the connections to the server.
func tunnel(t *testing.T, s *fakeserver.Server) (address, secret string) {
	t.Helper()
	_, secret = encrypted(t, s)
	certified := httptest.NewTLSServer(http.NotFoundHandler())
	config := certified.TLS.Clone()
	certified.Close()
	config.NextProtos = []string{"h2"}
	listener, err := tls.Listen("tcp", "127.0.0.1:0", config)
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })

	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				// The handshake fails while the server is down.
				server, err := net.Dial("tcp", s.Address())
				if err != nil {
					return
				}
				defer server.Close()
				go func() { _, _ = io.Copy(server, conn); _ = server.Close() }()
				_, _ = io.Copy(conn, server)
			}()
		}
	}()
	return "https://" + listener.Addr().String(), secret
}

// restartAfter stops the server after the given number of calls, and restarts it after
// 300 ms and a failed call: a command that starts slowly makes its first call later.
func restartAfter(t *testing.T, s *fakeserver.Server, calls int, failed <-chan struct{}) {
	t.Helper()
	restarted := make(chan error, 1)
	go func() {
		for {
			answered := 0
			for _, method := range []string{"ShowCollections", "GetLoadingProgress", "DescribeIndex", "GetPersistentSegmentInfo"} {
				answered += s.Count(method)
			}
			if answered >= calls || t.Context().Err() != nil {
				break
			}
			time.Sleep(time.Millisecond)
		}
		s.Stop()
		time.Sleep(300 * time.Millisecond)
		select {
		case <-failed:
		case <-t.Context().Done():
		}
		restarted <- s.Restart()
	}()
	t.Cleanup(func() { require.NoError(t, <-restarted) })
}

// TestRestarts_OfTheServer_RollNothingBack restarts the server before the first call, between
// the calls of the first poll, and during the loads and builds. Exit code 1 would roll back.
func TestRestarts_OfTheServer_RollNothingBack(t *testing.T) {
	for _, command := range all(t) {
		for _, calls := range []int{0, 1, 2, 4, 7} {
			t.Run(fmt.Sprintf("%s after %d calls", command.name, calls), func(t *testing.T) {
				t.Parallel()
				s := startMilvus(t)
				s.Fail("ShowCollections", fakeserver.Refuse(codes.Unavailable, "starting").On(1, 2))
				for _, collection := range []string{"docs", "images"} {
					s.Set(milvuswait.Loading(collection), fake.LoadOver(500*time.Millisecond))
					s.Set(milvuswait.IndexBuilding(collection, "vidx"), fake.BuildOver(100_000, 700*time.Millisecond))
				}
				o := &output{failed: make(chan struct{})}
				restartAfter(t, s, calls, o.failed)

				err := command.run(t, s, o)

				require.Zero(t, exitCode(t, err), o.String())
				require.Contains(t, o.String(), "going on", "no call failed")
			})
		}
	}
}

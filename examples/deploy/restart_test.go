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
	run  func(t *testing.T, s *fakeserver.Server) (output string, err error)
}

// all returns every command of the files.
func all(t *testing.T) (commands []deployed) {
	t.Helper()
	binary := filepath.Join(bin, "milvus-wait")
	path := "PATH=" + bin + string(os.PathListSeparator) + os.Getenv("PATH")
	start := func(t *testing.T, env []string, name string, args ...string) (string, error) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		cmd := exec.CommandContext(ctx, name, args...)
		cmd.Env = append([]string{path}, env...)
		output, err := cmd.CombinedOutput()
		return string(output), err
	}

	for file, pod := range pods(t) {
		for _, c := range waits(pod) {
			commands = append(commands, deployed{file + " " + c.Name, func(t *testing.T, s *fakeserver.Server) (string, error) {
				address, secret := tunnel(t, s)
				args := strings.Split(strings.ReplaceAll(strings.Join(c.Args, "\n"), c.VolumeMounts[0].MountPath, secret), "\n")
				return start(t, []string{"MILVUS_URI=" + address}, binary, args...)
			}})
		}
	}

	services := compose(t).Services
	for _, name := range []string{"milvus-ready", "milvus-loaded"} {
		commands = append(commands, deployed{"compose.yaml " + name, func(t *testing.T, s *fakeserver.Server) (string, error) {
			return start(t, []string{"MILVUS_URI=http://" + s.Address()}, binary, services[name].Command...)
		}})
	}

	_, step := waitStep(t, workflow(t).Jobs["deploy"])
	return append(commands,
		deployed{"github-actions.yaml", func(t *testing.T, s *fakeserver.Server) (string, error) {
			return start(t, []string{"MILVUS_URI=http://" + s.Address(), "GITHUB_OUTPUT=" + filepath.Join(t.TempDir(), "output")}, "bash", "-e", "-c", step)
		}},
		deployed{"wait.sh", func(t *testing.T, s *fakeserver.Server) (string, error) {
			return start(t, []string{"MILVUS_URI=http://" + s.Address()}, "sh", "wait.sh", "docs", "images")
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

// restartAfter restarts the server after the given number of calls.
func restartAfter(t *testing.T, s *fakeserver.Server, calls int) {
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
				restartAfter(t, s, calls)

				output, err := command.run(t, s)

				require.Zero(t, exitCode(t, err), output)
				require.Contains(t, output, "going on", "no call failed")
			})
		}
	}
}

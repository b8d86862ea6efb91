//go:build !windows

package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/fake/fakeserver"
)

// build returns the path of a program built like the released one.
func build(b *testing.B, source string) string {
	b.Helper()
	file := filepath.Join(b.TempDir(), "program")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", file, source)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	require.NoError(b, err, "%s", out)
	return file
}

// median returns the median of the durations, in ms.
func median(d []time.Duration) float64 {
	slices.Sort(d)
	return float64(d[len(d)/2].Microseconds()) / 1000
}

// BenchmarkHelp alternates milvus-wait --help and a program that prints a line. Use
// -benchtime=100x.
//
// The slow part is the initialization of packages before main, 5 ms in all: generated code
// registers all its messages. By GODEBUG=inittrace=1, milvuspb takes 1.3 ms to 1.9 ms of it,
// commonpb 0.5 ms to 0.7 ms, and schemapb and protobuf's own descriptors 0.4 ms each.
func BenchmarkHelp(b *testing.B) {
	source := filepath.Join(b.TempDir(), "hello.go")
	require.NoError(b, os.WriteFile(source, []byte("package main\n\nfunc main() { println(\"hello\") }\n"), 0o600))
	programs := []*exec.Cmd{exec.Command(build(b, source)), exec.Command(build(b, "."), "--help")}
	took := make([][]time.Duration, len(programs))
	for b.Loop() {
		for i, program := range programs {
			cmd := exec.Command(program.Path, program.Args[1:]...)
			start := time.Now()
			require.NoError(b, cmd.Run())
			took[i] = append(took[i], time.Since(start))
		}
	}
	hello, help := median(took[0]), median(took[1])
	b.ReportMetric(hello, "hello-ms")
	b.ReportMetric(help, "help-ms")
	b.ReportMetric(help/hello, "x-hello")
}

// BenchmarkFirstRPC measures the time from the start of the process, some milliseconds before
// main, to the first call on a server.
func BenchmarkFirstRPC(b *testing.B) {
	program := build(b, ".")
	called := make(chan time.Time, 16)
	server := grpc.NewServer(grpc.UnknownServiceHandler(func(any, grpc.ServerStream) error {
		called <- time.Now()
		return status.Error(codes.Unauthenticated, "that was all")
	}))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(b, err)
	go func() { _ = server.Serve(listener) }()
	defer server.Stop()
	var took []time.Duration
	for b.Loop() {
		cmd := exec.Command(program, "load", "docs", "--uri", listener.Addr().String())
		start := time.Now()
		_ = cmd.Run()
		took = append(took, (<-called).Sub(start))
		for len(called) > 0 {
			<-called
		}
	}
	b.ReportMetric(median(took), "first-rpc-ms")
}

// BenchmarkThousandBars waits 20 s on a terminal for a thousand collections, with bars and
// without. The difference is the cost of the bars. The server is in this process, and its cost
// is not counted.
func BenchmarkThousandBars(b *testing.B) {
	program := build(b, ".")
	fakes, err := fakeserver.Start(fakeserver.Config{Address: "127.0.0.1:0"})
	require.NoError(b, err)
	defer fakes.Close()
	for _, command := range [][]string{{"load"}, {"load", "-q"}, {"index"}, {"index", "-q"}, {"index", "--interval", "5s"}} {
		b.Run(strings.Join(command, " "), func(b *testing.B) {
			var cpu, wall time.Duration
			var memory int64
			before := calls(fakes)
			for b.Loop() {
				args := append(slices.Clone(command), "--uri", fakes.Address())
				for i := range 1000 {
					name := fmt.Sprintf("collection_%04d", i)
					took := 20*time.Second - time.Duration(i)*time.Millisecond
					fakes.Set(milvuswait.Loading(name), fake.LoadOver(took))
					fakes.Set(milvuswait.IndexBuilding(name, "vidx"), fake.BuildOver(1_000_000, took))
					args = append(args, name)
				}
				cmd := exec.Command(program, args...)
				cmd.Env = []string{"TERM=xterm"}
				start := time.Now()
				terminal, err := pty.StartWithSize(cmd, &pty.Winsize{Cols: 120, Rows: 50})
				require.NoError(b, err)
				_, _ = io.Copy(io.Discard, terminal)
				require.NoError(b, cmd.Wait())
				require.NoError(b, terminal.Close())
				wall += time.Since(start)
				cpu += cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
				memory = max(memory, peak(cmd.ProcessState.SysUsage().(*syscall.Rusage)))
			}
			b.ReportMetric(100*cpu.Seconds()/wall.Seconds(), "%-of-a-core")
			b.ReportMetric(float64(memory)/(1<<20), "peak-MiB")
			b.ReportMetric(float64(calls(fakes)-before)/wall.Seconds(), "calls/s")
		})
	}
}

func calls(s *fakeserver.Server) int {
	return s.Count("DescribeIndex") + s.Count("GetLoadingProgress") + s.Count("ShowCollections")
}

// peak returns the maximum resident memory in bytes. Maxrss is in KiB except on darwin.
func peak(usage *syscall.Rusage) int64 {
	if runtime.GOOS == "darwin" {
		return usage.Maxrss
	}
	return usage.Maxrss * 1024
}

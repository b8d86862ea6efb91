package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/fake/fakeserver"
)

// TestMain runs the program in processes started by the tests.
func TestMain(m *testing.M) {
	if os.Getenv("INGEST_TEST_MAIN") != "" {
		main()
	}
	os.Exit(m.Run())
}

func noEnvironment(string) string { return "" }

func TestUsage(t *testing.T) {
	for _, tt := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"no server", nil, 2, "ingest: MILVUS_URI is not set: set it to"},
		{"unknown flag", []string{"-nope"}, 2, "ingest: flag provided but not defined: -nope"},
		{"an argument", []string{"-demo", "docs.jsonl"}, 2, `unexpected argument "docs.jsonl"`},
		{"no dimension", []string{"-demo", "-dimension", "0"}, 2, "must be positive"},
		{"help", []string{"-h"}, 0, "-checkpoint file"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer

			require.Equal(t, tt.code, command(t.Context(), tt.args, strings.NewReader(""), &out, noEnvironment))

			require.Contains(t, out.String(), tt.want)
			require.Equal(t, 1, strings.Count(out.String(), tt.want))
		})
	}
}

func TestNoServer(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	var out bytes.Buffer

	code := command(ctx, nil, strings.NewReader(""), &out, func(name string) string {
		return map[string]string{"MILVUS_URI": "127.0.0.1:1"}[name]
	})

	require.Equal(t, 1, code)
	require.Contains(t, out.String(), "connecting to 127.0.0.1:1")
}

func TestDemo(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	var out bytes.Buffer

	code := command(ctx, []string{"-demo"}, nil, &out, os.Getenv)

	require.Zero(t, code, out.String())
	for _, pattern := range []string{
		`msg="ready for documents" collection=ingest_demo_\w+ rows=0\n`,
		`msg="stopped half-way, as by SIGTERM"\n.* msg="ready for documents" collection=ingest_demo_\w+ rows=[1-5]\d\d\d\n`,
		`msg=searchable collection=ingest_demo_\w+ rows=10000\n`,
		`msg=dropped collection=ingest_demo_\w+\n$`,
	} {
		require.Regexp(t, pattern, out.String())
	}
	left, err := os.ReadDir(os.Getenv("TMPDIR"))
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestDemo_Interrupted_LeavesNoCollection(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	ctx, cancel := context.WithCancelCause(t.Context())
	out := &hook{word: "index_building", then: func() { cancel(stopped{syscall.SIGINT}) }}

	code := command(ctx, []string{"-demo"}, nil, out, os.Getenv)

	require.Equal(t, 130, code, out.String())
	require.Contains(t, out.String(), "msg=dropped collection=ingest_demo_")
	left, err := os.ReadDir(os.Getenv("TMPDIR"))
	require.NoError(t, err)
	require.Empty(t, left)
}

// TestSIGTERM stops a real process while its input is open, and starts another.
func TestSIGTERM(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no process can be sent SIGTERM there")
	}
	srv, err := fakeserver.Start(fakeserver.Config{
		Address: "127.0.0.1:0",
		Build:   func(rows int64) fake.Script { return fake.BuildOver(rows, 100*time.Millisecond) },
	})
	require.NoError(t, err)
	defer srv.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	checkpoint := filepath.Join(t.TempDir(), "checkpoint.json")
	start := func(in io.Reader) (*exec.Cmd, io.Reader) {
		c := exec.CommandContext(ctx, os.Args[0], "-dimension", "4", "-chunk", "1000", "-checkpoint", checkpoint)
		c.Env = append(os.Environ(), "INGEST_TEST_MAIN=1", "MILVUS_URI="+srv.Address(), "MILVUS_TOKEN=")
		c.Stdin = in
		log, err := c.StderrPipe()
		require.NoError(t, err)
		require.NoError(t, c.Start())
		return c, log
	}

	in, feed, err := os.Pipe()
	require.NoError(t, err)
	defer in.Close()
	defer feed.Close()
	first, log := start(in)
	go io.WriteString(feed, lines(2500)[:len(lines(2500))-5]) // the last line is cut off
	var said strings.Builder
	var once sync.Once // a second signal would kill it
	for s := bufio.NewScanner(log); s.Scan(); {
		said.WriteString(s.Text() + "\n")
		if strings.Contains(s.Text(), "msg=searchable") {
			once.Do(func() { require.NoError(t, first.Process.Signal(syscall.SIGTERM)) })
		}
	}
	first.Wait()
	require.Equal(t, 143, first.ProcessState.ExitCode(), said.String())
	require.Contains(t, said.String(), `level=WARN msg="ingest stopped" code=143 err="stopped: terminated"`)

	second, log := start(strings.NewReader(lines(2500)))
	b, err := io.ReadAll(log)
	require.NoError(t, err)
	require.NoError(t, second.Wait(), string(b))
	require.Contains(t, string(b), "msg=searchable collection=docs rows=2500")
	c, err := connect(ctx, srv.Address(), "")
	require.NoError(t, err)
	defer c.Close()
	statistics, err := c.GetCollectionStatistics(ctx, "docs")
	require.NoError(t, err)
	require.Equal(t, "2500", statistics["row_count"], "no document is in twice, and none is missing")
}

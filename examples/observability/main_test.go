package main

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/fake/fakeserver"
)

// TestMain runs the program itself for TestExitCodes, if the environment requests it.
func TestMain(m *testing.M) {
	if os.Getenv("OBSERVABILITY_TEST_MAIN") == "1" {
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestExitCodes(t *testing.T) {
	server, err := fakeserver.Start(fakeserver.Config{Address: "127.0.0.1:0"})
	require.NoError(t, err)
	defer server.Close()
	server.Set(milvuswait.Loading("docs"), fake.Percents(100))
	tests := []struct {
		name string
		uri  string
		args []string
		code int
		says string
	}{
		{"complete", server.Address(), []string{"docs"}, 0, ""},
		{"failed", server.Address(), []string{"missing"}, 1, "collection not found"},
		{"no server set", "", []string{"docs"}, 2, "MILVUS_URI is not set"},
		{"help", "", []string{"-h"}, 0, "-serve"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			program, err := os.Executable()
			require.NoError(t, err)
			command := exec.CommandContext(t.Context(), program, tt.args...)
			command.Env = append(os.Environ(), "OBSERVABILITY_TEST_MAIN=1", "MILVUS_URI="+tt.uri)
			var stderr strings.Builder
			command.Stderr = &stderr

			_ = command.Run() // the exit code is checked below

			require.Equal(t, tt.code, command.ProcessState.ExitCode(), stderr.String())
			require.Contains(t, stderr.String(), tt.says)
		})
	}
}

func TestUsage_IsPrintedOnce(t *testing.T) {
	program, err := os.Executable()
	require.NoError(t, err)
	command := exec.CommandContext(t.Context(), program, "-x")
	command.Env = append(os.Environ(), "OBSERVABILITY_TEST_MAIN=1")

	said, err := command.CombinedOutput()

	require.Error(t, err)
	require.Equal(t, 2, command.ProcessState.ExitCode())
	require.Equal(t, "observability: usage: flag provided but not defined: -x\n", string(said))
}

// TestSignals stops a process during a wait for a stalled load.
func TestSignals(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no process can be sent SIGTERM there")
	}
	server, err := fakeserver.Start(fakeserver.Config{Address: "127.0.0.1:0"})
	require.NoError(t, err)
	defer server.Close()
	server.Set(milvuswait.Loading("docs"), fake.Percents(40))

	for _, tt := range []struct {
		signal syscall.Signal
		code   int
	}{{syscall.SIGINT, 130}, {syscall.SIGTERM, 143}} {
		t.Run(tt.signal.String(), func(t *testing.T) {
			program, err := os.Executable()
			require.NoError(t, err)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()

			command := exec.CommandContext(ctx, program, "docs")
			command.Env = append(os.Environ(), "OBSERVABILITY_TEST_MAIN=1", "MILVUS_URI="+server.Address())
			stdout, err := command.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, command.Start())
			_, err = stdout.Read(make([]byte, 1)) // the first output comes after the signal handlers are installed
			require.NoError(t, err)

			require.NoError(t, command.Process.Signal(tt.signal))

			_, err = io.Copy(io.Discard, stdout)
			require.NoError(t, err)
			require.Error(t, command.Wait())
			require.Equal(t, tt.code, command.ProcessState.ExitCode())
		})
	}
}

func parsed(t *testing.T, s settings, args ...string) settings {
	t.Helper()
	require.NoError(t, s.parse(args, io.Discard))
	return s
}

func TestShow(t *testing.T) {
	picture := filepath.Join(t.TempDir(), "trace.svg")
	var out strings.Builder

	require.NoError(t, run(t.Context(), &out, parsed(t, settings{}, "-trace", picture)))

	for _, line := range []string{
		`milvuswait_waits_total{op="index_building",result="done"} 2`,
		`milvuswait_waits_total{op="loading",result="done"} 2`,
		`milvuswait_waits_total{op="loading",result="released"} 1`,
		`milvuswait_polls_total{op="index_building",result="failed"} 2`,
	} {
		require.Contains(t, out.String(), line+"\n")
	}
	require.NotContains(t, out.String(), "milvuswait_progress_ratio{", "all waits are over")

	drawn, err := os.ReadFile(picture)
	require.NoError(t, err)
	requireXML(t, drawn)
	require.Equal(t, 6, bytes.Count(drawn, []byte(`class="span"`)))
}

// TestPicture_IsOfARun compares the committed picture with the drawing of a run.
func TestPicture_IsOfARun(t *testing.T) {
	drawn, err := os.ReadFile("trace.svg")
	require.NoError(t, err)
	requireXML(t, drawn)
	require.Equal(t, 6, bytes.Count(drawn, []byte(`class="span"`)))
	for _, target := range showTargets {
		require.Contains(t, string(drawn), ">wait_for_"+string(target.Kind())+" "+target.Collection()+"<")
	}
	require.Contains(t, string(drawn), "released")
}

func requireXML(t *testing.T, content []byte) {
	t.Helper()
	decoder := xml.NewDecoder(bytes.NewReader(content))
	for {
		_, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		require.NoError(t, err)
	}
}

func TestCollections_OfAServer_AreAllWaitedFor(t *testing.T) {
	server, err := fakeserver.Start(fakeserver.Config{Address: "127.0.0.1:0"})
	require.NoError(t, err)
	defer server.Close()
	server.Set(milvuswait.Loading("docs"), fake.Percents(0, 40, 100))

	var out strings.Builder
	require.NoError(t, run(t.Context(), &out, parsed(t, settings{uri: server.Address()}, "docs")))
	require.Contains(t, out.String(), `milvuswait_waits_total{op="loading",result="done"} 1`)

	out.Reset()
	err = run(t.Context(), &out, parsed(t, settings{uri: server.Address()}, "missing"))
	require.ErrorIs(t, err, milvuswait.ErrCollectionNotFound)
	require.Contains(t, out.String(), `milvuswait_waits_total{op="loading",result="collection_not_found"} 1`)
}

// TestServes reads /metrics during a wait for a stalled load.
func TestServes(t *testing.T) {
	server, err := fakeserver.Start(fakeserver.Config{Address: "127.0.0.1:0"})
	require.NoError(t, err)
	defer server.Close()
	server.Set(milvuswait.Loading("docs"), fake.Percents(40))

	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	reader, writer := io.Pipe()
	done := make(chan error, 1)
	go func() {
		done <- run(ctx, writer, parsed(t, settings{uri: server.Address()}, "docs"))
		writer.Close()
	}()

	first := make([]byte, 200)
	n, err := reader.Read(first)
	require.NoError(t, err)
	go func() { _, _ = io.Copy(io.Discard, reader) }()
	url := regexp.MustCompile(`http://127\.0\.0\.1:\d+/metrics`).FindString(string(first[:n]))
	require.NotEmpty(t, url)

	require.Eventually(t, func() bool {
		return strings.Contains(get(url), `milvuswait_progress_ratio{collection="docs",index="",op="loading"} 0.4`)
	},
		20*time.Second, 10*time.Millisecond)

	cancel()
	require.ErrorIs(t, <-done, context.Canceled)
	require.Empty(t, get(url), "nothing listens any more")
}

func get(url string) string {
	response, err := http.Get(url)
	if err != nil {
		return ""
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return ""
	}
	return string(body)
}

func TestBadInput(t *testing.T) {
	tests := []struct {
		name string
		uri  string
		args []string
		want string
	}{
		{"names without a server", "", []string{"docs"}, `usage: MILVUS_URI is not set: set it to the address of the server of "docs", such as http://127.0.0.1:19530`},
		{"server without names", "http://127.0.0.1:19530", nil, "usage: MILVUS_URI is set, but no collection is named: name the collections to wait for, or unset it for the fake server"},
		{"negative time", "", []string{"-serve", "-1s"}, "usage: -serve must not be negative, -timeout must be more than 0"},
		{"no time", "", []string{"-timeout", "0"}, "usage: -serve must not be negative, -timeout must be more than 0"},
		{"unknown flag", "", []string{"-x"}, "usage: flag provided but not defined: -x"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := settings{uri: tt.uri}
			err := s.parse(tt.args, io.Discard)
			require.EqualError(t, err, tt.want)
			require.ErrorIs(t, err, errUsage)
		})
	}
	require.ErrorIs(t, new(settings).parse([]string{"-h"}, io.Discard), flag.ErrHelp)
}

func TestServe_AddressInUse_Fails(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()

	err = run(t.Context(), io.Discard, parsed(t, settings{}, "-address", taken.Addr().String()))

	require.ErrorIs(t, err, errUsage)
	require.ErrorContains(t, err, "-address")
}

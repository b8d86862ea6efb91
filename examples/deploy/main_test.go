package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// bin is the directory with the milvus-wait under test.
var bin string

func TestMain(m *testing.M) { os.Exit(testMain(m)) }

func testMain(m *testing.M) int {
	var err error
	if bin, err = os.MkdirTemp("", "milvus-wait"); err == nil {
		defer func() { _ = os.RemoveAll(bin) }()
		err = build(context.Background(), bin)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}

	// The background of a script ignores some signals, and child processes inherit this.
	// Handle them here, so that the shells of the tests handle them too.
	signal.Notify(make(chan os.Signal, 1), os.Interrupt)
	for _, name := range []string{"CI", "GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "MILVUS_URI", "MILVUS_ADDRESS", "MILVUS_DB", "MILVUS_DB_NAME", "MILVUS_DATABASE", "MILVUS_TOKEN", "MILVUS_USER", "MILVUS_USERNAME", "MILVUS_PASSWORD"} {
		_ = os.Unsetenv(name)
	}
	return m.Run()
}

func TestDemo(t *testing.T) {
	tests := []struct {
		ending, says string
		code         int
	}{
		{"done", "wait.sh: done", 0},
		{"failed", "no space left on device", 1},
		{"late", "wait.sh: timed out", 124},
	}
	for _, tt := range tests {
		t.Run(tt.ending, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			var stdout, stderr strings.Builder

			code, err := play(ctx, bin, tt.ending, 500*time.Millisecond, &stdout, &stderr)

			require.NoError(t, err)
			require.Equal(t, tt.code, code, stderr.String())
			require.Contains(t, stderr.String(), tt.says)
		})
	}
}

func TestDemoEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stderr := &lines{first: cancel}

	code, err := play(ctx, bin, "late", time.Hour, new(strings.Builder), stderr)

	require.NoError(t, err)
	require.Equal(t, 143, code, stderr.String())
}

// lines is a Writer with a call at the first occurrence of a text.
type lines struct {
	strings.Builder
	first func()
}

func (l *lines) Write(b []byte) (int, error) {
	l.first()
	return l.Builder.Write(b)
}

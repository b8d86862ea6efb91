package main

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// output is a Writer that calls then for writes with the word.
type output struct {
	strings.Builder
	word string
	then func()
}

func (o *output) Write(b []byte) (int, error) {
	if o.then != nil && strings.Contains(string(b), o.word) {
		o.then()
	}
	return o.Builder.Write(b)
}

func TestQuickstart(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	var out output

	err := run(ctx, &out, os.Getenv("MILVUS_URI"), os.Getenv("MILVUS_TOKEN"))

	require.NoError(t, err, out.String())
	for _, pattern := range []string{
		`inserted 20000 rows into quickstart_\w+`,
		`index_building \[#{24}\] 100%  20000 of 20000 rows, state Finished  complete after \d+ polls`,
		`loading        \[#{24}\] 100%  complete after \d+ polls`,
		`(?m)^{"total_rows":20000,"indexed_rows":20000,"pending_index_rows":0,"state":"Finished"}$`,
		`(?m)^{"loading_progress":"100%"}$`,
		`dropped quickstart_\w+`,
	} {
		require.Regexp(t, regexp.MustCompile(pattern), out.String())
	}
}

func TestQuickstart_Interrupted_LeavesNoCollection(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out := output{word: "index_building", then: cancel}

	err := run(ctx, &out, os.Getenv("MILVUS_URI"), os.Getenv("MILVUS_TOKEN"))

	require.ErrorIs(t, err, context.Canceled)
	require.Contains(t, out.String(), "dropped quickstart_")
}

// TestMain makes this binary the program, for tests with a process.
func TestMain(m *testing.M) {
	if os.Getenv("QUICKSTART_TEST_MAIN") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

func TestSignals(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no process can be sent SIGTERM there")
	}

	for _, tt := range []struct {
		signal syscall.Signal
		code   int
	}{{syscall.SIGINT, 130}, {syscall.SIGTERM, 143}} {
		t.Run(tt.signal.String(), func(t *testing.T) {
			program, err := os.Executable()
			require.NoError(t, err)
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()

			command := exec.CommandContext(ctx, program)
			command.Env = append(os.Environ(), "QUICKSTART_TEST_MAIN=1")
			stdout, err := command.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, command.Start())

			said, told := new(strings.Builder), false // a second signal would kill it
			for s := bufio.NewScanner(stdout); s.Scan(); {
				said.WriteString(s.Text() + "\n")
				if strings.Contains(s.Text(), "inserted") && !told {
					told = true
					require.NoError(t, command.Process.Signal(tt.signal))
				}
			}

			require.Error(t, command.Wait())
			require.Equal(t, tt.code, command.ProcessState.ExitCode(), said.String())
			require.Contains(t, said.String(), "dropped quickstart_")
		})
	}
}

func TestNoServer(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	var out output

	err := run(ctx, &out, "127.0.0.1:1", "")

	require.ErrorContains(t, err, "connecting to 127.0.0.1:1")
}

//go:build !windows

package cli_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// fifo returns a new FIFO. The reads of the command, which is in this process, end with the
// test.
func fifo(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "fifo")
	require.NoError(t, syscall.Mkfifo(name, 0o600))
	t.Cleanup(func() {
		writer, err := os.OpenFile(name, os.O_RDWR, 0)
		require.NoError(t, err)
		require.NoError(t, writer.Close())
	})
	return name
}

// TestCredentials_FIFO_IsReadOnce has a FIFO with a single writer: another read of it would
// block.
func TestCredentials_FIFO_IsReadOnce(t *testing.T) {
	file := fifo(t)
	go func() { _ = os.WriteFile(file, []byte("root:Before22"), 0) }()
	g := &guarded{token: "root:After22", refusal: refusals["Unauthenticated"]}

	code, _, stderr := run(map[string]string{"MILVUS_URI": g.serve(t)}, "load", "docs", "--token-file", file, "--timeout", "20s")

	require.Equal(t, 1, code, stderr)
	require.Contains(t, stderr, "hint: check the token")
}

// TestSummary_FIFOWithoutReader_EndsCommand has a summary that cannot be opened.
func TestSummary_FIFOWithoutReader_EndsCommand(t *testing.T) {
	file := fifo(t)

	code, stdout, stderr := run(map[string]string{"MILVUS_URI": start(t).Address(), "GITHUB_STEP_SUMMARY": file}, "load", "docs")

	require.Zero(t, code, stderr)
	require.Contains(t, stdout, "docs: loaded")
	require.Contains(t, stderr, "milvus-wait: the summary was not written: it takes longer than 2s\n")
}

// ended is a target of the JSON outputs, or the result of the command.
type ended struct {
	Event, Kind, State, Reason, Error, Address, Collection, Index string

	Partitions []string
	Job        int64
	Polls      int
	ExitCode   int `json:"exit_code"`
	Done       int
	Total      int
	Targets    []ended
}

func TestJSON_TimedOutWhileReadingFile_HasTargets(t *testing.T) {
	tests := []struct {
		args string
		want []ended
	}{
		{"load docs images:a,b", []ended{{Kind: "loading", Collection: "docs"}, {Kind: "loading", Collection: "images", Partitions: []string{"a", "b"}}}},
		{"index docs/* --rows 5", []ended{{Kind: "index_building", Collection: "docs", Index: "*"}}},
		{"all docs", []ended{{Kind: "index_building", Collection: "docs", Index: "*"}, {Kind: "loading", Collection: "docs"}}},
		{"import 4711", []ended{{Kind: "importing", Job: 4711}}},
		{"compaction 815", []ended{{Kind: "compacting", Job: 815}}},
		{"ready", []ended{{Kind: "serving", Address: "https://127.0.0.1:1"}}},
		{"load --all", nil},
		{"index --all --rows 5", nil},
	}
	for _, tt := range tests {
		t.Run(tt.args, func(t *testing.T) {
			want := tt.want
			for i := range want {
				want[i].State, want[i].Reason, want[i].Error = "timed_out", "timed_out", "--token-file: reading the file: timed out"
			}
			env := map[string]string{"MILVUS_URI": "https://127.0.0.1:1"}
			args := append(strings.Fields(tt.args), "--token-file", fifo(t), "--timeout", "50ms", "-o")

			code, stdout, stderr := run(env, append(args, "json")...)
			require.Equal(t, 124, code, stderr)
			require.Equal(t, "milvus-wait: --token-file: reading the file: timed out\n", stderr)
			var document ended
			require.NoError(t, json.Unmarshal([]byte(stdout), &document))
			require.Equal(t, append([]ended{}, want...), document.Targets)
			document.Targets = nil
			require.Equal(t, ended{ExitCode: 124, Reason: "timed_out", Error: "--token-file: reading the file: timed out"}, document)

			code, stdout, stderr = run(env, append(args, "jsonl")...)
			require.Equal(t, 124, code, stderr)
			events := make([]ended, strings.Count(stdout, "\n"))
			for i, line := range strings.Split(strings.TrimSpace(stdout), "\n") {
				require.NoError(t, json.Unmarshal([]byte(line), &events[i]), line)
			}
			for i := range want {
				want[i].Event = "final"
			}
			end := ended{Event: "end", ExitCode: 124, Reason: "timed_out", Error: "--token-file: reading the file: timed out", Total: len(want)}
			require.Equal(t, append(want, end), events)
		})
	}
}

func TestTimeout_WhileReadingFile_IsNamed(t *testing.T) {
	for _, flags := range []string{
		"--token-file", "--user root --password-file", "--tls-ca", "--tls-key any --tls-cert", "--tls-cert " + os.DevNull + " --tls-key",
	} {
		t.Run(flags, func(t *testing.T) {
			words := append(strings.Fields(flags), fifo(t), "--timeout", "50ms", "--uri", "https://127.0.0.1:1")
			reason := words[len(words)-6] + `: reading \S+( file)?: timed out`

			for _, command := range []string{"load docs images", "load --all", "ready"} {
				code, _, stderr := run(nil, append(strings.Fields(command), words...)...)
				require.Equal(t, 124, code, stderr)
				require.Regexp(t, "^milvus-wait: "+reason+"\n$", stderr)
			}

			code, stdout, stderr := run(nil, append([]string{"progress", "load", "docs", "-o", "json"}, words...)...)
			require.Equal(t, 124, code, stderr)
			require.Regexp(t, "^milvus-wait: "+reason+"\n$", stderr)
			require.Regexp(t, `^{"docs":{"error":"`+reason+`"}}\n$`, stdout)
		})
	}
}

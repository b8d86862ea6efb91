//go:build !windows

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSignals_WhileReadingFile_ReportTargets(t *testing.T) {
	catchIgnored()
	for text, sent := range map[string]syscall.Signal{"interrupt": syscall.SIGINT, "terminated": syscall.SIGTERM} {
		for args, targets := range map[string]int{"load docs images": 2, "ready": 1} {
			t.Run(text+" "+args, func(t *testing.T) {
				file := filepath.Join(t.TempDir(), "token")
				require.NoError(t, syscall.Mkfifo(file, 0o600))
				words := append(strings.Fields(args), "--token-file", file, "-o")
				why := `--token-file: reading the file: ended by signal: ` + text
				result := fmt.Sprintf(`"ok":false,"exit_code":%d,"reason":"canceled","error":"%s","elapsed_seconds":`, 128+int(sent), why)

				for _, format := range []string{"json", "jsonl"} {
					cmd := command(t, "127.0.0.1:1", append(words, format)...)
					stdout, stderr := new(strings.Builder), new(strings.Builder)
					cmd.Stdout, cmd.Stderr = stdout, stderr
					require.NoError(t, cmd.Start())
					writer, err := os.OpenFile(file, os.O_WRONLY, 0) // blocks until the command reads
					require.NoError(t, err)
					require.NoError(t, cmd.Process.Signal(sent))

					require.Equal(t, 128+int(sent), exitCode(t, cmd))

					require.NoError(t, writer.Close())
					require.Equal(t, "milvus-wait: "+why+"\n", stderr.String())
					require.Contains(t, stdout.String(), result)
					require.Equal(t, targets, strings.Count(stdout.String(), `"state":"interrupted",`), stdout)
					require.Equal(t, targets+1, strings.Count(stdout.String(), `"reason":"canceled"`), stdout)
				}
			})
		}
	}
}

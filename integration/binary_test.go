package integration_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait/integration/realserver"
)

// binary is the command milvus-wait as released, built by the first test that needs it.
var binary builtCommand

type builtCommand struct {
	once   sync.Once
	folder string
	err    error
}

func (b *builtCommand) path() (string, error) {
	b.once.Do(func() {
		if b.folder, b.err = os.MkdirTemp("", "milvuswait"); b.err != nil {
			return
		}
		build := exec.Command("go", "build", "-o", b.folder+string(filepath.Separator), "../cmd/milvus-wait")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			b.err = fmt.Errorf("building milvus-wait: %w\n%s", err, out)
		}
	})
	return filepath.Join(b.folder, "milvus-wait"), b.err
}

func (b *builtCommand) remove() error { return os.RemoveAll(b.folder) }

// command is a process of milvus-wait.
type command struct {
	process *os.Process
	spoken  chan struct{} // closed at the first write to stderr
	ended   chan struct{} // closed at the end of the process; the fields below are set then

	stdout, stderr string
	code           int
	timing
}

// command starts milvus-wait for the site's server, without a terminal and without variables
// of the environment that would change its output.
func (s *site) command(t *testing.T, args ...string) *command {
	t.Helper()
	path, err := binary.path()
	require.NoError(t, err)
	c := &command{spoken: make(chan struct{}), ended: make(chan struct{})}
	stdout, stderr := new(strings.Builder), &firstWrite{written: c.spoken}
	cmd := exec.CommandContext(within(t, 5*time.Minute), path, args...)
	cmd.Env = []string{realserver.URIVariable + "=" + s.server.URI(), realserver.TokenVariable + "=" + s.server.Token()}
	for _, name := range []string{"SYSTEMROOT", "SSL_CERT_FILE", "SSL_CERT_DIR"} {
		cmd.Env = append(cmd.Env, name+"="+os.Getenv(name))
	}
	cmd.Stdout, cmd.Stderr = stdout, stderr
	c.began = time.Now()
	require.NoError(t, cmd.Start())
	c.process = cmd.Process
	go func() {
		defer close(c.ended)
		err := cmd.Wait()
		c.returned = time.Now()
		c.stdout, c.stderr, c.code = stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()
		c.trace = strings.Split(strings.TrimSpace(c.stderr+c.stdout), "\n")
		for _, match := range polls.FindAllStringSubmatch(c.stdout+c.stderr, -1) {
			n, _ := strconv.Atoi(match[1] + match[2])
			c.polls = max(c.polls, n)
		}
		var failed *exec.ExitError
		if err != nil && !errors.As(err, &failed) {
			c.code, c.stderr = -1, err.Error()
		}
	}()
	t.Cleanup(func() { <-c.ended }) // the context of the process is done by then
	return c
}

// polls matches the number of polls of a target, in JSON and in text.
var polls = regexp.MustCompile(`"polls":([0-9]+)|([0-9]+) polls?\b`)

// took matches a duration in the command's text: a poll may take less than a millisecond,
// and the start of a server over a minute.
const took = `([0-9]+m)?[0-9.]+[mµ]?s`

// firstWrite closes a channel at the first write.
type firstWrite struct {
	strings.Builder
	once    sync.Once
	written chan struct{}
}

func (w *firstWrite) Write(b []byte) (int, error) {
	defer w.once.Do(func() { close(w.written) })
	return w.Builder.Write(b)
}

// exits waits for the end of the process, and checks its exit code.
func (c *command) exits(t *testing.T, code int) {
	t.Helper()
	<-c.ended
	require.Equal(t, code, c.code, "stdout: %s\nstderr: %s", c.stdout, c.stderr)
}

// midway waits until the command has written its first line: then it is waiting.
func (c *command) midway(t *testing.T) {
	t.Helper()
	select {
	case <-c.spoken:
	case <-c.ended:
		t.Fatalf("it ended too soon, with %d\nstdout: %s\nstderr: %s", c.code, c.stdout, c.stderr)
	}
}

// document is the output of -o json, without times and texts.
type document struct {
	OK       bool      `json:"ok"`
	ExitCode int       `json:"exit_code"`
	Targets  []subject `json:"targets"`
}

type subject struct {
	Kind         string         `json:"kind"`
	Collection   string         `json:"collection"`
	Index        string         `json:"index"`
	ExpectedRows int            `json:"expected_rows"`
	State        string         `json:"state"`
	Progress     map[string]any `json:"progress"`
	Polls        int            `json:"polls"`
}

// document returns the document on stdout, without the numbers of polls.
func (c *command) document(t *testing.T) document {
	t.Helper()
	<-c.ended
	var d document
	require.NoError(t, json.Unmarshal([]byte(c.stdout), &d), c.stdout)
	for i := range d.Targets {
		require.Positive(t, d.Targets[i].Polls)
		d.Targets[i].Polls = 0
	}
	return d
}

// wrote checks that each line of text matches the pattern with the same index, as a whole.
func wrote(t *testing.T, text string, patterns ...string) {
	t.Helper()
	pattern := ""
	for _, p := range patterns {
		pattern += p + "\n"
	}
	require.Regexp(t, regexp.MustCompile(`\A`+pattern+`\z`), text)
}

// indexed is the document of an index with the given number of rows.
func indexed(docs, index string, rows int) document {
	return document{OK: true, Targets: []subject{{
		Kind: "index_building", Collection: docs, Index: index, ExpectedRows: rows, State: "complete",
		Progress: indexDict(rows),
	}}}
}

// indexDict is pymilvus' dict of a complete index.
func indexDict(rows int) map[string]any {
	n := float64(rows)
	return map[string]any{"total_rows": n, "indexed_rows": n, "pending_index_rows": 0.0, "state": "Finished"}
}

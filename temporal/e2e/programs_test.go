package e2e

import (
	"bufio"
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait/fake/fakeserver"
	"github.com/milvuswait/milvuswait/internal/child"
)

// program is a program of the README, with the addresses of the servers in its environment.
type program struct {
	path string
	env  []string
}

// build builds a program for the servers at these addresses.
func build(t *testing.T, name, address, namespace, milvus string) program {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	cmd := exec.Command("go", "build", "-o", path, "../"+name)
	output, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", output)
	return program{path, append(os.Environ(), "TEMPORAL_ADDRESS="+address, "TEMPORAL_NAMESPACE="+namespace, "MILVUS_URI="+milvus)}
}

func (p program) command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), safety)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, p.path, args...)
	cmd.Env = p.env
	return cmd
}

// run starts the program as a process that is killed at the end of this one.
func (p program) run(t *testing.T, args ...string) *child.Process {
	t.Helper()
	running, err := child.Start(p.command(t, args...))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, running.Kill()) })
	return running
}

// TestPrograms_KilledAndStartedAgain_FinishTheWorkflow follows the README: it kills and
// restarts the worker and the starter.
func TestPrograms_KilledAndStartedAgain_FinishTheWorkflow(t *testing.T) {
	p := newPlace(t, fakeserver.Config{})
	p.fill(40, 20*time.Second)
	var targets []string
	for i := range 40 {
		target := "c" + string(rune('0'+i/10)) + string(rune('0'+i%10))
		target = strings.Replace(target, "c0", "c", 1)
		if i%2 == 1 {
			target += "/vidx=1000"
		}
		targets = append(targets, target)
	}
	address, namespace, milvus := temporal.GetFrontendHostPort(), temporal.GetDefaultNamespace(), "http://"+p.Address()
	worker, start := build(t, "worker", address, namespace, milvus), build(t, "start", address, namespace, milvus)
	args := append([]string{"-id", t.Name(), "-queue", p.queue}, targets...)

	killed := worker.run(t, "-queue", p.queue)
	first := start.command(t, args...)
	out, err := first.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, first.Start())
	lines := bufio.NewScanner(out)
	for lines.Scan() && !regexp.MustCompile(`^[12]\d of 40 done, 0 failed, \d\d%$`).MatchString(lines.Text()) {
	}
	require.NoError(t, lines.Err())
	require.NoError(t, killed.Kill())
	require.NoError(t, first.Process.Signal(os.Interrupt))
	for lines.Scan() {
	}
	require.Equal(t, 1, exitCode(t, first.Wait()))

	stopped := worker.run(t, "-queue", p.queue)
	var second bytes.Buffer
	again := start.command(t, args...)
	again.Stdout = &second
	require.NoError(t, again.Start())
	require.NoError(t, again.Wait())
	require.Contains(t, second.String(), "40 of 40 done\n")

	require.NoError(t, syscall.Kill(stopped.PID(), syscall.SIGTERM))
	require.NoError(t, stopped.Wait(), "a signal ends a worker well")
}

func exitCode(t *testing.T, err error) int {
	t.Helper()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit)
	return exit.ExitCode()
}

func TestPrograms_InvalidUsage_NameTheMistake(t *testing.T) {
	p := newPlace(t, fakeserver.Config{})
	address, namespace := temporal.GetFrontendHostPort(), temporal.GetDefaultNamespace()
	worker, start := build(t, "worker", address, namespace, ""), build(t, "start", address, namespace, "")
	tests := []struct {
		program program
		args    []string
		env     string
		code    int
		want    string
	}{
		{program: worker, code: 1, want: "no address of Milvus: set MILVUS_URI, or use -cluster"},
		{program: worker, args: []string{"-cluster", "eu"}, code: 2, want: "must be name=uri"},
		{program: worker, args: []string{"docs"}, code: 1, want: `unexpected argument "docs"`},
		{program: worker, env: "MILVUS_URI=127.0.0.1:19530", code: 1, want: "invalid address of Milvus: must be like http://127.0.0.1:19530"},
		{program: worker, env: "MILVUS_URI=http://user:hunter2@:1", code: 1, want: "invalid address of Milvus: must be like http://127.0.0.1:19530"},
		{program: worker, args: []string{"-cluster", "eu=http://milvus.example.com"}, env: "MILVUS_TOKEN=hunter2", code: 1, want: "MILVUS_TOKEN is not sent in plain text to milvus.example.com: use https://"},
		{program: start, code: 2, want: "no targets: name a load as docs"},
		{program: start, args: []string{"docs/vidx=many"}, code: 2, want: `"docs/vidx=many": "many" is not a number of rows`},
		{program: start, args: []string{"-id", t.Name(), "-queue", p.queue, "/vidx"}, code: 1, want: "target 1 of 1: invalid argument: the name of the collection is empty"},
	}
	running := build(t, "worker", address, namespace, "http://"+p.Address())
	running.run(t, "-queue", p.queue)
	for _, tt := range tests {
		cmd := tt.program.command(t, tt.args...)
		cmd.Env = append(cmd.Env, tt.env)
		output, err := cmd.CombinedOutput()
		require.Equal(t, tt.code, exitCode(t, err), "%s", output)
		require.Contains(t, string(output), tt.want)
		require.NotContains(t, string(output), "hunter2")
	}
}

// TestServer_PrintedAddresses_Work starts the servers of the README, and waits through them.
func TestServer_PrintedAddresses_Work(t *testing.T) {
	servers := build(t, "server", "", "", "").command(t)
	out, err := servers.StdoutPipe()
	require.NoError(t, err)
	running, err := child.Start(servers)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, running.Kill()) })
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	found := regexp.MustCompile(`^export TEMPORAL_ADDRESS=(\S+) TEMPORAL_NAMESPACE=default MILVUS_URI=(\S+)\n$`).FindStringSubmatch(line)
	require.NotNil(t, found, line)
	build(t, "worker", found[1], "default", found[2]).run(t)

	output, err := build(t, "start", found[1], "default", found[2]).command(t, "c0", "c1").CombinedOutput()

	require.NoError(t, err, "%s", output)
	require.Contains(t, string(output), "2 of 2 done\n")
	require.NoError(t, syscall.Kill(running.PID(), syscall.SIGINT))
	require.NoError(t, running.Wait())
}

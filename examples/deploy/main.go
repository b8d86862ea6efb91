// Deploy shows wait.sh as a deployment runs it: it builds milvus-wait, starts a
// fake Milvus, and runs the script.
//
//	go -C examples/deploy run . [done|failed|late]
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/fake/fakeserver"
)

func main() {
	ending := "done"
	if len(os.Args) > 1 {
		ending = os.Args[1]
	}
	if len(os.Args) > 2 || (ending != "done" && ending != "failed" && ending != "late") {
		fmt.Fprintln(os.Stderr, "usage: go run . [done|failed|late]")
		os.Exit(2)
	}

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code, err := demo(ctx, ending)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "deploy:", err)
		os.Exit(1)
	}
	os.Exit(code)
}

// demo plays one ending and returns the exit code of the script. It removes its files.
func demo(ctx context.Context, ending string) (code int, err error) {
	bin, err := os.MkdirTemp("", "milvus-wait")
	if err != nil {
		return 0, err
	}

	defer func() { err = errors.Join(err, os.RemoveAll(bin)) }()
	if err := build(ctx, bin); err != nil {
		return 0, err
	}
	return play(ctx, bin, ending, 6*time.Second, os.Stdout, os.Stderr)
}

// build builds milvus-wait into the directory.
func build(ctx context.Context, dir string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-o", filepath.Join(dir, "milvus-wait"), "./cmd/milvus-wait")
	cmd.Dir = "../.." // the module of the command, for its dependencies
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building milvus-wait: %w\n%s", err, output)
	}
	return nil
}

// play runs the script on a server whose slowest index takes d, and returns its
// exit code. When ctx ends, so does the script.
func play(ctx context.Context, bin, ending string, d time.Duration, stdout, stderr io.Writer) (int, error) {
	server, err := fakeserver.Start(fakeserver.Config{Address: "127.0.0.1:0"})
	if err != nil {
		return 0, err
	}
	defer server.Close()

	args := []string{"wait.sh", "docs", "images"}
	build, load := fake.BuildOver(100_000, d), fake.LoadOver(d/2)
	switch ending {
	case "failed":
		build = build.FailAt(60, "no space left on device")
	case "late":
		args = append(args, "--timeout", d.String())
		load = fake.LoadOver(time.Hour)
	}
	server.Set(milvuswait.IndexBuilding("docs", "vidx"), build)
	server.Set(milvuswait.Loading("docs"), load)
	server.Set(milvuswait.IndexBuilding("images", "vidx"), fake.BuildOver(20_000, d/4))
	server.Set(milvuswait.Loading("images"), fake.LoadOver(d/3))

	// The end of ctx stops the script by SIGTERM, as a canceled deployment does.
	cmd := exec.CommandContext(ctx, "sh", args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	cmd.Env = append(os.Environ(), "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"), "MILVUS_URI=http://"+server.Address())
	cmd.Stdout, cmd.Stderr = stdout, stderr
	err = cmd.Run()
	if cmd.ProcessState == nil {
		return 0, err
	}
	return cmd.ProcessState.ExitCode(), nil
}

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"

	"github.com/milvuswait/milvuswait/bench/internal/waiter"
)

// arm is one of the compared programs.
type arm struct {
	name    string
	program []string
}

// runner is a process of an arm. It is connected to the server through its own proxy.
type runner struct {
	arm     arm
	version string
	proxy   *proxy
	cmd     *exec.Cmd
	stdin   io.WriteCloser
	stdout  *bufio.Reader
}

// start starts a process of the arm, and returns once it is connected.
func (a arm) start(ctx context.Context, job waiter.Job) (*runner, error) {
	p, err := newProxy(job.Address)
	if err != nil {
		return nil, err
	}

	job.Address = p.address
	text, err := json.Marshal(job)
	if err != nil {
		return nil, err
	}

	cmd := exec.CommandContext(ctx, a.program[0], append(a.program[1:], string(text))...)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}

	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		p.close()
		return nil, err
	}

	r := &runner{arm: a, proxy: p, cmd: cmd, stdin: stdin, stdout: bufio.NewReader(stdout)}
	line, err := r.stdout.ReadString('\n')
	version, ok := strings.CutPrefix(strings.TrimSpace(line), "ready ")
	if err != nil || !ok {
		r.close()
		return nil, fmt.Errorf("%s: not ready, it printed %q: %w", a.name, line, err)
	}

	r.version = version
	return r, nil
}

// release starts the wait of the process.
func (r *runner) release() error {
	r.proxy.taken()
	_, err := io.WriteString(r.stdin, "go\n")
	return err
}

// result waits for the end of the wait, and returns its result.
func (r *runner) result() (waiter.Result, error) {
	var result waiter.Result
	line, err := r.stdout.ReadString('\n')
	if err == nil {
		err = json.Unmarshal([]byte(line), &result)
	}
	if err != nil {
		return result, fmt.Errorf("%s: no result, it printed %q: %w", r.arm.name, line, err)
	}
	return result, nil
}

func (r *runner) close() {
	r.cmd.Process.Kill()
	r.cmd.Wait()
	r.proxy.close()
}

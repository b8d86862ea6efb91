// Package child runs servers as processes of their own: this program once more,
// with other arguments.
package child

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
)

// Process is a server that runs.
type Process struct {
	Address string // where it listens

	cmd   *exec.Cmd
	stdin io.Closer
}

const ready = "ready "

// Start runs this program with those arguments, which must make it call Serve,
// and returns when it has. The process ends when this one does, however that
// comes about.
func Start(args ...string) (*Process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self, args...)
	cmd.Stderr = os.Stderr
	bind(cmd)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &Process{cmd: cmd, stdin: stdin}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	address, ok := strings.CutPrefix(strings.TrimSpace(line), ready)
	if !ok {
		return nil, errors.Join(fmt.Errorf("the server was not ready but said %q: %w", line, err), p.Kill())
	}
	p.Address = address
	return p, nil
}

// Serve says where this process listens, and returns when its parent is gone.
func Serve(address string) error {
	if _, err := fmt.Println(ready + address); err != nil {
		return err
	}
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}

// PID returns the process' id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Signal sends the process a signal.
func (p *Process) Signal(s syscall.Signal) error { return p.cmd.Process.Signal(s) }

// Kill ends the process by SIGKILL, also while it is stopped, and returns when it
// is gone.
func (p *Process) Kill() error {
	if err := p.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	err := p.cmd.Wait()
	if errors.As(err, new(*exec.ExitError)) {
		return nil
	}
	return err
}

// Package child runs a server in a separate process: the same program with other arguments.
package child

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"

	"github.com/milvuswait/milvuswait/internal/child"
)

// Process is a running server.
type Process struct {
	*child.Process

	Address string // address of the server
}

const ready = "ready "

// Start runs this program with the arguments, which must make it call Serve, and returns once
// it has. The process ends with this one, even if this one is killed.
func Start(args ...string) (*Process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}

	cmd := exec.Command(self, args...)
	cmd.Stderr = os.Stderr
	if _, err := cmd.StdinPipe(); err != nil { // Serve waits for its end
		return nil, err
	}

	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}

	process, err := child.Start(cmd)
	if err != nil {
		return nil, err
	}

	line, err := bufio.NewReader(stdout).ReadString('\n')
	address, ok := strings.CutPrefix(strings.TrimSpace(line), ready)
	if !ok {
		return nil, errors.Join(fmt.Errorf("the server is not ready, it printed %q: %w", line, err), process.Kill())
	}

	return &Process{process, address}, nil
}

// Serve prints the address for Start, and returns when the parent process has ended.
func Serve(address string) error {
	if _, err := fmt.Println(ready + address); err != nil {
		return err
	}
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}

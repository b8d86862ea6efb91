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

	"github.com/milvuswait/milvuswait/internal/child"
)

// Process is a server that runs.
type Process struct {
	*child.Process

	Address string // where it listens
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
	if _, err := cmd.StdinPipe(); err != nil { // whose end Serve waits for
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
		return nil, errors.Join(fmt.Errorf("the server was not ready but said %q: %w", line, err), process.Kill())
	}
	return &Process{process, address}, nil
}

// Serve says where this process listens, and returns when its parent is gone.
func Serve(address string) error {
	if _, err := fmt.Println(ready + address); err != nil {
		return err
	}
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}

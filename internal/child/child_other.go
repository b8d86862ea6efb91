//go:build !linux

package child

import (
	"errors"
	"os"
	"os/exec"
)

func bind(*exec.Cmd) {}

func kill(pid int) error {
	p, err := os.FindProcess(pid)
	if err == nil {
		err = p.Kill()
	}

	if errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	return err
}

// killRest does nothing: another process may have the id by now.
func killRest(int) {}

func freeze(int) error { return errors.ErrUnsupported }

func thaw(int) error { return errors.ErrUnsupported }

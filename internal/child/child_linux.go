package child

import (
	"errors"
	"os/exec"
	"syscall"
)

// bind has the program die with this process, in a group of its own.
func bind(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if cmd.Cancel != nil {
		cmd.Cancel = func() error { return kill(cmd.Process.Pid) }
	}
}

// kill kills every process of a group, of which none may be left.
func kill(group int) error {
	if err := syscall.Kill(-group, syscall.SIGKILL); !errors.Is(err, syscall.ESRCH) {
		return err
	}
	return nil
}

// killRest kills what is left of a group whose first process has ended.
func killRest(group int) { _ = kill(group) } // there is nothing to be done about it

func freeze(group int) error { return syscall.Kill(-group, syscall.SIGSTOP) }

func thaw(group int) error { return syscall.Kill(-group, syscall.SIGCONT) }

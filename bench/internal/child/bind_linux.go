package child

import (
	"os/exec"
	"syscall"
)

// bind has the process die with this one, also while it is stopped.
func bind(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}

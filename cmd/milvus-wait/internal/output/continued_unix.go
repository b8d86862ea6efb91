//go:build unix

package output

import (
	"os"
	"os/signal"
	"syscall"
)

// notifyContinued sends a signal to c when the process continues, as by the shell's fg.
func notifyContinued(c chan<- os.Signal) { signal.Notify(c, syscall.SIGCONT) }

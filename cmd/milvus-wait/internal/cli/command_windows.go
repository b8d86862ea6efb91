package cli

import (
	"os"
	"syscall"
)

// endingSignals end a wait, but not this process before the command after --.
var endingSignals = []os.Signal{os.Interrupt, syscall.SIGTERM}

// isOfTerminal reports whether the console sends s to all its processes: it sends every one.
func isOfTerminal(os.Signal) bool { return true }

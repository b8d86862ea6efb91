package cli

import "os"

// handedOn are the signals that do not end this process before the command after --.
var handedOn = []os.Signal{os.Interrupt}

// isOfTerminal reports whether the console sends s to all its processes: it sends every one.
func isOfTerminal(os.Signal) bool { return true }

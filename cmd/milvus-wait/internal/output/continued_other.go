//go:build !unix

package output

import "os"

// notifyContinued does nothing: a process cannot be stopped from the keyboard here.
func notifyContinued(chan<- os.Signal) {}

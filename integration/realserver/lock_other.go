//go:build !linux

package realserver

import "os"

// tryLock is never called: Release.check refuses systems other than Linux.
func tryLock(string) (*os.File, error) { return nil, ErrUnavailable }

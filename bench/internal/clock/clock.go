// Package clock reads the monotonic clock of the machine. All processes share it and no
// process can set it, so that they can compare their times.
package clock

import (
	"time"

	"golang.org/x/sys/unix"
)

// Now returns the time since some point in the past, the same for all processes.
func Now() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &t); err != nil {
		panic(err) // every system has this clock
	}

	return time.Duration(t.Nano())
}

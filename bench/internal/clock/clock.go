// Package clock tells a time that all processes of one machine share and that
// nobody sets: what one of them says of it, another can compare with.
package clock

import (
	"time"

	"golang.org/x/sys/unix"
)

// Now returns the time since some point in the past, the same for all processes.
func Now() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &t); err != nil {
		panic(err) // there is always such a clock
	}
	return time.Duration(t.Nano())
}

// Package duration rounds durations for error texts, logs and terminals.
package duration

import "time"

// Round rounds d to about three significant digits. Durations below a millisecond stay as
// they are.
func Round(d time.Duration) time.Duration {
	switch {
	case d >= time.Minute:
		return d.Round(time.Second)
	case d >= time.Second:
		return d.Round(10 * time.Millisecond)
	case d >= time.Millisecond:
		return d.Round(10 * time.Microsecond)
	}

	return d
}

package output

import (
	"math"
	"strconv"
	"time"
)

// This file has the rules for numbers in outputs. Durations of finished work are rounded by
// package duration, in texts of the library too.

// percent returns the percentage of a fraction, rounded down, so that 100 % means all.
func percent(fraction float64) int {
	return int(steps(fraction, 100))
}

// short returns n, with three digits and a unit if it is large: 950, 12.3k, 2.5M.
func short(n float64) string {
	if math.Abs(n) < 10_000 {
		return strconv.FormatFloat(n, 'f', 0, 64)
	}
	var unit string
	for _, unit = range []string{"k", "M", "G", "T", "P", "E"} {
		if n /= 1000; math.Abs(n) < 999.5 {
			break
		}
	}
	return strconv.FormatFloat(n, 'g', 3, 64) + unit
}

// jsonSeconds returns d in seconds for JSON, rounded to a millisecond.
func jsonSeconds(d time.Duration) float64 {
	return float64(d.Round(time.Millisecond).Milliseconds()) / 1000
}

// jsonFraction returns a fraction for JSON with four digits, rounded down, so that 1 means all.
func jsonFraction(fraction float64) float64 {
	const digits = 1e4
	return steps(fraction, digits) / digits
}

// steps returns the number of whole steps in a fraction, of a number in all.
func steps(fraction, all float64) float64 {
	const roundingError = 1e-9 // 0.29 is a little less than 29 %
	return math.Floor(all*fraction + roundingError)
}

// seconds returns d in whole seconds, for times that change while they are shown.
func seconds(d time.Duration) time.Duration { return d.Round(time.Second) }

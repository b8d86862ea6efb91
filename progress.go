package milvuswait

import (
	"fmt"
	"math"
)

// Progress is the progress from one poll: a [LoadingProgress] or an
// [IndexBuildingProgress], by value.
type Progress interface {
	fmt.Stringer

	// Complete reports whether the work is finished, by the default rules and without
	// any option of a wait.
	Complete() bool

	// Fraction returns the completed share, from 0 to 1, also for out-of-range values.
	// It is 0 while unknown, and may be 1 before Complete is true.
	Fraction() float64

	// A closed set: waits know how to judge each type.
	progress()
}

// clamp returns f within 0 and 1; not-a-number is 0.
func clamp(f float64) float64 {
	if math.IsNaN(f) {
		return 0
	}
	return min(1, max(0, f))
}

package milvuswait

import "slices"

// Kind is the kind of work that a [Target] waits for.
type Kind string

// The kinds of targets.
const (
	KindLoading       Kind = "loading"
	KindIndexBuilding Kind = "index_building"
)

var kinds = []Kind{KindLoading, KindIndexBuilding}

// Kinds returns all kinds, in the order of their constants, for programs that show or count
// waits of every kind.
func Kinds() []Kind { return slices.Clone(kinds) }

package output

import (
	"cmp"
	"fmt"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/kind"
	"github.com/milvuswait/milvuswait/internal/untrusted"
)

// name returns the target as typed on the command line, cleaned and cut.
func (c Config) name(t milvuswait.Target) string { return untrusted.Text(c.kindOf(t).Typed(t)) }

// part returns the part of the target that the progress is about, such as
//
//	index "vidx"
//
// or "" if the target is the part itself.
func (c Config) part(t milvuswait.Target, p milvuswait.Progress) string {
	if name := c.kindOf(t).Part(t, p); name != "" {
		return fmt.Sprintf("index %q", untrusted.Text(name))
	}
	return ""
}

// with returns the text of a progress after the part that it is about.
func with(part, progress string) string {
	if part == "" {
		return progress
	}
	return part + ": " + progress
}

// kindOf returns the row of the target's kind.
func (c Config) kindOf(t milvuswait.Target) *kind.Kind { return cmp.Or(c.Kind, kind.Of(t)) }

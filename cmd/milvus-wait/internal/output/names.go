package output

import (
	"fmt"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/kind"
	"github.com/milvuswait/milvuswait/internal/untrusted"
)

// name returns the target as typed on the command line, cleaned and cut. The name of a
// server is its address.
func (c Config) name(t milvuswait.Target) string {
	k := kind.Of(t)
	if k.Server {
		return untrusted.Text(c.Address)
	}
	return untrusted.Text(k.Typed(t))
}

// title returns the target as named in error texts, cleaned and cut.
func (c Config) title(t milvuswait.Target) string {
	if kind.Of(t).Server {
		return c.name(t)
	}
	return untrusted.Text(t.String())
}

// part returns the part of the target that the progress is about, such as
//
//	index "vidx"
//
// or "" if the target is the part itself, or there is no progress yet.
func part(t milvuswait.Target, p milvuswait.Progress) string {
	if p == nil {
		return "" // before the first update a row has no target either
	}
	if name := kind.Of(t).Part(t, p); name != "" {
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

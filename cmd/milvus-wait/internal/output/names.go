package output

import (
	"cmp"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/kind"
	"github.com/milvuswait/milvuswait/internal/untrusted"
)

// name returns the target as typed on the command line, cleaned and cut.
func (c Config) name(t milvuswait.Target) string { return untrusted.Text(c.kindOf(t).Typed(t)) }

// kindOf returns the row of the target's kind.
func (c Config) kindOf(t milvuswait.Target) *kind.Kind { return cmp.Or(c.Kind, kind.Of(t)) }

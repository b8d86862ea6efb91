package output

import (
	"cmp"
	"time"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/kind"
	"github.com/milvuswait/milvuswait/internal/untrusted"
)

// name returns the target as it is written on the command line, cut if that is long.
func (c Config) name(t milvuswait.Target) string { return untrusted.Text(c.kindOf(t).Typed(t)) }

// kindOf returns the row of the target's kind.
func (c Config) kindOf(t milvuswait.Target) *kind.Kind { return cmp.Or(c.Kind, kind.Of(t)) }

// round leaves three or so significant digits of d.
func round(d time.Duration) time.Duration {
	switch {
	case d >= time.Minute:
		return d.Round(time.Second)
	case d >= time.Second:
		return d.Round(100 * time.Millisecond)
	}
	return d.Round(time.Millisecond)
}

package output

import (
	"strings"
	"time"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/internal/untrusted"
)

// name returns the target as it is written on the command line, cut if that is long.
func (c Config) name(t milvuswait.Target) string { return untrusted.Text(c.fullName(t)) }

func (c Config) fullName(t milvuswait.Target) string {
	switch {
	case c.Ready != "":
		return c.Ready
	case t.Kind() == milvuswait.KindIndexBuilding && t.Index() != "":
		return t.Collection() + "/" + t.Index()
	case len(t.Partitions()) > 0:
		return t.Collection() + ":" + strings.Join(t.Partitions(), ",")
	}
	return t.Collection()
}

// The words for what is under way and what is done.
func (c Config) doing(t milvuswait.Target) string {
	switch {
	case c.Ready != "":
		return "starting"
	case t.Kind() == milvuswait.KindLoading:
		return "loading"
	}
	return "indexing"
}

func (c Config) finished(t milvuswait.Target) string {
	switch {
	case c.Ready != "":
		return "ready"
	case t.Kind() == milvuswait.KindLoading:
		return "loaded"
	}
	return "indexed"
}

// kind is that of the target, or what the library has no word for.
func (c Config) kind(t milvuswait.Target) string {
	if c.Ready != "" {
		return "ready"
	}
	return string(t.Kind())
}

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

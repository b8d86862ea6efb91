package output

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/kind"
	"github.com/milvuswait/milvuswait/internal/duration"
)

// plain writes lines for updates. The library's Log selects the updates: plain is its
// handler.
type plain struct {
	config  Config
	log     milvuswait.Observer
	current milvuswait.Update
}

func newPlain(c Config) milvuswait.Observer {
	p := &plain{config: c}
	p.log = milvuswait.Log(slog.New(p))
	return p
}

// Observe implements milvuswait.Observer.
func (p *plain) Observe(u milvuswait.Update) {
	if p.config.Verbose && !u.Final {
		p.write(u)
		return
	}
	p.current = u
	p.log.Observe(u)
}

// Enabled implements slog.Handler.
func (p *plain) Enabled(context.Context, slog.Level) bool { return true }

// Handle implements slog.Handler. It writes the current update in place of the record.
func (p *plain) Handle(context.Context, slog.Record) error {
	if !p.current.Final { // the result has the final update
		p.write(p.current)
	}
	return nil
}

// WithAttrs implements slog.Handler.
func (p *plain) WithAttrs([]slog.Attr) slog.Handler { return p }

// WithGroup implements slog.Handler.
func (p *plain) WithGroup(string) slog.Handler { return p }

func (p *plain) write(u milvuswait.Update) { Line(p.config.Stderr, p.config.line(u)) }

// line returns the update on one line, such as
//
//	docs/*: indexing 40% (index "vidx": 40000/100000 rows, InProgress), 12s left
func (c Config) line(u milvuswait.Update) string {
	var b strings.Builder
	k := kind.Of(u.Target)
	fmt.Fprintf(&b, "%s: %s", c.name(u.Target), k.Doing)
	if !k.Server && u.Progress != nil {
		fmt.Fprintf(&b, " %d%%", percent(u.Fraction))
		if details := k.Details(u.Progress); details != "" {
			fmt.Fprintf(&b, " (%s)", with(part(u.Target, u.Progress), details))
		}
	}
	if text := waiting(u); text != "" {
		b.WriteString(", " + text)
	}
	if u.ETA >= time.Second {
		fmt.Fprintf(&b, ", %v left", u.ETA.Round(time.Second))
	}
	if c.Verbose {
		fmt.Fprintf(&b, ", poll %d at %v, next in %v", u.Polls, duration.Round(u.Elapsed), duration.Round(u.Next))
	}
	switch {
	case u.Err == nil:
	case u.WaitingFor == milvuswait.WaitingForVerify: // usually the error of verify, not of a poll
		fmt.Fprintf(&b, ": going on: %v", u.Err)
	default:
		fmt.Fprintf(&b, ": poll %d failed, going on: %v", u.Polls, u.Err)
	}
	return b.String()
}

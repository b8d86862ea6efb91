package output

import (
	"fmt"
	"strings"
	"time"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/kind"
	"github.com/milvuswait/milvuswait/internal/duration"
	"github.com/milvuswait/milvuswait/internal/logged"
)

// plain writes lines for the updates that the library's Log chooses. Of several targets that
// fail for the same reason, plain writes a line for one.
type plain struct {
	config  Config
	asking  string                        // question in place of targets, or ""
	chosen  milvuswait.Observer           // calls choose
	outages map[milvuswait.Target]*outage // outages of targets that have not ended

	reason    string    // reason in the last line about a failed poll
	writtenAt time.Time // time of this line
}

func newPlain(c Config) *plain {
	p := &plain{config: c, outages: make(map[milvuswait.Target]*outage)}
	p.chosen = logged.Updates(p.choose)
	return p
}

// Asking returns the observer of a wait for the answer to a question, such as "asking for the
// indexes". It writes lines about failed polls, unless c is Quiet.
func (c Config) Asking(question string) milvuswait.Observer {
	if c.Quiet {
		return milvuswait.Observers()
	}
	c.Verbose = false
	p := newPlain(c)
	p.asking = question
	return p
}

// Observe implements milvuswait.Observer.
func (p *plain) Observe(u milvuswait.Update) {
	o := p.outages[u.Target]
	if o == nil {
		o = new(outage)
		p.outages[u.Target] = o
	}
	o.observe(u, p.config.Limits)
	if u.Final {
		delete(p.outages, u.Target)
	}

	if p.config.Verbose && !u.Final {
		p.write(u)
		return
	}
	p.chosen.Observe(u)
}

// choose writes an update chosen by the library's Log, unless it is repeated.
func (p *plain) choose(u milvuswait.Update) {
	switch {
	case u.Final: // the result has it
	case p.asking != "" && u.Err == nil:
	case u.Err != nil && p.isRepeated(u.Err.Error()):
	default:
		p.write(u)
	}
}

// isRepeated reports whether another target had a line for the same reason a short time ago.
func (p *plain) isRepeated(reason string) bool {
	const repeatAfter = 29 * time.Second // a little less than the interval of Log for one target
	if reason == p.reason && time.Since(p.writtenAt) < repeatAfter {
		return true
	}
	p.reason, p.writtenAt = reason, time.Now()
	return false
}

func (p *plain) write(u milvuswait.Update) {
	o := p.outages[u.Target]
	if p.asking != "" {
		Line(p.config.Stderr, fmt.Sprintf("%s: going on%s: %v", p.asking, o.times(u.Elapsed, p.config.Limits), u.Err))
		return
	}
	Line(p.config.Stderr, p.config.line(u, o))
}

// line returns the update of a target with the outage o on one line, such as
//
//	docs/*: indexing 40% (index "vidx": 40000/100000 rows, InProgress), 12s left
//	docs: loading 50%: poll 7 failed, going on, 35s so far, gives up in 4m25s: cannot connect to …
func (c Config) line(u milvuswait.Update, o *outage) string {
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
	if u.ETA >= time.Second && u.Err == nil {
		fmt.Fprintf(&b, ", %v left", seconds(u.ETA))
	}
	if c.Verbose {
		fmt.Fprintf(&b, ", poll %d at %v, next in %v", u.Polls, duration.Round(u.Elapsed), duration.Round(u.Next))
	}
	if u.Err != nil {
		b.WriteString(": ")
		if u.WaitingFor != milvuswait.WaitingForVerify { // otherwise usually the error of verify, not of a poll
			fmt.Fprintf(&b, "poll %d failed, ", u.Polls)
		}
		fmt.Fprintf(&b, "going on%s: %v", o.times(u.Elapsed, c.Limits), u.Err)
	}
	return b.String()
}

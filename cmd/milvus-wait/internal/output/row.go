package output

import (
	"fmt"
	"strings"
	"time"

	"github.com/mattn/go-runewidth"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/kind"
)

// row is the state of a target on the screen.
type row struct {
	name   string
	kind   *kind.Kind
	update milvuswait.Update // last update
	first  milvuswait.Update // first update with progress, the start of the rate
	at     time.Time         // time of the last update
	outage outage
}

func (r *row) observe(u milvuswait.Update, l Limits) {
	r.at = time.Now()
	r.outage.observe(u, l)
	if r.first.Progress == nil && u.Progress != nil {
		r.first = u
	}
	r.update = u
}

// line returns the target as
//
//	docs/*  [=====>     ]   40%  indexing  12s left  1.2k rows/s  400/1000 rows  index "vidx"
//
// with fewer parts if there is less room.
func (r *row) line(config Config, c columns) string {
	space := strings.Repeat(" ", gap)
	word, color := r.word()
	painted := word
	if config.Terminal.Color && color != "" {
		painted = color + word + "\x1b[0m"
	}

	name := pad(clip(r.name, c.name), c.name)
	share := fmt.Sprintf("%*d%%", percentSize-1, percent(r.update.Fraction))
	switch {
	case c.word:
	case r.update.Final && c.width >= c.name+gap+len(word):
		return name + space + painted
	case c.width >= c.name+gap+percentSize:
		return name + space + share
	default:
		return clip(r.name, c.width)
	}

	line := name + space
	if c.bar > 0 {
		line += bar(r.update.Fraction, c.bar) + space
	}
	line += share + space
	left := c.width - runewidth.StringWidth(line) - len(word)
	line += painted

	// Pad the word, so that the texts after it are aligned.
	before := pad(space, gap+len("retrying")-len(word))
	for _, more := range []string{waiting(r.update), r.eta(), r.rate(), r.rows(), part(r.update.Target, r.update.Progress)} {
		size := len(before) + runewidth.StringWidth(more)
		if more == "" || left < size {
			continue
		}
		line += before + more
		left -= size
		before = space
	}
	return line
}

// word returns the state of the target, and its colour.
func (r *row) word() (word, color string) {
	const green, red, yellow = "\x1b[32m", "\x1b[31m", "\x1b[33m"
	switch u := r.update; {
	case u.Final && u.Err == nil && u.Unconfirmed:
		return "unconfirmed", yellow
	case u.Final && u.Err == nil:
		return r.kind.Finished, green
	case u.Final:
		return words(state(u.Err)), red
	case u.Err != nil:
		return "retrying", yellow
	case u.Progress == nil:
		return "waiting", ""
	}
	return r.kind.Doing, ""
}

// words returns a state as text for people.
func words(state string) string { return strings.ReplaceAll(state, "_", " ") }

func (r *row) eta() string {
	if r.update.ETA < time.Second || r.outage.failing {
		return ""
	}
	return seconds(r.update.ETA).String() + " left"
}

func (r *row) rows() string {
	done, total, ok := r.kind.Rows(r.update.Progress)
	if !ok {
		return ""
	}
	return short(float64(done)) + "/" + short(float64(total)) + " rows"
}

// elapsed returns the time since the start of the wait.
func (r *row) elapsed() time.Duration { return r.update.Elapsed + time.Since(r.at) }

// rate returns the average rate since the first progress, or "" if it is unknown.
func (r *row) rate() string {
	elapsed := (r.update.Elapsed - r.first.Elapsed).Seconds()
	if r.first.Progress == nil || elapsed < 0.5 || r.update.Final || r.outage.failing {
		return ""
	}

	n, unit := 100*(r.update.Fraction-r.first.Fraction)/elapsed, "%/s"
	if now, _, ok := r.kind.Rows(r.update.Progress); ok {
		before, _, _ := r.kind.Rows(r.first.Progress)
		n, unit = (float64(now)-float64(before))/elapsed, " rows/s"
	}

	switch {
	case n < 0.05: // unchanged, or falling
		return ""
	case n < 10:
		return fmt.Sprintf("%.1f%s", n, unit)
	}
	return short(n) + unit
}

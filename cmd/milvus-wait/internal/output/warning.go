package output

import (
	"fmt"
	"strings"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/kind"
)

// unconfirmed is the warning about an index that may lack rows.
const unconfirmed = "rows that are still being flushed are not counted on this server; pass --rows"

// warning returns the warning about a target in JSON, or "": it is unconfirmed, or complete
// with a progress that leaves a doubt, such as 0 rows.
func warning(t milvuswait.Target, p milvuswait.Progress, isUnconfirmed, isComplete bool) string {
	switch doubt := kind.Of(t).Doubt(p); {
	case isUnconfirmed:
		return unconfirmed
	case isComplete && doubt != "":
		return fmt.Sprintf("%v: %s", p, doubt)
	}
	return ""
}

// mostWarned is the maximum number of names in a warning.
const mostWarned = 5

// warn writes one warning about all targets that are complete and unconfirmed, as
//
//	milvus-wait: warning: docs/vidx and 3 more: rows …
func (c Config) warn(report Report) {
	var names []string
	more := 0
	for _, o := range report.Outcomes {
		switch {
		case o.Err != nil || !o.Unconfirmed:
		case len(names) == mostWarned:
			more++
		default:
			names = append(names, c.name(o.Target))
		}
	}
	if len(names) == 0 {
		return
	}

	text := strings.Join(names, ", ")
	if more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	text += ": " + unconfirmed
	Line(c.Stderr, "milvus-wait: warning: "+text)
	c.GitHub.annotate(c.Stderr, "warning", text)
}

// waiting returns the work that a target waits for which looks complete otherwise, such as
// "waiting for flush", or "".
func waiting(u milvuswait.Update) string {
	if u.WaitingFor == "" {
		return ""
	}
	return "waiting for " + string(u.WaitingFor)
}

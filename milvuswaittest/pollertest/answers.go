package pollertest

import (
	"errors"

	"github.com/milvuswait/milvuswait"
)

// answered asks about a complete target, and passes the progress to judge. It records a
// defect for an error. A progress of another type than P is a panic: the question and its
// judge belong to one kind.
func answered[P milvuswait.Progress](c *checker, q question, judge func(q question, p P)) {
	a, ok := c.ask(q)
	switch {
	case !ok:
	case a.err != nil:
		c.defect("%v returned %v for a complete target: return the progress", q, a)
	default:
		judge(q, a.value.(P))
	}
}

// within records a defect if p breaks rule, a rule about its numbers, and reports whether
// there is none. The empty rule means that no rule is broken.
func (c *checker) within(q question, p milvuswait.Progress, rule string) bool {
	if rule != "" {
		c.defect("%v returned %v: %s", q, p, rule)
	}
	return rule == ""
}

// refusal is a question that must return a sentinel as its error.
type refusal struct {
	question
	sentinel error
	what     string
}

// checkRefused asks about missing and ambiguous objects. The answers must wrap the
// sentinels.
func (c *checker) checkRefused(refusals []refusal) {
	for _, r := range refusals {
		if a, ok := c.ask(r.question); ok {
			c.refused(r, a)
		}
	}
}

// refused records a defect if a is not the sentinel of r.
func (c *checker) refused(r refusal, a answer) {
	switch {
	case a.err == nil:
		c.defect("%v returned %v and no error for %s: a wait takes that for progress; return an error that wraps %s",
			r, a, r.what, goName(r.sentinel))
	case !errors.Is(a.err, r.sentinel):
		c.defect("%v returned %v for %s: a wait goes by the sentinels; return an error that wraps %s",
			r, a, r.what, goName(r.sentinel))
	}
}

func goName(sentinel error) string { return "milvuswait." + nameOf(sentinel) }

package pollertest

import (
	"context"
	"fmt"

	"github.com/milvuswait/milvuswait"
)

// importing checks polls of imports.
type importing struct {
	*checker
	imports milvuswait.ImportPoller
}

// newImporting returns nil for a Poller without ImportProgress, or whose server has no such
// call, and for a World without an import.
func newImporting(c *checker) kind {
	imports, ok := find[milvuswait.ImportPoller](c, func(f milvuswait.PollerFuncs) bool { return f.Import != nil })
	if !ok {
		return nil
	}

	if c.world.Import == 0 {
		c.skip("an import (World.Import)")
		return nil
	}

	i := &importing{c, imports}
	if !c.answers(i.poll()) {
		return nil
	}
	return i
}

func (i *importing) poll() question { return i.job(i.world.Import) }

func (i *importing) optional() []question { return nil }

func (i *importing) done() []question { return []question{i.poll()} }

func (i *importing) refusals() []refusal {
	return []refusal{{i.job(missingJob), milvuswait.ErrJobNotFound, "an import that does not exist"}}
}

// job returns a poll of an import as a question.
func (i *importing) job(job int64) question {
	return newCall(fmt.Sprintf("ImportProgress(%d)", job), func(ctx context.Context) (milvuswait.ImportProgress, error) {
		return i.imports.ImportProgress(ctx, job)
	})
}

func (i *importing) checkAnswers() {
	answered(i.checker, i.poll(), func(q question, p milvuswait.ImportProgress) {
		if i.sane(q, p) && !p.Complete() {
			i.defect("%v returned %v for an import that is completed, which is not Complete: a wait would never end", q, p)
		}
	})

	if i.world.FailedImport == 0 {
		i.skip("an import that has failed (World.FailedImport)")
		return
	}
	i.checkFailed()
}

// checkFailed polls an import that has failed. It must be a progress with the reason.
func (i *importing) checkFailed() {
	q := i.job(i.world.FailedImport)
	a, ok := i.ask(q)
	if !ok {
		return
	}

	if a.err != nil {
		i.defect("%v returned %v for an import that has failed: a wait takes that for a poll that failed; return the progress with the state and the reason", q, a)
		return
	}

	p := a.value.(milvuswait.ImportProgress)
	failed := p.State == milvuswait.ImportStateFailed || p.State == milvuswait.ImportStateFailedAndCleaned
	switch {
	case !i.sane(q, p):
	case !failed:
		i.defect("%v returned %v for an import that has failed: a wait would never end", q, p)
	case p.FailReason == "":
		i.defect("%v returned %v without a FailReason for an import that has failed: return failed_reason", q, p)
	}
}

// sane reports whether the numbers in p are within range, and records a defect otherwise.
func (i *importing) sane(q question, p milvuswait.ImportProgress) bool {
	rule := ""
	switch {
	case p.Percent < 0 || p.Percent > 100:
		rule = "Percent is from 0 to 100"
	case p.Rows < 0:
		rule = "the number of rows is not negative"
	case p.State.String() == fmt.Sprintf("ImportState(%d)", p.State):
		rule = "State has the numbers of common.proto"
	}
	return i.within(q, p, rule)
}

func (i *importing) checkRefusals() { i.checkRefused(i.refusals()) }

func (i *importing) checkArguments() { i.ask(i.job(0)) }

func (i *importing) checkOptional() {}
